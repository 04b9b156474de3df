"""Stability of reasons is high where one thing decides and low where inputs are alike, and told in words."""

import numpy as np
import pyarrow as pa
import pytest

from leadlift.exceptions import ConfigError, InputError
from leadlift.insight.report.sections.stability import stability_section
from leadlift.insight.stability import (
    COSINE,
    SAME_DIRECTION,
    SAME_FIRST,
    SHARED,
    STABILITY_SCHEMA,
    reason_stability,
    stability_sentence,
)
from leadlift.terms import FeatureSpec, Kind


def figures(table):
    return {row["measure"]: row["estimate"] for row in table.to_pylist()}


def leads_of_one_signal(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    signal = rng.choice([0.0, 1.0], n)
    X = pa.table({"signal": signal, "a": rng.normal(size=n), "b": rng.normal(size=n)})
    return X, rng.random(n) < np.where(signal > 0, 0.9, 0.1)


@pytest.fixture(scope="module")
def one_signal():
    return reason_stability(*leads_of_one_signal())


def test_one_strong_signal_is_everybodys_first_reason(one_signal):
    found = figures(one_signal)
    assert found[SAME_FIRST] > 0.98
    assert found[SAME_DIRECTION] > 0.98
    assert found[COSINE] > 0.95


def test_the_table_is_as_described(one_signal):
    assert one_signal.schema == STABILITY_SCHEMA
    assert one_signal["measure"].to_pylist() == [SAME_FIRST, SAME_DIRECTION, SHARED, COSINE]
    for row in one_signal.to_pylist():
        assert row["low"] <= row["estimate"] <= row["high"]
        assert (row["n"], row["n_taught"], row["n_reasons"]) == (800, 1600, 3)


def test_twins_share_the_credit_by_chance_unless_they_are_one_reason():
    """Exact copies would not do: between equal splits the trees take the first column, which is steady."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=4000)
    twins = {f"twin_{k}": x + 0.1 * rng.normal(size=4000) for k in range(6)}
    X = pa.table({**twins, "other": rng.normal(size=4000)})
    won = rng.random(4000) < 1 / (1 + np.exp(-2 * x))
    alone = figures(reason_stability(X, won))
    specs = [
        FeatureSpec(name, Kind.NUMERIC, wording="field.value", about=("x" if "twin" in name else name,))
        for name in X.column_names
    ]
    grouped = figures(reason_stability(X, won, specs=specs))
    assert alone[SAME_FIRST] < 0.7
    assert grouped[SAME_FIRST] > 0.9


def test_noise_has_no_steady_reasons():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(3000, 8))
    found = figures(reason_stability(X, rng.random(3000) < 0.5))
    assert found[SAME_FIRST] < 0.5
    assert found[COSINE] < 0.5


def test_rows_of_one_lead_are_dealt_out_together():
    """Every lead stands in the table twice; a row of each takes part, so no lead is on two sides."""
    X, won = leads_of_one_signal(1500, seed=3)
    twice = pa.concat_tables([X, X])
    found = reason_stability(twice, np.r_[won, won], groups=np.tile(np.arange(1500), 2))
    assert found["n"][0].as_py() + 2 * found["n_taught"][0].as_py() <= 1500


def test_the_order_of_the_rows_changes_nothing():
    X, won = leads_of_one_signal(1500, seed=4)
    back = np.arange(1500)[::-1]
    assert reason_stability(X, won) == reason_stability(X.take(back), won[back])


def test_no_more_leads_take_part_than_allowed():
    X, won = leads_of_one_signal(3000, seed=5)
    row = reason_stability(X, won, max_taught=500, max_explained=200).to_pylist()[0]
    assert row["n_taught"] == pytest.approx(500, abs=2)
    assert row["n"] == pytest.approx(200, abs=2)


def test_too_few_leads_are_said_to_be_too_few():
    X, won = leads_of_one_signal(60, seed=6)
    found = reason_stability(X, won)
    assert found["too_few"].to_pylist() == [True] * 4
    assert found["estimate"].null_count == 4
    assert "too few leads" in stability_sentence(found)
    assert stability_section(found).title.startswith("Too few leads")


def test_the_sentence_says_the_share(one_signal):
    share = 100 * figures(one_signal)[SAME_FIRST]
    assert stability_sentence(one_signal) == (
        f"For {share:.0f}% of the leads the strongest reason stays the same when the model is learnt from "
        "other leads."
    )


def test_the_section_holds_the_figures_and_how_they_came_about(one_signal):
    section = stability_section(one_signal)
    facts, text = section.blocks
    assert section.summary == stability_sentence(one_signal)
    assert len(facts.facts) == 4
    assert "1,600 leads each" in text.paragraphs[0]


def test_specs_of_other_columns_are_refused():
    X, won = leads_of_one_signal(200)
    with pytest.raises(InputError, match="in their order"):
        reason_stability(X, won, specs=[FeatureSpec("signal", Kind.NUMERIC)])


def test_one_outcome_alone_is_refused():
    with pytest.raises(InputError, match="two outcomes"):
        reason_stability(np.zeros((50, 2)), np.ones(50))


@pytest.mark.parametrize("name", ["n_reasons", "max_taught", "max_explained"])
def test_counts_are_positive(name):
    with pytest.raises(ConfigError, match=f"{name} must be at least 1"):
        reason_stability(*leads_of_one_signal(200), **{name: 0})
