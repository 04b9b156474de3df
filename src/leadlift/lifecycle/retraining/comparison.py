"""Champion and challenger on the same leads, whose outcomes neither has seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import rankdata

from leadlift.exceptions import InputError
from leadlift.learning.cutoff.base import check_range
from leadlift.learning.cutoff.evidence import passes
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.prior_shift import finite_log_odds
from leadlift.lifecycle.retraining.paired_bootstrap import Resampler
from leadlift.terms import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class ModelScores:
    """What one model says of the leads of the window.

    Parameters
    ----------
    score : ndarray of float64, shape (n_leads,)
        Published P(won).
    passed : ndarray of bool, shape (n_leads,)
        Which leads reach the MQL line of the model.
    rank_by : ndarray of float64, shape (n_leads,)
        What the MQL line is drawn on: `score`, or P(SQL) where that is learnt.
    grade : ndarray of int64, shape (n_leads,) or None
        Place of the grade, 0 the best; None where grades are not compared.
    """

    score: NDArray[np.float64]
    passed: NDArray[np.bool_]
    rank_by: NDArray[np.float64]
    grade: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, score: ArrayLike, threshold: float, grade_thresholds: Sequence[float] = ()) -> ModelScores:
        """Return what a model says that has one line on its scores.

        Parameters
        ----------
        score : array of float64, shape (n_leads,)
        threshold : float
        grade_thresholds : sequence of float
            Smallest score of each grade but the last; empty where grades are not compared.

        Examples
        --------
        >>> ModelScores.of([0.1, 0.5], 0.3, (0.4, 0.2)).grade.tolist()
        [2, 0]
        """
        score = np.asarray(score, dtype=np.float64)
        grade = grades_of(score, grade_thresholds) if len(grade_thresholds) else None
        return cls(score, passes(score, threshold), score, grade)

    def take(self, rows: NDArray[np.int64]) -> ModelScores:
        """Return what is said of some leads."""
        grade = None if self.grade is None else self.grade[rows]
        return ModelScores(self.score[rows], self.passed[rows], self.rank_by[rows], grade)


def grades_of(score: NDArray[np.float64], thresholds: Sequence[float]) -> NDArray[np.int64]:
    """Return the place of each lead's grade, 0 the best.

    Parameters
    ----------
    score : ndarray of float64, shape (n_leads,)
    thresholds : sequence of float
        Smallest score of each grade but the last.
    """
    ascending = np.sort(np.asarray(thresholds, dtype=np.float64))
    return len(ascending) - np.searchsorted(ascending, score, side="right")


@dataclass(frozen=True)
class Comparison:
    """Both models on the same window; figures of leads are sums of weights where leads have weights.

    Each end of an interval is a one-sided bound at `confidence`.

    Parameters
    ----------
    n_leads, n_won : int
        Rows of the window, and won ones among them.
    log_loss_champion, log_loss_challenger : float
    log_loss_change : Interval
        Challenger's less champion's log loss, as a share of the champion's; positive is worse.
    wins_champion, wins_challenger : float
        Won leads above each model's own MQL line.
    wins_change : Interval
        Challenger's less champion's wins above their own lines, as a share of the champion's; NaN where the
        champion catches none.
    wins_at_equal_volume : float
        Won leads among as many of the challenger's best as the champion's line passes; leads of equal score
        count in proportion.
    wins_change_at_equal_volume : Interval
        The same less the champion's wins, as a share of these.
    observed_to_expected : Interval
        Won leads by the sum of the challenger's scores: calibration in the large, 1 where it is right.
    volume_champion, volume_challenger : float
        Leads that pass.
    rank_churn : float
        Share of the leads that pass the champion's line and are not among as many of the challenger's best;
        NaN where none passes.
    rank_correlation : float
        Spearman's, between what the two lines are drawn on; NaN where a model gives all leads one score.
    moved_grade, moved_two_grades : float or None
        Shares of leads whose grade differs by at least one and two; None where grades are not compared.
    confidence : float
    """

    n_leads: int
    n_won: int
    log_loss_champion: float
    log_loss_challenger: float
    log_loss_change: Interval
    wins_champion: float
    wins_challenger: float
    wins_change: Interval
    wins_at_equal_volume: float
    wins_change_at_equal_volume: Interval
    observed_to_expected: Interval
    volume_champion: float
    volume_challenger: float
    rank_churn: float
    rank_correlation: float
    moved_grade: float | None
    moved_two_grades: float | None
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; what is not known is null."""
        return _known(asdict(self))


def compare(
    score_champion: ArrayLike,
    score_challenger: ArrayLike,
    won: ArrayLike,
    cutoffs: tuple[float, float],
    *,
    grade_thresholds: tuple[Sequence[float], Sequence[float]] = ((), ()),
    weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Comparison:
    """Compare two models by their scores of the same leads.

    Parameters
    ----------
    score_champion, score_challenger : array of float64, shape (n_leads,)
        P(won) of leads on which neither model was fitted, calibrated or cut.
    won : array of bool, shape (n_leads,)
    cutoffs : tuple of (float, float)
        MQL line of the champion and of the challenger.
    grade_thresholds : tuple of two sequences of float
        Smallest score of each grade but the last, of the champion and of the challenger; empty to leave
        grades out.
    weight, groups, n_resamples, confidence, random_state
        As for :func:`compare_models`.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        The arrays differ in length, or hold no won or no lost lead.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.beta(1, 9, 4000)
    >>> found = compare(truth * 0.5, truth, rng.random(4000) < truth, cutoffs=(0.1, 0.2))
    >>> found.log_loss_change.high < 0, found.wins_change.estimate, found.rank_churn
    (True, 0.0, 0.0)
    """
    sides = zip((score_champion, score_challenger), cutoffs, grade_thresholds, strict=True)
    champion, challenger = (ModelScores.of(*side) for side in sides)
    return compare_models(
        champion,
        challenger,
        won,
        weight=weight,
        groups=groups,
        n_resamples=n_resamples,
        confidence=confidence,
        random_state=random_state,
    )


def compare_models(
    champion: ModelScores,
    challenger: ModelScores,
    won: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Comparison:
    """Compare two models on the same leads, with intervals of a paired bootstrap over leads or clusters.

    Parameters
    ----------
    champion, challenger : ModelScores
    won : array of bool, shape (n_leads,)
    weight : array of float64, shape (n_leads,), optional
        How many leads each row stands for, such as inverse propensities; >= 0.
    groups : array of shape (n_leads,), optional
        Account of each lead, where leads of one account end alike; whole accounts are drawn.
    n_resamples : int, default=1000
    confidence : float, default=0.95
        Of each one-sided bound, in (0.5, 1).
    random_state : int, default=0
        Seed of the resamples, which do not depend on the order of the rows.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        The arrays differ in length, hold no won or no lost lead, or a weight is negative or not finite.
    ConfigError
        `confidence` is out of range.
    """
    check_range("confidence", confidence, 0.5, 1, open_ends=True)
    won, weight = _checked(champion, challenger, won, weight)
    # From the challenger's best lead on, so that its best few are the first ones in every resample.
    order = np.argsort(-challenger.rank_by, kind="stable")
    champion, challenger = champion.take(order), challenger.take(order)
    won, weight, groups = won[order], weight[order], None if groups is None else np.asarray(groups)[order]
    pair = _Pair(champion, challenger, won, weight)
    content = np.array([champion.score, challenger.score, champion.rank_by, challenger.rank_by, won, weight])
    resampler = Resampler.of(content, groups, n_resamples=n_resamples, random_state=random_state)
    tail = 1 - confidence
    low, high = np.quantile(resampler.values(pair.changes), [tail, confidence], axis=0)
    changes = [
        Interval(*map(float, ends), confidence)
        for ends in zip(pair.changes(np.ones(len(won))), low, high, strict=True)
    ]
    return Comparison(
        n_leads=len(won),
        n_won=int(won.sum()),
        log_loss_change=changes[0],
        wins_change=changes[1],
        wins_change_at_equal_volume=changes[2],
        observed_to_expected=changes[3],
        **pair.totals(),
        rank_churn=pair.rank_churn(),
        rank_correlation=_rank_correlation(champion.rank_by, challenger.rank_by),
        moved_grade=pair.moved_grades(1),
        moved_two_grades=pair.moved_grades(2),
        confidence=confidence,
    )


class _Pair:
    """Sums over the leads of the window, from the challenger's best on, however often each was drawn."""

    def __init__(
        self, champion: ModelScores, challenger: ModelScores, won: NDArray[np.bool_], weight: NDArray
    ) -> None:
        self.champion, self.challenger = champion, challenger
        self.weight, self.weight_won = weight, weight * won
        # The last lead of each run of equal scores.
        self.run_ends = np.flatnonzero(np.r_[challenger.rank_by[1:] != challenger.rank_by[:-1], True])
        losses = [log_loss_each(won, finite_log_odds(model.score)) for model in (champion, challenger)]
        parts = (
            np.ones(len(won)),
            *losses,
            champion.passed & won,
            challenger.passed & won,
            won,
            challenger.score,
            champion.passed,
            challenger.passed,
        )
        self.parts = np.column_stack(parts) * weight[:, None]
        n, loss, _, self.wins_of_champion = self.parts.sum(axis=0)[:4].tolist()
        self.loss_of_champion = loss / n

    def changes(self, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        """Changes of log loss, of wins, of wins at equal volume, and observed to expected wins."""
        n, loss, other_loss, wins, other_wins, observed, expected, volume, _ = drawn @ self.parts
        at_equal_volume = self._among_the_best(volume, drawn * self.weight, drawn * self.weight_won)
        changed = np.array([other_wins, at_equal_volume]) - wins
        share = changed / self.wins_of_champion if self.wins_of_champion else np.full(2, np.nan)
        return np.array([(other_loss - loss) / n / self.loss_of_champion, *share, observed / expected])

    def rank_churn(self) -> float:
        """Share of the champion's leads that are not among as many of the challenger's best."""
        of_champion = self.weight * self.champion.passed
        volume = of_champion.sum()
        if not volume:
            return float("nan")
        return max(0.0, 1 - self._among_the_best(volume, self.weight, of_champion) / float(volume))

    def _among_the_best(
        self, volume: float, weight: NDArray[np.float64], weight_of_kind: NDArray[np.float64]
    ) -> float:
        """Leads of a kind among so many of the challenger's best; of equal scores in proportion."""
        leads, of_kind = (np.cumsum(each)[self.run_ends] for each in (weight, weight_of_kind))
        return float(np.interp(volume, np.r_[0.0, leads], np.r_[0.0, of_kind]))

    def totals(self) -> dict[str, float]:
        """Log loss, wins and volume of both."""
        n, loss, other_loss, wins, other_wins, _, _, volume, other_volume = self.parts.sum(axis=0).tolist()
        return {
            "log_loss_champion": loss / n,
            "log_loss_challenger": other_loss / n,
            "wins_champion": wins,
            "wins_challenger": other_wins,
            "wins_at_equal_volume": self._among_the_best(volume, self.weight, self.weight_won),
            "volume_champion": volume,
            "volume_challenger": other_volume,
        }

    def moved_grades(self, steps: int) -> float | None:
        """Share of the leads whose grade differs by so many steps or more."""
        one, other = self.champion.grade, self.challenger.grade
        if one is None or other is None:
            return None
        return float(np.average(np.abs(one - other) >= steps, weights=self.weight))


def _known(values: dict[str, Any]) -> dict[str, Any]:
    """The same values, NaN as None."""
    known = {}
    for name, value in values.items():
        unknown = isinstance(value, float) and np.isnan(value)
        known[name] = _known(value) if isinstance(value, dict) else None if unknown else value
    return known


def _rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if len(np.unique(one)) < 2 or len(np.unique(other)) < 2:
        return float("nan")
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def _checked(
    champion: ModelScores, challenger: ModelScores, won: ArrayLike, weight: ArrayLike | None
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    won = np.asarray(won, dtype=bool)
    weight = np.ones(len(won)) if weight is None else np.asarray(weight, dtype=np.float64)
    lengths = {len(champion.score), len(challenger.score), len(won), len(weight)}
    if len(lengths) > 1:
        msg = (
            "both models are compared on the same leads: expected scores, outcomes and weights of one "
            f"length, got {sorted(lengths)}"
        )
        raise InputError(msg)
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        msg = "weights must be finite and >= 0; leave weight out to count every lead once"
        raise InputError(msg)
    if not weight[won].any() or not weight[~won].any():
        msg = f"the window needs won and lost leads, got {int(won.sum())} won of {len(won):,}"
        raise InputError(msg)
    return won, weight
