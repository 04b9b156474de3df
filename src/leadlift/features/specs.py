"""How numeric features are described, in one way by all groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadlift.terms import Family, FeatureSpec, Kind

NEVER_MISSING = "never missing"
NEVER_HAPPENED = "it never happened"


@dataclass(frozen=True)
class Specs:
    """Describes the numeric features of a group that belong to one family.

    Parameters
    ----------
    group : str
    family : Family

    Examples
    --------
    >>> specs = Specs("activity", Family.ENGAGEMENT)
    >>> [spec.name for spec in specs.windows("n_visit", "visits", (1.0, 7.0), unit="acts")]
    ['n_visit_1d', 'n_visit_7d', 'n_visit_all']
    """

    group: str
    family: Family

    def number(
        self,
        name: str,
        what: str,
        *,
        unit: str = "",
        window_days: float | None = None,
        missing_means: str = NEVER_MISSING,
        dtype: str = "",
        wording: str = "",
        about: Sequence[str] = (),
    ) -> FeatureSpec:
        """Describe one number.

        Parameters
        ----------
        name, what, unit, window_days, missing_means, wording, about
            As in :class:`leadlift.terms.FeatureSpec`, `what` being its description.
        dtype : str
            int32 where it is never missing and float64 else, if not given.

        Returns
        -------
        FeatureSpec
        """
        return FeatureSpec(
            name=name,
            kind=Kind.NUMERIC,
            family=self.family,
            group=self.group,
            unit=unit,
            window_days=window_days,
            missing_means=missing_means,
            description=what,
            dtype=dtype or ("int32" if missing_means == NEVER_MISSING else "float64"),
            wording=wording,
            about=tuple(about),
        )

    def windows(
        self,
        stem: str,
        what: str,
        windows_days: Sequence[float],
        *,
        unit: str,
        dtype: str = "",
        wording: str = "",
        about: Sequence[str] = (),
    ) -> list[FeatureSpec]:
        """Describe what is counted in several windows and ever.

        Parameters
        ----------
        stem : str
            Of the names.
        what : str
        windows_days : sequence of float
        unit, dtype, wording, about
            As for :meth:`number`.

        Returns
        -------
        list of FeatureSpec
            Windows ascending, all time last.
        """
        return [
            self.number(
                f"{stem}_{window_label(days)}",
                f"{what} {_in_window(days)}",
                unit=unit,
                window_days=days,
                dtype=dtype,
                wording=wording,
                about=about,
            )
            for days in (*sorted(windows_days), None)
        ]

    def days_since(self, name: str, act: str, wording: str = "", about: Sequence[str] = ()) -> FeatureSpec:
        """Describe the days from an act to as_of."""
        what = f"days from the {act} to as_of"
        return self.number(
            name, what, unit="days", missing_means=NEVER_HAPPENED, wording=wording, about=about
        )


def window_label(days: float | None) -> str:
    """Return how a window is written at the end of a column name.

    Examples
    --------
    >>> window_label(7.0), window_label(None)
    ('7d', 'all')
    """
    return "all" if days is None else f"{days:g}d"


def _in_window(days: float | None) -> str:
    if days is None:
        return "ever"
    return "in the last day" if days == 1 else f"in the last {days:g} days"
