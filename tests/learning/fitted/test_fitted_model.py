"""What was learnt scores as the estimators that learnt it, bit for bit."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from laws import law
from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import CalibratorChoice, NoCalibrator, get_calibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.fitted.curves import LogisticCurve, read_curve
from leadlift.learning.fitted.odds import expit
from leadlift.learning.log_odds import LogOddsClassifier
from leadlift.learning.scorer import LeadScorer
from pair_leads import pair_leads

finite = st.floats(-40, 40)


def as_table(X):
    return pa.table({"region": [f"r{code:.0f}" for code in X[:, 0]], "product": X[:, 1], "size": X[:, 2]})


@pytest.fixture(scope="module")
def scorer():
    X, won = pair_leads(1500, n_regions=12)
    learner = BlendedLearner(BaggedTrees(max_rounds=30, learning_rate=0.1, n_jobs=1), n_folds=3)
    fitted = LeadScorer(learner=learner, calibrator=get_calibrator("beta")).fit(as_table(X), won)
    fitted.learner_.weight_ = 0.4
    return fitted


@pytest.fixture(scope="module")
def leads():
    return as_table(pair_leads(200, n_regions=14, seed=1)[0])


def test_it_encodes_scores_and_explains_as_the_scorer_does(scorer, leads):
    model, matrix = scorer.fitted, scorer.encoder_.transform(leads)
    assert model.encode(leads).tobytes() == matrix.tobytes()
    assert model.unseen_in(matrix) == scorer.encoder_.count_unseen(leads)
    ours = [*model.score(matrix), *model.score_with_uncertainty(matrix), *model.explain(matrix)[:3]]
    theirs = [*scorer.score_matrix(matrix), *scorer.score_with_uncertainty(matrix)]
    theirs += scorer.learner_.explain(matrix)[:3]
    for one, other in zip(ours, theirs, strict=True):
        assert one.tobytes() == other.tobytes()


def test_it_follows_what_the_learner_has_learnt(scorer, leads, monkeypatch):
    matrix = scorer.encoder_.transform(leads)
    monkeypatch.setattr(scorer.learner_, "weight_", 1.0)
    tables = scorer.learner_.logistic_.decision_function(matrix)
    assert scorer.fitted.score(matrix)[1].tobytes() == tables.tobytes()
    assert scorer.fitted.statistics.statistics == ()


def test_another_engine_gives_the_same_bits(scorer, leads):
    matrix = scorer.fitted.encode(leads)
    plain, fast = (scorer.fitted.using(engine).score(matrix) for engine in ("plain", "fast"))
    for one, other in zip(plain, fast, strict=True):
        assert one.tobytes() == other.tobytes()


def test_a_learner_without_a_plain_result_cannot_be_taken_out():
    class BaseRate(LogOddsClassifier):
        n_folds, random_state = 2, 0

        def _fit(self, X, y, weight, folds):
            self.oof_log_odds_ = np.zeros(len(y))

        def _log_odds(self, X):
            return np.zeros(len(X))

    X, won = pair_leads(60)
    fitted = LeadScorer(learner=BaseRate(), calibrator=NoCalibrator()).fit(X, won)
    with pytest.raises(InputError, match="such as BlendedLearner, got BaseRate; make it a ShippedClassifier"):
        _ = fitted.fitted


# Curves


def test_the_curve_of_a_choice_is_that_of_the_calibrator_chosen():
    z = np.linspace(-3, 3, 200)
    chosen = CalibratorChoice().fit(z, np.random.default_rng(0).random(200) < special.expit(z))
    assert chosen.curve.transform(z).tobytes() == chosen.chosen_.transform(z).tobytes()


def test_an_unknown_calibrator_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match=r"no calibrator is called 'spline'; there are none, sigmoid, beta"):
        read_curve({"name": "spline"})


def test_a_curve_without_its_numbers_is_no_curve():
    with pytest.raises(KeyError, match="slope_"):
        read_curve({"name": "sigmoid", "intercept_": 0})


@law
@given(finite, st.integers(1, 3), st.floats(1e-3, 3))
def test_the_next_larger_log_odds_never_has_a_lower_probability(z, n_steps, slope):
    """Cut-offs hang on the last bit: a curve that dips there would turn two leads around."""
    larger = z
    for _ in range(n_steps):
        larger = np.nextafter(larger, np.inf)
    low, high = replace(LogisticCurve(), slope=slope).transform(np.array([z, larger]))
    assert low <= high


@law
@given(st.lists(finite, min_size=1, max_size=9))
def test_probabilities_are_those_of_scipy_to_the_last_bit_but_one(values):
    z = np.array(values)
    np.testing.assert_array_max_ulp(expit(z), special.expit(z), maxulp=1)
