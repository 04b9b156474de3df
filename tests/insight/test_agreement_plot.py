"""The picture of the sheet shows its rows, its bands and the cut-offs, and says how sure it is."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.policy_contract import simulate
from leadlift.exceptions import InputError
from leadlift.insight.agreement_plot import plot_agreement
from leadlift.insight.plots import save_figures
from leadlift.learning.cutoff import FixedThreshold
from leadlift.learning.cutoff.agreement import agreement_sheet

EVIDENCE = simulate()
SHEET = agreement_sheet(EVIDENCE)
CUTOFFS = {"MQL": FixedThreshold(0.2).choose(EVIDENCE), "SQL": FixedThreshold(0.5).choose(EVIDENCE)}


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_lines_are_the_columns_of_the_sheet():
    caught, won = plot_agreement(SHEET).axes[0].lines
    np.testing.assert_array_equal(caught.get_xdata(), SHEET["leads_per_week"])
    np.testing.assert_array_equal(caught.get_ydata(), SHEET["wins_caught"])
    np.testing.assert_array_equal(won.get_ydata(), SHEET["precision"])


def test_the_bands_are_the_intervals_of_the_sheet():
    caught, won = plot_agreement(SHEET).axes[0].collections
    for band, name in ((caught, "wins_caught"), (won, "precision")):
        heights = set(band.get_paths()[0].vertices[:, 1])
        assert set(SHEET[f"{name}_low"].to_pylist()) | set(SHEET[f"{name}_high"].to_pylist()) == heights


def test_a_cutoff_stands_where_its_leads_a_week_are_with_dots_at_what_it_does():
    axes = plot_agreement(SHEET, CUTOFFS).axes[0]
    line, dots = axes.lines[2:4]
    mql = CUTOFFS["MQL"]
    assert line.get_xdata()[0] == mql.per_week.estimate
    assert dots.get_ydata().tolist() == [mql.precision.estimate, mql.recall.estimate]


def test_the_title_says_what_the_first_cutoff_does():
    mql = CUTOFFS["MQL"]
    title = plot_agreement(SHEET, CUTOFFS).get_suptitle().replace("\n", " ")
    assert title == (
        f"MQL from a score of 20%: {mql.per_week.estimate:.0f} leads a week, "
        f"{100 * mql.precision.estimate:.3g}% of them won, "
        f"{100 * mql.recall.estimate:.3g}% of the wins caught"
    )


def test_the_figure_says_its_confidence_and_the_size_of_the_evidence():
    figure = plot_agreement(agreement_sheet(EVIDENCE, confidence=0.9), CUTOFFS)
    note = figure.legends[0].get_title().get_text()
    assert "90% intervals that hold for all cut-offs at once" in note
    assert f"2,000 leads, {EVIDENCE.won.sum()} won" in note
    assert legend_of(figure)[2:] == ["MQL from a score of 20%", "SQL from a score of 50%"]


def test_without_dates_the_share_of_the_leads_takes_the_place_of_leads_a_week():
    undated = replace(EVIDENCE, as_of=None)
    cutoff = FixedThreshold(0.2).choose(undated)
    axes = plot_agreement(agreement_sheet(undated), {"MQL": cutoff}).axes[0]
    assert axes.get_xlabel() == "Share of the leads that qualify"
    assert axes.lines[2].get_xdata()[0] == cutoff.share


@pytest.mark.parametrize(
    "sheet",
    [
        agreement_sheet(EVIDENCE, n_rows=1),
        agreement_sheet(EVIDENCE, thresholds=[0.2, 1.0]),
        agreement_sheet(replace(EVIDENCE, won=np.zeros(2000, dtype=bool))),
    ],
    ids=["one row", "nobody qualifies", "nobody was won"],
)
def test_gaps_can_be_drawn(sheet, tmp_path):
    save_figures({"agreement": plot_agreement(sheet, CUTOFFS)}, tmp_path)


def test_another_table_is_an_error():
    with pytest.raises(InputError, match="'leads_per_week'"):
        plot_agreement(SHEET.drop_columns(["leads_per_week"]))
