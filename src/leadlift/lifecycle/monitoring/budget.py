"""How often monitoring may raise an alarm where nothing has changed, and what each test may spend of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from leadlift.learning.cutoff.base import check_range

LABEL_FREE_SHARE = 0.5
"""Of the budget, for checks that need no outcomes; the rest is for checks against outcomes."""

PARTS = {
    "inputs": LABEL_FREE_SHARE / 2,
    "scores": LABEL_FREE_SHARE / 4,
    "volume": LABEL_FREE_SHARE / 4,
    "outcomes": 1 - LABEL_FREE_SHARE,
}
"""Share of the budget by family of checks; they add up to 1."""


@dataclass(frozen=True)
class AlarmBudget:
    """The chance of an alarm in a period where nothing changes, split by Bonferroni's inequality.

    Alarms of several tests and windows are at most as likely as the sum of their levels, however the tests
    depend on each other (Dunn, O. J. (1961), doi:10.1080/01621459.1961.10482090).

    Parameters
    ----------
    rate : float, default=0.05
        Chance of at least one false alarm in `per_days`, in (0, 1).
    per_days : float, default=91
        The period, above 0; a quarter if not given.

    Raises
    ------
    ConfigError
        A value is out of its range.

    Examples
    --------
    >>> budget = AlarmBudget(rate=0.05, per_days=91)
    >>> f"{budget.level(window_days=7):.4f} {budget.of('inputs').level(window_days=7, n_tests=3):.5f}"
    '0.0038 0.00032'
    """

    rate: float = 0.05
    per_days: float = 91.0

    def __post_init__(self) -> None:
        check_range("false_alarm_rate", self.rate, 0, 1, open_ends=True)
        check_range("per_days", self.per_days, 0, float("inf"), open_ends=True)

    def of(self, family: str) -> AlarmBudget:
        """Return the part of a family of checks.

        Parameters
        ----------
        family : str
            A key of :data:`PARTS`.
        """
        return replace(self, rate=self.rate * PARTS[family])

    def level(self, window_days: float, n_tests: int = 1) -> float:
        """Return the significance level of each of `n_tests` tests made once every `window_days`.

        Parameters
        ----------
        window_days : float
            Days from one test to the next, above 0. Windows longer than the period count as one a period.
        n_tests : int, default=1
            Tests of a window that share its level; 1 where they are corrected for among themselves, as
            Holm's are.

        Returns
        -------
        float
            ``rate * min(window_days / per_days, 1) / n_tests``.

        Raises
        ------
        ConfigError
            `window_days` is not above 0.
        """
        check_range("window_days", window_days, 0, float("inf"), open_ends=True)
        return self.rate * min(window_days / self.per_days, 1.0) / max(n_tests, 1)
