"""The quality benchmark: contenders written here are right, splits are honest, comparisons are paired."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadlift.learning import metrics

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import inside
        import odoo_naive_bayes
        import outside
        import paired
        import quality_page
        import quality_sets
        from contenders import run

        yield SimpleNamespace(
            inside=inside,
            odoo=odoo_naive_bayes,
            outside=outside,
            paired=paired,
            page=quality_page,
            sets=quality_sets,
            run=run,
        )


@pytest.fixture(scope="module")
def leads(bench):
    """240 leads over 240 days, the label known 30 days after; text and numbers with gaps, yes and no."""
    rng = np.random.default_rng(0)
    source = rng.choice(["ads", "fair", None], 240, p=[0.5, 0.3, 0.2])
    visits = np.where(rng.random(240) < 0.2, np.nan, rng.poisson(3.0, 240))
    frame = pd.DataFrame({"source": source, "visits": visits, "subscribed": rng.random(240) < 0.5})
    y = (rng.random(240) < expit(np.nan_to_num(visits) - 3 + (source == "fair"))).astype(int)
    days = np.arange(240)
    return bench.sets.LeadSet(frame, y, as_of=days, label_known_at=days + 30)


def test_odoo_multiplies_the_shares_of_each_value_with_a_tenth_added(bench):
    X = pd.DataFrame({"source": ["fair", "fair", "ads", "ads", "ads"]})
    y = np.array([1, 1, 1, 0, 0])
    model = bench.odoo.OdooNaiveBayes().fit(X, y)
    won, lost = 3 / 5 * (2.1 / 3.2), 2 / 5 * (0.1 / 2.2)
    assert model.predict_proba(X)[0, 1] == pytest.approx(won / (won + lost))


def test_odoo_leaves_out_empty_fields_values_never_seen_and_numbers(bench):
    X = pd.DataFrame({"source": ["fair", None, "ads", "ads"], "employees": [1, 2, 3, 4]})
    y = np.array([1, 1, 1, 0])
    model = bench.odoo.OdooNaiveBayes().fit(X, y)
    new = pd.DataFrame({"source": [None, "radio"], "employees": [9, 9]})
    assert model.fields_ == ("source",)
    assert model.predict_proba(new)[:, 1] == pytest.approx([0.75, 0.75])


def test_odoo_stays_a_ten_thousandth_from_certainty(bench):
    X = pd.DataFrame({f"field_{j}": np.repeat(["a", "b"], 50) for j in range(20)})
    p = bench.odoo.OdooNaiveBayes().fit(X, np.repeat([1, 0], 50)).predict_proba(X)[:, 1]
    assert set(p.round(6)) == {0.0001, 0.9999}


def test_the_first_figure_is_the_one_on_all_leads(bench):
    rng = np.random.default_rng(1)
    y, score = np.r_[0, 1, rng.integers(0, 2, 98)], rng.random(100).round(1)
    draws = bench.paired.PairedBootstrap(y, n_draws=20)
    assert draws.auc(score)[0] == pytest.approx(metrics.auc(y, score).estimate)
    assert draws.log_loss(score)[0] == pytest.approx(metrics.log_loss(y, score).estimate)


def test_a_draw_is_what_the_leads_drawn_would_give(bench):
    rng = np.random.default_rng(2)
    y, score = np.r_[0, 1, rng.integers(0, 2, 78)], rng.random(80).round(1)
    draws = bench.paired.PairedBootstrap(y, n_draws=230)
    for number in (0, 99, 100, 229):
        rows = np.repeat(np.arange(80), draws.counts[number])
        auc = metrics.auc(y[rows], score[rows]).estimate
        assert draws.auc(score)[1 + number] == pytest.approx(auc)
        loss = metrics.log_loss(y[rows], score[rows]).estimate
        assert draws.log_loss(score)[1 + number] == pytest.approx(loss)


def test_the_interval_covers_the_true_difference_as_often_as_it_says(bench):
    rng = np.random.default_rng(3)
    p = rng.random(200_000)
    blurred = expit(np.log(p / (1 - p)) + rng.normal(0, 0.5, len(p)))
    loss_of = {name: p * np.log(s) + (1 - p) * np.log(1 - s) for name, s in (("p", p), ("blurred", blurred))}
    truth = -(loss_of["p"] - loss_of["blurred"]).mean()
    covered = 0
    for seed in range(200):
        rows = rng.integers(0, len(p), 400)
        draws = bench.paired.PairedBootstrap(rng.random(400) < p[rows], n_draws=200, random_state=seed)
        gap = bench.paired.difference(draws.log_loss(p[rows]), draws.log_loss(blurred[rows]))
        covered += gap.low <= truth <= gap.high
    # 95 % of 200 less three standard errors.
    assert covered >= 0.95 * 200 - 3 * np.sqrt(200 * 0.95 * 0.05)


@pytest.mark.parametrize(
    ("low", "high", "larger_is_better", "word"),
    [
        (0.01, 0.02, True, "better"),
        (0.01, 0.02, False, "worse"),
        (-0.02, -0.01, False, "better"),
        (-0.01, 0.02, True, "level"),
    ],
)
def test_a_verdict_is_the_side_of_zero_on_which_the_interval_lies(bench, low, high, larger_is_better, word):
    gap = metrics.Interval((low + high) / 2, low, high, 0.95)
    assert bench.page.verdict(gap, larger_is_better) == word


def test_a_forward_split_learns_only_from_labels_known_before_the_test_set(bench, leads):
    kinds = {split.kind: split for split in bench.sets.splits(leads, 2)}
    assert list(kinds) == ["random", "forward", "forward, no embargo"]
    forward = kinds["forward"]
    assert leads.label_known_at[forward.train].max() <= leads.as_of[forward.test].min()
    assert len(kinds["forward, no embargo"].train) - len(forward.train) == 30 - 1
    assert np.array_equal(kinds["forward, no embargo"].test, forward.test)


def test_a_fingerprint_changes_with_any_cell_label_or_row(bench, leads):
    split = next(bench.sets.splits(leads, 1))
    one = bench.sets.fingerprint(leads, split)
    frame, y = leads.frame.copy(), leads.y.copy()
    frame.loc[7, "visits"] = 99.0
    y[7] = 1 - y[7]
    swapped = bench.sets.Split("random", 0, split.train[::-1], split.test)
    others = {
        bench.sets.fingerprint(bench.sets.LeadSet(frame, leads.y), split),
        bench.sets.fingerprint(bench.sets.LeadSet(leads.frame, y), split),
        bench.sets.fingerprint(leads, swapped),
    }
    assert one == bench.sets.fingerprint(leads, split)
    assert len(others | {one}) == 4


def test_every_contender_of_this_environment_takes_text_numbers_gaps_and_yes_or_no(bench, leads):
    split = next(bench.sets.splits(leads, 1))
    for name in bench.inside.names(split):
        found = bench.inside.answer(name, leads, split)
        assert found.score.shape == split.test.shape
        assert ((found.score > 0) & (found.score < 1)).all(), name


def test_an_absent_environment_is_said(bench, leads, tmp_path, monkeypatch):
    monkeypatch.setattr(bench.outside, "CACHE", tmp_path)
    split = next(bench.sets.splits(leads, 1))
    absent = bench.outside.OutsideContender("AutoGluon", "autogluon", cpu_budget_s=1)
    monkeypatch.setattr(bench.outside.OutsideContender, "python", tmp_path / "no" / "python")
    assert bench.outside.answer(absent, leads, split) is None
    draws = bench.paired.PairedBootstrap(leads.y[split.test], n_draws=20)
    figures = [
        bench.page.Figures("leads", split, model, draws.auc(score), draws.log_loss(score), 1.0)
        for model, score in (
            ("leadlift", np.linspace(0.1, 0.9, len(split.test))),
            ("default LightGBM", np.full(len(split.test), 0.5)),
        )
    ]
    page = bench.page.render(figures)
    assert "AutoGluon: skipped, as its environment is absent" in page
    assert "Against default LightGBM" in page
    assert "Against AutoGluon" not in page


def test_the_temperature_undoes_a_doubling_of_the_log_odds(bench):
    rng = np.random.default_rng(4)
    z = rng.normal(size=100_000)
    y = rng.random(100_000) < expit(z)
    assert bench.run.best_temperature(y, 2 * z) == pytest.approx(2.0, abs=0.05)


@pytest.mark.real_data
def test_no_set_holds_its_label_among_the_inputs(bench, real_data):
    for name, load in bench.sets.SETS.items():
        loaded = load()
        for column in loaded.frame:
            levels = loaded.frame[column].astype("category").cat.codes
            won = pd.Series(loaded.y).groupby(levels.to_numpy()).agg(["mean", "size"])
            common = won["size"] >= 100
            decided = won["mean"].isin([0.0, 1.0])
            assert won["size"][common & decided].sum() < 0.5 * len(loaded.y), (name, column)
