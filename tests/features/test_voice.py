"""Texts of acts by eye; columns of free text: topics, what is stored of them, and what is not."""

import json
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acts_by_eye import acts_of, features_of, law_of_acts, observed
from leadlift.exceptions import ConfigError
from leadlift.features.builder import FeatureBuilder
from leadlift.features.facts import Facts, Survey
from leadlift.features.topics import MAX_TERMS, MAX_TOPICS, TextTopics
from leadlift.features.voice import Voice
from leadlift.terms import Family


def voice(observations, acts, leads=None, **settings):
    return features_of(FeatureBuilder(groups=["voice"], **settings), observations, acts, leads)


def said(text):
    return {"text": text}


ACTS = [
    ("A", 0, "mail", said("Hello, is there a price list?  Is it new?")),
    ("A", 35, "call", said("asks again ?")),
    ("A", 36, "visit"),
    ("B", 1, "visit"),
]

# Texts of acts


def test_texts_of_acts_are_counted_as_of_the_moment():
    table = voice(observed(("A", 40), ("A", 10), ("B", 40)), ACTS)
    assert table["text_acts_30d"].to_pylist() == [1, 1, 0]
    assert table["text_acts_all"].to_pylist() == [2, 1, 0]
    assert table["text_words_all"].to_pylist() == [12, 9, 0]
    assert table["text_questions_all"].to_pylist() == [3, 2, 0]
    assert table["text_words_last"].to_pylist() == [3, 9, None]
    assert table["text_days_since"].to_pylist() == [5.0, 10.0, None]


@pytest.mark.parametrize("acts", [None, [], [("A", 0, "visit")]])
def test_without_texts_there_are_no_columns(acts):
    assert voice(observed(("A", 40)), acts).num_columns == 0


@law_of_acts
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from("AB"),
            st.integers(0, 50),
            st.just("mail"),
            st.sampled_from([None, "", "one", "two words?"]).map(said),
        ),
        max_size=15,
    ),
    seed=st.integers(0, 99),
)
def test_the_order_of_the_acts_does_not_matter(acts, seed):
    observations = observed(("A", 20), ("A", 45), ("B", 40))
    shuffled = random.Random(seed).sample(acts, len(acts))  # noqa: S311
    assert voice(observations, acts).equals(voice(observations, shuffled))


# Topics of columns

PUMPS = [f"we need a pump and a {part} for the plant" for part in ("valve", "pipe", "filter")] * 4
LOANS = [f"looking for a loan to buy a {thing}" for thing in ("house", "car", "boat")] * 4


def leads_with(texts, ids=None):
    ids = [f"L{i}" for i in range(len(texts))] if ids is None else ids
    return pa.table({"lead_id": ids, "note": pa.array(texts, pa.string())})


def topics_of(texts, ids=None):
    leads = leads_with(texts, ids)
    observations = observed(*[(lead, 1) for lead in leads["lead_id"].to_pylist()])
    return voice(observations, None, leads, text=["note"])


def as_matrix(table):
    names = [name for name in table.column_names if "_topic_" in name]
    return np.column_stack([table[name].to_numpy() for name in names])


def test_texts_about_the_same_have_like_topics():
    topics = as_matrix(topics_of(PUMPS + LOANS))
    topics /= np.linalg.norm(topics, axis=1, keepdims=True)
    alike = topics @ topics.T
    within, across = min(alike[:12, :12].min(), alike[12:, 12:].min()), alike[:12, 12:].max()
    assert across < within


def test_a_lead_without_text_has_neither_words_nor_topics():
    [*_, blank, missing] = topics_of([*PUMPS, " ", None]).to_pylist()
    assert set(blank.values()) == set(missing.values()) == {None}


def test_a_text_without_a_known_term_has_topics_of_zero():
    [*_, row] = topics_of([*PUMPS, "Xylophon 4711"]).to_pylist()
    assert row.pop("note_words") == 2
    assert set(row.values()) == {0.0}


def test_words_are_counted_where_no_term_is_common_enough():
    table = topics_of(["one text", "another one here", None])
    assert table.column_names == ["note_words"]
    assert table["note_words"].to_pylist() == [2, 3, None]


def test_a_column_without_any_text_has_no_columns():
    assert topics_of([None, "  "]).num_columns == 0


def test_topics_are_at_most_eight_and_terms_at_most_two_thousand():
    rng = np.random.default_rng(1)
    words = ["".join(chr(97 + int(c)) for c in f"{i:04d}") for i in range(900)]
    texts = [" ".join(words[i] for i in rng.integers(0, 900, 40)) for _ in range(400)]
    texts += [" ".join(words)] * 5
    topics = TextTopics.learn(texts)
    assert topics.n_topics == MAX_TOPICS
    assert 900 <= len(topics.terms) <= MAX_TERMS


def test_equal_texts_have_one_topic():
    topics = TextTopics.learn(["send the price list"] * 6)
    assert topics.n_topics == 1
    assert topics.of(["send the price list"]) == pytest.approx(1.0, abs=1e-5)


def test_topics_are_products_of_tfidf_with_the_singular_vectors():
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = sorted(PUMPS + LOANS)
    words_of_letters = r"\b[^\W\d_]{2,}\b"
    weights = TfidfVectorizer(
        ngram_range=(1, 2), min_df=5, sublinear_tf=True, token_pattern=words_of_letters
    ).fit_transform(texts)
    expected = TruncatedSVD(2, algorithm="arpack", random_state=0).fit_transform(weights)
    # Loadings are kept with six decimals, and the sign of a topic is a convention.
    assert np.abs(TextTopics.learn(texts).of(texts)[:, :2]) == pytest.approx(np.abs(expected), abs=1e-5)


def test_a_topics_greatest_loading_is_positive():
    loadings = np.array(TextTopics.learn(PUMPS + LOANS).to_dict()["loadings"])
    assert (loadings[np.arange(len(loadings)), np.abs(loadings).argmax(axis=1)] > 0).all()


def test_the_order_of_the_leads_does_not_matter():
    texts = PUMPS + LOANS
    shuffled = random.Random(3).sample(texts, len(texts))  # noqa: S311
    assert TextTopics.learn(texts).to_dict() == TextTopics.learn(shuffled).to_dict()


def test_topics_of_one_lead_are_those_it_has_among_all():
    topics = TextTopics.learn(PUMPS + LOANS)
    together = topics.of(PUMPS + LOANS)
    alone = [topics.of([text])[0] for text in PUMPS + LOANS]
    assert np.array_equal(together, alone)


def test_topics_from_json_are_the_same_bit_for_bit():
    topics = TextTopics.learn(PUMPS + LOANS)
    again = TextTopics.from_dict(json.loads(json.dumps(topics.to_dict())))
    assert np.array_equal(again.of(PUMPS + LOANS), topics.of(PUMPS + LOANS))


def test_a_lead_observed_many_times_is_one_text():
    once = Survey(leads=leads_with(PUMPS), as_of=np.zeros(12, "M8[us]"), lead=np.arange(12))
    repeat = [*range(12), 0, 0, 0, 0, 0, 0]
    often = Survey(
        leads=once.leads.take(repeat), as_of=np.zeros(18, "M8[us]"), lead=np.array(repeat, dtype=np.int64)
    )
    families = {"note": Family.OTHER}
    assert Voice(families).fit(once).to_dict() == Voice(families).fit(often).to_dict()


# What is stored


def stored(texts):
    leads = leads_with(texts)
    observations = observed(*[(f"L{i}", 1) for i in range(len(texts))])
    builder = FeatureBuilder(groups=["voice"], text=["note"])
    builder.fit(observations, leads=leads)
    return json.dumps([builder.to_dict(), [spec.description for spec in builder.specs_]])


@pytest.mark.parametrize(
    "personal",
    [
        "jane.doe@example.com",
        "JANE_DOE@EXAMPLE.COM,",
        "mailto:jane.doe@example.com",
        "+49 171 5551234",
        "0171/5551234",
        "(0171)5551234",
        "DE89370400440532013000",
        "https://example.com/people/jane-doe",
        "www.jane-doe.example",
        "jane_doe",
        "@jane",
    ],
)
def test_addresses_and_numbers_are_not_stored_however_common(personal):
    text = stored([f"please call {personal} today about the pump"] * 20).casefold()
    assert "please call" in text
    for part in ("jane", "doe", "example", "5551234", "171", "de89", "370400"):
        assert part not in text


def test_a_term_of_fewer_than_five_leads_is_not_stored():
    assert "boris" not in stored([*PUMPS, *["ask boris about it"] * 4])
    assert "boris" in stored([*PUMPS, *["ask boris about it"] * 5])


def test_one_lead_cannot_make_its_own_terms_common():
    ids = ["same"] * 30
    observations = observed(*[("same", day) for day in range(30)])
    builder = FeatureBuilder(groups=["voice"], text=["note"])
    builder.fit(observations, leads=leads_with(["ask boris about it"] * 30, ids))
    assert "boris" not in json.dumps(builder.to_dict())


def test_a_text_column_that_is_no_input_is_refused():
    observations = observed(("A", 1))
    builder = FeatureBuilder(groups=["voice"], text=["remark"])
    with pytest.raises(ConfigError, match="'remark'; expected some of 'note'"):
        builder.fit(observations, leads=leads_with(["a"], ["A"]))


def test_columns_of_text_and_texts_of_acts_stand_side_by_side():
    leads = leads_with(["buy now", None], ["A", "B"])
    builder = FeatureBuilder(groups=["voice"], text=["note"])
    table = features_of(builder, observed(("A", 40), ("B", 40)), ACTS, leads)
    assert table.column_names == [spec.name for spec in builder.specs_]
    assert table.column_names[-2:] == ["text_days_since", "note_words"]


def test_a_group_makes_the_topics_of_the_rows_it_is_given():
    survey = Survey(leads=leads_with(PUMPS + LOANS), as_of=np.zeros(24, "M8[us]"))
    group = Voice({"note": Family.FIT}).fit(survey)
    some = group.columns(Facts(as_of=np.zeros(2, "M8[us]"), leads=leads_with([LOANS[0], PUMPS[0]])))
    every = group.columns(Facts(as_of=np.zeros(24, "M8[us]"), leads=survey.leads))
    assert [column.to_pylist() for column in some] == [[c[12].as_py(), c[0].as_py()] for c in every]
    assert {spec.family for spec in group.specs()} == {Family.FIT}


def test_acts_from_the_moment_on_change_nothing():
    observations = observed(("A", 35))
    assert voice(observations, ACTS).equals(voice(observations, ACTS[:1]))


def test_a_scoring_run_without_any_act_counts_none():
    observations = observed(("A", 40))
    builder = FeatureBuilder(groups=["voice"]).fit(observations, leads=observations, events=acts_of(ACTS))
    [row] = builder.transform(observations, leads=observations, events=acts_of([])).to_pylist()
    assert set(row.values()) == {0, None}
