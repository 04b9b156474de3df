"""Sections on what wins leads say what the tables say, and no more."""

import numpy as np
import pyarrow as pa
import pytest

import leadlift as ll
from leadlift.insight.report.blocks import TableBlock
from leadlift.insight.report.sections.grid import grid_section
from leadlift.insight.report.sections.ideal_customer import ideal_customer_section
from leadlift.insight.report.sections.segments import segments_section
from leadlift.insight.report.sections.touches import touches_section

DAY = np.datetime64("2026-01-01")


def leads(*sources):
    """Leads of sources, each given as (name, leads, won leads)."""
    names = np.concatenate([[name] * n for name, n, _ in sources])
    won = np.concatenate([np.arange(n) < k for _, n, k in sources])
    return pa.table({"source": names}), won


def tables_of(section):
    return {block.caption: block for block in section.blocks if isinstance(block, TableBlock)}


def some_segments(**more):
    return ll.segments(
        *leads(("referral", 100, 60), ("web", 300, 60), ("ads", 200, 10), ("vip", 3, 3)), **more
    )


def test_the_title_names_the_best_and_the_worst_segment():
    section = segments_section(some_segments())
    assert section.title == (
        "Leads whose source is referral are won 2.7 times as often as the average lead; "
        "those whose source is ads, 0.23 times as often"
    )


def test_what_is_too_few_is_counted_and_not_listed():
    section = segments_section(some_segments())
    assert "2 of 3 segments are won more or less often" in section.summary
    assert section.summary.endswith("1 segment has too few leads to say anything of.")
    listed = tables_of(section)
    assert listed["Won more often than the others"].table["segment"].to_pylist() == ["referral"]
    assert listed["Won less often than the others"].table["segment"].to_pylist() == ["ads"]


def test_where_nothing_differs_nothing_is_claimed():
    section = segments_section(ll.segments(*leads(("web", 100, 20), ("ads", 100, 20))))
    assert section.title == "No kind of lead is won more or less often than the others by more than chance"
    assert tables_of(section) == {}


def test_leads_of_one_segment_too_few_to_draw_make_a_section_all_the_same():
    section = segments_section(ll.segments(*leads(("web", 3, 3))))
    assert section.blocks == ()


def test_changes_traits_and_the_trend_are_told_where_they_are_given():
    values, won = leads(("web", 200, 20), ("web", 200, 120))
    as_of = DAY + np.repeat([0, 100], 200)
    segments = ll.segments(values, won, as_of=as_of)
    trend = ll.conversion_trend(won, as_of, period_days=50)
    section = segments_section(segments, traits=ll.won_traits(values, won), trend=trend)
    assert "Of 1 segment 1 changed since the period before." in section.summary
    assert "Changed since the period before" in tables_of(section)


def attributed(n_demo_won):
    ids = [f"L{i}" for i in range(400)]
    until = np.full(400, DAY + 9).astype("datetime64[us]")
    table = pa.table({"lead_id": ids, "won": np.arange(400) < 100, "until": until})
    touched = ids[:n_demo_won] + ids[100 + n_demo_won : 200]
    names = ["demo"] * len(touched)
    days = np.full(len(touched), DAY).astype("datetime64[us]")
    return ll.attribute_wins(pa.table({"lead_id": touched, "occurred_at": days, "touch": names}), table)


def test_the_touch_whose_leads_win_most_is_in_the_title():
    section = touches_section({"offer": attributed(80)})
    assert (
        section.title
        == "Leads with “demo” among their touches are won 3.2 times as often as the average lead"
    )
    assert section.summary == (
        "Most wins are credited to the offer “demo”: 80% of them, by position. "
        "20% of the wins came without any recorded touch."
    )


def test_touches_that_say_nothing_are_not_praised():
    assert touches_section({"offer": attributed(25)}).title == (
        "No touch goes along with winning by more than chance"
    )


def profile_check(later_rate, n_later=600):
    values, won = leads(("software", 200, 80), ("retail", 200, 10), ("mining", 200, 10), ("public", 200, 10))
    profile = ll.IdealCustomerProfile().fit(values, won)
    rng = np.random.default_rng(0)
    later = rng.choice(["software", "retail"], n_later)
    return profile.check(
        pa.table({"source": later}), rng.random(n_later) < np.where(later == "software", later_rate, 0.1)
    )


@pytest.mark.parametrize(
    ("later_rate", "n_later", "title"),
    [
        (0.4, 600, "Leads that fit the profile are won"),
        (0.1, 600, "The profile found is not shown to hold on later leads"),
        (0.4, 20, "Too few later leads fit the profile to check it"),
    ],
)
def test_the_profile_is_judged_by_later_leads(later_rate, n_later, title):
    assert ideal_customer_section(profile_check(later_rate, n_later)).title.startswith(title)


def test_no_rule_makes_no_profile():
    values, won = leads(("a", 100, 20), ("b", 100, 20))
    checked = ll.IdealCustomerProfile().fit(values, won).check(values, won)
    section = ideal_customer_section(checked)
    assert (section.title, section.blocks) == ("No kind of customer stands out", ())


def test_the_grid_names_the_cell_that_wins_most_with_its_action():
    rng = np.random.default_rng(0)
    fit, engagement = rng.normal(size=(2, 1000))
    section = grid_section(ll.fit_engagement_grid(fit, engagement, fit + engagement > 1))
    assert section.title.startswith("A1 leads are won most often, ")
    assert section.title.endswith("of them: call now")
    assert "mean_score" not in [column.name for column in tables_of(section)["The cells of the grid"].columns]


def test_a_grid_of_a_dozen_leads_claims_nothing():
    grid = ll.fit_engagement_grid(np.arange(12), np.arange(12), np.arange(12) > 8)
    assert grid_section(grid).title == "No cell of fit and engagement has enough leads yet"


def test_the_sections_name_columns_that_their_tables_have():
    rng = np.random.default_rng(0)
    fit, engagement, score = rng.random(size=(3, 1000))
    grid = ll.fit_engagement_grid(fit, engagement, fit > 0.8, score=score)
    values, won = leads(("web", 200, 20), ("ads", 200, 120))
    as_of = DAY + np.tile([0, 100], 200)
    segments = ll.segments(values, won, as_of=as_of)
    sections = [
        segments_section(segments, traits=ll.won_traits(values, won)),
        touches_section({"offer": attributed(80)}),
        ideal_customer_section(profile_check(0.4)),
        grid_section(grid),
    ]
    for section in sections:
        for block in tables_of(section).values():
            for column in block.columns:
                wanted = {column.name, column.low, column.high, column.hide_where} - {None}
                assert wanted <= set(block.table.column_names)
