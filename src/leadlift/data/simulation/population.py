"""Who the simulated leads are: visible traits, and the fit and intent nobody sees.

Arrows of cause: origin -> mode -> intent; gender -> seniority, newsletter topic; industry x employees
-> fit; seniority x employees, fit, intent -> odds of winning. Gender has no arrow to the odds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlift.data.simulation.levels import draw_from, draw_levels, sigmoid
from leadlift.data.simulation.sales_process import SECONDS_PER_DAY

# Source, campaign, share of the leads, quality on the log-odds scale.
ORIGINS: tuple[tuple[str, str | None, float, float], ...] = (
    ("organic search", None, 0.210, 0.3),
    ("paid search", "brand terms", 0.080, 0.6),
    ("paid search", "generic terms", 0.100, -0.2),
    ("paid search", "competitor terms", 0.050, 0.2),
    ("social", "video ads", 0.075, -0.8),
    ("social", "carousel ads", 0.060, -0.5),
    ("social", None, 0.045, -0.3),
    ("referral", None, 0.095, 0.9),
    ("partner", "partner programme", 0.050, 0.7),
    ("email", "newsletter", 0.070, 0.1),
    ("email", "win-back", 0.040, -0.4),
    ("webinar", "spring series", 0.045, 0.2),
    ("webinar", "expert talks", 0.035, 0.5),
    ("trade fair", "Hanover", 0.020, 0.1),
    ("trade fair", "Chicago", 0.012, -0.1),
    ("podcast", None, 0.003, 0.4),
    ("list import", "bought list", 0.010, -1.2),
)
SOURCES_WITHOUT_WEB_HISTORY = ("trade fair", "list import")

# Country, sales region, share, effect on fit.
COUNTRIES: tuple[tuple[str, str, float, float], ...] = (
    ("Germany", "DACH", 0.20, 0.30),
    ("Austria", "DACH", 0.04, 0.25),
    ("Switzerland", "DACH", 0.05, 0.35),
    ("United Kingdom", "UK & Ireland", 0.13, 0.10),
    ("Ireland", "UK & Ireland", 0.02, 0.05),
    ("France", "Southern Europe", 0.09, 0.00),
    ("Spain", "Southern Europe", 0.06, -0.10),
    ("Italy", "Southern Europe", 0.06, -0.10),
    ("Sweden", "Nordics", 0.04, 0.20),
    ("Denmark", "Nordics", 0.03, 0.20),
    ("United States", "North America", 0.17, 0.05),
    ("Canada", "North America", 0.03, 0.05),
    ("India", "Asia Pacific", 0.05, -0.50),
    ("Australia", "Asia Pacific", 0.02, -0.20),
    ("Iceland", "Nordics", 0.004, 0.10),
    ("New Zealand", "Asia Pacific", 0.004, -0.20),
    ("Malta", "Southern Europe", 0.002, -0.10),
)

# Industry, share, effect on fit, number of employees that fits best.
INDUSTRIES: tuple[tuple[str, float, float, float], ...] = (
    ("manufacturing", 0.20, 0.4, 400),
    ("software", 0.17, 0.2, 60),
    ("retail", 0.14, -0.1, 900),
    ("logistics", 0.11, 0.3, 250),
    ("health care", 0.10, -0.1, 1500),
    ("financial services", 0.09, 0.1, 3000),
    ("consulting", 0.09, -0.3, 25),
    ("education", 0.06, -0.7, 700),
    ("public sector", 0.035, -0.9, 4000),
    ("mining", 0.005, 0.0, 2000),
)

GENDERS = ("female", "male", "other")
_GENDER_SHARES = (0.42, 0.56, 0.02)

SENIORITIES = ("executive", "vice president", "director", "manager", "specialist", "student")
# One row a gender: the simulated labour market is unequal, so gender and winning are associated.
_SENIORITY_SHARES = np.array(
    [
        [0.06, 0.05, 0.12, 0.29, 0.39, 0.09],
        [0.12, 0.08, 0.16, 0.28, 0.29, 0.07],
        [0.08, 0.06, 0.14, 0.28, 0.34, 0.10],
    ]
)
_SENIORITY_LOG_ODDS = np.array([0.2, 0.5, 0.7, 0.3, -0.4, -2.0])
# An executive decides alone in a small firm and delegates in a large one.
_SENIORITY_BY_SIZE = np.array([-0.7, -0.1, 0.3, 0.3, 0.1, 0.0])

MODES = ("buyer", "reader", "price shopper")
_MODE_LOG_SHARES = np.array([-0.4, 0.2, -0.5])
_MODE_BY_QUALITY = np.array([0.9, 0.0, -0.2])
_MODE_INTENT = np.array([1.5, -0.8, -1.3])
_INTENT_NOISE = 0.7
_FIT_NOISE = 0.6
_FIRST_CONTACT_DAYS = 4.0
_FIRST_CONTACT_DAYS_HAND_RAISER = 0.6
_DAYS_TO_DECIDE = 17.0


@dataclass(frozen=True)
class Population:
    """Traits of the leads, arrays of shape (n,) in the order of creation; codes index the tables above.

    Parameters
    ----------
    created_second : ndarray of int64
        Whole seconds from the start of the history.
    age_share : ndarray of float64
        Share of the history gone by at creation, in [0, 1).
    origin, country, industry, gender, seniority, mode : ndarray of int8
        Codes of the levels.
    log10_employees : ndarray of float64
        Size of the firm, known to the process for every lead.
    fit, intent : ndarray of float64
        Hidden, on the log-odds scale.
    hand_raiser : ndarray of bool
        Asked to be contacted.
    email_opt_in : ndarray of bool
        Agreed to e-mail.
    """

    created_second: np.ndarray
    age_share: np.ndarray
    origin: np.ndarray
    country: np.ndarray
    industry: np.ndarray
    gender: np.ndarray
    seniority: np.ndarray
    mode: np.ndarray
    log10_employees: np.ndarray
    fit: np.ndarray
    intent: np.ndarray
    hand_raiser: np.ndarray
    email_opt_in: np.ndarray

    @property
    def has_web_history(self) -> np.ndarray:
        """Whether the lead came by a form on the web site, so that visits before it are known."""
        by_origin = np.array([source not in SOURCES_WITHOUT_WEB_HISTORY for source, *_ in ORIGINS])
        return by_origin[self.origin]


def draw_population(
    rng: np.random.Generator,
    n: int,
    history_days: float,
    turns_between: tuple[float, float] | None = None,
) -> Population:
    """Draw the leads of a history, created evenly over it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    n : int
        Number of leads, >= 1.
    history_days : float
        Length of the history, days > 0.
    turns_between : tuple of float, optional
        Days of the history between which buyers and price shoppers exchange their intent, evenly.

    Returns
    -------
    Population
    """
    age_share = np.sort(rng.random(n))
    origin = draw_from(rng, [share for _, _, share, _ in ORIGINS], n)
    country = draw_from(rng, [share for _, _, share, _ in COUNTRIES], n)
    industry = draw_from(rng, [share for _, share, _, _ in INDUSTRIES], n)
    gender = draw_from(rng, _GENDER_SHARES, n)
    seniority = draw_levels(rng, _SENIORITY_SHARES, gender)
    mode = draw_levels(rng, _mode_shares(), origin)
    log10_employees = rng.normal(2.2, 0.8, n).clip(0.0, 5.3)
    intent = _draw_intent(rng, origin, mode, _turned_share(age_share * history_days, turns_between))
    return Population(
        created_second=np.floor(age_share * history_days * SECONDS_PER_DAY).astype(np.int64),
        age_share=age_share,
        origin=origin,
        country=country,
        industry=industry,
        gender=gender,
        seniority=seniority,
        mode=mode,
        log10_employees=log10_employees,
        fit=_draw_fit(rng, country, industry, log10_employees),
        intent=intent,
        hand_raiser=rng.random(n) < sigmoid(0.9 * intent - 1.9),
        email_opt_in=rng.random(n) < sigmoid(0.3 * intent + 0.8),
    )


def win_log_odds(population: Population, drift: float) -> np.ndarray:
    """Return the log of win rate over loss rate, up to the constant that sets the base rate.

    Parameters
    ----------
    population : Population
        The leads.
    drift : float
        Factor > 0 by which the odds of an equal lead change from the start to the end of the history.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    size = population.log10_employees - 2.2
    seniority = population.seniority
    return (
        population.fit
        + population.intent
        + _SENIORITY_LOG_ODDS[seniority]
        + _SENIORITY_BY_SIZE[seniority] * size
        + np.log(drift) * population.age_share
    )


def contact_per_day(population: Population) -> np.ndarray:
    """Return the rate of the first sales contact, per day: hand-raisers are called first."""
    days = np.where(population.hand_raiser, _FIRST_CONTACT_DAYS_HAND_RAISER, _FIRST_CONTACT_DAYS)
    return 1.0 / days


def end_per_day(population: Population) -> np.ndarray:
    """Return the rate, per day, at which a contacted lead ends: urgent ones decide sooner."""
    return np.exp(0.25 * population.intent.clip(-2.0, 2.0)) / _DAYS_TO_DECIDE


def _turned_share(created_day: np.ndarray, turns_between: tuple[float, float] | None) -> np.ndarray:
    """How far the market has turned when each lead is created, 0 to 1."""
    if turns_between is None:
        return np.zeros(len(created_day))
    first, last = turns_between
    return np.clip((created_day - first) / (last - first), 0.0, 1.0)


def _mode_shares() -> np.ndarray:
    """Share of each mode by origin, shape (origins, modes): good campaigns bring more buyers."""
    quality = np.array([quality for *_, quality in ORIGINS])
    return np.exp(_MODE_LOG_SHARES + quality[:, None] * _MODE_BY_QUALITY)


def _draw_intent(
    rng: np.random.Generator, origin: np.ndarray, mode: np.ndarray, turned_share: np.ndarray
) -> np.ndarray:
    """Intent of the mode, a little of the origin's quality, and noise."""
    quality = np.array([quality for *_, quality in ORIGINS])
    of_mode = _MODE_INTENT[mode] + turned_share * (_MODE_INTENT[::-1] - _MODE_INTENT)[mode]
    return of_mode + 0.3 * quality[origin] + rng.normal(0.0, _INTENT_NOISE, len(mode))


def _draw_fit(
    rng: np.random.Generator, country: np.ndarray, industry: np.ndarray, log10_employees: np.ndarray
) -> np.ndarray:
    """Fit of the firm: each industry has a size that fits best, and fit falls off on both sides of it."""
    by_country = np.array([effect for *_, effect in COUNTRIES])
    by_industry = np.array([effect for _, _, effect, _ in INDUSTRIES])
    best_size = np.log10([best for *_, best in INDUSTRIES])
    distance = (log10_employees - best_size[industry]) / 0.5
    sweet_spot = 1.8 * np.exp(-0.5 * distance**2) - 0.7
    noise = rng.normal(0.0, _FIT_NOISE, len(country))
    return by_country[country] + by_industry[industry] + sweet_spot + noise
