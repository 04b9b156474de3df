"""What a challenger must show before it is promoted: one function a clause, each with number and limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadlift.exceptions import shorten
from leadlift.learning.intervals import clopper_pearson

if TYPE_CHECKING:
    from leadlift.lifecycle.retraining.comparison import Comparison
    from leadlift.terms import Cutoff, Interval


@dataclass(frozen=True)
class Clause:
    """One clause of the promotion contract and what became of it.

    Parameters
    ----------
    name : str
    expected : float or None
        What the champion has, or what is right; None where there is no such number.
    observed : float or None
        What the challenger has, or the change; None where the clause counts no number.
    low, high : float or None
        One-sided bounds of `observed`; None where it is no estimate.
    limit : float or None
        What the bound, or `observed` where there is none, must not pass.
    holds : bool
    text : str
        The same as a sentence.
    """

    name: str
    expected: float | None
    observed: float | None
    low: float | None
    high: float | None
    limit: float | None
    holds: bool
    text: str


@dataclass(frozen=True)
class ChallengerFacts:
    """What is known of a challenger beside its scores of the window.

    Parameters
    ----------
    cutoff : Cutoff
        Its MQL cut-off.
    n_above, n_kept : int
        Leads of the window above that cut-off, and those of them that became what it promises.
    new_leaks : tuple of str
        Columns that look written after the outcome, of which the champion's training said nothing.
    newly_unfair : tuple of str or None
        Protected attributes for which the challenger is below four fifths and the champion is not; None
        where no attribute is configured.
    reason_similarity : float or None
        Cosine between the mean absolute contributions by column of both models, in [0, 1]; None where they
        were not computed.
    new_inputs, lost_inputs : tuple of str
        Columns of the leads that one of the models reads and the other does not.
    """

    cutoff: Cutoff
    n_above: int
    n_kept: int
    new_leaks: tuple[str, ...] = ()
    newly_unfair: tuple[str, ...] | None = None
    reason_similarity: float | None = None
    new_inputs: tuple[str, ...] = ()
    lost_inputs: tuple[str, ...] = ()


def log_loss_clause(found: Comparison, margin: float) -> Clause:
    """Hold where the log loss is not worse by more than `margin`, a share of the champion's."""
    change = found.log_loss_change
    text = (
        f"log loss {found.log_loss_challenger:.4f} against {found.log_loss_champion:.4f}: "
        f"{_change(change)}, not worse by more than {margin:.1%} required"
    )
    holds = change.high <= margin
    return _of("log_loss", change, holds=holds, text=text, expected=0.0, limit=margin)


def captured_wins_clause(found: Comparison, margin: float) -> Clause:
    """Hold where the leads above the own line hold not fewer wins by more than `margin`."""
    told = f"{found.wins_challenger:,.0f} wins above its own line against {found.wins_champion:,.0f}"
    return _wins("captured_wins", found.wins_change, told, margin)


def equal_volume_clause(found: Comparison, margin: float) -> Clause:
    """Hold where as many leads as the champion passes hold not fewer wins by more than `margin`."""
    told = f"{found.wins_at_equal_volume:,.0f} wins at equal volume against {found.wins_champion:,.0f}"
    return _wins("captured_wins_at_equal_volume", found.wins_change_at_equal_volume, told, margin)


def calibration_clause(found: Comparison, margin: float) -> Clause:
    """Hold unless wins are shown to be more than ``1 + margin`` times off what the scores add up to."""
    ratio = found.observed_to_expected
    text = (
        f"{ratio.estimate:.2f} [{ratio.low:.2f}, {ratio.high:.2f}] times as many wins as its scores add up "
        f"to, {1 / (1 + margin):.2f} to {1 + margin:.2f} allowed"
    )
    holds = ratio.high >= 1 / (1 + margin) and ratio.low <= 1 + margin
    return _of("calibrated", ratio, holds=holds, text=text, expected=1.0, limit=1 + margin)


def volume_clause(found: Comparison, factor: float) -> Clause:
    """Hold where the line passes at most `factor` times as many leads, and at least as many by `factor`."""
    before, now = found.volume_champion, found.volume_challenger
    holds = before <= now * factor and now <= before * factor
    text = (
        f"{now:,.0f} leads above its line against {before:,.0f}, between 1/{factor:g} and {factor:g} times "
        "as many allowed"
    )
    return Clause("mql_volume", before, now, None, None, factor, holds, text)


def rank_churn_clause(found: Comparison, limit: float) -> Clause:
    """Hold where not more than `limit` of the champion's qualified leads would be others."""
    name = "rank_churn"
    if math.isnan(found.rank_churn):
        return _not_judged(name, "no lead passes the champion's line", limit)
    text = (
        f"{found.rank_churn:.1%} of the champion's qualified leads would be others at equal volume, "
        f"{limit:.1%} allowed"
    )
    return Clause(name, 0.0, found.rank_churn, None, None, limit, found.rank_churn <= limit, text)


def grade_moves_clause(found: Comparison, limit: float) -> Clause:
    """Hold where not more than `limit` of the leads move by two grades or more."""
    name, moved = "grade_moves", found.moved_two_grades
    if moved is None:
        return _does_not_apply(name, "grades are not compared")
    text = (
        f"{moved:.1%} of the leads move by two grades or more ({found.moved_grade:.1%} by one or more), "
        f"{limit:.1%} allowed"
    )
    return Clause(name, 0.0, moved, None, None, limit, moved <= limit, text)


def promise_clause(facts: ChallengerFacts) -> Clause:
    """Hold where the cut-off promises a precision that its leads of the window do not contradict."""
    name, cutoff = "promise_certified", facts.cutoff
    promised = cutoff.promised_precision
    if promised is None:
        return _does_not_apply(name, f"the cut-off ({cutoff.policy}) promises no precision")
    if not facts.n_above:
        return _not_judged(name, f"{cutoff.promise}; no lead of the window is above it", promised)
    # Each end is a one-sided bound at the confidence of the promise.
    kept = clopper_pearson(facts.n_kept, facts.n_above, 2 * cutoff.confidence - 1)
    text = f"{cutoff.promise}; in the window {kept.estimate:.1%} of {facts.n_above:,} leads above it"
    return _of(name, kept, holds=kept.high >= promised, text=text, expected=promised, limit=promised)


def leakage_clause(facts: ChallengerFacts) -> Clause:
    """Hold where no column looks written after the outcome that did not when the champion was trained."""
    n = len(facts.new_leaks)
    text = f"{n} columns newly look written after the outcome" + _named(facts.new_leaks)
    return Clause("no_new_leakage", 0.0, float(n), None, None, 0.0, not n, text)


def fairness_clause(facts: ChallengerFacts) -> Clause:
    """Hold where no protected group is selected less than four fifths as often that was not before."""
    name = "no_new_fairness_finding"
    if facts.newly_unfair is None:
        return _does_not_apply(name, "no protected attribute is configured")
    n = len(facts.newly_unfair)
    text = f"{n} protected attributes newly below four fifths" + _named(facts.newly_unfair)
    return Clause(name, 0.0, float(n), None, None, 0.0, not n, text)


def reasons_clause(facts: ChallengerFacts, least: float) -> Clause:
    """Hold where the columns count for the scores much as they did."""
    name, similarity = "reasons_stable", facts.reason_similarity
    if similarity is None:
        return _not_judged(name, "contributions were not computed", least)
    text = (
        f"cosine {similarity:.2f} between the mean contributions by column of both models, "
        f"at least {least:.2f} required"
    )
    return Clause(name, 1.0, similarity, None, None, least, similarity >= least, text)


def inputs_clause(facts: ChallengerFacts, *, allow_new: bool) -> Clause:
    """Hold where both models read the same columns of the leads, or more are allowed."""
    changed = (*facts.new_inputs, *facts.lost_inputs)
    text = (
        f"{len(facts.new_inputs)} columns read that the champion does not{_named(facts.new_inputs)}, "
        f"{len(facts.lost_inputs)} that the champion alone reads{_named(facts.lost_inputs)}"
    )
    holds = not facts.new_inputs or allow_new
    return Clause("same_inputs", 0.0, float(len(changed)), None, None, None, holds, text)


def _wins(name: str, change: Interval, told: str, margin: float) -> Clause:
    if math.isnan(change.estimate):
        return _not_judged(name, "no won lead of the window is above the champion's line", -margin)
    text = f"{told}: {_change(change)}, not fewer by more than {margin:.1%} required"
    return _of(name, change, holds=change.low >= -margin, text=text, expected=0.0, limit=-margin)


def _change(change: Interval) -> str:
    return f"{change.estimate:+.1%} [{change.low:+.1%}, {change.high:+.1%}]"


def _named(names: tuple[str, ...]) -> str:
    return f" ({shorten(names)})" if names else ""


def _of(
    name: str, interval: Interval, *, holds: bool, text: str, expected: float | None, limit: float
) -> Clause:
    return Clause(name, expected, interval.estimate, interval.low, interval.high, limit, bool(holds), text)


def _not_judged(name: str, why: str, limit: float) -> Clause:
    return Clause(name, None, None, None, None, limit, holds=False, text=f"cannot be judged: {why}")


def _does_not_apply(name: str, why: str) -> Clause:
    return Clause(name, None, None, None, None, None, holds=True, text=f"does not apply: {why}")
