"""The table of leads as a CRM exports it: what was known at creation, and what sales wrote later."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.simulation.journeys import LANDING_PAGES, PAGES, Journeys
from leadlift.data.simulation.levels import as_text, draw_from, draw_levels, sigmoid
from leadlift.data.simulation.population import (
    COUNTRIES,
    GENDERS,
    INDUSTRIES,
    ORIGINS,
    SENIORITIES,
    Population,
)
from leadlift.data.simulation.sales_process import SECONDS_PER_DAY
from leadlift.terms import LEAD_ID

TIMESTAMP = pa.timestamp("us", tz="UTC")
_NO_YES = ("no", "yes")

# By seniority, in the order of SENIORITIES; the last title of each row is rare.
_JOB_TITLES = (
    ("Chief Executive Officer", "Managing Director", "Founder", "Chief Happiness Officer"),
    ("VP Operations", "VP Sales", "VP Finance", "VP Special Projects"),
    ("Director Operations", "Head of IT", "Head of Procurement", "Head of Magic"),
    ("Operations Manager", "Project Manager", "Marketing Manager", "Scrum Master"),
    ("Analyst", "Engineer", "Buyer", "Data Janitor"),
    ("Student", "Intern", "Working Student", "PhD Candidate"),
)
_TITLE_SHARES = (0.45, 0.30, 0.24, 0.01)

_NEEDS = ("replace a tool", "first tool", "just exploring")
_NEED_SHARES = np.array([[0.45, 0.35, 0.20], [0.20, 0.30, 0.50], [0.35, 0.35, 0.30]])
_TIMELINES = ("this quarter", "this year", "later", "Select")
_MINUTES_A_PAGE = np.array([2.2, 2.8, 0.9])
_BY_SENIORITY_DECIDES = np.array([0.95, 0.85, 0.70, 0.40, 0.12, 0.02])

NEWSLETTER_TOPICS = ("engineering notes", "careers and community", "product news")
# One row a gender: an innocent-looking column that gives the protected attribute away.
_TOPIC_SHARES = np.array([[0.15, 0.60, 0.25], [0.60, 0.12, 0.28], [0.35, 0.35, 0.30]])


def lead_ids(n: int) -> pa.Array:
    """Return the ids ``L0000001``, ``L0000002``, … in the order of creation."""
    digits = pc.utf8_lpad(pc.cast(pa.array(np.arange(1, n + 1)), pa.string()), 7, "0")
    return pc.binary_join_element_wise("L", digits, "")


def timestamps(start: datetime, seconds: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Return the moments so many seconds after `start`, as UTC timestamps in microseconds."""
    start_us = pa.scalar(start, type=TIMESTAMP).value
    return pa.array(start_us + seconds * 1_000_000, mask=missing).cast(TIMESTAMP)


def identity_columns(population: Population, start: datetime) -> dict[str, pa.Array]:
    """Return `lead_id` and `created_at`."""
    seconds = population.created_second
    return {LEAD_ID: lead_ids(len(seconds)), "created_at": timestamps(start, seconds)}


def profile_columns(rng: np.random.Generator, population: Population) -> dict[str, pa.Array]:
    """Return who the lead is: origin, firm, person.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of titles, gaps and the newsletter topic.
    population : Population
        The leads.

    Returns
    -------
    dict of str to pyarrow.Array of length n
        `source`, `campaign`, `country`, `region`, `industry`, `employees` (float64, null where not
        given), `job_title`, `seniority`, `email_domain`, `gender`, `newsletter_topic`.
    """
    p = population
    n = len(p.origin)
    titles = [title for row in _JOB_TITLES for title in row]
    title = p.seniority.astype(np.int64) * len(_TITLE_SHARES) + draw_from(rng, _TITLE_SHARES, n)
    free_mail = rng.random(n) < sigmoid(-1.6 - 0.35 * p.intent + 2.0 * (p.seniority == len(SENIORITIES) - 1))
    topic = draw_levels(rng, _TOPIC_SHARES, p.gender)
    return {
        "source": as_text([source for source, *_ in ORIGINS], p.origin),
        "campaign": as_text([campaign for _, campaign, *_ in ORIGINS], p.origin),
        "country": as_text([country for country, *_ in COUNTRIES], p.country, rng.random(n) < 0.02),
        "region": as_text([region for _, region, *_ in COUNTRIES], p.country),
        "industry": as_text([industry for industry, *_ in INDUSTRIES], p.industry, rng.random(n) < 0.06),
        "employees": pa.array(_reported_employees(rng, p), mask=rng.random(n) < 0.15),
        "job_title": as_text(titles, title, rng.random(n) < 0.05),
        "seniority": as_text(SENIORITIES, p.seniority, rng.random(n) < 0.08),
        "email_domain": as_text(("company", "free mail"), free_mail),
        "gender": as_text(GENDERS, p.gender, rng.random(n) < 0.10),
        "newsletter_topic": as_text(NEWSLETTER_TOPICS, topic, rng.random(n) < 0.20),
    }


def form_columns(rng: np.random.Generator, population: Population) -> dict[str, pa.Array]:
    """Return what the lead said on the form: hand-raise, opt-in and BANT.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the answers.
    population : Population
        The leads.

    Returns
    -------
    dict of str to pyarrow.Array of length n
        `contact_me`, `email_opt_in`, `budget`, `decision_maker`, `need`, `timeline`,
        all strings. The four BANT answers are null where the form was too short to ask; `timeline`
        reads ``"Select"`` where the drop-down box was left alone.
    """
    p = population
    n = len(p.intent)
    not_asked = rng.random(n) < 0.45
    has_budget = rng.random(n) < sigmoid(-0.5 + 0.6 * p.intent)
    decides = rng.random(n) < _BY_SENIORITY_DECIDES[p.seniority]
    need = draw_levels(rng, _NEED_SHARES, p.mode)
    return {
        "contact_me": as_text(_NO_YES, p.hand_raiser),
        "email_opt_in": as_text(_NO_YES, p.email_opt_in),
        "budget": as_text(_NO_YES, has_budget, not_asked | (rng.random(n) < 0.20)),
        "decision_maker": as_text(_NO_YES, decides, not_asked | (rng.random(n) < 0.10)),
        "need": as_text(_NEEDS, need, not_asked | (rng.random(n) < 0.15)),
        "timeline": as_text(_TIMELINES, _draw_timeline(rng, p), not_asked),
    }


def journey_columns(
    rng: np.random.Generator, population: Population, journeys: Journeys
) -> dict[str, pa.Array]:
    """Return what the web site counted before the form; null for leads without web history.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of reading times and of visitors who refused the clock.
    population : Population
        The leads.
    journeys : Journeys
        Their acts.

    Returns
    -------
    dict of str to pyarrow.Array of length n
        `landing_page`, `first_touch` (strings), `days_since_first_touch`, `minutes_on_site` (float64)
        and the int64 counts `visits_before_form`, `pages_before_form`, `case_study_views_before_form`,
        `pricing_views_before_form`, `downloads_before_form`.
    """
    off_web = ~population.has_web_history
    pages = journeys.views.sum(axis=1)
    minutes = rng.gamma(1.5, 1 / 1.5, len(pages)) * pages * _MINUTES_A_PAGE[population.mode]
    days = journeys.seconds_to_form / SECONDS_PER_DAY
    counts = {
        "visits_before_form": journeys.visits,
        "pages_before_form": pages,
        "case_study_views_before_form": journeys.views[:, PAGES.index("case_study")],
        "pricing_views_before_form": journeys.views[:, PAGES.index("pricing")],
        "downloads_before_form": journeys.downloads,
    }
    return {
        "landing_page": as_text(LANDING_PAGES, journeys.landing_page, off_web),
        "first_touch": as_text(PAGES, journeys.first_page, off_web),
        "days_since_first_touch": pa.array(days.round(4), mask=off_web),
        "minutes_on_site": pa.array(minutes.round(1), mask=off_web | (rng.random(len(pages)) < 0.08)),
        **{name: pa.array(count, mask=off_web) for name, count in counts.items()},
    }


def _reported_employees(rng: np.random.Generator, population: Population) -> np.ndarray:
    """Number of employees as typed into a form: about right, at least one."""
    blurred = population.log10_employees + rng.normal(0.0, 0.08, len(population.fit))
    return np.round(10.0**blurred).clip(min=1.0)


def _draw_timeline(rng: np.random.Generator, population: Population) -> np.ndarray:
    """Code in `_TIMELINES`: the keener, the sooner; a quarter of the leads leave the box alone."""
    eagerness = population.intent + rng.logistic(0.0, 1.2, len(population.intent))
    code = np.where(eagerness > 1.0, 0, np.where(eagerness > -0.5, 1, 2))
    return np.where(rng.random(len(code)) < 0.25, _TIMELINES.index("Select"), code)
