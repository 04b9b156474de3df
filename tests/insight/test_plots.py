"""Figures: they show the numbers of their tables, bear awkward names and gaps, and leave no state behind."""

import numpy as np
import pyarrow as pa
import pytest

from leadlift.exceptions import InputError
from leadlift.insight.plots import (
    plot_drivers,
    plot_gains,
    plot_reliability,
    plot_scores,
    plot_shap_beeswarm,
    save_figures,
)
from leadlift.learning.metrics import gains, reliability

RNG = np.random.default_rng(0)
SCORE = 1 / (1 + np.exp(-RNG.normal(-1.5, 1.2, 2000)))
WON = RNG.random(2000) < SCORE
NAMES = [
    "visits",
    "price ($) in $",
    "a very long name of a column, as forms make them",
    "_leading",
    "x^2",
    "source",
]


def drivers(names=NAMES, families=("engagement", "intent", "fit", "other", "other", "source")) -> pa.Table:
    points = [float(len(names) - j) for j in range(len(names))]
    return pa.table({"column": names, "family": list(families)[: len(names)], "mean_abs_points": points})


def beeswarm(n_rows=300, **settings):
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(n_rows, len(NAMES)))
    matrix[::5, 0] = np.nan
    matrix[:, 3] = np.nan
    matrix[:, 4] = 1.0
    contributions = np.nan_to_num(matrix) * np.arange(1, len(NAMES) + 1)
    return plot_shap_beeswarm(contributions, matrix, NAMES, **settings)


def draw_all() -> dict:
    return {
        "reliability": plot_reliability(reliability(WON, SCORE)),
        "gains": plot_gains(gains(WON, SCORE)),
        "scores": plot_scores(SCORE, WON, {"MQL": 0.3, "SQL": 0.6}),
        "drivers": plot_drivers(drivers()),
        "shap": beeswarm(categorical=["source"]),
    }


def texts_of(axis) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def test_every_figure_is_written_as_png_wide_enough_for_a_mail(tmp_path):
    from matplotlib.image import imread

    paths = save_figures(draw_all(), tmp_path / "figures")
    assert set(paths) == {"reliability", "gains", "scores", "drivers", "shap"}
    for path in paths.values():
        assert imread(path).shape[1] >= 2 * 360


def test_equal_figures_are_equal_files(tmp_path):
    first, second = save_figures(draw_all(), tmp_path / "a"), save_figures(draw_all(), tmp_path / "b")
    for name, path in first.items():
        assert path.read_bytes() == second[name].read_bytes(), name


def test_drawing_leaves_no_figure_open_and_no_random_state_changed():
    from matplotlib import pyplot, rcParams

    state, settings = np.random.get_state()[1].copy(), dict(rcParams)  # noqa: NPY002
    draw_all()
    assert pyplot.get_fignums() == []
    assert dict(rcParams) == settings
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_every_axis_is_labelled():
    for name, figure in draw_all().items():
        axes = figure.axes[0]
        assert axes.get_xlabel(), name
        assert axes.get_ylabel() or name in ("drivers", "shap"), "names of inputs need no label"
        assert figure.get_suptitle(), name


def test_the_reliability_figure_draws_the_table():
    table = reliability(WON, SCORE)
    figure = plot_reliability(table)
    points = figure.axes[0].containers[0].lines[0]
    np.testing.assert_array_equal(points.get_xdata(), table["predicted"])
    np.testing.assert_array_equal(points.get_ydata(), table["observed"])


def test_the_reliability_title_counts_the_groups_that_agree():
    table = pa.table(
        {
            "predicted": [0.1, 0.5],
            "observed": [0.1, 0.2],
            "low": [0.0, 0.1],
            "high": [0.2, 0.3],
            "n": [50, 60],
        }
    )
    figure = plot_reliability(table)
    assert figure.get_suptitle() == "Predicted and observed agree in 1 of 2 groups"
    assert "50 to 60 leads a group, 95% interval" in [
        text.get_text() for text in figure.axes[0].get_legend().get_texts()
    ]


def test_the_gains_curve_starts_at_nothing_and_ends_at_everything():
    curve = plot_gains(gains(WON, SCORE)).axes[0].lines[1]
    assert curve.get_xydata()[0].tolist() == [0, 0]
    assert curve.get_xydata()[-1].tolist() == [1, 1]


def test_thresholds_stand_in_the_score_figure():
    figure = plot_scores(SCORE, WON, {"MQL": 0.304, "SQL": 0.6})
    assert figure.get_suptitle() == "A lead is MQL from 30.4% on, SQL from 60% on"
    assert [line.get_xdata()[0] for line in figure.axes[0].lines] == [0.304, 0.6]


@pytest.mark.parametrize("won", [[True, True], [False, False]])
def test_scores_of_one_outcome_only_can_be_drawn(won, tmp_path):
    save_figures({"scores": plot_scores([0.0, 0.01], won, {})}, tmp_path)


def test_the_strongest_drivers_stand_on_top_whatever_the_order_of_the_table():
    shuffled = drivers().take([3, 0, 5, 1, 4, 2])
    axes = plot_drivers(shuffled, max_columns=2).axes[0]
    assert texts_of(axes.yaxis) == ["visits", "price ($) in $"]
    assert axes.yaxis_inverted()
    assert [bar.get_width() for bar in axes.patches] == [6.0, 5.0]


def test_the_beeswarm_draws_a_sample_of_many_leads_chosen_by_the_seed(tmp_path):
    sizes = {"max_rows": 100, "max_columns": 3}
    figures = {
        "first": beeswarm(1000, **sizes),
        "same": beeswarm(1000, **sizes),
        "other": beeswarm(1000, **sizes, random_state=1),
    }
    assert figures["first"].get_suptitle() == "How each input moved 100 single leads"
    assert texts_of(figures["first"].axes[0].yaxis)[0] == "Sum of 4 other inputs"
    first, same, other = (path.read_bytes() for path in save_figures(figures, tmp_path).values())
    assert first == same
    assert first != other


def test_the_sum_of_the_other_inputs_is_not_coloured_by_the_value_of_one_of_them():
    matrix = np.random.default_rng(0).normal(size=(50, 3))
    axes = plot_shap_beeswarm(matrix * [3, 2, 1], matrix, ["a", "b", "c"], max_columns=2).axes[0]
    assert texts_of(axes.yaxis) == ["Sum of 2 other inputs", "a"]
    summed, _, of_a = axes.collections
    np.testing.assert_allclose(sorted(summed.get_offsets()[:, 0]), sorted(matrix[:, 1:] @ [2, 1]))
    assert summed.get_array() is None
    assert of_a.get_array() is not None


def test_one_input_and_one_lead_can_be_drawn(tmp_path):
    one = np.array([[0.5]])
    figures = {"shap": plot_shap_beeswarm(one, one, ["visits"]), "drivers": plot_drivers(drivers(["visits"]))}
    save_figures(figures, tmp_path)


def test_a_table_without_a_column_is_an_error_with_a_diff():
    with pytest.raises(InputError, match=r"lacks 'n':\n  - 'n' \(expected, not found"):
        plot_reliability(reliability(WON, SCORE).drop_columns("n"))


def test_no_driver_and_shapes_that_disagree_are_errors():
    with pytest.raises(InputError, match="at least one driver"):
        plot_drivers(drivers().slice(0, 0))
    with pytest.raises(InputError, match=r"2 columns, got \(3, 2\) and \(3, 1\)"):
        plot_shap_beeswarm(np.zeros((3, 2)), np.zeros((3, 1)), ["a", "b"])
    with pytest.raises(InputError, match="one shape with a row"):
        plot_shap_beeswarm(np.zeros((0, 1)), np.zeros((0, 1)), ["a"])


def test_figures_that_cannot_be_written_are_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"could not be written to .*file"):
        save_figures({}, tmp_path / "file")
