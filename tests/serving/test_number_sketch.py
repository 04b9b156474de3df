"""A sketch of numbers adds up, survives JSON, and tells sizes to half a bucket."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.serving.number_sketch import BUCKETS_PER_DECADE, NumberSketch

numbers = st.lists(
    st.one_of(st.floats(allow_infinity=True, allow_nan=True), st.sampled_from([0.0, -0.0, 5e-324, 1e308]))
)


@law
@given(numbers, numbers)
def test_the_sum_of_sketches_is_the_sketch_of_all_in_any_order(one, other):
    parts = [NumberSketch.of(np.array(part, dtype=np.float64)) for part in (one, other)]
    whole = NumberSketch.of(np.array(one + other, dtype=np.float64))
    assert parts[0] + parts[1] == parts[1] + parts[0] == whole


@law
@given(numbers)
def test_a_sketch_survives_json(values):
    sketch = NumberSketch.of(np.array(values, dtype=np.float64))
    assert NumberSketch.from_dict(json.loads(json.dumps(sketch.to_dict()))) == sketch


def test_quantiles_of_sizes_are_right_to_half_a_bucket():
    sizes = np.random.default_rng(0).lognormal(3, 2, 10_001)
    at = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    told = NumberSketch.of(-sizes).log10_quantiles(at)
    assert told == pytest.approx(np.log10(np.quantile(sizes, at)), abs=0.51 / BUCKETS_PER_DECADE)


def test_sizes_beyond_a_size_are_counted_by_eye():
    sketch = NumberSketch.of(np.array([0.0, 1.0, 10.0, 100.0, -1_000.0]))
    assert sketch.n_beyond(1.05) == (1, 2)
    assert sketch.n_sizes == 4
    assert not sketch.is_constant


def test_one_value_is_constant_and_no_value_is_not():
    assert NumberSketch.of(np.array([7.0, 7.0, np.nan])).is_constant
    assert not NumberSketch.of(np.array([np.nan])).is_constant
    assert np.isnan(NumberSketch.of(np.array([0.0])).log10_quantiles(np.array([0.5]))).all()
