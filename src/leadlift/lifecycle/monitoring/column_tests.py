"""The tests of one input column: its spread, its missing values, its levels, its unit, whether it varies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from leadlift.lifecycle.monitoring.two_samples import homogeneity_p_value, larger_share_p_value
from leadlift.serving.drift import MODERATE_PSI
from leadlift.terms import FeatureSpec

if TYPE_CHECKING:
    from leadlift.serving.drift_bins import BinShares
    from leadlift.serving.number_sketch import NumberSketch

MATERIAL_SHARE = 0.05
"""A share of missing values, or of new levels, that grew by less does not matter."""

BROKEN_SHARE = 0.10
"""Where no more than this part of the values, or of the known levels, is left, the feed is broken."""

UNIT_FACTOR = 8.0
"""Values so many times as large, or as small, with the shape of their spread kept, are in another unit."""

# Quartiles of the sizes may move by factors that differ by 10**0.5, 3.2: a bucket on each side, and chance.
_SAME_SHAPE_LOG10 = 0.5
_TENTHS = np.array([0.1, 0.25, 0.5, 0.75, 0.9])


@dataclass(frozen=True)
class ColumnPair:
    """An input column now and then.

    Parameters
    ----------
    spec : FeatureSpec
    now, then : BinShares
    sketch_now, sketch_then : NumberSketch or None
        None of a categorical column.
    """

    spec: FeatureSpec
    now: BinShares
    then: BinShares
    sketch_now: NumberSketch | None = None
    sketch_then: NumberSketch | None = None


@dataclass(frozen=True)
class ColumnTest:
    """A test of a column.

    Parameters
    ----------
    check : str
        What is tested, as in the table of monitoring.
    p_value : float
        That nothing has changed, not adjusted for the number of tests.
    observed, expected : float
        The size of the change, and what it would be without one.
    limit : float
        From which size on it matters.
    is_material : bool
        Whether it does.
    is_broken : bool
        Whether a change like this comes from a broken feed, not from other leads.
    """

    check: str
    p_value: float
    observed: float
    expected: float
    limit: float
    is_material: bool
    is_broken: bool = False


def column_tests(pair: ColumnPair) -> list[ColumnTest]:
    """Return the tests that fit a column: of its spread and missing values, its levels or its numbers.

    Parameters
    ----------
    pair : ColumnPair

    Returns
    -------
    list of ColumnTest
        Empty where the column was not counted.
    """
    if not pair.now.n_rows:
        return []
    own = (_new_levels,) if pair.sketch_now is None else (_unit,)
    tests: tuple[Callable[[ColumnPair], ColumnTest], ...] = (_drift, _missing, _constant, *own)
    return [test(pair) for test in tests]


def event_type_test(pair: ColumnPair, *, is_alike: bool) -> ColumnTest:
    """Return the test whether any lead has an event of a type.

    Parameters
    ----------
    pair : ColumnPair
        Of a count of the type's events.
    is_alike : bool
        Whether leads have the ages that they had then. If not, a feed is not broken for sure: they may be too
        young for the type.

    Returns
    -------
    ColumnTest
    """
    test = _constant(pair)
    has_none = test.is_material and pair.sketch_now is not None and not pair.sketch_now.n_sizes
    return replace(
        test,
        check="event_type",
        p_value=test.p_value if has_none else 1.0,
        observed=float(has_none),
        is_material=has_none,
        is_broken=has_none and is_alike,
    )


def unit_log10_factor(now: NumberSketch, then: NumberSketch) -> float:
    """Return the decimal logarithm of the factor by which numbers grew; 0 where their spread changed shape.

    Parameters
    ----------
    now, then : NumberSketch

    Returns
    -------
    float
        Shift of the median size; a multiple of a fifth. 0 too where either holds no number but 0.

    Examples
    --------
    >>> from leadlift.serving.number_sketch import NumberSketch
    >>> incomes = np.random.default_rng(0).lognormal(10, 0.7, 400)
    >>> euros, cents = NumberSketch.of(incomes), NumberSketch.of(100 * incomes)
    >>> unit_log10_factor(cents, euros)
    2.0
    """
    if not (now.n_sizes and then.n_sizes):
        return 0.0
    _, low, middle, high, _ = now.log10_quantiles(_TENTHS) - then.log10_quantiles(_TENTHS)
    return round(float(middle), 6) if abs(high - low) <= _SAME_SHAPE_LOG10 + 1e-9 else 0.0


def _drift(pair: ColumnPair) -> ColumnTest:
    psi = pair.now.psi_from(pair.then)
    p_value = homogeneity_p_value(pair.now.counts, pair.then.counts)
    return ColumnTest("input_drift", p_value, psi, 0.0, MODERATE_PSI, psi >= MODERATE_PSI)


def _missing(pair: ColumnPair) -> ColumnTest:
    now, then = pair.now.missing, pair.then.missing
    return ColumnTest(
        "missing",
        _grown_p_value(pair, now, then),
        now,
        then,
        then + MATERIAL_SHARE,
        # Of a column that is mostly empty all the rest may go without a growth of so much.
        is_material=now >= then + MATERIAL_SHARE or 1 - now <= BROKEN_SHARE * (1 - then),
        is_broken=1 - now <= BROKEN_SHARE * (1 - then),
    )


def _new_levels(pair: ColumnPair) -> ColumnTest:
    now, then = pair.now.uncommon, pair.then.uncommon
    common_now, common_then = (1 - spread.missing - spread.uncommon for spread in (pair.now, pair.then))
    return ColumnTest(
        "new_levels",
        _grown_p_value(pair, now, then),
        now,
        then,
        then + MATERIAL_SHARE,
        is_material=now >= then + MATERIAL_SHARE,
        is_broken=now > 0 and common_now <= BROKEN_SHARE * common_then,
    )


def _grown_p_value(pair: ColumnPair, now: float, then: float) -> float:
    n, n_then = pair.now.n_rows, pair.then.n_rows
    return larger_share_p_value(now * n, n, then * n_then, n_then)


def _constant(pair: ColumnPair) -> ColumnTest:
    """All values the same where they were not: as likely as all rows in one bin."""
    known_now, known_then = (spread.share[:-1] for spread in (pair.now, pair.then))
    fullest = int(np.argmax(known_now))
    is_constant = _is_constant(pair)
    n, n_then = known_now.sum() * pair.now.n_rows, known_then.sum() * pair.then.n_rows
    # One row more in the bin, since the reference has not seen all there is.
    share_then = (known_then[fullest] * pair.then.n_rows + 1) / (n_then + 1)
    p_value = float(min(share_then, 1.0) ** n) if is_constant else 1.0
    return ColumnTest("constant", p_value, float(is_constant), 0.0, 1.0, is_constant, is_constant)


def _is_constant(pair: ColumnPair) -> bool:
    if pair.sketch_now is not None:
        return pair.sketch_now.is_constant and not (pair.sketch_then and pair.sketch_then.is_constant)
    levels = pair.now.share[:-2]
    return bool((levels > 0).sum() == 1 and pair.now.uncommon == 0)


def _unit(pair: ColumnPair) -> ColumnTest:
    """Sizes beyond the ninth tenth, or below the first: as likely as by Fisher's test, on either side."""
    now, then = pair.sketch_now, pair.sketch_then
    log10_factor = unit_log10_factor(now, then)
    is_other = abs(log10_factor) >= np.log10(UNIT_FACTOR)
    p_value = _beyond_p_value(now, then, upwards=log10_factor > 0) if is_other else 1.0
    return ColumnTest("unit", p_value, 10.0**log10_factor, 1.0, UNIT_FACTOR, is_other, is_other)


def _beyond_p_value(now: NumberSketch, then: NumberSketch, *, upwards: bool) -> float:
    tenths = then.log10_quantiles(_TENTHS)
    end = tenths[-1] if upwards else tenths[0]
    n_now, n_then = (sketch.n_beyond(end)[upwards] for sketch in (now, then))
    return min(2 * larger_share_p_value(n_now, now.n_sizes, n_then, then.n_sizes), 1.0)
