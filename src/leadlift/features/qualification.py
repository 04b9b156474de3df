"""Intent: demos, quotes, hand-raises and prices asked for, and how much of BANT is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from leadlift.data.naming import protected_attribute
from leadlift.features import FeatureGroup, Settings
from leadlift.features.activity import days_or_null
from leadlift.features.bant import bant_columns, is_known
from leadlift.features.facts import Facts, Survey
from leadlift.features.known import KnownActs
from leadlift.features.meanings import BITS
from leadlift.features.specs import Specs
from leadlift.terms import Family, FeatureSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEANINGS = ("demo", "quote", "hand_raise", "pricing")
"""Meanings of acts that say a lead wants something."""

ANY_WINDOWS_DAYS = (7.0, 30.0)
MEANING_WINDOWS_DAYS = (30.0,)

_ABOUT = {
    "demo": "about a demo or a trial",
    "quote": "about a quote",
    "hand_raise": "by which the lead asked to be contacted",
    "pricing": "about prices",
}


class Qualification(FeatureGroup):
    """Acts of intent by meaning, and the number of BANT questions that have an answer.

    An act has a meaning when its type or its asset has; see
    :class:`leadlift.features.meanings.Meanings`. Only meanings that occur at fit have columns. A BANT
    question (budget, authority, need, timeline) is known when one of the columns or logged fields that answer
    it, found by their names, is filled in and not ``"unknown"``. The answers themselves are in the group
    ``profile``.

    Parameters
    ----------
    lead_columns : sequence of str
        Columns of the leads known at creation, free text left out.
    fields : sequence of str, optional
        Fields of the change log to be used; None takes all that are neither refused nor protected.
    refused : sequence of str
        Fields of the change log to be left out, unless named in `fields`.

    Attributes
    ----------
    meanings_ : tuple of str
        Of :data:`MEANINGS`, those that occur.
    bant_ : dict of str to str
        By column or field, the BANT question it answers.
    logged_ : tuple of str
        Those of them that are fields of the change log and no columns of the leads.
    """

    name: ClassVar[str] = "qualification"
    act_columns: ClassVar[tuple[str, ...]] = ("meanings",)

    def __init__(
        self,
        lead_columns: Sequence[str] = (),
        fields: Sequence[str] | None = None,
        refused: Sequence[str] = (),
    ) -> None:
        self.lead_columns = tuple(lead_columns)
        self.fields = None if fields is None else tuple(fields)
        self.refused = tuple(refused)

    @classmethod
    def configured(cls, settings: Settings) -> Self:
        """Make the group; see :meth:`FeatureGroup.configured`."""
        columns = [spec.name for spec in settings.columns if spec.name not in settings.text]
        return cls(lead_columns=columns, fields=settings.fields, refused=settings.refused)

    def fit(self, survey: Survey) -> Self:
        """Learn which meanings occur and where BANT is; see :meth:`FeatureGroup.fit`."""
        self.meanings_ = tuple(meaning for meaning in MEANINGS if meaning in survey.meanings)
        fields = [name for name in sorted(survey.fields) if self._may_use(name, survey)]
        self.bant_ = bant_columns([*self.lead_columns, *fields])
        self.logged_ = tuple(name for name in self.bant_ if name in fields)
        return self

    def specs(self) -> tuple[FeatureSpec, ...]:
        """Return what each column means; see :meth:`FeatureGroup.specs`."""
        acts = [spec for meaning in self.meanings_ for spec in _specs_of(meaning)]
        about = "acts about a demo, a quote, contact or prices"
        any_windows = _SPECS.windows(
            "intent_any", about, ANY_WINDOWS_DAYS, unit="acts", wording="meaning.count", about=("any",)
        )
        return (*acts, *(any_windows if acts else ()), *((_N_BANT_KNOWN,) if self.bant_ else ()))

    def columns(self, facts: Facts) -> list[pa.Array]:
        """Make the columns; see :meth:`FeatureGroup.columns`."""
        acts = self._act_columns(facts.acts) if self.meanings_ and facts.acts is not None else []
        return [*acts, *([self._n_bant_known(facts)] if self.bant_ else ())]

    def to_dict(self) -> dict[str, Any]:
        """Return what was learnt; see :meth:`FeatureGroup.to_dict`."""
        return {"meanings": list(self.meanings_), "bant": dict(self.bant_), "logged": list(self.logged_)}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make the fitted group anew; see :meth:`FeatureGroup.from_dict`."""
        group = cls()
        group.meanings_, group.logged_ = tuple(state["meanings"]), tuple(state["logged"])
        group.bant_ = dict(state["bant"])
        return group

    def _may_use(self, field: str, survey: Survey) -> bool:
        """Fields of the log that are no column of the leads and that the group profile would show."""
        if field in survey.leads.column_names:
            return False
        if self.fields is not None:
            return field in self.fields
        return field not in self.refused and protected_attribute(field) is None

    def _act_columns(self, acts: KnownActs) -> list[pa.Array]:
        wanted = sum(BITS[meaning] for meaning in self.meanings_)
        some = acts.select((acts["meanings"] & wanted) > 0, ["meanings"])
        by_meaning = [_counts_and_recency(some, BITS[meaning]) for meaning in self.meanings_]
        return [
            *[column for columns in by_meaning for column in columns],
            *_counts(some, ANY_WINDOWS_DAYS),
        ]

    def _n_bant_known(self, facts: Facts) -> pa.Array:
        known: dict[str, NDArray[np.bool_]] = {}
        for name, question in self.bant_.items():
            answered = is_known(facts, name, is_logged=name in self.logged_)
            known[question] = known.get(question, False) | answered
        return pa.array(sum(known.values()).astype(np.int32))


def _counts_and_recency(acts: KnownActs, bit: int) -> list[pa.Array]:
    about = acts.select((acts["meanings"] & bit) > 0)
    return [*_counts(about, MEANING_WINDOWS_DAYS), days_or_null(about.least(about.age_us))]


def _counts(acts: KnownActs, windows_days: Sequence[float]) -> list[pa.Array]:
    every = np.zeros(len(acts.row), dtype=np.int64)
    return [pa.array(counts.astype(np.int32)) for counts in acts.count(every, 1, windows_days)[:, 0]]


_SPECS = Specs(Qualification.name, Family.INTENT)

_N_BANT_KNOWN = _SPECS.number(
    "n_bant_known",
    "how many of budget, authority, need and timeline are known, 0 to 4",
    unit="questions",
    wording="bant.count",
)


def _specs_of(meaning: str) -> list[FeatureSpec]:
    stem, about = f"intent_{meaning}", _ABOUT[meaning]
    return [
        *_SPECS.windows(
            stem,
            f"acts {about}",
            MEANING_WINDOWS_DAYS,
            unit="acts",
            wording="meaning.count",
            about=(meaning,),
        ),
        _SPECS.days_since(f"{stem}_days_since", f"last act {about}", "meaning.last", (meaning,)),
    ]
