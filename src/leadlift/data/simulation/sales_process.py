"""How a lead is contacted, then won or lost: exponential waiting times with a closed form.

A lead waits for the first sales contact, an exponential time with rate `contact_per_day`. From then
on winning and losing compete, exponential with rates `win_per_day` and `loss_per_day`; whichever
comes first ends the lead. Both facts make the probability of being won within a horizon exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlift.data.simulation.levels import sigmoid
from leadlift.exceptions import ConfigError

SECONDS_PER_DAY = 86_400
_WIDEST_LOG_ODDS = 50.0
_HALVINGS = 64


@dataclass(frozen=True)
class SalesProcess:
    """Hidden rates and drawn moments of each lead, days counted from its creation.

    Parameters
    ----------
    contact_per_day, win_per_day, loss_per_day : ndarray of float64, shape (n,)
        Rates > 0; winning and losing are possible from the contact on.
    contacted_after_seconds, closed_after_seconds : ndarray of int64, shape (n,)
        Whole seconds from creation to first contact and to the end, the end always the later.
    won : ndarray of bool, shape (n,)
        How the lead ends.
    """

    contact_per_day: np.ndarray
    win_per_day: np.ndarray
    loss_per_day: np.ndarray
    contacted_after_seconds: np.ndarray
    closed_after_seconds: np.ndarray
    won: np.ndarray

    def true_probability(self, days_after_creation: np.ndarray | float, horizon_days: float) -> np.ndarray:
        """Return the probability of being won in the horizon that starts so long after creation.

        It is conditional on the hidden rates and on whether the lead has been contacted by then.

        Parameters
        ----------
        days_after_creation : float or ndarray of shape (n,)
            Moment of observation, days >= 0 after each lead's creation.
        horizon_days : float
            Length of the horizon, days > 0.

        Returns
        -------
        ndarray of float64, shape (n,)
            NaN where the lead has ended by that moment.
        """
        seconds = np.asarray(days_after_creation, dtype=np.float64) * SECONDS_PER_DAY
        rates = (self.win_per_day, self.loss_per_day)
        waiting = probability_won_within(horizon_days, *rates, contact_per_day=self.contact_per_day)
        contacted = probability_won_within(horizon_days, *rates)
        probability = np.where(self.contacted_after_seconds <= seconds, contacted, waiting)
        return np.where(self.closed_after_seconds <= seconds, np.nan, probability)


def probability_won_within(
    horizon_days: float,
    win_per_day: np.ndarray,
    loss_per_day: np.ndarray,
    *,
    contact_per_day: np.ndarray | None = None,
) -> np.ndarray:
    """Return the probability that a living lead is won within the horizon.

    Parameters
    ----------
    horizon_days : float
        Length of the horizon H, days > 0.
    win_per_day, loss_per_day : ndarray of float64
        Rates w > 0 and l > 0 of winning and losing after contact.
    contact_per_day : ndarray of float64, optional
        Rate m > 0 of the first contact of leads still waiting for it; None for contacted leads.

    Returns
    -------
    ndarray of float64
        In [0, 1].

    Notes
    -----
    With L = w + l, the share w / L of the ends are wins, whenever they come. A contacted lead ends
    within H with probability 1 - exp(-L H); a waiting one with that of the sum of two exponential
    times (hypoexponential distribution), 1 - (L exp(-m H) - m exp(-L H)) / (L - m).

    Examples
    --------
    >>> w, l = np.array([0.02]), np.array([0.08])
    >>> probability_won_within(60.0, w, l).round(4).tolist()
    [0.1995]
    >>> probability_won_within(60.0, w, l, contact_per_day=np.array([0.25])).round(4).tolist()
    [0.1992]
    """
    end_per_day = win_per_day + loss_per_day
    if contact_per_day is None:
        ended = -np.expm1(-end_per_day * horizon_days)
    else:
        ended = _two_waits_within(horizon_days, contact_per_day, end_per_day)
    return win_per_day / end_per_day * ended


def intercept_for_base_rate(log_odds: np.ndarray, ended: np.ndarray, base_rate: float) -> float:
    """Find the constant that, added to all log-odds of winning, gives the base rate.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n,)
        Log of win rate over loss rate, without the constant.
    ended : ndarray of float64, shape (n,)
        Probability that the lead ends within the horizon, either way.
    base_rate : float
        Mean probability of being won within the horizon that is wanted, in (0, 1).

    Returns
    -------
    float
        Found by a fixed number of halvings of [-50, 50], so that it does not depend on a tolerance.

    Raises
    ------
    ConfigError
        Not even winning every lead that ends would reach the base rate.
    """
    highest = float(ended.mean())
    if base_rate >= highest:
        msg = (
            f"base_rate must be below {highest:.3f}, the share of leads that end within the horizon; "
            f"got {base_rate}. Ask for a lower base_rate or a longer horizon_days."
        )
        raise ConfigError(msg)
    low, high = -_WIDEST_LOG_ODDS, _WIDEST_LOG_ODDS
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if np.mean(sigmoid(log_odds + middle) * ended) < base_rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def draw_sales_process(
    rng: np.random.Generator,
    *,
    log_odds: np.ndarray,
    end_per_day: np.ndarray,
    contact_per_day: np.ndarray,
    horizon_days: float,
    base_rate: float,
) -> SalesProcess:
    """Set the rates so that the base rate is met, and draw when and how each lead ends.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the waiting times and the outcomes.
    log_odds : ndarray of float64, shape (n,)
        Log of win rate over loss rate, up to a constant.
    end_per_day : ndarray of float64, shape (n,)
        Win rate plus loss rate after contact, > 0.
    contact_per_day : ndarray of float64, shape (n,)
        Rate of the first contact, > 0.
    horizon_days : float
        Days > 0.
    base_rate : float
        Mean of the true probabilities at creation, in (0, 1).

    Returns
    -------
    SalesProcess

    Raises
    ------
    ConfigError
        The base rate cannot be reached.
    """
    ended = _two_waits_within(horizon_days, contact_per_day, end_per_day)
    share_won = sigmoid(log_odds + intercept_for_base_rate(log_odds, ended, base_rate))
    n = len(log_odds)
    contacted = _whole_seconds(rng.standard_exponential(n) / contact_per_day)
    return SalesProcess(
        contact_per_day=contact_per_day,
        win_per_day=end_per_day * share_won,
        loss_per_day=end_per_day * (1.0 - share_won),
        contacted_after_seconds=contacted,
        closed_after_seconds=contacted + _whole_seconds(rng.standard_exponential(n) / end_per_day),
        won=rng.random(n) < share_won,
    )


def _two_waits_within(days: float, first_per_day: np.ndarray, second_per_day: np.ndarray) -> np.ndarray:
    """Probability that two exponential waits, one after the other, take at most `days`."""
    slow = np.minimum(first_per_day, second_per_day)
    gap = np.abs(first_per_day - second_per_day) * days
    # The textbook formula divides by the difference of the rates; this form of it is exact at
    # equality too, where (1 - exp(-gap)) / gap becomes 1.
    safe_gap = np.where(gap > 0, gap, 1.0)
    ratio = np.where(gap > 0, -np.expm1(-safe_gap) / safe_gap, 1.0)
    return 1.0 - np.exp(-slow * days) * (1.0 + slow * days * ratio)


def _whole_seconds(days: np.ndarray) -> np.ndarray:
    """Days as whole seconds, at least one; CRMs stamp seconds, and rounding hides the CPU's last bit."""
    return np.ceil(days * SECONDS_PER_DAY).astype(np.int64).clip(min=1)
