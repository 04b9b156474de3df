"""Terms that tell leads apart: the published formula by hand, planted terms found, else none."""

import math

import numpy as np
import pyarrow as pa
import pytest

import leadlift as ll
from leadlift.insight.voice_of_lost.distinguishing_terms import log_odds_with_prior


def row_of(table, term):
    return next(row for row in table.to_pylist() if row["term"] == term)


def test_log_odds_are_those_of_the_published_formula_by_hand():
    # Three terms, equations 15 to 22 of Monroe, Colaresi and Quinn 2008 written out.
    uses, others, weight = [8, 2, 10], [1, 9, 10], 10.0
    n, n_others = 20, 20
    expected = []
    for y, y_others in zip(uses, others, strict=True):
        alpha = weight * (y + y_others) / 40
        delta = math.log((y + alpha) / (n + weight - y - alpha))
        delta -= math.log((y_others + alpha) / (n_others + weight - y_others - alpha))
        variance = 1 / (y + alpha) + 1 / (y_others + alpha)
        expected.append([delta, delta / math.sqrt(variance)])
    found = np.transpose(log_odds_with_prior(uses, others, weight))
    assert found == pytest.approx(np.array(expected))


def test_terms_of_a_small_corpus_are_counted_by_lead_by_eye():
    lost = ["price price high", "the price is high", "no budget"]
    won = ["great demo", "great price"]
    table = ll.distinguishing_terms(lost + won, [True] * 3 + [False] * 2, least_leads=1)
    price, no_budget = row_of(table, "price"), row_of(table, "no budget")
    assert (price["n"], price["n_others"]) == (2, 1)
    assert (price["share"], price["share_others"]) == (pytest.approx(2 / 3), 0.5)
    assert (no_budget["n"], no_budget["n_others"]) == (1, 0)
    terms = table["term"].to_pylist()
    assert "the" not in terms
    assert "great" in terms
    assert table["z"].to_pylist() == sorted(table["z"].to_pylist(), reverse=True)


def test_a_term_of_few_leads_and_personal_data_are_never_shown():
    texts = ["Ann Lee said no"] * 4 + [
        f"write to lead{i}@example.com or call 0171 123456{i}" for i in range(40)
    ]
    shown = " ".join(ll.distinguishing_terms(texts, [True] * 44, least_leads=30)["term"].to_pylist())
    assert shown
    assert not {"ann", "lee", "example", "com", "mail", "phone"} & set(shown.split())


def test_a_planted_term_is_found_and_the_others_are_not():
    rng = np.random.default_rng(0)
    words = np.array(["alpha", "beta", "gamma", "delta", "omega", "kappa", "sigma", "theta"])
    lost = rng.random(2000) < 0.5
    texts = [
        " ".join(rng.choice(words, 4)) + (" expensive" if rng.random() < (0.3 if is_lost else 0.1) else "")
        for is_lost in lost
    ]
    table = ll.distinguishing_terms(texts, lost)
    assert table["term"].to_pylist()[0] == "expensive"
    assert row_of(table, "expensive")["differs"]
    single = [row["term"] for row in table.to_pylist() if row["differs"] and " " not in row["term"]]
    assert single == ["expensive"]


def test_groups_that_write_alike_are_rarely_told_apart():
    words = np.array([f"w{chr(97 + i)}{chr(97 + j)}" for i in range(6) for j in range(6)])
    claims = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        texts = [" ".join(rng.choice(words, 5)) for _ in range(600)]
        claims += any(ll.distinguishing_terms(texts, rng.random(600) < 0.3)["differs"].to_pylist())
    # At most 5 % of the runs; 4 or more of 20 has a probability below 0.02 at that rate.
    assert claims <= 3


def test_groups_swapped_turn_the_sign():
    texts = ["too expensive"] * 40 + ["nice demo"] * 60
    lost = np.arange(100) < 40
    one, other = ll.distinguishing_terms(texts, lost), ll.distinguishing_terms(texts, ~lost)
    assert row_of(one, "expensive")["z"] == pytest.approx(-row_of(other, "expensive")["z"])


def test_the_order_of_the_rows_and_the_sample_do_not_depend_on_each_other():
    rng = np.random.default_rng(1)
    texts = np.array(
        [f"{a} {b} {c}" for a, b, c in rng.choice(["one", "two", "three", "four", "five"], (300, 3))]
    )
    lost, order = rng.random(300) < 0.4, rng.permutation(300)
    for max_texts in (20, 10_000):
        settings = {"least_leads": 5, "max_texts": max_texts}
        assert ll.distinguishing_terms(texts, lost, **settings) == ll.distinguishing_terms(
            texts[order], lost[order], **settings
        )


@pytest.mark.parametrize("texts", [[None] * 50, [""] * 50, ["123 456 !!"] * 50, ["\x00\x01"] * 50])
def test_texts_without_words_have_no_terms(texts):
    assert ll.distinguishing_terms(texts, [True] * 50).num_rows == 0


def test_one_group_only_has_terms_that_do_not_differ_from_nothing():
    table = ll.distinguishing_terms(["too expensive"] * 50, [True] * 50)
    assert table["share_others"].null_count == table.num_rows
    assert not any(table["differs"].to_pylist())


def test_hostile_and_foreign_texts_are_read():
    texts = ["<script>alert(1)</script> =cmd|' /C calc'!A0 \u202egnp"] * 40 + [
        "\u4ef7\u683c\u592a\u9ad8 Zu teuer"
    ] * 40
    table = ll.distinguishing_terms(pa.array(texts), np.arange(80) >= 40, language="de")
    assert "teuer" in table["term"].to_pylist()


def test_impossible_settings_are_refused():
    with pytest.raises(ll.InputError, match="prior_weight must be above 0, got 0"):
        ll.distinguishing_terms(["a"], [True], prior_weight=0)
    with pytest.raises(ll.InputError, match="one outcome for each of 1 leads"):
        ll.distinguishing_terms(["a"], [True, False])
