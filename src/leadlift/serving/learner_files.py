"""A learner as text files: trees in LightGBM's format, everything else in JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.segment_models import SegmentedLearner, SegmentModel
from leadlift.learning.target_statistics import NO_STATISTICS
from leadlift.serving.statistics_file import STATISTICS, read_statistics, statistics_text

LOGISTIC = "logistic.json"
SEGMENTS = "segments.json"


def learner_files(learner: BlendedLearner) -> dict[str, str]:
    """Return the files of a fitted learner.

    Parameters
    ----------
    learner : BlendedLearner
        Fitted; those of segments have files of their own, with ``segment_00_`` … before their names.

    Returns
    -------
    dict of str to str
        File name -> content.
    """
    files = {f"trees_{i:02d}.txt": text for i, text in enumerate(learner.trees_.model_texts_)}
    files[LOGISTIC] = _dump(_logistic(learner))
    if learner.statistics.statistics:
        files[STATISTICS] = statistics_text(learner.statistics)
    if learner.segments:
        models = [{"code": model.code, "weight": model.weight} for model in learner.segments]
        files[SEGMENTS] = _dump({"column": learner.segment, "models": models})
    for i, model in enumerate(learner.segments):
        files |= {_prefix(i) + name: text for name, text in learner_files(model.learner).items()}
    return files


def read_learner(files: dict[str, str], n_columns: int) -> BlendedLearner:
    """Read what :func:`learner_files` wrote, and what bundles of before it held.

    Parameters
    ----------
    files : dict of str to str
    n_columns : int
        Columns of the matrix.

    Returns
    -------
    BlendedLearner
        Fitted; a :class:`SegmentedLearner` where segments have models of their own.
    """
    learner: BlendedLearner = BlendedLearner()
    if SEGMENTS in files:
        told = json.loads(files[SEGMENTS])
        learner = SegmentedLearner(segment=int(told["column"]))
        learner.segments_ = tuple(
            SegmentModel(
                float(m["code"]), float(m["weight"]), read_learner(_of(files, _prefix(i)), n_columns)
            )
            for i, m in enumerate(told["models"])
        )
    learner.trees_ = BaggedTrees()
    learner.trees_.model_texts_ = tuple(files[name] for name in sorted(files) if name.startswith("trees_"))
    learner.trees_.statistics_ = read_statistics(files[STATISTICS]) if STATISTICS in files else NO_STATISTICS
    _read_logistic(json.loads(files[LOGISTIC]), learner)
    for part in (learner, learner.trees_, learner.logistic_):
        part.n_features_in_, part.classes_ = n_columns, np.array([0, 1])
    return learner


def _logistic(learner: BlendedLearner) -> dict[str, Any]:
    logistic = learner.logistic_
    return {
        "edges": _lists(logistic.edges_),
        "tables": _lists(logistic.tables_),
        "intercept": logistic.intercept_,
        "fold_tables": _lists(logistic.fold_tables_),
        "fold_intercepts": logistic.fold_intercepts_.tolist(),
        "weight": learner.weight_,
    }


def _read_logistic(told: dict[str, Any], learner: BlendedLearner) -> None:
    logistic = learner.logistic_ = BinnedLogistic()
    logistic.edges_ = _arrays(told["edges"])
    logistic.tables_ = _arrays(told["tables"])
    logistic.intercept_ = float(told["intercept"])
    # Bundles of before the tables of each fold were kept have none.
    empty = [[[]] * len(table) for table in told["tables"]]
    logistic.fold_tables_ = _arrays(told.get("fold_tables", empty))
    logistic.fold_intercepts_ = np.array(told.get("fold_intercepts", ()), dtype=np.float64)
    learner.weight_ = float(told["weight"])


def _lists(arrays: list[np.ndarray]) -> list[list]:
    return [array.tolist() for array in arrays]


def _arrays(lists: list[list]) -> list[np.ndarray]:
    return [np.array(values, dtype=np.float64) for values in lists]


def _prefix(number: int) -> str:
    return f"segment_{number:02d}_"


def _of(files: dict[str, str], prefix: str) -> dict[str, str]:
    """Files whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): text for name, text in files.items() if name.startswith(prefix)}


def _dump(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
