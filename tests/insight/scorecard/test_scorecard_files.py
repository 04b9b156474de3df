"""A card's files: the reference scorer gives its points from the JSON, and no text of a lead breaks one."""

import csv
import inspect
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import leadlift.insight.scorecard_reference as reference
from laws import law
from leadlift.exceptions import InputError
from leadlift.insight.report.sections.scorecard import scorecard_section
from leadlift.insight.scorecard.exports import scorecard_markdown, scorecard_rules, write_scorecard
from leadlift.insight.scorecard.points_scorecard import PointsScorecard
from scored_leads import LoneScorer

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "a|b\nc",
    "<script>alert(1)</script>",
    "\u202eabc",
    "plain, with comma",
    '"quoted"',
    "+SUM(1)",
    "@x",
]


def mixed_inputs(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "source": rng.choice(HOSTILE, n),
            "visits": rng.integers(-3, 9, n),
            "opened": rng.random(n) < 0.5,
            "=size": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
        }
    )


def log_odds(table):
    size = np.nan_to_num(np.asarray(table["=size"]), nan=-1.0)
    rank = np.array([HOSTILE.index(text) if text in HOSTILE else 3 for text in table["source"].to_pylist()])
    return 0.4 * rank + 0.3 * np.asarray(table["visits"]) + np.asarray(table["opened"]) + size - 2.5


@pytest.fixture(scope="module")
def scorer():
    return LoneScorer(log_odds, cutoff=0.5).fit(mixed_inputs())


@pytest.fixture(scope="module")
def card(scorer):
    fitted = PointsScorecard().fit(mixed_inputs(), scorer)
    z = log_odds(X := mixed_inputs(seed=1))
    fitted.measure(X, np.random.default_rng(2).random(len(z)) < 1 / (1 + np.exp(-z)), scorer)
    assert len(fitted.attributes_) == 4
    return fitted


@pytest.fixture(scope="module")
def rules(card, tmp_path_factory):
    path = write_scorecard(card, tmp_path_factory.mktemp("card") / "rules.json")
    return json.loads(path.read_text(encoding="utf-8"))


# The reference scorer


def test_the_reference_scorer_is_short_and_needs_nothing():
    source = inspect.getsource(reference)
    assert len(source.splitlines()) < 40
    imports = [line for line in source.splitlines() if line.startswith(("import", "from"))]
    assert imports == ["import math"]


def test_the_reference_scorer_gives_the_points_of_every_lead(card, rules):
    X = mixed_inputs(1000, seed=3)
    by_reference = [reference.points(rules, lead) for lead in X.to_pylist()]
    np.testing.assert_array_equal(by_reference, card.predict_points(X))


edges = st.sampled_from([-3, -1, 0, 0.0, -0.0, 1, 2, 3, 4, 5, 6, 8, 2**53 + 1, -(2**63), 10**18])
numbers = st.one_of(
    st.none(),
    st.integers(-(2**62), 2**62),
    edges,
    st.floats(allow_nan=True, allow_infinity=False),
)


@law
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "source": st.one_of(
                    st.none(),
                    st.sampled_from([*HOSTILE, "", "never seen"]),
                    st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
                ),
                "visits": numbers,
                "opened": st.one_of(st.none(), st.booleans()),
                "=size": numbers,
            }
        ),
        min_size=1,
        max_size=20,
    )
)
def test_card_and_reference_agree_to_the_point_whatever_a_lead_holds(card, rules, leads):
    columns = {
        "source": pa.array([lead["source"] for lead in leads], pa.string()),
        "opened": pa.array([lead["opened"] for lead in leads], pa.bool_()),
    }
    for name in ("visits", "=size"):
        values = [None if lead[name] is None else float(lead[name]) for lead in leads]
        columns[name] = pa.array(values, pa.float64())
    expected = card.predict_points(pa.table(columns)).tolist()
    assert [reference.points(rules, lead) for lead in leads] == expected


def test_an_edge_belongs_to_the_range_above(card, rules):
    edges = [
        r["values"][0] for r in rules["rules"] if r["operator"] == "between" and r["values"][0] is not None
    ]
    leads = [{"visits": edge, "=size": edge, "opened": edge >= 1, "source": "@x"} for edge in edges]
    X = pa.table(
        {
            "source": ["@x"] * len(edges),
            "visits": pa.array(edges, pa.float64()),
            "opened": [lead["opened"] for lead in leads],
            "=size": pa.array(edges, pa.float64()),
        }
    )
    assert [reference.points(rules, lead) for lead in leads] == card.predict_points(X).tolist()


def test_numbers_written_as_text_count_as_numbers(rules):
    lead = {"source": "@x", "visits": 4, "opened": True, "=size": 0.5}
    assert reference.points(rules, lead) == reference.points(rules, lead | {"visits": "4", "=size": "0.5"})


# The files


def test_the_rules_say_all_that_a_tool_needs(card, rules):
    assert rules == json.loads(json.dumps(scorecard_rules(card)))
    assert list(rules) == [
        "format", "version", "highest", "cutoffs", "probability", "rules", "measured",
    ]  # fmt: skip
    assert rules["format"] == "leadlift-scorecard"
    assert rules["cutoffs"] == card.cutoffs_
    assert {rule["operator"] for rule in rules["rules"]} == {"between", "in", "not_in", "is_missing"}
    assert [row["measure"] for row in rules["measured"]] == ["AUC", "log loss", "same decision, MQL"]


def test_no_cell_of_the_csv_file_is_a_formula(card, tmp_path):
    path = write_scorecard(card, tmp_path / "new folder" / "card.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > len(HOSTILE)
    numbers = ("at_least", "below", "points", "share")
    for row in rows:
        for name, cell in row.items():
            assert name in numbers or not cell.startswith(("=", "+", "-", "@"))
    levels = {row["level"].removeprefix("'") for row in rows if row["operator"] == "in"}
    assert levels == set(HOSTILE)


def test_a_level_stays_in_its_cell_of_the_markdown_table(card, tmp_path):
    text = write_scorecard(card, tmp_path / "card.md").read_text(encoding="utf-8")
    assert text == scorecard_markdown(card)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + card.to_table().num_rows
    assert all(row.replace("\\|", "").count("|") == 4 for row in rows)
    assert "<script" not in text
    assert "\u202e" not in text


def test_loss_and_cut_offs_are_printed_on_the_card(card):
    text = scorecard_markdown(card)
    auc = card.loss_.to_pylist()[0]
    assert f"MQL: from {card.cutoffs_['MQL']} points on." in text
    assert f"- AUC: model {auc['model']:.4f}, card {auc['scorecard']:.4f}; lost {auc['lost']:+.4f}" in text
    assert "Measured on 3,000 leads that neither model nor card has seen" in text


def test_a_card_that_was_not_measured_says_so(scorer):
    card = PointsScorecard().fit(mixed_inputs(), scorer)
    assert "has not been measured" in scorecard_markdown(card)
    assert scorecard_rules(card)["measured"] == []
    assert "has not been measured" in scorecard_section(card).summary


def test_another_ending_is_refused_and_leaves_nothing(card, tmp_path):
    with pytest.raises(InputError, match=r"written as \.csv, \.md or \.json"):
        write_scorecard(card, tmp_path / "card.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_left_as_it_was(card, tmp_path):
    (tmp_path / "card.md").mkdir()
    (tmp_path / "card.md" / "kept").write_text("kept")
    with pytest.raises(InputError, match="cannot be written"):
        write_scorecard(card, tmp_path / "card.md")
    assert [path.name for path in tmp_path.iterdir()] == ["card.md"]


def test_a_card_that_cannot_stand_in_for_its_model_says_so():
    """The model knows a pair of columns only, which no sum can tell."""
    rng = np.random.default_rng(5)
    X = pa.table({name: rng.choice(["x", "y"], 3000) for name in ("a", "b")})

    def alike(table):
        return np.where(np.asarray(table["a"]) == np.asarray(table["b"]), 2.0, -2.0)

    scorer = LoneScorer(alike).fit(X)
    card = PointsScorecard().fit(X, scorer)
    card.measure(X, rng.random(3000) < 1 / (1 + np.exp(-alike(X))), scorer)
    assert "score with the model, not with this card" in scorecard_markdown(card)


# The section of the report


def test_the_section_shows_the_whole_card_and_its_loss(card):
    section = scorecard_section(card)
    facts, table, _ = section.blocks
    assert table.table == card.to_table()
    assert table.most_rows == table.table.num_rows
    assert {column.name for column in table.columns} <= set(table.table.column_names)
    assert [name for name, _ in facts.facts][:2] == ["AUC", "log loss"]
    assert f"MQL from {card.cutoffs_['MQL']} points" in section.summary


def test_the_section_of_a_model_without_a_say_says_so(scorer):
    flat = LoneScorer(lambda table: np.full(len(table), -1.0)).fit(mixed_inputs())
    section = scorecard_section(PointsScorecard().fit(mixed_inputs(), flat))
    assert section.blocks == ()
    assert "no scorecard" in section.title
