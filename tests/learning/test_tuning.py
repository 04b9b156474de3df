"""A search is never worse than the defaults, repeats for a seed, and goes on where it stopped."""

import numpy as np
import optuna
import pytest
from scipy.special import expit

from leadlift.exceptions import ConfigError
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.tuning import search_trees


@pytest.fixture(autouse=True)
def quiet():
    """Optuna reports every trial on stderr, which no test reads."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


def simulate(n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, (rng.random(n) < expit(X[:, 0])).astype(int)


def defaults_among(parameters):
    return {name: getattr(BaggedTrees(), name) for name in parameters}


def trials_in(storage):
    (name,) = optuna.get_all_study_names(f"sqlite:///{storage}")
    return optuna.load_study(study_name=name, storage=f"sqlite:///{storage}").trials


def test_the_first_trial_is_the_defaults():
    result = search_trees(*simulate(), n_trials=1)
    assert result.parameters == defaults_among(result.parameters)
    assert result.log_loss == result.default_log_loss
    assert (result.n_trials, result.n_pruned) == (1, 0)


@pytest.mark.parametrize("seed", range(2))
def test_the_answer_is_never_worse_than_the_defaults_on_the_folds(seed):
    result = search_trees(*simulate(seed=seed), n_trials=4, random_state=seed)
    assert result.log_loss <= result.default_log_loss
    assert set(result.parameters) <= set(BaggedTrees().get_params())


def test_the_same_seed_finds_the_same():
    assert search_trees(*simulate(), n_trials=3) == search_trees(*simulate(), n_trials=3)


def test_a_search_goes_on_where_it_stopped(tmp_path):
    storage, seen = tmp_path / "trials.db", []
    search_trees(*simulate(), n_trials=2, storage=storage)
    result = search_trees(*simulate(), n_trials=4, storage=storage, on_trial=seen.append)
    assert (result.n_trials, seen) == (4, [3, 4])
    again = search_trees(*simulate(), n_trials=4, storage=storage, on_trial=seen.append)
    assert (again, seen) == (result, [3, 4])


def test_a_search_that_goes_on_tries_something_new(tmp_path):
    storage = tmp_path / "trials.db"
    for n_trials in (2, 4):
        search_trees(*simulate(), n_trials=n_trials, storage=storage)
    tried = [tuple(trial.params.values()) for trial in trials_in(storage)]
    assert len(set(tried)) == 4


def test_a_search_interrupted_in_its_first_trial_still_tries_the_defaults(tmp_path, monkeypatch):
    storage = tmp_path / "trials.db"

    def interrupt(*_):
        msg = "by the user"
        raise KeyboardInterrupt(msg)

    with monkeypatch.context() as patch:
        patch.setattr(BaggedTrees, "held_out_loss", interrupt)
        with pytest.raises(KeyboardInterrupt, match="by the user"):
            search_trees(*simulate(), n_trials=2, storage=storage)
    result = search_trees(*simulate(), n_trials=1, storage=storage)
    assert (result.n_trials, result.parameters) == (1, defaults_among(result.parameters))


def test_other_leads_or_another_seed_are_another_search(tmp_path):
    storage = tmp_path / "trials.db"
    X, y = simulate()
    search_trees(X, y, n_trials=1, storage=storage)
    for matrix, label, seed in ((X + 1, y, 0), (X, 1 - y, 0), (X, y, 1)):
        assert search_trees(matrix, label, n_trials=1, storage=storage, random_state=seed).n_trials == 1
    assert len(optuna.get_all_study_names(f"sqlite:///{storage}")) == 4


def folds_used(monkeypatch, X, y, **columns):
    used = []

    def watch(self, X, y, seen, held, weight):
        used.append((seen, held))
        return 0.5

    monkeypatch.setattr(BaggedTrees, "held_out_loss", watch)
    search_trees(X, y, n_trials=1, **columns)
    return used


def test_with_dates_the_folds_look_forward_at_known_labels_and_whole_leads(monkeypatch):
    X, y = simulate()
    as_of, lead = np.random.default_rng(0).permutation(300), np.arange(300) // 2
    used = folds_used(monkeypatch, X, y, as_of=as_of, label_known_at=as_of + 20, groups=lead)
    assert len(used) == 3
    for seen, held in used:
        assert as_of[seen].max() + 20 <= as_of[held].min()
        assert not set(lead[seen]) & set(lead[held])


def test_without_dates_the_folds_hold_every_row_once_and_whole_leads(monkeypatch):
    X, y = simulate()
    lead = np.arange(300) // 2
    used = folds_used(monkeypatch, X, y, groups=lead)
    assert sorted(np.concatenate([held for _, held in used])) == list(range(300))
    assert not any(set(lead[seen]) & set(lead[held]) for seen, held in used)


def test_where_no_forward_fold_has_both_outcomes_the_folds_are_random(monkeypatch):
    X, _ = simulate()
    as_of = np.arange(300)
    used = folds_used(monkeypatch, X, (as_of >= 200).astype(int), as_of=as_of, label_known_at=as_of + 150)
    assert sorted(np.concatenate([held for _, held in used])) == list(range(300))


def test_without_time_the_defaults_are_tried_and_nothing_else():
    result = search_trees(*simulate(), n_trials=1000, time_budget_seconds=1e-9)
    assert (result.n_trials, result.parameters) == (1, defaults_among(result.parameters))


def test_no_trial_is_no_search():
    with pytest.raises(ConfigError, match="at least one trial, got n_trials=0"):
        search_trees(*simulate(), n_trials=0)
