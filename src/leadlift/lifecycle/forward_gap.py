"""How much the past flatters: the score of a random split beside the one that looks forward in time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logit

from leadlift.learning import metrics
from leadlift.learning.log_odds import log_loss_each
from leadlift.terms import Finding, Interval, Severity

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The gap matters where a fifth of what the random split promised is gone, and is clear beyond two errors.
MATERIAL_SHARE = 0.2
CLEAR_ERRORS = 2.0


@dataclass(frozen=True)
class ForwardGap:
    """What a random split says of a model, and what the leads that came later said.

    Skill is the share of the base rate's log loss that the scores save, ``1 - loss / loss of the base rate of
    the same leads`` (McFadden 1974, "Conditional logit analysis of qualitative choice behavior"): unlike the
    loss it may be compared between leads of different base rates.

    Parameters
    ----------
    n_random, n_forward : int
        Leads compared, one row a lead.
    is_paired : bool
        Whether both scores are of the same leads.
    random_auc, forward_auc : Interval
    random_log_loss, forward_log_loss : float
    random_skill, forward_skill : float
    standard_error : float
        Of the difference in skill.
    """

    n_random: int
    n_forward: int
    is_paired: bool
    random_auc: Interval
    forward_auc: Interval
    random_log_loss: float
    forward_log_loss: float
    random_skill: float
    forward_skill: float
    standard_error: float

    @property
    def skill_lost(self) -> float:
        """How much lower the skill is forward in time."""
        return self.random_skill - self.forward_skill

    @property
    def is_clear(self) -> bool:
        """Whether the gap is beyond two standard errors and a fifth of the skill of the random split."""
        clear = self.skill_lost > CLEAR_ERRORS * self.standard_error
        return clear and self.skill_lost > MATERIAL_SHARE * max(self.random_skill, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self) | {"skill_lost": self.skill_lost, "is_clear": self.is_clear}

    def finding(self) -> Finding:
        """Return the finding LL161: a warning where the gap is clear, for information otherwise."""
        same = "the same" if self.is_paired else "later"
        return Finding(
            code="LL161",
            severity=Severity.WARNING if self.is_clear else Severity.INFO,
            title="the past flatters",
            message=(
                f"Judged by a random split, the model saves {self.random_skill:.1%} of the base rate's "
                f"log loss (AUC {self.random_auc}, {self.n_random:,} leads); judged forward in time, on "
                f"{same} {self.n_forward:,} leads, {self.forward_skill:.1%} (AUC {self.forward_auc}): a "
                f"difference of {self.skill_lost:.1%}, standard error {self.standard_error:.1%}"
            ),
            remedy=_MEND if self.is_clear else "The forward figures are the ones to expect of new leads",
        )


_MEND = (
    "Believe the forward figures only, and expect them to move; train again often, refresh calibration and "
    'cut-off on the latest outcomes, and try recency = "choose"'
)


def compare_forward(
    y_random: NDArray,
    random_log_odds: NDArray[np.float64],
    y_forward: NDArray,
    forward_score: NDArray[np.float64],
    *,
    is_paired: bool,
) -> ForwardGap:
    """Compare out-of-fold scores of a random split with scores of leads that came later.

    Parameters
    ----------
    y_random : ndarray of shape (n_random,)
        Labels 0 and 1, both present, one row a lead.
    random_log_odds : ndarray of float64, shape (n_random,)
        By members that had seen neither the lead nor anything about time.
    y_forward : ndarray of shape (n_forward,)
        Labels 0 and 1, both present, one row a lead.
    forward_score : ndarray of float64, shape (n_forward,)
        Probabilities by a model of earlier leads.
    is_paired : bool
        Whether row `i` of both is the same lead; the standard error is then that of the paired difference.

    Returns
    -------
    ForwardGap

    Raises
    ------
    InputError
        Only one outcome is present.
    """
    forward_log_odds = logit(np.clip(forward_score, 1e-15, 1 - 1e-15))
    random_auc, forward_auc = metrics.auc(y_random, random_log_odds), metrics.auc(y_forward, forward_log_odds)
    timeless, forward = _Skill.of(y_random, random_log_odds), _Skill.of(y_forward, forward_log_odds)
    variance = (
        _variance(timeless.share - forward.share)
        if is_paired
        else _variance(timeless.share) + _variance(forward.share)
    )
    return ForwardGap(
        len(y_random),
        len(y_forward),
        is_paired,
        random_auc,
        forward_auc,
        timeless.log_loss,
        forward.log_loss,
        float(timeless.share.mean()),
        float(forward.share.mean()),
        float(np.sqrt(variance)),
    )


@dataclass(frozen=True)
class _Skill:
    """Mean log loss, and what each lead contributes to the share of the base rate's loss that is saved."""

    log_loss: float
    share: NDArray[np.float64]

    @classmethod
    def of(cls, y: NDArray, log_odds: NDArray[np.float64]) -> _Skill:
        loss = log_loss_each(y, log_odds)
        base = log_loss_each(y, np.full(len(y), logit(np.mean(y > 0))))
        kept = loss.mean() / base.mean()
        # 1 - kept on average; the spread around it is that of a ratio of means, to first order.
        return cls(float(loss.mean()), 1 - kept - (loss - kept * base) / base.mean())


def _variance(values: NDArray[np.float64]) -> float:
    return float(values.var(ddof=1) / len(values))
