"""Many leads are told what each would be told alone, and a value is put into words once."""

from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from laws import law
from leadlift.insight import value_facts
from leadlift.insight.reasons import LEAST_POINTS, ReasonWriter
from leadlift.insight.texts import fill, load_texts
from leadlift.insight.value_texts import points_texts, rounded_as_told
from leadlift.insight.wording import PAIR, Phrase
from leadlift.terms import FeatureSpec, Kind

SPECS = (
    FeatureSpec("income", Kind.NUMERIC),
    FeatureSpec("age", Kind.NUMERIC, unit="days"),
    FeatureSpec("source", Kind.CATEGORICAL),
    FeatureSpec("region", Kind.CATEGORICAL),
    FeatureSpec("source x region", Kind.NUMERIC, wording=PAIR, about=("source", "region")),
)
TYPICAL = {"income": "12.34", "source": "web"}
ROWS = st.tuples(
    st.none() | st.sampled_from([0.0, -0.0, 1.0, 12.341, 12.342, 1e6, 1234567.8, -3.0]),
    st.none() | st.floats(0, 400),
    st.none() | st.sampled_from(["web", "fair", "=cmd", "x" * 80, "a\u202eb"]),
    st.none() | st.sampled_from(["north", "south"]),
)


def table(rows):
    names, types = ("income", "age", "source", "region"), (pa.float64(),) * 2 + (pa.string(),) * 2
    columns = zip(*rows, strict=True)
    return pa.table({name: pa.array(cells, t) for name, cells, t in zip(names, columns, types, strict=True)})


def encoded(values):
    return pa.table(
        {
            name: column.dictionary_encode() if pa.types.is_string(column.type) else column
            for name, column in zip(values.column_names, values.columns, strict=True)
        }
    )


def told_alone(writer, row, contributions, rank):
    """The reason of one lead, by the definition: rank, round, word, fill."""
    j = sorted(range(len(contributions)), key=lambda j: -abs(contributions[j]))[rank]
    points = 100 * contributions[j]
    if abs(points) < LEAST_POINTS:
        return None
    value = (row["source"], row["region"]) if SPECS[j].wording == PAIR else row[SPECS[j].name]
    if isinstance(value, float):
        value = rounded_as_told(pa.array([value]))[0].as_py()
    fact, compared, template = writer.phrases[j].told(value)
    points_text = points_texts(np.array([points]), writer.texts)[0].as_py()
    return fill(template, {"fact": fact + compared, "points": points_text})


@law
@given(
    st.lists(ROWS, min_size=4, max_size=4),
    arrays(float, (4, 5), elements=st.floats(-0.5, 0.5, width=32)),
    st.sampled_from(["en", "de"]),
)
def test_each_lead_is_told_what_it_would_be_told_alone(rows, contributions, language):
    writer = ReasonWriter(SPECS, load_texts(language), TYPICAL)
    values = table(rows)
    told = [rank.to_pylist() for rank in writer.strongest(values, contributions, 3)]
    leads = list(zip(values.to_pylist(), contributions, strict=True))
    alone = [[told_alone(writer, row, phi, rank) for row, phi in leads] for rank in range(3)]
    assert told == alone
    assert [rank.to_pylist() for rank in writer.strongest(encoded(values), contributions, 3)] == alone


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(0)
    n_rows = 4_000
    rows = zip(
        rng.integers(0, 50, n_rows).tolist(),
        rng.gamma(2, 3, n_rows).round(1).tolist(),
        rng.choice(["web", "fair", "radio"], n_rows).tolist(),
        rng.choice(["north", "south"], n_rows).tolist(),
        strict=True,
    )
    return encoded(table(rows)), rng.normal(0, 0.03, (n_rows, len(SPECS)))


def test_a_value_is_put_into_words_once_a_job(many):
    values, contributions = many
    writer = ReasonWriter(SPECS, load_texts(), TYPICAL)
    with patch.object(Phrase, "told", autospec=True, side_effect=Phrase.told) as told:
        for start in range(0, len(values), 500):
            part = slice(start, start + 500)
            writer.strongest(values.slice(start, 500), contributions[part])
    worded = [(id(call.args[0]), call.args[1]) for call in told.call_args_list]
    assert len(worded) == len(set(worded))


def test_the_words_that_are_kept_are_bounded_and_those_that_are_not_are_the_same(many):
    values, contributions = many
    expected = ReasonWriter(SPECS, load_texts(), TYPICAL).strongest(values, contributions)
    with patch.object(value_facts, "MAX_KEPT", 3):
        writer = ReasonWriter(SPECS, load_texts(), TYPICAL)
        assert writer.strongest(values, contributions) == expected
        assert writer.strongest(values, contributions) == expected


def test_threads_may_share_a_writer(many):
    values, contributions = many
    writer = ReasonWriter(SPECS, load_texts(), TYPICAL)
    whole = ReasonWriter(SPECS, load_texts(), TYPICAL).strongest(values, contributions)

    def first_reasons(start):
        return writer.strongest(values.slice(start, 100), contributions[start : start + 100])[0].to_pylist()

    with ThreadPoolExecutor(4) as threads:
        parts = list(threads.map(first_reasons, range(0, len(values), 100)))
    assert [sentence for part in parts for sentence in part] == whole[0].to_pylist()


def test_dictionaries_hold_the_sentences_that_are_told_and_no_others(many):
    for rank in ReasonWriter(SPECS, load_texts(), TYPICAL).strongest(*many):
        assert rank.type == pa.dictionary(pa.int32(), pa.string())
        assert set(rank.dictionary.to_pylist()) == set(rank.drop_null().to_pylist())


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{fact}", "Income 9"),
        ("{points}! {fact}, {points}", "+10 points! Income 9, +10 points"),
        ("so it is", "so it is"),
    ],
)
def test_a_sentence_may_name_fact_and_points_as_often_as_its_text_says(template, sentence):
    texts = load_texts("en", {"features": {"income": {"reason": template}}})
    specs = SPECS[:3]
    values = table([(9.0, 2.0, "web", None)])
    told = ReasonWriter(specs, texts).strongest(values, np.array([[0.1, 0.05, 0.01]]), 2)
    assert [rank.to_pylist() for rank in told] == [[sentence], ["Age 2 days: +5 points"]]
