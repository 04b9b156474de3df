"""Search for rules that pick out leads won more often: a beam over conditions, one rule after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlift.insight.segments.conditions import Condition, Rule

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

BEAM_WIDTH = 10
LEAST_GAIN = 1.05
"""Times the quality of a rule that a further condition must reach, to be worth reading."""

LEAST_NEW = 0.5
"""Least share of a rule's leads that no earlier rule picks out."""


@dataclass(frozen=True)
class _Candidate:
    """Conditions by number, the leads that meet them as bits, and how good the rule is."""

    numbers: tuple[int, ...]
    bits: NDArray[np.uint64]
    quality: float


class RuleSearch:
    """Finds rules one after another, each judged by the leads that no earlier one picks out.

    A rule is as good as the wins among its `n` new leads are more than expected, in standard deviations::

        quality = (rate - base_rate) * sqrt(n) / sqrt(base_rate * (1 - base_rate))

    the binomial test of subgroup discovery (Klösgen 1996, "Explora"), searched by beam (Clark and Niblett
    1989, doi:10.1007/BF00116835): the best rules of one condition are extended by each other condition, as
    long as that makes them better by 5 %.

    Parameters
    ----------
    conditions : sequence of Condition
    values : pyarrow.Table
    won : ndarray of bool, shape (n_leads,)
    least_leads : int
        New leads that a rule must pick out; they must also be half of its leads.
    least_lift : float
        Times as often as the average that its new leads must be won.
    max_conditions : int
    """

    def __init__(
        self,
        conditions: Sequence[Condition],
        values: pa.Table,
        won: NDArray[np.bool_],
        *,
        least_leads: int,
        least_lift: float,
        max_conditions: int,
    ) -> None:
        self._conditions = conditions
        self._columns = np.array([condition.column for condition in conditions])
        levels = {condition.column: condition.levels for condition in conditions}
        codes = {name: levels[name].codes(values[name]) for name in levels}
        self._bits = np.array([_packed(one.holds(codes[one.column])) for one in conditions])
        self._everybody = _packed(np.ones(len(won), dtype=bool))
        self._won = _packed(won)
        self._new = self._everybody
        self._base_rate = won.mean()
        self._least_leads = least_leads
        self._least_lift = least_lift
        self._max_conditions = max_conditions

    def next_rule(self) -> Rule | None:
        """Return the best rule, whose leads are new no longer; None where none is good enough."""
        best = _Candidate((), self._everybody, 0.0)
        beam = [best]
        for _ in range(self._max_conditions):
            beam = self._extended(beam)
            if not beam:
                break
            best = max(best, beam[0], key=lambda candidate: candidate.quality)
        if not best.numbers:
            return None
        self._new = self._new & ~best.bits
        return Rule(tuple(self._conditions[number] for number in best.numbers))

    def _extended(self, beam: Sequence[_Candidate]) -> list[_Candidate]:
        """Return the best candidates with one condition more than those of the beam, each set once."""
        found = {}
        for candidate in beam:
            bits = self._bits & candidate.bits
            quality = self._quality(bits)
            quality[np.isin(self._columns, self._columns[list(candidate.numbers)])] = -np.inf
            for number in np.argsort(-quality, kind="stable")[:BEAM_WIDTH]:
                if quality[number] > LEAST_GAIN * candidate.quality:
                    numbers = tuple(sorted((*candidate.numbers, int(number))))
                    found[numbers] = _Candidate(numbers, bits[number], float(quality[number]))
        return sorted(found.values(), key=lambda one: (-one.quality, one.numbers))[:BEAM_WIDTH]

    def _quality(self, bits: NDArray[np.uint64]) -> NDArray[np.float64]:
        """Return the quality of each rule, minus infinity where it is not good enough."""
        new = bits & self._new
        n_all, n, n_won = _count(bits), _count(new), _count(new & self._won)
        base = self._base_rate
        quality = (n_won - n * base) / np.sqrt(np.maximum(n, 1) * base * (1 - base))
        is_good = (n >= self._least_leads) & (n >= LEAST_NEW * n_all) & (n_won >= self._least_lift * base * n)
        return np.where(is_good, quality, -np.inf)


def _count(bits: NDArray[np.uint64]) -> NDArray[np.int64]:
    return np.bitwise_count(bits).sum(axis=1, dtype=np.int64)


def _packed(mask: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return a mask as bits, 64 leads a word."""
    return np.packbits(np.pad(mask, (0, -len(mask) % 64))).view(np.uint64)
