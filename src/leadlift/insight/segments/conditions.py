"""Conditions on one column, such as ``industry is software or fintech``, and rules made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlift.exceptions import SchemaError
from leadlift.insight.segments.levels import (
    CategoryLevels,
    Levels,
    NumberLevels,
    condition_text,
    learn_levels,
)

MOST_ALTERNATIVES = 3


@dataclass(frozen=True)
class Condition:
    """That a column has one of some levels, or lies in an interval.

    Parameters
    ----------
    column : str
    levels : CategoryLevels or NumberLevels
        How the column is cut.
    codes : tuple of int
        The segments that meet the condition; of a number, neighbouring ones.
    """

    column: str
    levels: Levels
    codes: tuple[int, ...]

    @property
    def text(self) -> str:
        """The condition in words."""
        return condition_text(self.column, self.levels, self.codes)

    def matches(self, values: pa.Table) -> NDArray[np.bool_]:
        """Return which leads meet the condition; where the column is missing they do not."""
        return self.holds(self.levels.codes(values[self.column]))

    def holds(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which leads meet the condition, by the segments of its column in which they are."""
        return np.isin(np.arange(len(self.levels.names)), self.codes)[codes]


@dataclass(frozen=True)
class Rule:
    """Conditions that hold together.

    Parameters
    ----------
    conditions : tuple of Condition
        At least one, each on another column.
    """

    conditions: tuple[Condition, ...]

    @property
    def text(self) -> str:
        """The rule in words: its conditions joined by "and"."""
        return ", and ".join(condition.text for condition in self.conditions)

    def matches(self, values: pa.Table) -> NDArray[np.bool_]:
        """Return which leads meet all conditions."""
        return np.logical_and.reduce([condition.matches(values) for condition in self.conditions])


def candidate_conditions(
    values: pa.Table, won: NDArray[np.bool_], *, least_leads: int, most_levels: int
) -> list[Condition]:
    """List the conditions worth a try.

    Of a category: each level, and the two and three levels that win most often together, as long as they
    are at most half of the levels; what holds for nearly everybody is no profile. For two outcomes
    the best subset of levels is among those that begin an order by rate (Breiman et al. 1984, theorem 4.5).
    Of a number: each run of neighbouring intervals. Missing is no condition: it says nothing of the customer.

    Parameters
    ----------
    values : pyarrow.Table
    won : ndarray of bool, shape (n_leads,)
    least_leads : int
        Levels of fewer leads are left out.
    most_levels : int

    Returns
    -------
    list of Condition

    Raises
    ------
    SchemaError
        A column holds neither text nor numbers nor booleans.
    """
    found = []
    for name in values.column_names:
        levels = learn_levels(name, values[name], most_levels)
        if isinstance(levels, CategoryLevels):
            choices = _level_choices(levels, levels.codes(values[name]), won, least_leads)
        else:
            choices = _runs(levels)
        found += [Condition(name, levels, codes) for codes in choices]
    return found


def require_conditions(conditions: list[Condition]) -> None:
    """Raise SchemaError where no column can be split."""
    if not conditions:
        msg = "no column has two levels with enough leads; give other columns, or lower least_leads"
        raise SchemaError(msg)


def _level_choices(
    levels: CategoryLevels, codes: NDArray[np.int64], won: NDArray[np.bool_], least_leads: int
) -> list[tuple[int, ...]]:
    n = np.bincount(codes, minlength=len(levels.names))[: levels.n_named]
    n_won = np.bincount(codes[won], minlength=len(levels.names))[: levels.n_named]
    large = np.flatnonzero(n >= least_leads)
    best_first = large[np.argsort(-n_won[large] / n[large], kind="stable")].tolist()
    together = range(2, min(MOST_ALTERNATIVES, len(best_first) // 2) + 1)
    return [(code,) for code in best_first] + [tuple(best_first[:size]) for size in together]


def _runs(levels: NumberLevels) -> list[tuple[int, ...]]:
    """Every run of neighbouring intervals but all of them."""
    n = levels.n_named
    return [tuple(range(i, j)) for i in range(n) for j in range(i + 1, n + 1) if j - i < n]
