"""The scorer hands a policy what it asks for: inputs, weights and leads."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from leadlift.exceptions import ConfigError
from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.cutoff import FixedThreshold, Value, thresholds
from leadlift.learning.scorer import LeadScorer

WORTH = Value(100, 20, win_value_column="size", win_values={"large": 400.0})


def table(n=600, seed=0):
    rng = np.random.default_rng(seed)
    visits, size = rng.normal(size=n), np.where(rng.random(n) < 0.5, "large", "small")
    won = rng.random(n) < 1 / (1 + np.exp(2 - visits))
    return pd.DataFrame({"visits": visits, "size": size}), won


@pytest.fixture(scope="module")
def fitted():
    X, y = table()
    return LeadScorer(learner=BinnedLogistic(), cutoff=WORTH).fit(X, y)


def test_each_lead_is_held_to_the_threshold_of_its_segment(fitted):
    X, _ = table(seed=1)
    score = fitted.predict_proba(X)[:, 1]
    assert np.array_equal(fitted.predict(X), score >= np.where(X["size"] == "large", 0.05, 0.2))
    assert thresholds(fitted.cutoff_, pa.table(X)).min() == 0.05


@pytest.mark.parametrize("convert", [pa.table, pl.from_pandas], ids=["arrow", "polars"])
def test_any_kind_of_table_gives_the_same_decision(fitted, convert):
    X, y = table(seed=1)
    assert np.array_equal(fitted.predict(convert(X)), fitted.predict(X))
    again = LeadScorer(learner=BinnedLogistic(), cutoff=WORTH).fit(convert(table()[0]), table()[1])
    assert again.cutoff_ == fitted.cutoff_
    assert again.choose_cutoff(WORTH, convert(X), y).cutoff_.n_evidence == 600


def test_an_array_has_no_column_that_says_what_a_lead_is_worth():
    X, y = table()
    with pytest.raises(ConfigError, match="column 'size', but the leads came without named columns"):
        LeadScorer(learner=BinnedLogistic(), cutoff=WORTH).fit(X[["visits"]].to_numpy(), y)


def test_weights_of_the_fit_thin_out_the_evidence():
    X, y = table()
    light = np.arange(600) % 2 == 0
    scorer = LeadScorer(learner=BinnedLogistic(), cutoff=FixedThreshold(0.2))
    plain = scorer.fit(X, y, np.full(600, 3.0)).cutoff_
    weighted = scorer.fit(X, y, np.where(light, 0.25, 1.0)).cutoff_
    assert plain.n_evidence == 600
    # 300 leads of full weight, and a quarter of the other 300.
    assert abs(weighted.n_evidence - 375) < 4 * np.sqrt(300 * 0.25 * 0.75)
