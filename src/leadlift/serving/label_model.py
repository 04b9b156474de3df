"""The model of one label in a bundle: what scores, the lines on its scores, and the estimator behind it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from leadlift.exceptions import InputError
from leadlift.learning.fitted.curves import read_curve
from leadlift.learning.fitted.model import FittedModel
from leadlift.learning.fitted.vocabulary import EncodedColumn
from leadlift.serving.learner_files import blend_files, read_blend
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from leadlift.learning.scorer import LeadScorer

ENCODER = "encoder.json"
CALIBRATOR = "calibrator.json"
CUTOFFS = "cutoffs.json"
PROBE = "probe.json"


@dataclass(frozen=True, eq=False)
class LabelModel:
    """The model of one label.

    Parameters
    ----------
    fitted : FittedModel
        What scores; all that a scoring job needs of the model.
    cutoff : Cutoff
    sql_cutoff : Cutoff or None
    make_scorer : callable
        Makes the estimator, which takes scikit-learn; called once, when it is asked for.
    probe : dict or None
        Rows with known scores (:mod:`leadlift.serving.probe`); None before they are on disk, and in bundles
        of before there were probes.
    """

    fitted: FittedModel
    cutoff: Cutoff
    sql_cutoff: Cutoff | None
    make_scorer: Callable[[], LeadScorer] = field(repr=False)
    probe: dict[str, Any] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, scorer: LeadScorer) -> LabelModel:
        """Return the model that a fitted scorer is.

        Raises
        ------
        InputError
            Its learner is no :class:`BlendedLearner`, whose result can be written as text.
        """
        from leadlift.learning.blending import BlendedLearner

        if not isinstance(scorer.learner_, BlendedLearner):
            msg = f"a bundle holds a BlendedLearner, got {type(scorer.learner_).__name__}"
            raise InputError(msg)
        return cls(scorer.fitted, scorer.cutoff_, scorer.sql_cutoff_, lambda: scorer)

    def using(self, engine: str) -> LabelModel:
        """Return the same model with another engine."""
        return replace(self, fitted=self.fitted.using(engine))

    @cached_property
    def scorer(self) -> LeadScorer:
        """The fitted estimator: what explains, changes and examines the model beyond scoring."""
        return self.make_scorer()


def label_files(model: LabelModel) -> dict[str, str]:
    """Return what the model of one label is stored as: file name -> content."""
    from leadlift.serving.evidence_file import evidence_files
    from leadlift.serving.probe import make_probe

    scorer, probe = model.scorer, model.probe or make_probe(model.fitted)
    files = blend_files(model.fitted.blend)
    if hasattr(scorer, "evidence_"):
        files |= evidence_files(scorer.evidence_)
    return files | {
        ENCODER: dump([asdict(column) for column in model.fitted.columns]),
        CALIBRATOR: dump(scorer.calibrator_.to_dict()),
        PROBE: json.dumps(probe, sort_keys=True, allow_nan=False) + "\n",
        CUTOFFS: dump({"mql": _as_dict(model.cutoff), "sql": _as_dict(model.sql_cutoff)}),
    }


def read_label(files: Mapping[str, str]) -> LabelModel:
    """Read what :func:`label_files` wrote.

    Parameters
    ----------
    files : mapping of str to str

    Returns
    -------
    LabelModel

    Raises
    ------
    KeyError, TypeError, ValueError
        The files hold something else.
    """
    columns = TypeAdapter(list[EncodedColumn]).validate_json(files[ENCODER])
    curve = read_curve(json.loads(files[CALIBRATOR]))
    fitted = FittedModel(tuple(columns), read_blend(files), curve)
    cutoffs = TypeAdapter(dict[str, Cutoff | None]).validate_json(files[CUTOFFS])
    if cutoffs["mql"] is None:
        msg = f"{CUTOFFS} holds no MQL cut-off"
        raise ValueError(msg)
    probe = json.loads(files[PROBE]) if PROBE in files else None
    make_scorer = partial(_restored, files, fitted, cutoffs)
    return LabelModel(fitted, cutoffs["mql"], cutoffs["sql"], make_scorer, probe)


def _restored(
    files: Mapping[str, str], fitted: FittedModel, cutoffs: Mapping[str, Cutoff | None]
) -> LeadScorer:
    from leadlift.serving.restoring import restored_scorer

    return restored_scorer(files, fitted, cutoffs)


def dump(value: Any, *, sort_keys: bool = True) -> str:
    """Return JSON as the files of a bundle are written."""
    return json.dumps(value, indent=1, sort_keys=sort_keys, ensure_ascii=False, allow_nan=True) + "\n"


def _as_dict(cutoff: Cutoff | None) -> dict[str, Any] | None:
    return None if cutoff is None else asdict(cutoff)
