"""The yardstick of the leakage gate."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from leadlift.learning.leak_levels import level_column
from leadlift.learning.leak_price import QuickLearner, Worth, separation


@given(distance=st.floats(0.01, 4.0))
def test_separation_is_the_squared_distance_of_two_normal_classes(distance):
    auc = norm.cdf(distance / np.sqrt(2))
    assert separation(auc) == pytest.approx(distance**2)


def test_a_useful_column_is_worth_more_than_none_and_noise_is_not():
    rng = np.random.default_rng(0)
    y = np.sort(rng.integers(0, 2, 900))
    tables = {"useful": rng.normal(1.5 * y), "noise": rng.normal(size=900)}
    columns = [level_column(name, pa.array(values), n_bins=10) for name, values in tables.items()]
    learner = QuickLearner(columns, y, np.arange(900), max_rows=900, seed=0)
    assert learner.worth([]) == Worth(auc=0.5, lift=1.0)
    assert learner.worth(["noise"]).auc == pytest.approx(0.5, abs=0.06)
    assert learner.worth(["useful"]).auc == pytest.approx(0.85, abs=0.04)
    assert learner.worth(["useful", "noise"]) == learner.worth(["noise", "useful"])
