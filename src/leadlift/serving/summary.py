"""What a scoring job counts: piece by piece, added up, and told at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leadlift.serving.drift import DriftCounts
from leadlift.serving.overrides import OVERRIDE
from leadlift.terms import Stage, Status

if TYPE_CHECKING:
    from leadlift.serving.overrides import Overrides


@dataclass
class Counts:
    """What became of some rows; those of several pieces add up, in any order.

    Parameters
    ----------
    rows_in : int
    by_status : Counter of str
        Rows by status.
    by_stage : Counter of str
        Scored rows by stage.
    by_stage_reason : Counter of str
        Scored rows by what decided their stage.
    scored_again : int
        Scored rows whose lead has a stage in the previous scored table.
    unseen : Counter of str
        By column, cells whose level the model has never seen.
    drift : DriftCounts
        Scored rows by bin; none where drift is not watched.
    """

    rows_in: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    by_stage: Counter[str] = field(default_factory=Counter)
    by_stage_reason: Counter[str] = field(default_factory=Counter)
    scored_again: int = 0
    unseen: Counter[str] = field(default_factory=Counter)
    drift: DriftCounts = field(default_factory=DriftCounts)

    def add(self, other: Counts) -> None:
        """Add those of other rows."""
        self.rows_in += other.rows_in
        self.scored_again += other.scored_again
        self.drift = self.drift + other.drift
        for name in ("by_status", "by_stage", "by_stage_reason", "unseen"):
            getattr(self, name).update(getattr(other, name))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "rows_in": self.rows_in,
            "by_status": dict(self.by_status),
            "by_stage": dict(self.by_stage),
            "by_stage_reason": dict(self.by_stage_reason),
            "scored_again": self.scored_again,
            "unseen": dict(self.unseen),
            "drift": self.drift.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Counts:
        """Read what :meth:`to_dict` gave."""
        counters = {name: Counter(values[name]) for name in ("by_status", "by_stage", "by_stage_reason")}
        return cls(
            rows_in=values["rows_in"],
            scored_again=values["scored_again"],
            unseen=Counter(values["unseen"]),
            drift=DriftCounts.from_dict(values["drift"]),
            **counters,
        )


@dataclass(frozen=True)
class PredictSummary:
    """What a scoring job did; every input row is counted once under its status.

    Parameters
    ----------
    model_version : str
    as_of : str or None
        Moment of scoring, ISO 8601.
    rows_in : int
    by_status : dict of str to int
        Rows by status.
    by_stage : dict of str to int
        Scored rows by stage.
    by_stage_reason : dict of str to int
        Scored rows by what decided their stage.
    not_scored_again : int
        Leads with a stage in the previous scored table and no score now.
    unseen : dict of str to int
        By column, cells whose level the model has never seen.
    events : dict of str to int
        Events ``read``, those ``of_other_leads`` and ``copies``; empty without events.
    drift : tuple of dict
        Inputs, or the score, that look unlike those of training.
    engine : str
        What walked the trees: ``"fast"`` or ``"plain"``.
    engine_note : str
        Why not the engine asked for; empty where it was.
    resumed_rows : int
        Rows taken from an unfinished run of the same job.
    rows_out : int
        Rows written: those read, less those left out as unchanged or by a profile.
    overrides : dict of str to int
        Of the overrides: those ``in_force``, ``honoured`` and ``of_leads_not_scored``; in force and
        ``never_end``; ``ended``, ``not_yet`` made and ``replaced`` by later ones. Empty without overrides.
    """

    model_version: str
    as_of: str | None = None
    rows_in: int = 0
    by_status: dict[str, int] = field(default_factory=dict)
    by_stage: dict[str, int] = field(default_factory=dict)
    by_stage_reason: dict[str, int] = field(default_factory=dict)
    not_scored_again: int = 0
    unseen: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    drift: tuple[dict[str, Any], ...] = ()
    engine: str = ""
    engine_note: str = ""
    resumed_rows: int = 0
    rows_out: int = 0
    overrides: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls, counts: Counts, *, n_previous: int = 0, overrides: Overrides | None = None, **told: Any
    ) -> PredictSummary:
        """Return what a job counted, with what else is told of it.

        Parameters
        ----------
        counts : Counts
            Of all pieces.
        n_previous : int, default=0
            Leads with a stage in the previous scored table.
        overrides : Overrides, optional
            Those that were honoured.
        **told
            The other fields.

        Returns
        -------
        PredictSummary
        """
        return cls(
            rows_in=counts.rows_in,
            by_status=dict(counts.by_status),
            by_stage=dict(counts.by_stage),
            by_stage_reason=dict(counts.by_stage_reason),
            not_scored_again=n_previous - counts.scored_again,
            unseen=dict(counts.unseen),
            overrides=overrides.counts.to_dict(counts.by_stage_reason[OVERRIDE]) if overrides else {},
            **told,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; ``scored``, ``unscored``, ``mql`` and ``sql`` are counted out."""
        unscored = {why: n for why, n in self.by_status.items() if why != Status.SCORED}
        return {
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "scored": self.by_status.get(Status.SCORED, 0),
            "unscored": unscored,
            "mql": self.by_stage.get(Stage.MQL, 0),
            "sql": self.by_stage.get(Stage.SQL, 0),
            "by_status": dict(self.by_status),
            "by_stage": dict(self.by_stage),
            "by_stage_reason": dict(self.by_stage_reason),
            "not_scored_again": self.not_scored_again,
            "unseen": dict(self.unseen),
            "events": dict(self.events),
            "drift": list(self.drift),
            "overrides": dict(self.overrides),
            "engine": self.engine,
            "engine_note": self.engine_note,
            "resumed_rows": self.resumed_rows,
            "model_version": self.model_version,
            "as_of": self.as_of,
        }
