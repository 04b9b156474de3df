"""What a learner missed is found in its residuals, and hardly anything where it missed nothing."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import ttest_1samp

from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.category_pairs import (
    CHANCE_GAIN,
    VARIANCE,
    _Residuals,
    is_clear_gain,
    level_columns,
    screen_statistics,
)
from leadlift.learning.encoding import TableEncoder
from leadlift.learning.log_odds import log_loss_each
from pair_leads import pair_leads


def screen(X, y, log_odds, n_folds=4, **options):
    return screen_statistics(X, y, np.ones(len(y)), np.arange(len(y)) % n_folds, log_odds, **options)


def base_log_odds(y):
    return np.full(len(y), np.log(y.mean() / (1 - y.mean())))


# Which columns hold levels


def test_codes_are_levels_and_ids_amounts_and_constants_are_not():
    rng = np.random.default_rng(0)
    n = 1000
    columns = {
        "policy": rng.integers(1, 23, n),
        "region of 100 codes with gaps": np.where(rng.random(n) < 0.3, np.nan, rng.integers(0, 100, n)),
        "id": rng.permutation(n) + 1,
        "amount": rng.normal(size=n),
        "half steps": rng.integers(0, 5, n) / 2,
        "constant": np.ones(n),
        "empty": np.full(n, np.nan),
    }
    assert level_columns(np.column_stack(list(columns.values()))) == [0, 1]


# What is found


def test_a_pair_that_decides_is_found_and_brings_its_column_of_many_levels():
    X, y = pair_leads()
    assert screen(X, y, base_log_odds(y)) == [(0, 1), (0,)]


def test_a_column_of_many_levels_that_decides_alone_is_found_alone():
    rng = np.random.default_rng(0)
    region, other = rng.integers(0, 60, (2, 4000))
    y = (rng.random(4000) < expit(1.5 * rng.normal(size=60)[region])).astype(int)
    X = np.column_stack([region, other, rng.integers(0, 3, 4000)]).astype(float)
    assert screen(X, y, base_log_odds(y)) == [(0,)]


def test_what_the_learner_knows_already_is_not_found():
    X, y = pair_leads()
    rate = np.array([[y[(X[:, 0] == a) & (X[:, 1] == b)].mean() for b in range(6)] for a in range(40)])
    known = rate[X[:, 0].astype(int), X[:, 1].astype(int)].clip(0.02, 0.98)
    assert screen(X, y, np.log(known / (1 - known))) == []


def test_noise_raises_a_false_alarm_in_at_most_one_run_of_twenty():
    alarms = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        X = rng.integers(0, 12, (400, 8)).astype(float)
        y = (rng.random(400) < 0.2).astype(int)
        alarms += bool(screen(X, y, base_log_odds(y)))
    assert alarms <= 5 + 3 * np.sqrt(100 * 0.05 * 0.95)


def test_main_effects_are_no_pair():
    # The columns add up; the learner knows one of them only, so that pairs hold the other one's effect.
    rng = np.random.default_rng(0)
    X = rng.integers(0, 8, (4000, 3)).astype(float)
    z = 0.8 * (X[:, 0] % 2) - 0.8 * (X[:, 1] % 2)
    y = (rng.random(4000) < expit(z)).astype(int)
    assert screen(X, y, z) == []


def test_excluded_columns_take_no_part_and_no_more_are_returned_than_asked_for():
    X, y = pair_leads()
    assert screen(X, y, base_log_odds(y), excluded=[0]) == []
    rng = np.random.default_rng(0)
    copies = np.column_stack([X[:, 0], X[:, 1], X[:, 0], X[:, 1], rng.integers(0, 9, len(y))])
    pairs = [found for found in screen(copies, y, base_log_odds(y), most=2) if len(found) == 2]
    assert len(pairs) == 2


def test_tables_without_levels_are_passed_over():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 3)), np.arange(50) % 2
    assert screen(X, y, np.zeros(50)) == []


def test_many_rows_are_thinned_out_and_the_pair_is_still_found(monkeypatch):
    X, y = pair_leads(8000)
    monkeypatch.setattr("leadlift.learning.category_pairs.MAX_WORK", 10_000)
    assert screen(X, y, base_log_odds(y))[0] == (0, 1)


def test_the_variance_of_missed_effects_is_what_a_loop_over_pairs_of_rows_finds():
    X, y = pair_leads(80, n_regions=4, n_products=3)
    weight, folds = np.arange(80) % 3 + 0.5, np.arange(80) % 4
    p = expit(np.linspace(-1, 1, 80))
    residual, variance = weight * (y - p), weight * p * (1 - p)
    agreement = possible = 0.0
    for i in range(80):
        cell = [k for k in range(80) if (X[i, :2] == X[k, :2]).all()]
        of_cell = 1 / (1 + VARIANCE * sum(variance[k] for k in cell)) ** 2
        for k in cell:
            if folds[i] != folds[k]:
                agreement += of_cell * residual[i] * residual[k]
                possible += of_cell * variance[i] * variance[k]
    # With a bound of minus infinity nothing is kept back.
    residuals = _Residuals(X, y, weight, folds, np.linspace(-1, 1, 80), [0, 1], -np.inf)
    found = residuals._test((0, 1), residual, variance)
    assert found.variance == pytest.approx(agreement / possible)
    assert found.gain == pytest.approx(found.variance * variance.mean() / 2)


def test_one_large_cell_does_not_drown_many_small_ones():
    # Rare levels share a code, as the encoder gives it to them: half of the rows lie in one level.
    X, y = pair_leads(6000, n_regions=600)
    X[X[:, 0] >= 300, 0] = 300
    assert (0, 1) in screen(X, y, base_log_odds(y))


def test_the_variance_found_is_that_of_the_effects():
    X, y = pair_leads(40_000, strength=0.3)
    residuals = _Residuals(X, y, np.ones(len(y)), np.arange(len(y)) % 8, np.full(len(y), -1.0), [0, 1], 3.0)
    found = residuals.missed((0, 1))
    assert found.variance == pytest.approx(0.3**2, rel=0.25)  # 240 effects: a standard error of 9 %


def test_several_rows_of_a_lead_are_no_evidence_of_an_effect():
    # Leads differ, and each has twenty rows and a cell of its own for most of them: nothing is shared.
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        lead = np.repeat(np.arange(200), 20)
        X = rng.integers(0, 30, (200, 3))[lead].astype(float)
        y = (rng.random(200) < 0.3)[lead].astype(int)
        found = screen_statistics(X, y, np.ones(len(y)), lead % 8, base_log_odds(y))
        alarms += bool(found)
    assert alarms <= 40 * 0.05 + 3 * np.sqrt(40 * 0.05 * 0.95)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "separator", "label", "won", "left_out", "pair"),
    [
        (
            "health_insurance_lead/train_Df64byy.csv", ",", "Response", 1, "ID",
            ("Region_Code", "Reco_Policy_Cat"),
        ),
        ("bank_marketing/bank-full.csv", ";", "y", "yes", "duration", ("day", "month")),
    ],
)  # fmt: skip
def test_the_pairs_known_to_decide_in_public_sets_are_found(
    real_data, file, separator, label, won, left_out, pair
):
    frame = pd.read_csv(real_data / file, sep=separator)
    y = (frame.pop(label) == won).to_numpy().astype(int)
    X = TableEncoder().fit_transform(frame.drop(columns=left_out))
    names = [*frame.columns.drop(left_out)]
    found = screen(X, y, base_log_odds(y), n_folds=8, most=100)  # all else is missed too
    assert pair in [tuple(names[j] for j in columns) for columns in found]


# What is kept


@pytest.mark.parametrize("better_by", [0.0, 0.02, 0.1, 0.3])
def test_a_clear_gain_is_one_that_a_t_test_over_the_folds_confirms(better_by):
    rng = np.random.default_rng(0)
    y, folds, weight = rng.integers(0, 2, 800), np.arange(800) % 8, rng.random(800) + 0.5
    before = rng.normal(size=800)
    after = before + rng.normal(size=800) * 0.3 + better_by * (2 * y - 1)
    gain = log_loss_each(y, before) - log_loss_each(y, after)
    by_fold = [np.average(gain[folds == k], weights=weight[folds == k]) for k in range(8)]
    expected = ttest_1samp(by_fold, 0, alternative="greater").pvalue < CHANCE_GAIN
    assert is_clear_gain(y, weight, folds, before, after) is bool(expected)


# In the bag

SEEN, NEW = slice(0, 4000), slice(4000, None)


def bag(**parameters):
    return BaggedTrees(**{"n_folds": 4, "max_rounds": 60, "learning_rate": 0.1, "n_jobs": 1} | parameters)


@pytest.fixture(scope="module")
def leads():
    return pair_leads(8000)


@pytest.fixture(scope="module")
def fitted(leads):
    X, y = leads
    return bag().fit(X[SEEN], y[SEEN])


def test_statistics_make_the_bag_better_on_leads_it_has_not_seen(leads, fitted):
    X, y = leads
    plain = bag(max_statistics=0).fit(X[SEEN], y[SEEN])
    with_pair, without = (
        log_loss_each(y[NEW], learner.decision_function(X[NEW])).mean() for learner in (fitted, plain)
    )
    assert with_pair < without - 0.02
    assert (fitted.statistics_.pairs, plain.statistics_.pairs) == (((0, 1),), ())


def test_out_of_fold_scores_are_as_good_as_those_of_leads_never_seen(leads, fitted):
    # Were a row's own outcome in its statistic, its out-of-fold loss would be far too good.
    X, y = leads
    out_of_fold = log_loss_each(y[SEEN], fitted.oof_log_odds_)
    unseen = log_loss_each(y[NEW], fitted.decision_function(X[NEW]))
    error = np.hypot(out_of_fold.std(), unseen.std()) / np.sqrt(4000)
    # A member learns from three quarters of the rows, the bag from all: it may be a little better.
    assert -3 * error < out_of_fold.mean() - unseen.mean() < 0.03 + 3 * error


def test_codes_that_say_nothing_teach_nothing():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 300, (2000, 2)).astype(float), rng.integers(0, 2, 2000)
    assert bag().fit(X, y).statistics_.statistics == ()


def test_the_number_of_jobs_does_not_change_a_bit_of_a_bag_with_statistics(leads, fitted):
    X, y = leads
    assert bag(n_jobs=2).fit(X[SEEN], y[SEEN]).model_texts_ == fitted.model_texts_


def test_monotone_columns_take_no_part(leads):
    X, y = leads
    assert bag(monotone={1: 1}).fit(X[SEEN], y[SEEN]).statistics_.pairs == ()
