"""The proxy scan: planted proxies are found, independent attributes are not guessed, by simulation."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

import leadlift as ll
from leadlift.insight.proxies import _Guess, _macro_auc
from leadlift.learning.metrics import auc


def inputs(rng, n, **more):
    numbers = {f"x{i}": rng.normal(size=n) for i in range(3)}
    return numbers | {"region": rng.choice(list("abcdef"), n)} | more


def test_a_planted_proxy_is_found_and_named():
    rng = np.random.default_rng(0)
    gender = rng.choice(["f", "m"], 1500)
    topic = np.where(rng.random(1500) < 0.7, np.where(gender == "f", "p", "q"), rng.choice(["p", "q"], 1500))
    scan = ll.proxy_scan(pa.table(inputs(rng, 1500, topic=topic)), pa.table({"gender": gender}))
    row, first = scan.by_attribute.to_pylist()[0], scan.by_input.to_pylist()[0]
    assert (row["can_be_guessed"], row["n_removed"], row["n"]) == (True, 1, 1500)
    # 0.85 is the share of leads whose topic is that of their gender: the AUC of a rule with two levels.
    assert row["low"] < 0.85 < row["high"]
    assert row["low_without"] < 0.5 < row["high_without"]
    assert (first["input"], first["gives_away"]) == ("topic", True)
    assert first["auc"] == pytest.approx(0.85, abs=0.02)
    assert sum(scan.by_input["gives_away"].to_pylist()) == 1


def test_an_input_that_tells_all_groups_apart_is_certain():
    rng = np.random.default_rng(9)
    gender = rng.choice(["f", "m"], 200)
    table = pa.table(inputs(rng, 200, salutation=np.where(gender == "f", "Ms", "Mr")))
    first = ll.proxy_scan(table, pa.table({"gender": gender})).by_input.to_pylist()[0]
    assert (first["input"], first["auc"], first["q_value"], first["gives_away"]) == (
        "salutation",
        1.0,
        0.0,
        True,
    )


def test_inputs_that_tell_only_together_are_found_together():
    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 2, 1500), rng.integers(0, 2, 1500)
    gender = np.where(one ^ other, "f", "m")
    table = pa.table(inputs(rng, 1500, one=one.astype(str), other=other.astype(str)))
    scan = ll.proxy_scan(table, pa.table({"gender": gender}))
    assert scan.by_attribute["auc"].to_pylist()[0] > 0.95
    assert not any(scan.by_input["gives_away"].to_pylist())


def test_an_independent_attribute_is_rarely_guessed():
    covered = claims = 0
    for seed in range(14):
        rng = np.random.default_rng(seed)
        scan = ll.proxy_scan(pa.table(inputs(rng, 300)), pa.table({"g": rng.choice(list("abc"), 300)}))
        row = scan.by_attribute.to_pylist()[0]
        covered += row["low"] <= 0.5 <= row["high"]
        claims += any(scan.by_input["gives_away"].to_pylist())
    # At most 5 % of the runs each; 4 or more of 14 has a probability below 0.005 at that rate.
    assert covered >= 11
    assert claims <= 3


def test_bands_of_a_number_are_guessed_too():
    rng = np.random.default_rng(2)
    age = rng.integers(20, 70, 1200)
    table = pa.table(inputs(rng, 1200, years_since_degree=age - 22 + rng.normal(0, 5, 1200)))
    row = ll.proxy_scan(table, pa.table({"age": age})).by_attribute.to_pylist()[0]
    assert (row["n_groups"], row["can_be_guessed"]) == (4, True)


def test_the_auc_of_two_groups_is_delongs():
    rng = np.random.default_rng(3)
    y = np.arange(400) < 120
    score = np.round(rng.normal(size=400) + y, 1)
    counts = np.column_stack([~y, y]).astype(float)
    estimate, error = _macro_auc([_Guess(counts, np.column_stack([-score, score]))])
    expected = auc(y, score)
    assert estimate == pytest.approx(roc_auc_score(y, score))
    # DeLong divides by n - 1 where this divides by n.
    assert 1.96 * error == pytest.approx(expected.high - expected.estimate, rel=0.02)


def test_ids_give_nothing_away():
    rng = np.random.default_rng(4)
    table = pa.table(inputs(rng, 600, id=[f"L{i}" for i in range(600)]))
    scan = ll.proxy_scan(table, pa.table({"g": rng.choice(["a", "b"], 600)}))
    (row,) = [row for row in scan.by_input.to_pylist() if row["input"] == "id"]
    assert (row["auc"], row["gives_away"]) == (0.5, False)


def test_the_attribute_itself_among_the_inputs_is_left_aside_and_said():
    rng = np.random.default_rng(5)
    gender = rng.choice(["f", "m"], 300)
    scan = ll.proxy_scan(pa.table(inputs(rng, 300, gender=gender)), pa.table({"gender": gender}))
    assert scan.by_attribute["is_input"].to_pylist() == [True]
    assert "gender" not in scan.by_input["input"].to_pylist()


def test_small_and_missing_groups_take_no_part():
    rng = np.random.default_rng(6)
    group = ["a"] * 100 + ["b"] * 100 + ["c"] * 3 + [None] * 50
    row = ll.proxy_scan(pa.table(inputs(rng, 253)), pa.table({"g": group})).by_attribute.to_pylist()[0]
    assert (row["n"], row["n_groups"]) == (200, 2)


@pytest.mark.parametrize("group", [["a"] * 100, [None] * 100, ["a"] * 97 + ["b"] * 3])
def test_one_group_alone_cannot_be_guessed(group):
    scan = ll.proxy_scan(pa.table(inputs(np.random.default_rng(7), 100)), pa.table({"g": group}))
    row = scan.by_attribute.to_pylist()[0]
    assert (row["auc"], row["can_be_guessed"], scan.by_input.num_rows) == (None, False, 0)


def test_the_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(8)
    table, groups = pa.table(inputs(rng, 400)), pa.table({"g": rng.choice(["a", "b"], 400)})
    order = pa.array(rng.permutation(400))
    one = ll.proxy_scan(table, groups, max_rows=200)
    other = ll.proxy_scan(table.take(order), groups.take(order), max_rows=200)
    assert one.by_attribute == other.by_attribute
    assert one.by_input == other.by_input


def test_columns_of_all_kinds_are_inputs_but_dates():
    n = 90
    table = pa.table(
        {
            "flag": [True, False, None] * 30,
            "empty": pa.nulls(n),
            "level": pa.array(["a", "b", None] * 30).dictionary_encode(),
            "at": pa.array([0] * n, pa.timestamp("us")),
        }
    )
    scan = ll.proxy_scan(table, pa.table({"g": ["x", "y", "x", "y", "y", "x"] * 15}))
    assert sorted(scan.by_input["input"].to_pylist()) == ["empty", "flag", "level"]


def test_what_cannot_be_scanned_is_refused():
    two, three = pa.table({"x": [1.0, 2.0]}), pa.table({"g": ["a", "b", "c"]})
    with pytest.raises(ll.InputError, match="the same rows, got 2 and 3"):
        ll.proxy_scan(two, three)
    with pytest.raises(ll.InputError, match="least_leads must be at least 10"):
        ll.proxy_scan(two, three.slice(1), least_leads=3)
    with pytest.raises(ll.InputError, match="no input holds numbers"):
        ll.proxy_scan(pa.table({"at": pa.array([0, 1], pa.timestamp("us"))}), three.slice(1))


@pytest.mark.real_data
def test_marital_status_of_bank_clients_can_be_guessed_from_their_age(real_data):
    import pandas as pd

    bank = pd.read_csv(real_data / "bank_marketing" / "bank-additional-full.csv", sep=";")
    scan = ll.proxy_scan(
        bank[["age", "job", "education", "month", "contact"]], bank[["marital"]], max_rows=2000
    )
    assert scan.by_attribute["can_be_guessed"].to_pylist() == [True]
    assert scan.by_input["input"].to_pylist()[0] == "age"
