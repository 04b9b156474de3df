"""What is asked of leads: at which moments of their lives, within which horizons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from leadlift.data.censoring import YOUNG, Young
from leadlift.exceptions import ConfigError, shorten

MAX_MOMENTS = 10_000
_TOO_MANY_DAYS = 36_500


@dataclass(frozen=True)
class ObservationPlan:
    """Moments of observation, horizons, and what is done with young leads.

    Parameters
    ----------
    offsets : tuple of timedelta
        Moments after creation, >= 0, ascending, distinct.
    horizons_days : tuple of float
        Ascending, distinct; the first one rules which rows there are. Empty: outcomes as they stand.
    young : {"leave out", "weight"}
    rows_in_time_order : bool
        The order of the rows is their time where leads have no dates.
    labels_each_horizon : bool
        Write one label column for each horizon.
    """

    offsets: tuple[timedelta, ...]
    horizons_days: tuple[float, ...]
    young: Young = "leave out"
    rows_in_time_order: bool = False
    labels_each_horizon: bool = False

    @property
    def horizon(self) -> np.timedelta64 | None:
        """The shortest horizon; None without one."""
        return in_days(self.horizons_days[0]) if self.horizons_days else None

    def at_horizon(self, horizon_days: float) -> ObservationPlan:
        """Return the same plan for one of its horizons.

        Raises
        ------
        ConfigError
            It is none of them.
        """
        if horizon_days not in self.horizons_days:
            msg = (
                f"horizon_days is {horizon_days!r}; these observations were made for "
                f"{shorten(f'{days:g}' for days in self.horizons_days) or 'no horizon'}. "
                f"Name it in make_observations(horizon_days=[...])"
            )
            raise ConfigError(msg)
        return replace(self, horizons_days=(float(horizon_days),), labels_each_horizon=False)


def plan_observations(
    *,
    horizon_days: float | Sequence[float] | None,
    at_days: Sequence[float],
    every_days: float | None,
    until_days: float,
    young: Young,
    rows_in_time_order: bool,
) -> ObservationPlan:
    """Check the arguments of :func:`leadlift.data.observations.make_observations` and put them in order.

    Returns
    -------
    ObservationPlan

    Raises
    ------
    ConfigError
        A number of days is out of its range, there is no moment, or `young` is unknown or needs a horizon.

    Examples
    --------
    >>> plan = plan_observations(horizon_days=[90, 30], at_days=[0, 7], every_days=7, until_days=14,
    ...                          young="leave out", rows_in_time_order=False)
    >>> [offset.days for offset in plan.offsets], plan.horizons_days
    ([0, 7, 14], (30.0, 90.0))
    """
    if young not in YOUNG:
        msg = f"young is {young!r}; expected {' or '.join(repr(name) for name in YOUNG)}"
        raise ConfigError(msg)
    horizons = _horizons(horizon_days)
    if young == "weight" and not horizons:
        msg = "young='weight' needs horizon_days: without a horizon no lead is too young"
        raise ConfigError(msg)
    return ObservationPlan(
        offsets=_offsets(at_days, every_days, until_days),
        horizons_days=horizons,
        young=young,
        rows_in_time_order=rows_in_time_order,
        labels_each_horizon=isinstance(horizon_days, Sequence | np.ndarray),
    )


def in_days(days: float) -> np.timedelta64:
    """Return so many days, to the microsecond.

    Examples
    --------
    >>> in_days(0.5)
    np.timedelta64(43200000000,'us')
    """
    return np.timedelta64(timedelta(days=days), "us")


def _horizons(horizon_days: float | Sequence[float] | None) -> tuple[float, ...]:
    if horizon_days is None:
        return ()
    several = horizon_days if isinstance(horizon_days, Sequence | np.ndarray) else [horizon_days]
    if len(several) == 0:
        msg = "horizon_days is empty; give one number of days or several, or None for outcomes as they stand"
        raise ConfigError(msg)
    return tuple(sorted({_checked("horizon_days", days, can_be_zero=False) for days in several}))


def _offsets(at_days: Sequence[float], every_days: float | None, until_days: float) -> tuple[timedelta, ...]:
    offsets = {timedelta(days=_checked("at_days", days, can_be_zero=True)) for days in at_days}
    if every_days is not None:
        step = timedelta(days=_checked("every_days", every_days, can_be_zero=False))
        until = timedelta(days=_checked("until_days", until_days, can_be_zero=True))
        n_steps = _checked_steps(step, until)
        offsets |= {number * step for number in range(1, n_steps + 1)}
    if not offsets:
        msg = (
            "at_days is empty and every_days makes no moment; give at least one, as at_days=(0,) for creation"
        )
        raise ConfigError(msg)
    return tuple(sorted(offsets))


def _checked_steps(step: timedelta, until: timedelta) -> int:
    if not step or until // step > MAX_MOMENTS:
        msg = (
            f"every_days makes more than {MAX_MOMENTS:,} moments a lead; make it longer or until_days shorter"
        )
        raise ConfigError(msg)
    return until // step


def _checked(name: str, days: float, *, can_be_zero: bool) -> float:
    if not math.isfinite(days) or days >= _TOO_MANY_DAYS or days < 0 or (days == 0 and not can_be_zero):
        at_least = "at least" if can_be_zero else "more than"
        msg = f"{name} holds {days!r}; expected days, {at_least} 0 and less than {_TOO_MANY_DAYS:,}"
        raise ConfigError(msg)
    return float(days)
