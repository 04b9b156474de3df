"""When a model is to be trained again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from leadlift.exceptions import ConfigError
from leadlift.terms import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadlift.terms import Finding

# Findings about the promise of a cut-off: void, broken, and fewer wins above it than its scores say.
PROMISE_CODES = frozenset({"LL163", "LL232", "LL233"})
# Findings about leads or outcomes that are no longer those of training, which learning anew can mend.
DRIFT_CODES = frozenset({"LL162", "LL210", "LL211", "LL212", "LL213", "LL230", "LL231", "LL234"})


@dataclass(frozen=True)
class RetrainDecision:
    """Whether to retrain, and why.

    Parameters
    ----------
    needed : bool
    reasons : tuple of str
        Why or why not.
    is_blocked : bool
        Whether a feed is broken, so that learning from it would be wrong whatever asks for it.
    """

    needed: bool
    reasons: tuple[str, ...]
    is_blocked: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class RetrainRule:
    """When to retrain: at an age, on drift, on a broken promise; never without enough that is new.

    A fatal finding means a broken feed, which must be mended first: nothing is retrained then.

    Parameters
    ----------
    max_age_days : float or None, default=180.0
        Age from which on a champion is trained again, > 0; None sets no age.
    on_drift : bool, default=True
        Whether drift of inputs, scores, base rate or calibration is a reason (:data:`DRIFT_CODES`).
    on_broken_promise : bool, default=True
        Whether a broken or void promise is a reason (:data:`PROMISE_CODES`).
    min_new_labels : int or None, default=200
        A reason waits until so many outcomes are new, >= 1; None never waits.

    Raises
    ------
    ConfigError
        A number is out of range.

    Examples
    --------
    >>> RetrainRule(max_age_days=90).decide(age_days=100.0, n_new_labels=500)
    RetrainDecision(needed=True, reasons=('the champion is 100 days old, 90 allowed',), is_blocked=False)
    >>> RetrainRule(max_age_days=90, min_new_labels=600).decide(age_days=100.0, n_new_labels=500).needed
    False
    """

    max_age_days: float | None = 180.0
    on_drift: bool = True
    on_broken_promise: bool = True
    min_new_labels: int | None = 200

    def __post_init__(self) -> None:
        if self.max_age_days is not None and not self.max_age_days > 0:
            msg = f"max_age_days must be greater than 0 or None, got {self.max_age_days!r}"
            raise ConfigError(msg)
        if self.min_new_labels is not None and self.min_new_labels < 1:
            msg = f"min_new_labels must be at least 1 or None, got {self.min_new_labels!r}"
            raise ConfigError(msg)

    def decide(
        self,
        *,
        age_days: float | None = None,
        findings: Sequence[Finding] = (),
        n_new_labels: int | None = None,
    ) -> RetrainDecision:
        """Decide.

        Parameters
        ----------
        age_days : float or None
            Days since the latest lead that the champion knows; None where that is not known.
        findings : sequence of Finding
            Of a monitoring run.
        n_new_labels : int or None
            Outcomes that have become known since the latest model was learnt, refused ones included; None
            where they were not counted, and then nothing waits for them.

        Returns
        -------
        RetrainDecision
        """
        broken = tuple(_told(f) for f in findings if f.severity is Severity.FATAL)
        if broken:
            return RetrainDecision(needed=False, reasons=broken, is_blocked=True)
        reasons = (*self._old(age_days), *self._alarms(findings))
        if not reasons:
            return RetrainDecision(needed=False, reasons=("neither age nor an alarm asks for it",))
        if None not in (self.min_new_labels, n_new_labels) and n_new_labels < self.min_new_labels:
            waits = f"{n_new_labels:,} new outcomes, {self.min_new_labels:,} are waited for"
            return RetrainDecision(needed=False, reasons=(waits, *(f"waiting: {why}" for why in reasons)))
        return RetrainDecision(needed=True, reasons=reasons)

    def _old(self, age_days: float | None) -> tuple[str, ...]:
        if self.max_age_days is None or age_days is None or age_days < self.max_age_days:
            return ()
        return (f"the champion is {age_days:.0f} days old, {self.max_age_days:g} allowed",)

    def _alarms(self, findings: Sequence[Finding]) -> tuple[str, ...]:
        asked = (DRIFT_CODES if self.on_drift else frozenset()) | (
            PROMISE_CODES if self.on_broken_promise else frozenset()
        )
        return tuple(_told(f) for f in findings if f.severity is Severity.WARNING and f.code in asked)


def _told(finding: Finding) -> str:
    return f"{finding.code} {finding.title}: {finding.message}"
