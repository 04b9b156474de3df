"""Columns that say the same of a lead are one reason, and nothing of the score is lost by it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from laws import law
from leadlift.features.specs import Specs
from leadlift.insight.grouping import group_specs, grouped_contributions
from leadlift.terms import Family, FeatureSpec, Kind

ENGAGEMENT = Specs("activity", Family.ENGAGEMENT)
SOURCE = Specs("source", Family.SOURCE)
VISITS = (
    *ENGAGEMENT.windows("n_visit", "", (1.0, 7.0), unit="acts", wording="type.count", about=("visit",)),
    ENGAGEMENT.days_since("days_since_visit", "", "type.last", ("visit",)),
)
FORMS = ENGAGEMENT.windows("n_form", "", (1.0,), unit="acts", wording="type.count", about=("form",))
CAMPAIGN = FeatureSpec("campaign", Kind.CATEGORICAL, Family.SOURCE)
CAMPAIGN_LIFT = SOURCE.number("campaign_lift", "", wording="field.lift", about=("campaign",))
PAIR = FeatureSpec("campaign x size", Kind.CATEGORICAL, wording="pair", about=("campaign", "size"))


def names(specs):
    return [[specs[j].name for j in group.members] for group in group_specs(specs)]


def test_windows_of_an_act_and_the_days_since_it_are_one_reason():
    assert names([CAMPAIGN, *VISITS, *FORMS]) == [
        ["campaign"],
        ["n_visit_1d", "n_visit_7d", "n_visit_all", "days_since_visit"],
        ["n_form_1d", "n_form_all"],
    ]


def test_what_is_made_of_a_field_belongs_to_it_wherever_it_stands():
    assert names([CAMPAIGN_LIFT, *FORMS, CAMPAIGN]) == [
        ["campaign_lift", "campaign"],
        ["n_form_1d", "n_form_all"],
    ]


def test_a_pair_is_a_reason_of_its_own():
    assert names([CAMPAIGN, PAIR]) == [["campaign"], ["campaign x size"]]


def test_groups_never_cross_families():
    elsewhere = Specs("qualification", Family.INTENT).number("campaign_heat", "", wording="field.changes")
    about_campaign = FeatureSpec(
        "campaign_heat", Kind.NUMERIC, elsewhere.family, wording="field.changes", about=("campaign",)
    )
    assert names([CAMPAIGN, about_campaign]) == [["campaign"], ["campaign_heat"]]


def test_columns_named_alike_but_about_another_act_stay_apart():
    by_web = ENGAGEMENT.windows("n_by_web", "", (1.0,), unit="acts", wording="channel.count", about=("web",))
    web = ENGAGEMENT.windows("n_web", "", (1.0,), unit="acts", wording="type.count", about=("web",))
    assert len(group_specs([*by_web, *web])) == 2


@law
@given(arrays(float, (5, 8), elements=st.floats(-0.5, 0.5, width=32)))
def test_the_sum_of_a_row_stays_what_it_was(contributions):
    groups = group_specs([CAMPAIGN, *VISITS, *FORMS, CAMPAIGN_LIFT])
    grouped = grouped_contributions(groups, contributions)
    assert grouped.shape == (5, 3)
    # Sums of eight numbers below 1 differ by a few units of 1e-16, whatever their order.
    np.testing.assert_allclose(grouped.sum(axis=1), contributions.sum(axis=1), atol=1e-14)
    np.testing.assert_allclose(grouped[:, 0], contributions[:, [0, 7]].sum(axis=1), atol=1e-14)
