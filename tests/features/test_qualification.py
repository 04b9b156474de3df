"""Qualification features and BANT, by eye and by law."""

import random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acts_by_eye import acts_of, day, features_of, law_of_acts, observed
from leadlift.data.history import history_from
from leadlift.features.bant import bant_columns
from leadlift.features.builder import FeatureBuilder


def qualification(observations, acts, leads=None, **settings):
    return features_of(FeatureBuilder(groups=["qualification"], **settings), observations, acts, leads)


ACTS = [
    ("A", 0, "demo request"),
    ("A", 30, "demo request"),
    ("A", 39, "pricing"),
    ("A", 39.5, "pricing", {"asset": "contact form"}),
    ("B", 0, "visit"),
]


def test_acts_of_intent_are_counted_by_meaning():
    table = qualification(observed(("A", 40), ("A", 20), ("B", 40)), ACTS)
    assert table["intent_demo_30d"].to_pylist() == [1, 1, 0]
    assert table["intent_demo_all"].to_pylist() == [2, 1, 0]
    assert table["intent_demo_days_since"].to_pylist() == [10.0, 20.0, None]
    assert table["intent_pricing_all"].to_pylist() == [2, 0, 0]
    assert table["intent_hand_raise_all"].to_pylist() == [1, 0, 0]


def test_an_act_with_two_meanings_is_one_act_of_any_intent():
    table = qualification(observed(("A", 40), ("A", 20), ("B", 40)), ACTS)
    assert table["intent_any_7d"].to_pylist() == [2, 0, 0]
    assert table["intent_any_30d"].to_pylist() == [3, 1, 0]
    assert table["intent_any_all"].to_pylist() == [4, 1, 0]


def test_an_act_lies_in_a_window_that_is_as_long_as_it_is_old():
    table = qualification(observed(("A", 30)), [("A", 0, "demo")])
    assert table["intent_demo_30d"].to_pylist() == [1]


def test_a_meaning_that_never_occurs_has_no_columns():
    table = qualification(observed(("A", 40)), ACTS)
    assert not [name for name in table.column_names if "quote" in name]


def test_the_user_may_name_the_acts_of_a_meaning():
    table = qualification(observed(("B", 40)), ACTS, meanings={"quote": ["visit"]})
    assert table["intent_quote_all"].to_pylist() == [1]


@pytest.mark.parametrize("acts", [None, [], [("A", 0, "visit")]])
def test_without_intent_or_bant_there_are_no_columns(acts):
    assert qualification(observed(("A", 9)), acts).num_columns == 0


def test_bant_questions_with_an_answer_are_counted_once_each():
    leads = pa.table(
        {
            "lead_id": ["A", "B", "C"],
            "budget": [10_000.0, None, None],
            "Budget confirmed": ["no", "yes", None],
            "decision_maker": ["unknown", "CTO", None],
            "industry": ["steel", "steel", "steel"],
            "timeline": [None, "3 months", "Unknown"],
        }
    )
    table = qualification(observed(("A", 9), ("B", 9), ("C", 9)), None, leads)
    assert table["n_bant_known"].to_pylist() == [1, 3, 0]


def test_free_text_answers_no_bant_question():
    leads = pa.table({"lead_id": ["A"], "needs": ["a pump, quickly"]})
    assert qualification(observed(("A", 9)), None, leads, text=["needs"]).num_columns == 0


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("Budget (EUR)", "budget"),
        ("isDecisionMaker", "authority"),
        ("Entscheider", "authority"),
        ("pain_points", "need"),
        ("Kaufzeitpunkt", "timeline"),
        ("délai", "timeline"),
        ("purchase time-frame", "timeline"),
    ],
)
def test_bant_is_found_by_name(name, question):
    assert bant_columns([name]) == {name: question}


@pytest.mark.parametrize(
    "name", ["industry", "age", "created_at", "author", "needle", "utm_source", "time_on_site"]
)
def test_other_names_answer_no_bant_question(name):
    assert bant_columns([name]) == {}


def logged(*rows):
    names = ("lead_id", "changed_at", "field", "value")
    return history_from(pa.table(dict(zip(names, zip(*rows, strict=True), strict=True))))


def known_by_log(history, *moments, **settings):
    observations = observed(*moments)
    leads = pa.table({"lead_id": observations["lead_id"], "budget": ["10k"] * len(moments)})
    builder = FeatureBuilder(groups=["qualification"], **settings)
    table = builder.fit_transform(observations, leads=leads, history=history)
    again = FeatureBuilder.from_dict(builder.to_dict())
    assert again.transform(observations, leads=leads, history=history).equals(table)
    return table["n_bant_known"].to_pylist()


CHANGES = (("A", day(2), "budget", "10k"), ("A", day(4), "timeline", "soon"), ("A", day(6), "budget", None))


def test_a_logged_answer_counts_from_the_day_on_which_it_was_written():
    moments = (("A", 2), ("A", 3), ("A", 5), ("A", 7), ("B", 7))
    assert known_by_log(logged(*CHANGES), *moments) == [0, 1, 2, 1, 0]


def test_a_field_that_is_refused_is_not_used():
    assert known_by_log(logged(*CHANGES), ("A", 5), refused=["timeline"]) == [1]


@law_of_acts
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from("AB"),
            st.integers(0, 50),
            st.sampled_from(["visit", "demo", "pricing", "quote"]),
            st.sampled_from([{}, {"asset": "price list"}]),
        ),
        max_size=20,
    ),
    seed=st.integers(0, 99),
)
def test_the_order_of_the_rows_does_not_matter(acts, seed):
    observations = observed(("A", 20), ("A", 45), ("B", 40))
    shuffled = random.Random(seed).sample(acts, len(acts))  # noqa: S311
    assert qualification(observations, acts).equals(qualification(observations, shuffled))


def test_acts_from_the_moment_on_change_nothing():
    observations = observed(("A", 30))
    earlier = qualification(observations, [act for act in ACTS if act[1] < 30])
    assert qualification(observations, ACTS).equals(earlier)


def test_a_scoring_run_without_any_act_counts_none():
    builder = FeatureBuilder(groups=["qualification"])
    observations = observed(("A", 40))
    builder.fit(observations, leads=observations, events=acts_of(ACTS))
    [row] = builder.transform(observations, leads=observations, events=acts_of([])).to_pylist()
    assert set(row.values()) == {0, None}
