"""Old leads are forgotten where that clearly helps on later ones, and only there."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import clone

from leadlift.exceptions import ConfigError
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.encoding import TableEncoder
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.recency import RecencyChoice, get_recency
from leadlift.learning.scorer import LeadScorer
from leadlift.terms import Severity

N_ROWS = 3000
HALF_TURN = np.pi
QUICK = BaggedTrees(
    n_folds=2, learning_rate=0.2, max_rounds=30, patience_rounds=10, max_statistics=0, n_jobs=1
)


def market(turn, seed=0, n=N_ROWS, slope=0.0):
    """Two traits whose meaning turns by an angle over the history; `slope` moves the base rate alone."""
    rng = np.random.default_rng(seed)
    X, t = rng.normal(size=(n, 3)), np.arange(n) / n
    log_odds = -1.2 + slope * t + 1.3 * (np.cos(turn * t) * X[:, 0] + np.sin(turn * t) * X[:, 1])
    return X, (rng.random(n) < expit(log_odds)).astype(int), np.arange(n)


def choose(X, y, as_of, **keywords):
    return RecencyChoice(learner=QUICK).fit(X, y, as_of=as_of, **keywords)


def test_under_drift_recent_leads_are_chosen_and_the_future_is_scored_better():
    X, y, as_of = market(HALF_TURN)
    past, future = as_of < 2500, as_of >= 2500
    choice = choose(X[past], y[past], as_of[past])
    assert choice.decided_
    assert min(choice.half_life_, choice.window_) < 500
    plain = clone(QUICK).fit(X[past], y[past])
    faded = clone(QUICK).fit(X[past], y[past], choice.weights(as_of[past]))
    losses = [log_loss_each(y[future], m.decision_function(X[future])) for m in (plain, faded)]
    gain = losses[0] - losses[1]
    assert gain.mean() > 3 * gain.std() / np.sqrt(len(gain))


@pytest.mark.parametrize("seed", range(2))
def test_without_drift_the_choice_is_not_made_and_everything_counts_alike(seed):
    X, y, as_of = market(0.0, seed)
    choice = choose(X, y, as_of)
    assert not choice.decided_
    assert (choice.half_life_, choice.window_) == (np.inf, np.inf)
    assert (choice.weights(as_of) == 1).all()
    finding = choice.finding()
    assert (finding.code, finding.severity) == ("LL164", Severity.INFO)
    assert "ways to forget" in finding.message
    assert "kept unweighted" in finding.text


def test_a_base_rate_that_moves_alone_is_no_reason_to_forget():
    """The calibrator follows the level; forgetting would only cost leads to learn from."""
    assert not choose(*market(0.0, slope=2.0)).decided_


def test_a_winner_that_another_block_contradicts_is_not_chosen():
    """The market turns once and back: what the second block gains by forgetting, the third loses."""
    X, y, as_of = market(0.0, n=4000)
    turned = (as_of > 2200) & (as_of < 3300)
    X[turned, 0] *= -1
    choice = choose(X, y, as_of)
    assert not choice.decided_
    table = choice.table_.to_pandas()
    gains = table[table["half_life"].notna()].groupby("block")["gain"].max()
    assert gains.max() > 0.01


def test_a_short_history_cannot_decide_and_says_so():
    X, y, as_of = market(HALF_TURN, n=200)
    choice = choose(X, y, as_of)
    assert not choice.decided_
    assert "does not hold 3 blocks with 30 won and lost leads" in choice.reason_
    assert choice.table_.num_rows == 0


def test_weights_by_eye():
    choice = RecencyChoice(half_lives=(0.5,), windows=(), learner=QUICK)
    choice.fit(*market(0.0, n=100)[:2], as_of=np.datetime64("2026-01-01") + np.arange(100))
    choice.memory_ = choice._candidates()[1]
    days = np.array(["2026-01-01", "2026-02-19T12", "2026-04-10"], dtype="datetime64[h]")
    assert choice.unit_ == "days"
    assert choice.weights(days) == pytest.approx([0.25, 0.5, 1.0])


def test_the_order_of_the_rows_changes_nothing():
    X, y, as_of = market(HALF_TURN, n=1000)
    order = np.random.default_rng(1).permutation(len(y))
    plain = choose(X, y, as_of)
    mixed = choose(X[order], y[order], as_of[order])
    assert plain.table_.equals(mixed.table_)


def test_what_is_not_known_yet_takes_no_part():
    X, y, as_of = market(HALF_TURN)
    known = as_of + 900
    table = choose(X, y, as_of, label_known_at=known).table_.to_pandas()
    # Four tenths of the labels are known 900 rows after four tenths of the leads came: three tenths are left.
    assert table.groupby("block")["n"].first().sum() == pytest.approx(0.3 * N_ROWS, rel=0.01)


def test_a_lead_counts_once_however_many_rows_it_has():
    X, y, as_of = market(0.0, n=1000)
    lead = np.repeat(np.arange(1000), 2)
    twice = choose(X[lead], y[lead], as_of[lead], groups=lead)
    assert twice.table_["n"].to_pylist()[0] == choose(X, y, as_of).table_["n"].to_pylist()[0]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"half_lives": (0.5, 1.5)}, r"half_lives are shares of the history in \(0, 1\), got \(0.5, 1.5\)"),
        ({"windows": (0.0,)}, "windows are shares"),
        ({"n_splits": 1}, "n_splits must be at least 2"),
    ],
)
def test_impossible_parameters_are_refused(parameters, said):
    X, y, as_of = market(0.0, n=200)
    with pytest.raises(ConfigError, match=said):
        RecencyChoice(**parameters).fit(X, y, as_of=as_of)


def test_the_names_of_leadlift_toml():
    assert get_recency("all") is None
    assert get_recency("choose", random_state=3).random_state == 3
    with pytest.raises(ConfigError, match="recency must be one of all, choose, got 'newest'"):
        get_recency("newest")


@pytest.mark.parametrize("n", [300, N_ROWS], ids=["out-of-fold evidence", "late slice"])
def test_a_scorer_forgets_what_the_choice_says_and_only_in_its_learner(n):
    X, y, as_of = market(HALF_TURN, n=n)
    plain = LeadScorer(learner=QUICK).fit(X, y, as_of=as_of)
    scorer = LeadScorer(learner=QUICK, recency=RecencyChoice(learner=QUICK)).fit(X, y, as_of=as_of)
    assert scorer.recency_.decided_ == (n == N_ROWS)
    same = scorer.predict_proba(X).tobytes() == plain.predict_proba(X).tobytes()
    assert same != scorer.recency_.decided_
    assert len(scorer.evidence_.won) == len(plain.evidence_.won)
    assert not hasattr(LeadScorer(learner=QUICK, recency=RecencyChoice()).fit(X, y), "recency_")


@pytest.mark.real_data
def test_on_bank_marketing_the_choice_waits_until_the_blocks_agree(real_data):
    """Early on nothing drifts much; through the crisis forgetting harms in the last block."""
    table = pd.read_csv(real_data / "bank_marketing" / "bank-additional-full.csv", sep=";")
    y = (table.pop("y") == "yes").to_numpy().astype(int)
    X = TableEncoder().fit_transform(table.drop(columns="duration"))
    decided = {}
    for share in (0.5, 0.9):
        n = int(share * len(y))
        decided[share] = RecencyChoice().fit(X[:n], y[:n], as_of=np.arange(n)).decided_
    assert decided == {0.5: False, 0.9: False}
