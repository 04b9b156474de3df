"""The sections of the report that speak of the business: segments, touches, customers, losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.events import EVENT_TYPE
from leadlift.data.reading import CLOSED_AT, OUTCOME
from leadlift.insight.report.sections.grid import grid_section
from leadlift.insight.report.sections.ideal_customer import ideal_customer_section
from leadlift.insight.report.sections.segments import segments_section
from leadlift.insight.report.sections.touches import touches_section
from leadlift.insight.report.sections.voice_of_lost import voice_of_lost_section
from leadlift.insight.segments.grid import fit_engagement_grid, grid_edges
from leadlift.insight.segments.ideal_customer import IdealCustomerProfile
from leadlift.insight.segments.rates import segments
from leadlift.insight.segments.touches import attribute_wins, touches_from
from leadlift.insight.segments.traits import won_traits
from leadlift.insight.segments.trend import conversion_trend
from leadlift.insight.voice_of_lost.distinguishing_terms import distinguishing_terms
from leadlift.insight.voice_of_lost.loss_reasons import loss_reasons, loss_reasons_by_segment
from leadlift.insight.voice_of_lost.sentiment import sentiment_by
from leadlift.insight.voice_of_lost.themes import themes
from leadlift.terms import LEAD_ID, Family, Kind, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.insight.report.blocks import Section
    from leadlift.lifecycle.looking_back import Hindsight

# Edges of bands are quartiles; more leads than this move none of them that matters.
BANDED_ROWS = 5_000
TOUCH_KINDS = {"channel": "channel", "asset": "page, offer or ad", EVENT_TYPE: "kind of act"}


def segments_part(hindsight: Hindsight) -> Section:
    """Which leads are won more often, and which have changed."""
    rows, problem = hindsight.first, hindsight.problem
    values, won = _segmented(hindsight, rows), problem.y[rows] > 0
    as_of, period = _moments(hindsight, rows), hindsight.config.insight.period_days
    trend = None if as_of is None else conversion_trend(won, as_of, period_days=period)
    return segments_section(
        segments(values, won, as_of=as_of, period_days=period),
        traits=won_traits(values, won),
        trend=trend,
    )


def _segmented(hindsight: Hindsight, rows: NDArray[np.int64]) -> pa.Table:
    """Columns to split results by: those named, else categories and numbers that say who one is."""
    named = hindsight.config.insight.segments
    if named:
        told = hindsight.told(rows)
        return told.select(list(named))
    specs = hindsight.bundle.specs
    of_fit = [spec.name for spec in specs if spec.kind is Kind.CATEGORICAL or spec.family is Family.FIT]
    return hindsight.inputs(rows).select(of_fit or [spec.name for spec in specs])


def _categories(values: pa.Table) -> pa.Table:
    """Columns of text, all where there are none; bands of numbers would be many looks for little."""
    texts = [name for name in values.column_names if pa.types.is_string(values.schema.field(name).type)]
    return values.select(texts or values.column_names)


def _moments(hindsight: Hindsight, rows: NDArray[np.int64]) -> NDArray | None:
    """Moments of rows of which each had the same time to be won; without a horizon the latest had less."""
    observations = hindsight.problem.observations
    return observations.as_of[rows] if observations.horizon_days is not None else None


def touches_part(hindsight: Hindsight) -> Section | None:
    """Which touches come before wins; None without events."""
    if hindsight.events is None:
        return None
    leads = _ended_leads(hindsight)
    by_kind = {}
    for by, name in TOUCH_KINDS.items():
        touches = touches_from(hindsight.events, by)
        if touches.num_rows:
            by_kind[name] = attribute_wins(touches, leads)
    return touches_section(by_kind) if by_kind else None


def _ended_leads(hindsight: Hindsight) -> pa.Table:
    """Each lead once, with whether it was won and when it was won, lost, or last seen."""
    told = hindsight.told(hindsight.first)
    _, once = np.unique(told[LEAD_ID].fill_null("").to_numpy(), return_index=True)
    told = told.take(pa.array(np.sort(once))).filter(pc.field(LEAD_ID).is_valid())
    last_seen = pa.scalar(hindsight.problem.observations.known_until, pa.timestamp("us", tz="UTC"))
    closed = told[CLOSED_AT] if CLOSED_AT in told.column_names else pa.nulls(told.num_rows, last_seen.type)
    won = pc.fill_null(pc.equal(told[OUTCOME], Outcome.WON.value), fill_value=False)
    return pa.table({LEAD_ID: told[LEAD_ID], "won": won, "until": pc.coalesce(closed, last_seen)})


def ideal_customer_part(hindsight: Hindsight) -> Section | None:
    """Which rules pick out customers, found on the leads learnt from and checked on the test leads."""
    names = [spec.name for spec in hindsight.bundle.specs if spec.family is Family.FIT]
    if not names:
        return None
    earlier, later = hindsight.learnt, hindsight.split.test
    won = hindsight.problem.y > 0
    profile = IdealCustomerProfile().fit(hindsight.inputs(earlier).select(names), won[earlier])
    checked = profile.check(hindsight.inputs(later).select(names), won[later])
    return ideal_customer_section(checked, is_forward=hindsight.split.is_forward)


def grid_part(hindsight: Hindsight) -> Section | None:
    """Fit against engagement: bands of leads learnt from, conversion of the test leads."""
    families = {spec.family for spec in hindsight.bundle.specs}
    if not {Family.FIT, Family.ENGAGEMENT} <= families:
        return None
    earlier = hindsight.seen(hindsight.sample(hindsight.split.train, BANDED_ROWS)).families
    edges = grid_edges(*_fit_and_engagement(earlier))
    fit, engagement = _fit_and_engagement(hindsight.test_families)
    won, score = hindsight.problem.y[hindsight.split.test] > 0, hindsight.test_scores[0]
    return grid_section(fit_engagement_grid(fit, engagement, won, score=score, edges=edges))


def _fit_and_engagement(families: dict[str, NDArray]) -> tuple[NDArray, NDArray]:
    return families[Family.FIT.value], families[Family.ENGAGEMENT.value]


def voice_of_lost_part(hindsight: Hindsight) -> Section | None:
    """Why leads were lost and what they said; None where no column of either is named."""
    asked = hindsight.config.insight
    if asked.loss_reason is None and not asked.loss_text:
        return None
    rows = hindsight.first
    told, values = hindsight.told(rows), _categories(_segmented(hindsight, rows))
    lost = pc.equal(told[OUTCOME], Outcome.LOST.value).fill_null(fill_value=False).to_numpy()
    closed_at = told[CLOSED_AT] if CLOSED_AT in told.column_names else None
    period = {"closed_at": closed_at, "period_days": asked.period_days}
    reasons = by_segment = None
    if asked.loss_reason is not None:
        reason = told[asked.loss_reason].cast(pa.string())
        reasons = loss_reasons(reason, lost, **period)
        by_segment = loss_reasons_by_segment(reason, lost, values)
    texts = _texts(told, asked.loss_text)
    said = {} if texts is None else _said(texts, lost, values, period, asked.loss_language)
    return voice_of_lost_section(reasons, reasons_by_segment=by_segment, **said)


def _texts(told: pa.Table, names: Sequence[str]) -> pa.Array | None:
    """One text a lead, the columns one after another; None where no column is named."""
    if not names:
        return None
    first, *others = (told[name].cast(pa.string()).combine_chunks() for name in names)
    return pc.binary_join_element_wise(first, *others, " ", null_handling="skip") if others else first


def _said(
    texts: pa.Array, lost: NDArray, values: pa.Table, period: dict[str, Any], language: str
) -> dict[str, Any]:
    """Themes and sentiment of what lost leads said, and the words by which they differ from won ones."""
    gone = pa.array(lost)
    own, split = texts.filter(gone), values.filter(gone)
    if period["closed_at"] is not None:
        period = period | {"closed_at": period["closed_at"].filter(gone)}
    return {
        "terms": distinguishing_terms(texts, lost, language=language),
        "themes": themes(own, segments=split, language=language),
        "sentiment": sentiment_by(own, segments=split, language=language, **period),
    }


PARTS = (segments_part, touches_part, ideal_customer_part, grid_part, voice_of_lost_part)
