"""What leads did on the web site before they filled in a form, in which order.

The counts and the first touch are drawn here, once; the columns of the leads print them and the
event table puts a time to each act. Buyers read before they look at prices, price shoppers look at
prices first, readers mostly read: the same pricing view means different things by its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlift.data.simulation.levels import draw_levels
from leadlift.data.simulation.population import Population
from leadlift.data.simulation.sales_process import SECONDS_PER_DAY

PAGES = ("product", "blog", "case_study", "pricing")
LANDING_PAGES = ("/contact", "/demo", "/pricing", "/ebook", "/webinar", "/newsletter")
# One row a mode: buyer, reader, price shopper.
_LANDING_SHARES = np.array(
    [
        [0.25, 0.22, 0.16, 0.18, 0.12, 0.07],
        [0.12, 0.07, 0.06, 0.34, 0.19, 0.22],
        [0.22, 0.10, 0.40, 0.12, 0.04, 0.12],
    ]
)
_FIRST_PAGE_SHARES = np.array(
    [
        [0.28, 0.45, 0.20, 0.07],
        [0.16, 0.64, 0.14, 0.06],
        [0.22, 0.10, 0.06, 0.62],
    ]
)
_MEAN_VIEWS = np.array(
    [
        [1.3, 1.6, 1.3, 1.1],
        [0.8, 2.6, 0.6, 0.4],
        [0.7, 0.4, 0.2, 0.9],
    ]
)
# A view stands at (uniform ** exponent) of the way from first touch to form: above 1 early, below 1 late.
PLACE_EXPONENTS = np.array(
    [
        [1.0, 1.8, 0.9, 0.35],
        [1.0, 1.0, 1.0, 1.0],
        [0.8, 0.8, 0.6, 2.5],
    ]
)
_MEAN_DOWNLOADS = np.array([0.8, 0.9, 0.2])
_MEDIAN_DAYS_TO_FORM = np.array([6.0, 22.0, 0.3])
_SPREAD_DAYS_TO_FORM = np.array([1.0, 1.1, 1.5])
_LONGEST_DAYS_TO_FORM = 180.0
_SHORTEST_SECONDS_TO_FORM = 120


@dataclass(frozen=True)
class Journeys:
    """Acts between first touch and form; all zero for leads without web history.

    Parameters
    ----------
    landing_page : ndarray of int8, shape (n,)
        Code in `LANDING_PAGES` of the page with the form.
    first_page : ndarray of int8, shape (n,)
        Code in `PAGES` of the first page seen.
    views : ndarray of int64, shape (n, 4)
        Views of each of `PAGES`, the first one included.
    visits : ndarray of int64, shape (n,)
        Visits, from 1 to the number of views.
    downloads : ndarray of int64, shape (n,)
        Files downloaded.
    seconds_to_form : ndarray of int64, shape (n,)
        Whole seconds from the first visit to the form.
    """

    landing_page: np.ndarray
    first_page: np.ndarray
    views: np.ndarray
    visits: np.ndarray
    downloads: np.ndarray
    seconds_to_form: np.ndarray


def draw_journeys(rng: np.random.Generator, population: Population) -> Journeys:
    """Draw the acts before the form from mode and intent.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    population : Population
        The leads.

    Returns
    -------
    Journeys
    """
    mode, on_web = population.mode, population.has_web_history
    n = len(mode)
    first_page = draw_levels(rng, _FIRST_PAGE_SHARES, mode)
    busy = np.exp(rng.normal(0.0, 0.4, n) + 0.15 * population.intent) * on_web
    views = rng.poisson(_MEAN_VIEWS[mode] * busy[:, None])
    views[np.arange(n), first_page] += on_web
    later_views = views.sum(axis=1) - on_web
    return Journeys(
        landing_page=draw_levels(rng, _LANDING_SHARES, mode),
        first_page=first_page,
        views=views,
        visits=on_web + rng.binomial(later_views, 0.4),
        downloads=rng.poisson(_MEAN_DOWNLOADS[mode] * busy),
        seconds_to_form=_draw_seconds_to_form(rng, mode) * on_web,
    )


def _draw_seconds_to_form(rng: np.random.Generator, mode: np.ndarray) -> np.ndarray:
    """Log-normal by mode: price shoppers within the hour, buyers in days, readers in weeks."""
    spread = _SPREAD_DAYS_TO_FORM[mode] * rng.standard_normal(len(mode))
    days = (_MEDIAN_DAYS_TO_FORM[mode] * np.exp(spread)).clip(max=_LONGEST_DAYS_TO_FORM)
    return np.floor(days * SECONDS_PER_DAY).astype(np.int64).clip(min=_SHORTEST_SECONDS_TO_FORM)
