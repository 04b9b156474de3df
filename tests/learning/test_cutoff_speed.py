"""A cut-off on a million scored leads costs a few sorts of their scores."""

import time

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from leadlift.learning.cutoff import (
    AllOf,
    Capacity,
    Evidence,
    FixedThreshold,
    PrecisionGuarantee,
    RecallGuarantee,
    TopShare,
    Value,
)

N_LEADS = 1_000_000
MOST_SORTS = 12  # measured 3 for the slowest policy; a sort of a million scores is about a tenth of a second


@pytest.fixture(scope="module")
def million():
    rng = np.random.default_rng(0)
    z = -2.8 + 1.3 * rng.normal(size=N_LEADS)
    as_of = np.datetime64("2026-01-01") + rng.integers(0, 365, N_LEADS).astype("timedelta64[D]")
    inputs = pa.table({"amount": rng.lognormal(5, 1, N_LEADS)})
    return Evidence(expit(z), z, rng.random(N_LEADS) < expit(z), as_of, inputs=inputs)


def cpu_time(work):
    """Least of three runs, so that what else runs does not count."""
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def test_every_policy_costs_a_few_sorts(million):
    policies = [
        FixedThreshold(0.3),
        PrecisionGuarantee(0.3),
        RecallGuarantee(0.8),
        Capacity(1000),
        TopShare(0.1),
        Value(100, 30, win_value_column="amount"),
        AllOf([PrecisionGuarantee(0.2), RecallGuarantee(0.5), Capacity(5000), TopShare(0.3)]),
    ]
    one_sort = cpu_time(lambda: np.argsort(million.score, kind="stable"))
    sorts = {policy.name: cpu_time(lambda p=policy: p.choose(million)) / one_sort for policy in policies}
    assert {name: cost for name, cost in sorts.items() if cost > MOST_SORTS} == {}
