"""A points table as records: attributes, and for each the rules of which exactly one fits a lead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from leadlift.insight.wording import readable_name
from leadlift.terms import FeatureSpec, Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leadlift.insight.scorecard.binning import ColumnBins

# From here on the whole number before another one is not a float64.
LARGEST_EXACT = 2.0**53
# Feature groups that hand on columns of the leads: those are known by their own names.
HANDED_ON = ("", "profile")


class Operator(StrEnum):
    """How a rule compares the value of an attribute."""

    BETWEEN = "between"
    """At least the first number and less than the second; null is no limit."""
    IN = "in"
    """One of the levels."""
    NOT_IN = "not_in"
    """Known, and none of the levels."""
    IS_MISSING = "is_missing"


@dataclass(frozen=True)
class Rule:
    """Points for a lead whose value fits.

    Parameters
    ----------
    operator : Operator
    values : tuple
        Of ``between`` two numbers or None, of ``in`` and ``not_in`` levels, else empty.
    points : int
        At least 0.
    share : float
        Share of the leads at fit that it fits, in [0, 1].
    """

    operator: Operator
    values: tuple[float | None, ...] | tuple[str, ...]
    points: int
    share: float


@dataclass(frozen=True)
class Attribute:
    """One column of the card.

    Parameters
    ----------
    name : str
        Of the input column.
    label : str
        What a person calls it, with its unit.
    rules : tuple of Rule
        Exactly one fits each value, known or not.
    whole : bool
        Whether it holds whole numbers only.
    """

    name: str
    label: str
    rules: tuple[Rule, ...]
    whole: bool = False

    @property
    def highest(self) -> int:
        """Most points it can give."""
        return max(rule.points for rule in self.rules)


def attribute_of(
    bins: ColumnBins,
    points: NDArray[np.int64],
    shares: NDArray[np.float64],
    spec: FeatureSpec | None,
) -> Attribute:
    """Write a binned column and its points as an attribute.

    Parameters
    ----------
    bins : ColumnBins
    points : ndarray of int64, shape (n_bins,)
    shares : ndarray of float64, shape (n_bins,)
        Of the leads.
    spec : FeatureSpec or None
        What the column means.

    Returns
    -------
    Attribute
    """
    if bins.column.kind is Kind.CATEGORICAL:
        named = tuple(level for group in bins.groups for level in group)
        tests = [*((Operator.IN, group) for group in bins.groups), (Operator.NOT_IN, named)]
    else:
        ends = [None, *(float(edge) for edge in bins.edges), None]
        tests = [(Operator.BETWEEN, pair) for pair in pairwise(ends)]
    tests.append((Operator.IS_MISSING, ()))
    rules = tuple(
        Rule(*test, int(given), float(share))
        for test, given, share in zip(tests, points, shares, strict=True)
    )
    name = bins.column.name
    label = attribute_label(spec or FeatureSpec(name, bins.column.kind))
    return Attribute(name, label, rules, bins.whole)


def attribute_label(spec: FeatureSpec) -> str:
    """Return what a person calls a column.

    Parameters
    ----------
    spec : FeatureSpec

    Returns
    -------
    str
        The description of a column that a feature group made, else the name in words with its unit.

    Examples
    --------
    >>> attribute_label(FeatureSpec("timeOnSite", Kind.NUMERIC, unit="minutes"))
    'time on site (minutes)'
    """
    if spec.group not in HANDED_ON and spec.description:
        return spec.description
    name = readable_name(spec.name)
    return f"{name} ({spec.unit})" if spec.unit else name


def condition_text(rule: Rule, *, whole: bool = False) -> str:
    """Say in words which values a rule fits.

    Parameters
    ----------
    rule : Rule
    whole : bool, default=False
        Whether the attribute holds whole numbers only.

    Returns
    -------
    str

    Examples
    --------
    >>> rule = Rule(Operator.BETWEEN, (3.0, 10.0), 12, 0.2)
    >>> condition_text(rule), condition_text(rule, whole=True)
    ('3 to less than 10', '3 to 9')
    """
    if rule.operator is Operator.BETWEEN:
        return _range_text(*rule.values, whole=whole)
    if rule.operator is Operator.IS_MISSING:
        return "not recorded"
    if rule.operator is Operator.IN:
        return ", ".join(rule.values)
    return "any other" if rule.values else "anything"


def _range_text(at_least: float | None, below: float | None, *, whole: bool) -> str:
    if at_least is None:
        return "any number" if below is None else f"less than {number_text(below)}"
    if below is None:
        return f"{number_text(at_least)} or more"
    if whole and below <= LARGEST_EXACT:
        last = below - 1
        return number_text(last) if last == at_least else f"{number_text(at_least)} to {number_text(last)}"
    return f"{number_text(at_least)} to less than {number_text(below)}"


def number_text(number: float) -> str:
    """Return a number as it would be typed, without a trailing ``.0``.

    Examples
    --------
    >>> number_text(3.0), number_text(0.348)
    ('3', '0.348')
    """
    return repr(float(number)).removesuffix(".0")
