"""The promotion contract: a challenger is promoted only if every clause holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leadlift.exceptions import ConfigError
from leadlift.lifecycle.retraining import clauses
from leadlift.lifecycle.retraining.clauses import Clause

if TYPE_CHECKING:
    from leadlift.lifecycle.retraining.clauses import ChallengerFacts
    from leadlift.lifecycle.retraining.comparison import Comparison

VERDICT_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("expected", pa.float64()),
        ("observed", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("limit", pa.float64()),
        ("holds", pa.bool_()),
        ("text", pa.string()),
    ]
)


@dataclass(frozen=True)
class Verdict:
    """What became of each clause.

    Parameters
    ----------
    clauses : tuple of Clause
    """

    clauses: tuple[Clause, ...]

    @property
    def holds(self) -> bool:
        """Whether the challenger may be promoted: every clause holds."""
        return all(clause.holds for clause in self.clauses)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the clauses that do not hold."""
        return tuple(clause.name for clause in self.clauses if not clause.holds)

    def to_table(self) -> pa.Table:
        """Return a row a clause, columns :data:`VERDICT_SCHEMA`; null where a clause has no such number."""
        return pa.Table.from_pylist([asdict(clause) for clause in self.clauses], schema=VERDICT_SCHEMA)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {"holds": self.holds, "clauses": [asdict(clause) for clause in self.clauses]}


@dataclass(frozen=True)
class PromotionContract:
    """How much worse a challenger may be at most, and how much it may change.

    The clauses on log loss and wins are tests of non-inferiority: the one-sided bound of the paired bootstrap
    must lie within the margin, so that a challenger beyond it is promoted with a chance of at most about
    ``1 - confidence``, and one that too few leads speak for is not promoted.
    Source: Food and Drug Administration 2016, "Non-Inferiority Clinical Trials to Establish Effectiveness".

    Parameters
    ----------
    log_loss_margin : float, default=0.02
        Largest rise of the log loss, as a share of the champion's; >= 0.
    wins_margin : float, default=0.1
        Largest loss of captured wins, as a share of the champion's, above the own lines and at equal volume;
        in [0, 1].
    calibration_margin : float, default=0.25
        Wins may be ``1 + calibration_margin`` times off what the scores add up to; >= 0.
    volume_factor : float, default=2.0
        The line may pass so many times more or fewer leads; >= 1.
    rank_churn_limit : float, default=0.5
        Largest share of the champion's qualified leads that would be others at equal volume; in [0, 1].
    moved_two_grades_limit : float, default=0.1
        Largest share of leads that move by two grades or more; in [0, 1].
    reason_similarity : float, default=0.8
        Least cosine between the mean contributions by column; in [0, 1].
    allow_new_inputs : bool, default=False
        Whether the challenger may read columns of the leads that the champion does not.
    confidence : float, default=0.95
        Of each one-sided bound, in (0.5, 1).

    Raises
    ------
    ConfigError
        A margin or limit is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from leadlift.lifecycle.retraining.comparison import compare
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.beta(1, 9, 4000)
    >>> won = rng.random(4000) < truth
    >>> PromotionContract().judge(compare(truth, truth, won, cutoffs=(0.2, 0.2))).holds
    True
    >>> PromotionContract().judge(compare(truth, truth / 2, won, cutoffs=(0.2, 0.1))).failed
    ('log_loss', 'calibrated')
    """

    log_loss_margin: float = 0.02
    wins_margin: float = 0.1
    calibration_margin: float = 0.25
    volume_factor: float = 2.0
    rank_churn_limit: float = 0.5
    moved_two_grades_limit: float = 0.1
    reason_similarity: float = 0.8
    allow_new_inputs: bool = False
    confidence: float = 0.95

    def __post_init__(self) -> None:
        shares = ("wins_margin", "rank_churn_limit", "moved_two_grades_limit", "reason_similarity")
        allowed = dict.fromkeys(shares, (0.0, 1.0)) | {
            "log_loss_margin": (0.0, float("inf")),
            "calibration_margin": (0.0, float("inf")),
            "volume_factor": (1.0, float("inf")),
        }
        for name, (low, high) in allowed.items():
            value = getattr(self, name)
            if not low <= value <= high:
                msg = f"{name} of the promotion contract must be in [{low:g}, {high:g}], got {value!r}"
                raise ConfigError(msg)
        if not 0.5 < self.confidence < 1:
            msg = f"confidence of the promotion contract must be in (0.5, 1), got {self.confidence!r}"
            raise ConfigError(msg)

    def judge(self, comparison: Comparison, facts: ChallengerFacts | None = None) -> Verdict:
        """Judge every clause.

        Parameters
        ----------
        comparison : Comparison
            Of both models, on leads that neither was fitted, calibrated or cut on; its bounds are at its own
            `confidence`.
        facts : ChallengerFacts, optional
            What the other clauses ask; without them those of the comparison alone are judged.

        Returns
        -------
        Verdict
        """
        of_scores = (
            clauses.log_loss_clause(comparison, self.log_loss_margin),
            clauses.captured_wins_clause(comparison, self.wins_margin),
            clauses.equal_volume_clause(comparison, self.wins_margin),
            clauses.calibration_clause(comparison, self.calibration_margin),
            clauses.volume_clause(comparison, self.volume_factor),
            clauses.rank_churn_clause(comparison, self.rank_churn_limit),
            clauses.grade_moves_clause(comparison, self.moved_two_grades_limit),
        )
        return Verdict(of_scores if facts is None else (*of_scores, *self._of_facts(facts)))

    def _of_facts(self, facts: ChallengerFacts) -> tuple[Clause, ...]:
        return (
            clauses.promise_clause(facts),
            clauses.leakage_clause(facts),
            clauses.fairness_clause(facts),
            clauses.reasons_clause(facts, self.reason_similarity),
            clauses.inputs_clause(facts, allow_new=self.allow_new_inputs),
        )
