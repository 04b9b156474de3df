"""What the inputs of new leads are compared with: the rows of training, or earlier batches of the model.

A model of behaviour is trained on each lead at several ages, while a job scores leads at the ages that they
happen to have. Counts of acts and days since the last one differ between the two without any drift, so such
columns are compared with earlier batches; until there are some, with nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from leadlift.exceptions import InputError
from leadlift.serving.drift import DriftCounts
from leadlift.serving.scoring import watch_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadlift.serving.bundle import ModelBundle
    from leadlift.serving.drift_bins import BinShares
    from leadlift.serving.number_sketch import NumberSketch
    from leadlift.terms import FeatureSpec

LEAST_EARLIER_ROWS = 200
"""So many scored leads the earlier batches need on average to be compared with unasked."""


class Against(StrEnum):
    """What new leads are compared with."""

    AUTO = "auto"
    """of a model of behaviour the earlier batches, once they hold `LEAST_EARLIER_ROWS`; else training"""
    TRAINING = "training"
    EARLIER = "earlier"


@dataclass(frozen=True)
class Baseline:
    """How inputs were spread before.

    Parameters
    ----------
    spreads : mapping of str to BinShares
        By input column.
    sketches : mapping of str to NumberSketch
        By numeric input column.
    words : str
        ``"at training"`` or the like.
    unlike : frozenset of str
        Columns that differ from those of new leads by the ages of leads alone.
    """

    spreads: Mapping[str, BinShares]
    sketches: Mapping[str, NumberSketch]
    words: str
    unlike: frozenset[str] = frozenset()


def choose_baseline(
    bundle: ModelBundle, earlier: Sequence[DriftCounts] = (), against: str = Against.AUTO
) -> Baseline:
    """Return what the inputs of new leads are compared with.

    Parameters
    ----------
    bundle : ModelBundle
    earlier : sequence of DriftCounts
        One for each earlier batch of this model; the first weeks after it went live, so that slow drift adds
        up. Batches may hold the same leads again and again, so all of them count for as many rows as one
        holds on average.
    against : str, default="auto"
        One of :class:`Against`.

    Returns
    -------
    Baseline

    Raises
    ------
    InputError
        `against` is ``"earlier"`` and no earlier batch has rows.
    """
    against, filled = Against(against), [counts for counts in earlier if sum(counts.counted)]
    if against is Against.EARLIER and not filled:
        msg = "against='earlier' needs earlier batches of this model that hold scored leads, got none"
        raise InputError(msg)
    n_rows = sum(sum(counts.rows) for counts in filled)
    is_known = bool(filled) and n_rows >= LEAST_EARLIER_ROWS * len(filled)
    if against is Against.EARLIER or (against is Against.AUTO and is_known and bundle.builder is not None):
        return _of_earlier(bundle, filled)
    return _of_training(bundle)


def is_of_the_lead(spec: FeatureSpec) -> bool:
    """Return whether a column is the lead's own, not made of what it has done so far.

    Parameters
    ----------
    spec : FeatureSpec
    """
    return spec.group in ("", "profile") and not spec.wording


def _of_training(bundle: ModelBundle) -> Baseline:
    watch = watch_of(bundle)
    made = () if bundle.builder is None else bundle.specs
    unlike = frozenset(spec.name for spec in made if not is_of_the_lead(spec))
    return Baseline(watch.expected, watch.expected_sketches, "at training", unlike)


def _of_earlier(bundle: ModelBundle, earlier: Sequence[DriftCounts]) -> Baseline:
    counts = reduce(add, earlier, DriftCounts())
    spreads = {
        name: replace(spread, n_rows=spread.n_rows / len(earlier))
        for name, spread in watch_of(bundle).observed(counts).items()
    }
    sketches = {name: counts.sketch(name) for name in counts.sketches}
    return Baseline(spreads, sketches, "in earlier batches of this model")
