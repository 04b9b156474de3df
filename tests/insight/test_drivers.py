"""Global drivers are mean absolute contributions, strongest first."""

import numpy as np
import pytest

from leadlift.insight.drivers import global_drivers
from leadlift.terms import Family, FeatureSpec, Kind

SPECS = (
    FeatureSpec("source", Kind.CATEGORICAL, Family.SOURCE),
    FeatureSpec("visits", Kind.NUMERIC, Family.ENGAGEMENT),
    FeatureSpec("size", Kind.NUMERIC, Family.FIT),
)


def test_two_leads_by_eye():
    drivers = global_drivers(SPECS, np.array([[0.01, -0.04, 0.0], [-0.03, 0.02, 0.0]]))
    assert drivers.to_pylist() == [
        {
            "column": "visits",
            "family": "engagement",
            "mean_abs_points": pytest.approx(3),
            "share": pytest.approx(0.6),
        },
        {
            "column": "source",
            "family": "source",
            "mean_abs_points": pytest.approx(2),
            "share": pytest.approx(0.4),
        },
        {"column": "size", "family": "fit", "mean_abs_points": 0.0, "share": 0.0},
    ]


def test_equal_columns_stand_in_the_order_of_the_table():
    drivers = global_drivers(SPECS, np.full((4, 3), 0.01))
    assert drivers["column"].to_pylist() == ["source", "visits", "size"]


def test_without_leads_or_contributions_every_share_is_zero():
    for contributions in (np.zeros((0, 3)), np.zeros((5, 3))):
        drivers = global_drivers(SPECS, contributions)
        assert drivers["share"].to_pylist() == [0.0, 0.0, 0.0]
