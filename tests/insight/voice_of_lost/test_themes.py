"""Themes: planted ones are found, small data say so, segments are compared."""

import numpy as np
import pyarrow as pa
import pytest

import leadlift as ll

TOPICS = (
    ("price", "expensive", "discount"),
    ("integration", "interface", "missing"),
    ("call", "answer", "late"),
)


@pytest.fixture(scope="module")
def notes():
    """900 notes, each of three words out of one topic and one word that means nothing."""
    rng = np.random.default_rng(0)
    topic = rng.integers(0, 3, 900)
    noise = rng.choice(["monday", "tuesday", "friday", "sunday"], 900)
    texts = [
        " ".join([*rng.permutation(TOPICS[of])[:2], word]) for of, word in zip(topic, noise, strict=True)
    ]
    return np.array(texts), topic


def test_planted_themes_are_found_with_their_words_and_sizes(notes):
    texts, topic = notes
    table = ll.themes(texts, n_themes=3).table
    found = [set(name.split(", ")[:3]) for name in table["theme"].to_pylist()]
    for number, words in enumerate(TOPICS):
        place = found.index(set(words))
        assert table["n"].to_pylist()[place] == np.sum(topic == number)
    assert sum(table["n"].to_pylist()) == 900


def test_a_segment_with_a_theme_of_its_own_is_found(notes):
    texts, topic = notes
    rng = np.random.default_rng(1)
    region = np.where((topic == 0) & (rng.random(900) < 0.5), "north", rng.choice(["south", "west"], 900))
    first = ll.themes(texts, segments=pa.table({"region": region}), n_themes=3).by_segment.to_pylist()[0]
    assert (first["segment"], first["differs"]) == ("north", True)


def test_the_order_of_the_rows_does_not_matter(notes):
    texts, _ = notes
    order = np.random.default_rng(2).permutation(900)
    assert ll.themes(texts, n_themes=3).table == ll.themes(texts[order], n_themes=3).table


@pytest.mark.parametrize("texts", [["too dear", "no fit"] * 20, [None] * 500, ["!!! 12"] * 500])
def test_too_little_text_is_said_instead_of_making_themes(texts):
    found = ll.themes(texts, segments=pa.table({"region": ["a"] * len(texts)}))
    assert (found.table.num_rows, found.by_segment.num_rows) == (0, 0)
    assert found.note.startswith("Too little text for themes")


def test_a_sample_is_said_to_be_one(notes):
    texts, _ = notes
    note = ll.themes(texts, n_themes=2, max_texts=30, least_leads=10).note
    assert note.endswith("of the 900 leads with a text were read.")
    assert not note.startswith("900")


def test_one_theme_is_none():
    with pytest.raises(ll.InputError, match="n_themes must be at least 2, got 1"):
        ll.themes(["a"], n_themes=1)
