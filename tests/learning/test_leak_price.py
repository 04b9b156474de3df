"""The yardstick of the leakage gate."""

import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from leadlift.learning.leak_levels import level_column
from leadlift.learning.leak_price import QuickLearner, Worth, lift_at_top, separation

RANKED = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=3, max_size=5)


@given(
    leads=RANKED.filter(lambda leads: any(won for won, _ in leads)), share=st.sampled_from([0.1, 0.4, 1.0])
)
def test_lift_is_the_mean_over_all_ways_to_break_ties(leads, share):
    y, score = (np.array(values, dtype=float) for values in zip(*leads, strict=True))
    n_top = math.ceil(share * len(y))
    ranked = [sorted(order, key=lambda lead: -lead[1])[:n_top] for order in itertools.permutations(leads)]
    counted = np.mean([[won for won, _ in top] for top in ranked]) / y.mean()
    assert lift_at_top(y, score, share) == pytest.approx(counted)


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
