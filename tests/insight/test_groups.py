"""Groups of leads: by level, by interval, the missing apart."""

import pyarrow as pa
import pytest

from leadlift.exceptions import SchemaError
from leadlift.insight.groups import groups_of


def test_levels_come_by_size_then_by_name_and_missing_last():
    groups = groups_of("region", pa.array(["b", "a", None, "b", " ", "c"]))
    assert groups.names == ("b", "a", "c", "not recorded")
    assert groups.codes.tolist() == [0, 1, 3, 0, 3, 2]
    assert groups.sizes.tolist() == [2, 1, 1, 2]
    assert groups.is_recorded.tolist() == [True, True, True, False]


def test_levels_beyond_the_largest_are_one_group():
    groups = groups_of("id", pa.array(["a", "a", "b", "c", "d"]), most_groups=1)
    assert groups.names == ("a", "all others (3 levels)")


def test_numbers_become_intervals_and_nan_is_missing():
    groups = groups_of("age", pa.array([float(age) for age in range(1, 101)] + [float("nan")]))
    assert groups.names == ("up to 25", "26 to 50", "51 to 75", "over 75", "not recorded")


def test_truth_values_and_dictionaries_are_levels():
    assert groups_of("opt_in", pa.array([True, False, True])).names == ("yes", "no")
    assert groups_of("region", pa.chunked_array([pa.array(["a", "a"]).dictionary_encode()])).names == ("a",)


def test_dates_are_refused():
    with pytest.raises(SchemaError, match="'born' is date32"):
        groups_of("born", pa.array([1], pa.date32()))
