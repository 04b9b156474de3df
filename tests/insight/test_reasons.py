"""Contributions become sentences that a sales person reads."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from laws import law
from leadlift.features.specs import Specs
from leadlift.insight.reasons import ReasonWriter, strongest_reasons
from leadlift.insight.texts import load_texts
from leadlift.terms import Family, FeatureSpec, Kind

VISITS = FeatureSpec("TotalVisits", Kind.NUMERIC, missing_means="never on the site")
SOURCE = FeatureSpec("source", Kind.CATEGORICAL)
SPECS = (VISITS, SOURCE)
INTENT = Specs("qualification", Family.INTENT)
ABOUT_PRICING = {"about": ("pricing",), "wording": "meaning.count"}
PRICING = (
    INTENT.number("intent_pricing_7d", "", window_days=7.0, unit="acts", **ABOUT_PRICING),
    INTENT.number("intent_pricing_all", "", unit="acts", **ABOUT_PRICING),
    INTENT.number("pricing_after_content", "", wording="meaning.after_content", about=("pricing",)),
)


def reasons(values, contributions, specs=SPECS, **keywords):
    """Reasons of each lead, the strongest first."""
    told = strongest_reasons(specs, pa.table(values), np.array(contributions, dtype=float), **keywords)
    return list(zip(*[rank.to_pylist() for rank in told], strict=True))


def test_three_leads_by_eye():
    told = reasons(
        {"TotalVisits": [9.0, None, 2.5], "source": ["fair", "web", None]},
        [[0.042, -0.013], [-0.2, 0.3], [0.01, -0.02]],
        typical_won={"TotalVisits": "5", "source": "web"},
    )
    assert told == [
        (
            "Total visits 9 (typical won lead: 5): +4.2 points",
            "Source: fair (typical won lead: web), -1.3 points",
            None,
        ),
        (
            "Source: web, +30 points",
            "Total visits (never on the site) (typical won lead: 5): -20 points",
            None,
        ),
        (
            "Source (not recorded) (typical won lead: web): -2 points",
            "Total visits 2.5 (typical won lead: 5): +1 point",
            None,
        ),
    ]


def test_the_sentence_of_the_requirement():
    values = {"intent_pricing_7d": [3], "intent_pricing_all": [5], "pricing_after_content": [1]}
    told = reasons(values, [[0.09, 0.01, 0.02]], PRICING)
    assert told == [
        (
            "Viewed pricing 3 times in the last 7 days, after content such as case studies: +12 points",
            None,
            None,
        )
    ]


def test_a_group_is_told_by_the_column_that_contributes_most_in_its_direction():
    values = {"intent_pricing_7d": [3, 3], "intent_pricing_all": [5, 5], "pricing_after_content": [0, 0]}
    told = reasons(values, [[0.05, -0.09, 0.0], [0.05, -0.02, 0.0]], PRICING)
    assert [row[0] for row in told] == [
        "Viewed pricing 5 times so far: -4 points",
        "Viewed pricing 3 times in the last 7 days: +3 points",
    ]


def test_nothing_is_added_to_an_act_that_did_not_happen():
    values = {"intent_pricing_7d": [0], "intent_pricing_all": [5], "pricing_after_content": [1]}
    told = reasons(values, [[-0.09, 0.01, 0.02]], PRICING)
    assert told[0][0] == "Did not view pricing in the last 7 days: -6 points"


def test_an_unknown_answer_of_bant_is_said_to_be_unknown():
    spec = FeatureSpec("decision_maker", Kind.CATEGORICAL)
    told = reasons({"decision_maker": [None, "unknown", "yes"]}, [[-0.06]] * 3, [spec])
    assert [row[0] for row in told] == [
        "No decision maker known: -6 points",
        "No decision maker known: -6 points",
        "Decision maker: yes, -6 points",
    ]


def test_company_size_is_compared_with_the_typical_won_lead():
    spec = FeatureSpec("company_size", Kind.NUMERIC)
    told = reasons({"company_size": [250.0]}, [[0.03]], [spec], typical_won={"company_size": "120"})
    assert told[0][0] == "Company size 250 (typical won lead: 120): +3 points"


def test_the_same_in_german():
    told = reasons(
        {"TotalVisits": [1250.5], "source": ["yes"]},
        [[0.0425, -0.01]],
        typical_won={"TotalVisits": "5", "source": "no"},
        texts=load_texts("de"),
    )
    assert told == [
        (
            "TotalVisits 1250 (typisch für gewonnene Leads: 5): +4,2 Punkte".replace(
                "TotalVisits", "Total Visits"
            ),
            "Source: ja (typisch für gewonnene Leads: nein), -1 Punkt",
            None,
        )
    ]


def test_texts_of_a_column_can_be_replaced():
    texts = load_texts(
        "en",
        {
            "fields": {"TotalVisits": "visits to our shop"},
            "features": {"source": {"many": "Came by {level}", "reason": "{points} - {fact}"}},
        },
    )
    told = reasons({"TotalVisits": [2.0], "source": ["fair"]}, [[0.1, 0.2]], texts=texts)
    assert told == [("+20 points - Came by fair", "Visits to our shop 2: +10 points", None)]


def test_a_hostile_value_is_one_plain_line_without_marks_of_direction():
    told = reasons({"source": ["<b>\u202eevil\n\x07" + "x" * 1_000_000]}, [[0.1]], [SOURCE])
    assert told[0][0] == f"Source: <b>evil {'x' * 51}…, +10 points"


def test_a_contribution_that_rounds_to_no_points_is_no_reason():
    told = reasons({"TotalVisits": [1.0, 1.0], "source": ["a", "a"]}, [[0.0004, -0.0006], [0.0, 0.0]])
    assert told == [("Source: a, -0.1 points", None, None), (None, None, None)]


def test_ties_go_to_the_column_that_stands_first():
    told = reasons({"TotalVisits": [1.0] * 2, "source": ["a"] * 2}, [[0.1, -0.1], [-0.1, 0.1]])
    assert [row[0].split()[0] for row in told] == ["Total", "Total"]


def test_there_may_be_fewer_columns_than_reasons_or_no_leads():
    assert reasons({"TotalVisits": [1.0]}, [[0.1]], [VISITS]) == [("Total visits 1: +10 points", None, None)]
    empty = {"TotalVisits": pa.array([], pa.float64()), "source": pa.array([], pa.string())}
    assert reasons(empty, np.zeros((0, 2))) == []


def test_values_may_come_in_chunks_and_as_whole_numbers():
    values = pa.table({"TotalVisits": pa.chunked_array([[1], [2, 3]], pa.int32())})
    told = strongest_reasons([VISITS], values, np.full((3, 1), 0.1))[0].to_pylist()
    assert told == [f"Total visits {n}: +10 points" for n in (1, 2, 3)]


@law
@given(
    contributions=arrays(float, (6, 3), elements=st.floats(-0.5, 0.5, width=32)),
    order=st.permutations(range(6)),
)
def test_reasons_stand_by_strength_and_do_not_depend_on_the_other_rows(contributions, order):
    specs = [FeatureSpec(name, Kind.NUMERIC) for name in "abc"]
    values = {name: np.arange(6.0) for name in "abc"}
    told = reasons(values, contributions, specs)
    moved = reasons({k: v[list(order)] for k, v in values.items()}, contributions[list(order)], specs)
    assert moved == [told[i] for i in order]
    for row in told:
        strengths = [abs(float(reason.split()[-2])) for reason in row if reason is not None]
        assert strengths == sorted(strengths, reverse=True)
        assert all(reason is not None for reason in row[: len(strengths)])


def test_each_reason_is_of_the_column_that_numpy_ranks_there():
    rng = np.random.default_rng(0)
    contributions = rng.normal(size=(40, 5)) / 10
    names = list("abcde")
    told = reasons(
        dict.fromkeys(names, np.ones(40)), contributions, [FeatureSpec(name, Kind.NUMERIC) for name in names]
    )
    for row, phi in zip(told, contributions, strict=True):
        expected = [names[j] for j in sorted(range(5), key=lambda j: -abs(phi[j]))[:3]]
        assert [reason[0].lower() for reason in row] == expected


@pytest.mark.parametrize("n_reasons", [1, 5])
def test_a_writer_is_made_once_and_serves_any_number_of_reasons(n_reasons):
    writer = ReasonWriter(SPECS, load_texts(), {"source": "web"})
    values = pa.table({"TotalVisits": [9.0], "source": ["fair"]})
    told = writer.strongest(values, np.array([[0.1, 0.2]]), n_reasons)
    assert len(told) == n_reasons
    assert told[0].to_pylist() == ["Source: fair (typical won lead: web), +20 points"]
