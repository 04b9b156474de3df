"""Columns that say the same of a lead are one reason: windows of one act, columns made of one field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlift.terms import Family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.terms import FeatureSpec

FIELD = "field"


@dataclass(frozen=True)
class ReasonGroup:
    """Columns that are one reason.

    Parameters
    ----------
    theme : str
        What it is about: ``"field"``, ``"type"`` of acts, ``"channel"`` …
    about : tuple of str
        Which field, type or channel.
    family : Family
    members : tuple of int
        Places of its columns, ascending.
    """

    theme: str
    about: tuple[str, ...]
    family: Family
    members: tuple[int, ...]


def group_specs(specs: Sequence[FeatureSpec]) -> tuple[ReasonGroup, ...]:
    """Group the columns that say the same of a lead.

    Counts of one act in several windows and the days since it are one reason; so are a field, how long it has
    its value and how often it changed. A pair of columns is a reason of its own. Groups never cross families,
    so that sub-scores stay what they are.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        What each contribution belongs to.

    Returns
    -------
    tuple of ReasonGroup
        By their first column.

    Examples
    --------
    >>> from leadlift.features.specs import Specs
    >>> specs = Specs("activity", Family.ENGAGEMENT)
    >>> visits = specs.windows("n_visit", "", (7.0,), unit="acts", wording="type.count", about=("visit",))
    >>> [group.members for group in group_specs([*visits, specs.number("income", "")])]
    [(0, 1), (2,)]
    """
    members: dict[tuple[str, tuple[str, ...], Family], list[int]] = {}
    for place, spec in enumerate(specs):
        members.setdefault((*_subject(spec), spec.family), []).append(place)
    return tuple(ReasonGroup(*key, tuple(places)) for key, places in members.items())


def _subject(spec: FeatureSpec) -> tuple[str, tuple[str, ...]]:
    theme = spec.wording.partition(".")[0]
    if theme in {"", FIELD}:
        return FIELD, spec.about[:1] or (spec.name,)
    return theme, spec.about


def grouped_contributions(
    groups: Sequence[ReasonGroup], contributions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add up the contributions of each group.

    Parameters
    ----------
    groups : sequence of ReasonGroup
    contributions : ndarray of float64, shape (n_rows, n_explained)

    Returns
    -------
    ndarray of float64, shape (n_rows, n_groups)
        The sum of each row stays what it was, to rounding.
    """
    if len(groups) == contributions.shape[1]:
        return contributions
    grouped = np.empty((len(contributions), len(groups)))
    for place, group in enumerate(groups):
        grouped[:, place] = contributions[:, group.members].sum(axis=1)
    return grouped
