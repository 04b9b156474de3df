"""What of a lead could be different tomorrow: more acts, more engagement, never another past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.data.naming import words
from leadlift.exceptions import ConfigError, shorten
from leadlift.insight.grouping import FIELD, ReasonGroup, group_specs
from leadlift.terms import Family, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.encoding import EncodedColumn
    from leadlift.terms import FeatureSpec

# Themes of acts: one more of them raises every window, and makes the last one lie a moment back.
ACT_THEMES = ("type", "channel", "meaning", "acts")
EVERY_ACT = "acts"
# Acts that were put together because they are rare or have no name: nobody can bring such a one about.
NAMELESS = ("other", "unknown")
# The window whose count is told is the shortest of at least a week.
TOLD_WINDOW_DAYS = 7
# Counts up to here can be reached one by one; larger ones in steps of quantiles.
ONE_BY_ONE = 3.0
# A number in whose name one of these stands falls when a lead acts.
FALLING = ("since", "ago", "recency", "inactive", "inactivity")
# One that is counted up to a moment that is over stays what it is, unless the user names it.
OVER = ("before", "first", "initial", "original")


@dataclass(frozen=True)
class Lever:
    """One thing that could be different of a lead.

    Parameters
    ----------
    column : int
        Place of the column whose change is told.
    ladder : ndarray of float64
        Encoded values that leads have had, in the order of the steps.
    is_level : bool
        The column is categorical: any other level is one step away.
    raised : tuple of int
        Columns that rise by as much as the told one.
    refreshed : tuple of (int, float)
        Recencies, with the value they fall to.
    """

    column: int
    ladder: NDArray[np.float64]
    is_level: bool = False
    raised: tuple[int, ...] = ()
    refreshed: tuple[tuple[int, float], ...] = ()

    @property
    def n_levels(self) -> int:
        """Levels that the column may take; 1 for a number."""
        return len(self.ladder) if self.is_level else 1

    def values_after(self, now: NDArray[np.float64], step: int, level: int) -> NDArray[np.float64]:
        """Return the value some steps away from each; NaN where there is none."""
        if self.is_level:
            is_other = (now != self.ladder[level]) & (step == 1)
            return np.where(is_other, self.ladder[level], np.nan)
        rising = self.ladder[-1] >= self.ladder[0]
        sign = 1.0 if rising else -1.0
        place = np.searchsorted(sign * self.ladder, sign * now, side="right") + step - 1
        padded = np.append(self.ladder, np.nan)
        # A value that is missing sorts behind all others, so it gets none either.
        return padded[np.minimum(place, len(self.ladder))]

    def apply(self, matrix: NDArray[np.float64], value: NDArray[np.float64]) -> None:
        """Change encoded rows in place so that the told column has these values."""
        by = value - matrix[:, self.column]
        matrix[:, self.column] = value
        for column in self.raised:
            matrix[:, column] += by
        for column, least in self.refreshed:
            matrix[:, column] = np.fmin(matrix[:, column], least)


def levers(
    specs: Sequence[FeatureSpec],
    columns: Sequence[EncodedColumn],
    profiles: Mapping[str, Mapping[str, Any]],
    actionable: Sequence[str] = (),
) -> list[Lever]:
    """Find what could be different of leads.

    Acts can only become more, and with one more the last lies a moment back. A number of the leads' file can
    only grow, or fall where its name says that it measures time since something; one whose name says that it
    counts up to a moment that is over is left alone. Gaps, orders and first touches are history.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The input columns, in the order of the matrix.
    columns : sequence of EncodedColumn
        How they are encoded.
    profiles : mapping of str to mapping
        By column, what values leads had: ``ModelBundle.reference.columns``.
    actionable : sequence of str
        Columns that somebody can change; empty takes the numbers of the family engagement.

    Returns
    -------
    list of Lever

    Raises
    ------
    ConfigError
        A column in `actionable` is no input, or is history.
    """
    groups = group_specs(specs)
    wanted = _wanted(groups, specs, actionable)
    return [
        lever
        for group in wanted
        if (lever := _lever(group, groups, specs, columns, profiles, by_name=bool(actionable))) is not None
    ]


def _wanted(
    groups: Sequence[ReasonGroup], specs: Sequence[FeatureSpec], actionable: Sequence[str]
) -> list[ReasonGroup]:
    if not actionable:
        may = [group for group in groups if group.family is Family.ENGAGEMENT]
        told = ((group, _told_column(group, specs)) for group in may)
        return [group for group, j in told if j is not None and not _says(specs[j], OVER)]
    group_of = {specs[j].name: group for group in groups for j in group.members}
    unknown = [name for name in actionable if name not in group_of]
    if unknown:
        msg = (
            f"actionable names {shorten(unknown)}, which are no inputs; expected some of {shorten(group_of)}"
        )
        raise ConfigError(msg)
    fixed = [name for name in actionable if _told_column(group_of[name], specs) is None]
    if fixed:
        msg = f"actionable names {shorten(fixed)}, which tell of the past: nothing a lead does changes them"
        raise ConfigError(msg)
    return list({group.members: group for group in map(group_of.get, actionable)}.values())


def _told_column(group: ReasonGroup, specs: Sequence[FeatureSpec]) -> int | None:
    """The column in which a change is told; None where the group is history."""
    if group.theme == FIELD:
        return next((j for j in group.members if not specs[j].wording), None)
    if group.theme not in ACT_THEMES or set(group.about) & set(NAMELESS):
        return None
    counts = [j for j in group.members if specs[j].wording.endswith(".count")]
    windows = {j: specs[j].window_days or np.inf for j in counts}
    long_enough = [j for j in counts if windows[j] >= TOLD_WINDOW_DAYS]
    return min(long_enough, key=windows.__getitem__, default=None)


def _lever(
    group: ReasonGroup,
    groups: Sequence[ReasonGroup],
    specs: Sequence[FeatureSpec],
    columns: Sequence[EncodedColumn],
    profiles: Mapping[str, Mapping[str, Any]],
    *,
    by_name: bool,
) -> Lever | None:
    j = _told_column(group, specs)
    profile = profiles.get(specs[j].name, {})
    if specs[j].kind is Kind.CATEGORICAL:
        codes = {level: code for code, level in enumerate(columns[j].levels)}
        seen = [float(codes[level]) for level in profile.get("levels", {}) if level in codes]
        return Lever(j, np.array(seen), is_level=True) if by_name and seen else None
    ladder = _ladder(profile.get("quantiles", ()), falls=_says(specs[j], FALLING))
    if not len(ladder):
        return None
    if group.theme == FIELD:
        return Lever(j, ladder)
    return Lever(j, ladder, *(_moved_along(group, groups, specs, profiles, told=j)))


def _says(spec: FeatureSpec, of: tuple[str, ...]) -> bool:
    """Whether the name of a column of the leads' file holds one of some words."""
    return not spec.wording and not set(of).isdisjoint(words(spec.name))


def _ladder(quantiles: Sequence[float], *, falls: bool) -> NDArray[np.float64]:
    """Values that a column may move to: deciles without the extremes, small counts one by one."""
    if not len(quantiles):
        return np.empty(0)
    ladder = np.asarray(quantiles, dtype=np.float64)
    is_whole = np.mean(ladder == np.rint(ladder)) > 1 / 2
    steps = np.ceil(ladder[1:-1]) if is_whole else ladder[1:-1]
    if is_whole and not falls:
        one_by_one = np.arange(1.0, ONE_BY_ONE + 1)
        steps = np.append(steps, one_by_one[one_by_one <= ladder[-1]])
    steps = np.unique(steps)
    return steps[::-1] if falls else steps


def _counts_too(other: ReasonGroup, group: ReasonGroup) -> bool:
    """Whether an act of one group is counted by another, wider one."""
    if other.theme == EVERY_ACT:
        return True
    return other.theme == group.theme == "meaning" and other.about == ("any",)


def _moved_along(
    group: ReasonGroup,
    groups: Sequence[ReasonGroup],
    specs: Sequence[FeatureSpec],
    profiles: Mapping[str, Mapping[str, Any]],
    *,
    told: int,
) -> tuple[bool, tuple[int, ...], tuple[tuple[int, float], ...]]:
    """What else one more act changes: its other windows, its recency, and those of all acts."""
    members = [j for other in groups if other is group or _counts_too(other, group) for j in other.members]
    raised = [j for j in members if j != told and specs[j].wording.endswith((".count", ".decayed"))]
    recencies = [j for j in members if specs[j].wording.endswith(".last")]
    least = {j: profiles.get(specs[j].name, {}).get("quantiles") or [0.0] for j in recencies}
    return False, tuple(raised), tuple((j, float(least[j][0])) for j in recencies)
