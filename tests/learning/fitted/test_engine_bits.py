"""Whatever the engine and the number of rows at a time, a blend says the same, bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.exceptions import InputError
from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.column_codes import MOST_THRESHOLDS
from leadlift.learning.fitted import forest as forest_module
from leadlift.learning.fitted.blend import BLOCK_ROWS, Blend, Segment
from leadlift.learning.fitted.engines import ENGINES, ROWS_WORTH_TABLES, uses_tables
from leadlift.learning.fitted.forest import Forest
from leadlift.learning.target_statistics import CellStatistics, TargetStatistics
from pair_leads import pair_leads

SHAP_TOLERANCE = 1e-9  # LightGBM divides products back out, which costs it digits


def learner(X, won, **of_trees):
    trees = BaggedTrees(max_rounds=15, learning_rate=0.2, n_jobs=1).set_params(**of_trees)
    fitted = BlendedLearner(trees, BinnedLogistic(n_folds=3), n_folds=3).fit(X, won)
    fitted.weight_ = 0.4
    return fitted.fitted


@pytest.fixture(scope="module")
def leads():
    X, won = pair_leads(3000, n_regions=20)
    X[::7, 2] = np.nan
    X[::11, 0] = np.nan
    return X, won


@pytest.fixture(scope="module")
def blend(leads):
    """Trees that split statistics of a pair, a logistic member, and a segment with a blend of its own."""
    X, won = leads
    rows = X[:, 1] == 2
    own = learner(X[rows], won[rows], max_statistics=0)
    pooled = learner(X, won)
    assert pooled.statistics.pairs
    return Blend(pooled.forest, pooled.logistic, 0.4, segment_column=1, segments=(Segment(2.0, 0.5, own),))


@pytest.fixture(scope="module")
def many(leads):
    """More rows than a block holds, with levels never seen."""
    X, _ = leads
    many = X[np.random.default_rng(0).integers(len(X), size=BLOCK_ROWS + 500)]
    many[::13, 0], many[::17, 1] = 99.0, 2.5
    return many


def said(blend, X):
    found = blend.explain(X)
    return blend.log_odds(X), *blend.with_members(X), found.log_odds, found.members, found.contributions


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "fast"])
def test_every_engine_gives_the_same_bits(blend, many, engine):
    *bits, contributions = said(blend.using("fast"), many)
    *others, same = said(blend.using(engine), many)
    assert [one.tobytes() for one in bits] == [one.tobytes() for one in others]
    np.testing.assert_allclose(same, contributions, rtol=0, atol=SHAP_TOLERANCE)


@pytest.mark.parametrize("engine", ["fast", "plain"])
@pytest.mark.parametrize("n", [1, 700, BLOCK_ROWS])
def test_the_number_of_rows_at_a_time_changes_no_bit(blend, many, engine, n):
    whole = said(blend.using(engine), many)
    part = said(blend.using(engine), many[:n])
    for one, other in zip(whole, part, strict=True):
        expected = one[:, :n] if one.shape[-1] == len(many) and one.ndim == 2 else one[:n]
        assert np.ascontiguousarray(expected).tobytes() == other.tobytes()


def test_auto_takes_tables_for_many_rows_only():
    assert [uses_tables("auto", n) for n in (ROWS_WORTH_TABLES - 1, ROWS_WORTH_TABLES)] == [False, True]
    assert (uses_tables("fast", 1), uses_tables("plain", 10**6), uses_tables("lightgbm", 10**6)) == (
        True,
        False,
        False,
    )


def test_an_engine_nobody_knows_is_refused(blend):
    with pytest.raises(InputError, match="the engines auto, fast, plain, lightgbm, but got 'quick'"):
        blend.using("quick")


def test_trees_too_large_for_tables_are_scored_by_lightgbm_and_it_says_why(leads):
    X, won = leads
    trees = BaggedTrees(num_leaves=20, n_folds=2, max_rounds=5, max_statistics=0, n_jobs=1).fit(X, won)
    forest = trees.fitted.using("fast")
    assert forest.log_odds(X).tobytes() == trees.fitted.using("plain").log_odds(X).tobytes()
    assert "expected at most 13 leaves a tree" in forest.table_fault(X)


def test_sound_tables_have_no_fault(blend, many):
    assert blend.table_fault(many[:1000]) == ""
    assert len(blend.forests()) == 2


@pytest.mark.parametrize("what", ["raw_by_booster", "contributions"])
def test_tables_that_are_wrong_are_found_out(blend, many, monkeypatch, what):
    sound = forest_module.pattern_tables

    class Wrong:
        def __init__(self, texts):
            self._sound = sound(texts)
            self.base_value = self._sound.base_value

        def explain(self, X):
            raw, contributions = self._sound.explain(X)
            (raw if what == "raw_by_booster" else contributions)[0, 0] += 1e-4
            return raw, contributions

    monkeypatch.setattr(forest_module, "pattern_tables", Wrong)
    assert "decision-pattern tables differ from LightGBM by up to" in blend.table_fault(many[:100])


def test_a_model_without_trees_has_no_tables_to_doubt(blend, many):
    alone = Blend(Forest(()), blend.logistic, 1.0)
    assert (alone.forests(), alone.table_fault(many)) == ([], "")


levels = st.lists(st.floats(-5, 5), min_size=1, max_size=6, unique=True).map(lambda x: np.array(sorted(x)))


@law
@given(first=levels, second=levels, seed=st.integers(0, 1000), tabulated=st.sampled_from([1, 10**6]))
def test_statistics_by_table_are_those_by_search(first, second, seed, tabulated):
    rng = np.random.default_rng(seed)
    n = (len(first) + 2) * (len(second) + 2)
    cells = np.unique(rng.integers(n, size=5))
    rates, support = rng.random((2, len(cells)))
    pair = CellStatistics((0, 1), 1.0, cells, rates, support)
    statistics = TargetStatistics(0.3, {0: first, 1: second}, (pair,))
    X = np.column_stack([rng.choice(np.append(own, [np.nan, 7.0]), 50) for own in (first, second)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("leadlift.learning.target_statistics.MOST_TABULATED", tabulated)
        by_table = statistics.transform(X, by_codes=True)
    assert by_table.tobytes() == statistics.transform(X).tobytes()


@pytest.mark.parametrize("n_levels", [MOST_THRESHOLDS, MOST_THRESHOLDS + 1])
def test_statistics_of_very_many_levels_are_found_by_table_too(n_levels):
    levels = np.arange(n_levels, dtype=np.float64)
    last = CellStatistics((0,), 1.0, np.array([n_levels - 1]), np.array([0.9]), np.array([0.1]))
    statistics = TargetStatistics(0.3, {0: levels}, (last,))
    X = np.array([[n_levels - 1.0], [0.0], [0.5], [np.nan]])
    assert statistics.transform(X, by_codes=True)[:, 0].tolist() == [0.9, 0.3, 0.3, 0.3]
