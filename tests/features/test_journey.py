"""Journey features, by eye, by law and by a loop over acts."""

import random
from datetime import timedelta
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acts_by_eye import acts_of, features_of, law_of_acts, observed
from leadlift.data.datasets import make_leads
from leadlift.data.events import events_from
from leadlift.features.builder import FeatureBuilder
from leadlift.features.journey import MAX_SEQUENCES, Journey


def journey(observations, acts):
    return features_of(FeatureBuilder(groups=["journey"]), observations, acts)


WEB, MAIL = {"channel": "web"}, {"channel": "mail"}
FIVE_ACTS = [
    ("A", 0.0, "visit", WEB),
    ("A", 1.0, "case study", WEB),
    ("A", 1.5, "webinar", {}),
    ("A", 4.5, "pricing", WEB),
    ("A", 5.5, "visit", MAIL),
]


def test_touches_are_the_first_the_last_and_the_one_before_it():
    table = journey(observed(("A", 9), ("A", 4), ("A", 0.5), ("A", 0)), FIVE_ACTS)
    assert table["first_touch"].to_pylist() == ["visit", "visit", "visit", None]
    assert table["last_touch"].to_pylist() == ["visit", "webinar", "visit", None]
    assert table["second_last_touch"].to_pylist() == ["pricing", "case study", None, None]


def test_an_act_without_a_channel_is_unknown_and_no_act_is_null():
    table = journey(observed(("A", 9), ("A", 4), ("A", 0)), FIVE_ACTS)
    assert table["first_channel"].to_pylist() == ["web", "web", None]
    assert table["last_channel"].to_pylist() == ["mail", "unknown", None]


def test_gaps_are_in_days_and_need_two_acts():
    table = journey(observed(("A", 9), ("A", 0.5), ("A", 0)), FIVE_ACTS)
    assert table["mean_gap_days"].to_pylist() == [5.5 / 4, None, None]
    assert table["shortest_gap_days"].to_pylist() == [0.5, None, None]
    assert table["longest_gap_days"].to_pylist() == [3.0, None, None]
    assert table["last_gap_days"].to_pylist() == [1.0, None, None]
    assert table["journey_days"].to_pylist() == [5.5, 0.0, None]


def test_pricing_first_is_told_from_pricing_after_content():
    acts = [*FIVE_ACTS, ("B", 0, "pricing"), ("B", 1, "case study"), ("B", 2, "pricing"), ("C", 0, "visit")]
    table = journey(observed(("A", 9), ("A", 4), ("B", 9), ("C", 9)), acts)
    assert table["pricing_position"].to_pylist() == [4, None, 1, None]
    assert table["contents_before_pricing"].to_pylist() == [2, None, 0, None]
    assert table["pricing_first"].to_pylist() == [0, 0, 1, 0]
    assert table["pricing_after_content"].to_pylist() == [1, 0, 0, 0]


def test_the_asset_may_say_that_an_act_was_about_prices():
    acts = [("A", 0, "download", {"asset": "white paper"}), ("A", 1, "page view", {"asset": "/price-list"})]
    table = journey(observed(("A", 9)), acts)
    assert (table["pricing_position"][0].as_py(), table["pricing_after_content"][0].as_py()) == (2, 1)


def test_sequences_are_counted_side_by_side():
    acts = [("A", i, kind) for i, kind in enumerate(["visit", "form", "visit", "form", "demo"])]
    table = journey(observed(("A", 9), ("A", 2.5)), acts)
    assert table["then_visit_form"].to_pylist() == [2, 1]
    assert table["then_form_visit"].to_pylist() == [1, 1]
    assert table["then_visit_form_demo"].to_pylist() == [1, 0]


def test_of_sequences_that_would_bear_one_name_the_more_common_is_counted():
    acts = [("A", 0, "mail_open"), ("A", 1, "form"), ("B", 0, "mail"), ("B", 1, "open"), ("B", 2, "form")]
    acts += [("C", 0, "mail"), ("C", 1, "open"), ("C", 2, "form")]
    table = journey(observed(("A", 9), ("B", 9), ("C", 9)), acts)
    assert table["then_mail_open_form"].to_pylist() == [0, 1, 1]


def test_the_most_common_sequences_have_columns_and_no_more_than_ten_of_a_length():
    names = [f"t{i}" for i in range(6)]
    acts = [
        (f"L{i}{j}", k, name)
        for i in range(6)
        for j in range(6)
        for k, name in enumerate((names[i], names[j]))
    ]
    builder = FeatureBuilder(groups=["journey"])
    features_of(builder, observed(*[(f"L{i}{j}", 9) for i in range(6) for j in range(6)]), acts)
    assert len(builder.groups_[0].sequences_) == MAX_SEQUENCES


def test_a_type_that_fit_did_not_see_is_other_and_interrupts_a_sequence():
    builder = FeatureBuilder(groups=["journey"])
    observations = observed(("A", 9))
    seen = acts_of([("A", 0, "visit", WEB), ("A", 1, "form", WEB)])
    builder.fit(observations, leads=observations, events=seen)
    new = acts_of([("A", 0, "visit", WEB), ("A", 1, "fax", {"channel": "fax"}), ("A", 2, "form", WEB)])
    [row] = builder.transform(observations, leads=observations, events=new).to_pylist()
    assert (row["second_last_touch"], row["then_visit_form"]) == ("other", 0)
    [row] = builder.transform(
        observations, leads=observations, events=acts_of([("A", 0, "fax", {"channel": "fax"})])
    ).to_pylist()
    assert (row["last_touch"], row["last_channel"]) == ("other", "other")


def test_without_prices_or_channels_there_are_no_columns_of_them():
    table = journey(observed(("A", 9)), [("A", 0, "visit"), ("A", 1, "form")])
    assert not [name for name in table.column_names if "pric" in name or "channel" in name]


@pytest.mark.parametrize("acts", [None, []])
def test_without_acts_there_are_no_columns(acts):
    assert journey(observed(("A", 9)), acts).num_columns == 0


def test_acts_at_one_moment_stand_in_the_order_of_their_types():
    acts = [("A", 1, "visit"), ("A", 1, "form"), ("A", 1, "pricing")]
    [row] = journey(observed(("A", 9)), acts).to_pylist()
    assert (row["first_touch"], row["last_touch"], row["pricing_position"]) == ("form", "visit", 2)
    assert (row["mean_gap_days"], row["journey_days"]) == (0.0, 0.0)


KINDS = ("visit", "form", "pricing", "case study", "webinar")
ACTS = st.lists(
    st.tuples(
        st.sampled_from("ABC"),
        st.integers(0, 80).map(lambda n: n / 8),
        st.sampled_from(KINDS),
        st.sampled_from([WEB, MAIL, {}]),
    ),
    max_size=25,
)
MOMENTS = observed(("A", 2.5), ("A", 6), ("B", 5), ("C", 8), ("D", 1))


@law_of_acts
@given(acts=ACTS, seed=st.integers(0, 99))
def test_the_order_of_the_rows_does_not_matter(acts, seed):
    shuffled = random.Random(seed).sample(acts, len(acts))  # noqa: S311
    assert journey(MOMENTS, acts).equals(journey(MOMENTS, shuffled))


@law_of_acts
@given(acts=ACTS)
def test_acts_from_the_moment_on_change_nothing(acts):
    observations = observed(("A", 5), ("B", 5), ("C", 5))
    later = [act for act in acts if act[1] >= 5]
    early = [act for act in acts if act[1] < 5]
    assert journey(observations, early + later).equals(journey(observations, early))


def one_journey(acts, as_of_day):
    """What a person would write down, act by act."""
    acts = sorted({(d, kind, channel.get("channel") or "") for d, kind, channel in acts if d < as_of_day})
    days, kinds = [d for d, *_ in acts], [kind for _, kind, _ in acts]
    prices = [i for i, kind in enumerate(kinds) if kind == "pricing"]
    gaps = [later - earlier for earlier, later in pairwise(days)]
    contents = sum(kind in {"case study", "webinar"} for kind in kinds[: prices[0]]) if prices else None
    return {
        "first_touch": kinds[0] if kinds else None,
        "last_touch": kinds[-1] if kinds else None,
        "second_last_touch": kinds[-2] if len(kinds) > 1 else None,
        "pricing_position": prices[0] + 1 if prices else None,
        "contents_before_pricing": contents,
        "pricing_after_content": int(bool(contents)),
        "pricing_first": int(contents == 0),
        "shortest_gap_days": min(gaps, default=None),
        "longest_gap_days": max(gaps, default=None),
        "mean_gap_days": sum(gaps) / len(gaps) if gaps else None,
        "last_gap_days": gaps[-1] if gaps else None,
        "journey_days": days[-1] - days[0] if days else None,
        "then_visit_form": sum(pair == ("visit", "form") for pair in pairwise(kinds)),
    }


def test_a_loop_over_the_acts_gives_the_same():
    rng = random.Random(7)  # noqa: S311
    leads = [f"L{i}" for i in range(200)]
    acts = [
        (rng.choice(leads), rng.randrange(80) / 8, rng.choice(KINDS), rng.choice([WEB, MAIL, {}]))
        for _ in range(1500)
    ]
    moments = [(lead, days) for lead in leads for days in (1, 4.5, 10)]
    for row, (lead, days) in zip(journey(observed(*moments), acts).to_pylist(), moments, strict=True):
        expected = one_journey([act[1:] for act in acts if act[0] == lead], days)
        # Gaps are eighths of a day, which are exact; their mean is one division.
        assert {name: row[name] for name in expected} == expected


def test_events_without_an_id_are_no_copies_of_each_other():
    acts = [
        ("A", 0, "visit", {"event_id": "1"}),
        ("A", 1, "visit", {"event_id": "1"}),
        ("A", 2, "form"),
        ("A", 3, "form"),
        ("A", 3, "form"),
    ]
    [row] = journey(observed(("A", 9)), acts).to_pylist()
    assert (row["then_visit_form"], row["then_form_form"], row["last_gap_days"]) == (1, 1, 1.0)


@pytest.mark.slow
def test_the_simulated_rule_is_found_prices_after_content_mean_more_than_before():
    simulated = make_leads(4000, seed=3)
    leads = simulated.leads
    two_weeks = pc.add(leads["created_at"].cast(pa.timestamp("us")), pa.scalar(timedelta(days=14)))
    table = FeatureBuilder(groups=["journey"]).fit_transform(
        pa.table({"lead_id": leads["lead_id"], "as_of": two_weeks}),
        leads=leads.select(["lead_id"]),
        events=events_from(simulated.events),
    )
    won = pc.equal(leads["outcome"], "won").to_numpy()
    contents = table["contents_before_pricing"].to_numpy()
    # About 0.17 and 0.06, with about 1,900 and 700 leads: six standard errors apart.
    assert won[contents > 0].mean() > 1.5 * won[contents == 0].mean()


def test_the_group_says_what_every_column_means():
    builder = FeatureBuilder(groups=["journey"])
    table = features_of(builder, observed(("A", 9)), FIVE_ACTS)
    assert [spec.name for spec in builder.groups_[0].specs()] == table.column_names
    assert all(
        spec.description and spec.missing_means and spec.group == Journey.name for spec in builder.specs_
    )
