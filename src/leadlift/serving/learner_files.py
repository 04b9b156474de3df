"""What a learner learnt as text files: trees in LightGBM's format, everything else in JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.learning.fitted.blend import Blend, Segment
from leadlift.learning.fitted.forest import Forest
from leadlift.learning.fitted.logistic import LogisticTables
from leadlift.learning.target_statistics import NO_STATISTICS
from leadlift.serving.statistics_file import STATISTICS, read_statistics, statistics_text

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGISTIC = "logistic.json"
SEGMENTS = "segments.json"


def blend_files(blend: Blend) -> dict[str, str]:
    """Return the files of a blend.

    Parameters
    ----------
    blend : Blend
        Those of segments have files of their own, with ``segment_00_`` … before their names.

    Returns
    -------
    dict of str to str
        File name -> content.
    """
    files = {f"trees_{i:02d}.txt": text for i, text in enumerate(blend.forest.model_texts)}
    files[LOGISTIC] = _dump(_told(blend))
    if blend.statistics.statistics:
        files[STATISTICS] = statistics_text(blend.statistics)
    if blend.segments:
        models = [{"code": segment.code, "weight": segment.weight} for segment in blend.segments]
        files[SEGMENTS] = _dump({"column": blend.segment_column, "models": models})
    for i, segment in enumerate(blend.segments):
        files |= {_prefix(i) + name: text for name, text in blend_files(segment.blend).items()}
    return files


def read_blend(files: Mapping[str, str]) -> Blend:
    """Read what :func:`blend_files` wrote, and what bundles of before it held.

    Parameters
    ----------
    files : mapping of str to str

    Returns
    -------
    Blend

    Raises
    ------
    KeyError, TypeError, ValueError
        The files hold something else.
    """
    texts = tuple(files[name] for name in sorted(files) if name.startswith("trees_"))
    statistics = read_statistics(files[STATISTICS]) if STATISTICS in files else NO_STATISTICS
    logistic, weight = _read_logistic(json.loads(files[LOGISTIC]))
    column, segments = _read_segments(files) if SEGMENTS in files else (0, ())
    return Blend(Forest(texts, statistics), logistic, weight, column, segments)


def _told(blend: Blend) -> dict[str, Any]:
    logistic = blend.logistic
    return {
        "edges": _lists(logistic.edges),
        "tables": _lists(logistic.tables),
        "intercept": logistic.intercept,
        "fold_tables": _lists(logistic.fold_tables),
        "fold_intercepts": logistic.fold_intercepts.tolist(),
        "weight": blend.weight,
    }


def _read_logistic(told: dict[str, Any]) -> tuple[LogisticTables, float]:
    """Return the tables and the weight that they have in the blend."""
    # Bundles of before the tables of each fold were kept have none.
    empty = [[[]] * len(table) for table in told["tables"]]
    tables = LogisticTables(
        edges=_arrays(told["edges"]),
        tables=_arrays(told["tables"]),
        intercept=float(told["intercept"]),
        fold_tables=_arrays(told.get("fold_tables", empty)),
        fold_intercepts=np.array(told.get("fold_intercepts", ()), dtype=np.float64),
    )
    return tables, float(told["weight"])


def _read_segments(files: Mapping[str, str]) -> tuple[int, tuple[Segment, ...]]:
    """Return the column of the segments, and the blend of each."""
    told = json.loads(files[SEGMENTS])
    segments = tuple(
        Segment(float(model["code"]), float(model["weight"]), read_blend(_of(files, _prefix(i))))
        for i, model in enumerate(told["models"])
    )
    return int(told["column"]), segments


def _lists(arrays: list[np.ndarray]) -> list[list]:
    return [array.tolist() for array in arrays]


def _arrays(lists: list[list]) -> list[np.ndarray]:
    return [np.array(values, dtype=np.float64) for values in lists]


def _prefix(number: int) -> str:
    return f"segment_{number:02d}_"


def _of(files: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Files whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): text for name, text in files.items() if name.startswith(prefix)}


def _dump(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
