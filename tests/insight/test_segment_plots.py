"""Figures of segments show what the tables say, and survive any text."""

import io

import numpy as np
import pyarrow as pa
import pytest

import leadlift as ll
from leadlift.exceptions import InputError
from leadlift.insight.figure_style import missing_glyphs_ignored

HOSTILE = "<script>alert(1)</script>\x00\x1b $x_1^$ \u202e" + "x" * 10_000 + "\n=cmd()"


def drawn(figure):
    """Draw the figure as a file; a text that cannot be drawn would fail here."""
    with missing_glyphs_ignored():
        figure.savefig(io.BytesIO(), dpi=50)
    return " ".join(figure.get_suptitle().split())


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def grid(n_leads=800, **settings):
    rng = np.random.default_rng(0)
    fit, engagement = rng.normal(size=(2, n_leads))
    return ll.fit_engagement_grid(fit, engagement, fit + engagement > 1.5, **settings)


def test_segments_are_drawn_best_first_against_the_average():
    leads = pa.table({"source": ["ads"] * 100 + ["fair"] * 100 + ["rare"] * 5})
    figure = ll.plot_segments(ll.segments(leads, [True] * 20 + [False] * 80 + [True] * 60 + [False] * 45))
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["source\nfair", "source\nads"]
    assert drawn(figure) == "Leads whose source is fair are won 1.5 times as often as the average lead"


def test_only_the_segments_with_most_at_stake_are_drawn():
    leads = pa.table({f"c{i}": ["a", "b"] * 100 for i in range(20)})
    figure = ll.plot_segments(ll.segments(leads, [True] * 40 + [False] * 160), most_rows=7)
    assert len(figure.axes[0].get_yticklabels()) == 7


def test_segments_that_are_all_too_few_are_not_drawn():
    with pytest.raises(InputError, match="a segment with enough leads"):
        ll.plot_segments(ll.segments(pa.table({"source": ["ads"] * 3}), [True] * 3))


def test_hostile_names_are_drawn_as_text():
    leads = pa.table({HOSTILE: [HOSTILE] * 50 + ["b"] * 50})
    drawn(ll.plot_segments(ll.segments(leads, [True] * 30 + [False] * 70)))


def test_the_trend_is_drawn_with_its_latest_period_in_the_title():
    days = np.datetime64("2026-01-01") + np.arange(300)
    trend = ll.conversion_trend(np.arange(300) % 4 == 0, days, period_days=100)
    assert drawn(ll.plot_trend(trend)) == "In the latest period 25% of 100 leads were won"


def test_each_cell_of_the_grid_says_its_name_rate_and_size_in_words():
    figure = ll.plot_grid(grid())
    drawn(figure)
    said = texts(figure)
    assert len(said) == 16
    assert said[0].startswith("A1\n")
    assert said[0].endswith(" leads")


def test_cells_with_too_few_leads_say_so_and_show_no_rate():
    figure = ll.plot_grid(grid(n_leads=40))
    assert drawn(figure) == "No cell of the grid has enough leads to say how many are won"
    assert all("too few" in text for text in texts(figure))


def test_a_table_of_another_kind_is_refused():
    for plot in (ll.plot_segments, ll.plot_trend, ll.plot_grid):
        with pytest.raises(InputError, match="the table lacks"):
            plot(pa.table({"x": [1]}))
