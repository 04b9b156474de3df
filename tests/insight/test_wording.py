"""Every feature that can be built, and every plain column, gives sentences a seller could read aloud."""

import re
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

import leadlift as ll
from behaviour import COLUMNS, make_behaviour
from leadlift.insight.texts import languages, load_texts
from leadlift.insight.wording import Phrase, capital, readable_name
from leadlift.terms import FeatureSpec, Kind

NUMBERS = (0.0, 1.0, 2.0, 17.25, None)
LEVELS = ("email open", "other", "unknown", "Größe", None)


@cache
def built_specs():
    """Specs of all groups, for leads with events, amounts, texts, notes and a change log."""
    made = make_behaviour(200)
    builder = ll.FeatureBuilder(text=("note",))
    return builder.fit(made.observations, leads=made.leads, columns=COLUMNS, **made.sources()).specs_


def sentences(spec, texts):
    is_number = spec.kind is Kind.NUMERIC
    phrase = Phrase(spec, texts, "3" if is_number else "visit")
    for value in NUMBERS if is_number else LEVELS:
        fact, compared, _ = phrase.told(value)
        yield fact + compared
        if value is not None:
            yield phrase.like(value)


def test_the_walk_goes_through_all_groups():
    assert {spec.group for spec in built_specs()} == {
        "profile", "activity", "journey", "qualification", "voice", "source",
    }  # fmt: skip
    assert len(built_specs()) > 200


@pytest.mark.parametrize("language", languages())
def test_every_built_feature_can_be_read_aloud(language):
    texts = load_texts(language)
    for spec in built_specs():
        for sentence in sentences(spec, texts):
            assert not re.search(r"\b(nan|None|null)\b|[{}_]|\s\s|\s$|\s:|''", sentence), (
                spec.name,
                sentence,
            )
            assert not re.search(r"\b(n_|sum_|days_since|intent_|then_)|\d+d\b", sentence), sentence
            assert len(sentence.split()) >= 2, (spec.name, sentence)


@pytest.mark.parametrize("language", languages())
def test_every_built_feature_has_words_of_its_own(language):
    facts = load_texts(language)["facts"]
    plain = {spec.name for spec in COLUMNS} | {"stage", "heat", "decision_maker"}
    for spec in built_specs():
        assert spec.wording in facts or spec.name in plain, spec.name


def test_no_english_word_is_left_in_german_sentences():
    words = set()
    for spec in built_specs():
        if spec.wording.startswith(
            ("acts", "gap", "journey", "sessions", "bant", "text", "velocity", "meaning")
        ):
            words |= {word.lower() for text in sentences(spec, load_texts("de")) for word in text.split()}
    assert not words & {
        "the",
        "of",
        "last",
        "days",
        "times",
        "won",
        "far",
        "active",
        "pricing",
    }


@pytest.mark.parametrize(
    ("spec", "value", "sentence"),
    [
        (FeatureSpec("TotalVisits", Kind.NUMERIC), 2.0, "Total visits 2"),
        (FeatureSpec("Page Views Per Visit", Kind.NUMERIC), 2.25, "Page Views Per Visit 2.25"),
        (FeatureSpec("emp.var.rate", Kind.NUMERIC), -1.8, "Emp var rate -1.8"),
        (FeatureSpec("pdays", Kind.NUMERIC), 999.0, "Pdays 999"),
        (FeatureSpec("Do Not Email", Kind.CATEGORICAL), "No", "Do Not Email: no"),
        (FeatureSpec("poutcome", Kind.CATEGORICAL), "nonexistent", "Poutcome: nonexistent"),
        (FeatureSpec("landing_page_id", Kind.CATEGORICAL), "b76ef37428e6", "Landing page id: b76ef37428e6"),
        (FeatureSpec("AMOUNT_REQ", Kind.NUMERIC), 20000.0, "Amount req 20,000"),
        (FeatureSpec("minutes", Kind.NUMERIC, unit="minutes"), 1.0, "Minutes 1 minute"),
        (FeatureSpec("wait", Kind.NUMERIC, unit="days"), 0.5, "Wait 12 hours"),
        (FeatureSpec("budget", Kind.CATEGORICAL), None, "No budget known"),
        (FeatureSpec("industry", Kind.CATEGORICAL), None, "Industry (not recorded)"),
        (FeatureSpec("industry", Kind.CATEGORICAL), "{field}", "Industry: {field}"),
    ],
)
def test_plain_columns_are_told_without_guessing_what_they_mean(spec, value, sentence):
    assert capital(Phrase(spec, load_texts()).fact(value)) == sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CEOName", "CEO name"),
        ("Lead Origin", "Lead Origin"),
        ("nr.employed", "nr employed"),
        ("__", "__"),
        ("A", "a"),
        ("Größe_in_m", "größe in m"),
    ],
)
def test_names_become_words(name, words):
    assert readable_name(name) == words


def test_the_typical_value_is_told_only_where_it_differs_as_told():
    phrase = Phrase(FeatureSpec("size", Kind.NUMERIC), load_texts(), "120")
    assert phrase.told(120.004)[:2] == ("Size 120", "")
    assert phrase.told(121.0)[:2] == ("Size 121", " (typical won lead: 120)")


@pytest.mark.real_data
@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    ("file", "delimiter"),
    [
        ("xeducation/Leads.csv", ","),
        ("bank_marketing/bank-additional-full.csv", ";"),
        ("olist_funnel/olist_marketing_qualified_leads_dataset.csv", ","),
        ("bpi2012_loans/cases.csv", ","),
        ("maven_crm/sales_pipeline.csv", ","),
    ],
)
def test_columns_of_real_files_can_be_read_aloud(real_data, language, file, delimiter):
    texts = load_texts(language)
    table = pyarrow.csv.read_csv(
        real_data / file, parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    )
    for name in table.column_names:
        column = table[name].slice(0, 300)
        is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        spec = FeatureSpec(name, Kind.NUMERIC if is_number else Kind.CATEGORICAL)
        values = pc.unique(column.cast(pa.float64() if is_number else pa.string())).to_pylist()
        phrase = Phrase(spec, texts, None if values[0] is None else str(values[0]))
        for value in (*values, None):
            sentence = "".join(phrase.told(value)[:2])
            assert not re.search(r"\b(nan|None|null)\b|[{}]|\s\s|\s$|\s:", sentence), sentence
            assert sentence[0].upper() == sentence[0]
            assert not re.match(r"\w+_\w+", sentence), sentence
