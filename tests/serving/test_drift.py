"""Drift is found where there is some, not where chance may be the cause, and however the rows came."""

import json
from dataclasses import replace
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws import law
from leadlift.learning.cutoff.evidence import Evidence
from leadlift.serving.drift import (
    COUNTED_ROWS,
    THINNED_BY,
    DriftCounts,
    DriftWatch,
)
from leadlift.serving.drift_bins import population_stability_index
from leadlift.serving.reference import build_reference
from leadlift.terms import FeatureSpec, Kind

SPECS = (
    FeatureSpec("income", Kind.NUMERIC),
    FeatureSpec("clicks", Kind.NUMERIC),
    FeatureSpec("source", Kind.CATEGORICAL),
)
N_TRAINED = 20_000


def leads(n_rows, seed, *, income=0.0, source=(0.6, 0.3, 0.1), missing=0.1):
    """Leads of which the income is skewed, the clicks are few and tie, and the source has three levels."""
    rng = np.random.default_rng(seed)
    columns = {
        "income": rng.lognormal(income, 1, n_rows),
        "clicks": rng.poisson(0.7, n_rows).astype(float),
        "source": rng.choice(["web", "fair", "radio"], n_rows, p=source),
    }
    is_missing = rng.random(n_rows) < missing
    return pa.table({name: pa.array(values, mask=is_missing) for name, values in columns.items()})


def scores(n_rows, seed):
    return np.random.default_rng(seed).beta(2, 5, n_rows)


@pytest.fixture(scope="module")
def reference():
    score = scores(5_000, 0)
    evidence = Evidence(score, score, score > 0.5)
    return build_reference(0.3, evidence, SPECS, leads(N_TRAINED, 0), np.ones(N_TRAINED, dtype=bool))


@pytest.fixture(scope="module")
def watch(reference):
    return DriftWatch(reference, SPECS)


def counted(watch, table, score, first_row=1):
    return watch.count(table, score, np.arange(first_row, first_row + len(table)))


def flagged(watch, table, score):
    return {flag.column: flag for flag in watch.flags(counted(watch, table, score))}


@pytest.mark.parametrize("n_rows", [1, 10, 50, 500, 5_000])
def test_leads_like_those_of_training_are_not_flagged_however_few(watch, n_rows):
    for seed in range(1, 21):
        assert not flagged(watch, leads(n_rows, seed), scores(n_rows, seed))


def test_a_shift_of_a_number_of_a_level_and_of_the_score_is_flagged_and_no_other_column(watch):
    moved = flagged(watch, leads(3_000, 1, income=0.8), scores(3_000, 1))
    assert {name: flag.level for name, flag in moved.items()} == {"income": "major"}
    moved = flagged(watch, leads(3_000, 1, source=(0.4, 0.4, 0.2)), scores(3_000, 1))
    assert {name: flag.level for name, flag in moved.items()} == {"source": "moderate"}
    assert list(flagged(watch, leads(3_000, 1), scores(3_000, 1) ** 2)) == ["score"]


def test_the_index_is_that_of_the_definition_by_hand():
    by_hand = -0.1 * np.log(5 / 6) + 0.1 * np.log(5 / 4)
    assert population_stability_index(np.array([0.5, 0.5]), np.array([0.6, 0.4])) == pytest.approx(by_hand)


def test_a_flag_tells_the_index_of_the_shares(watch):
    table = leads(20_000, 1).set_column(2, "source", pa.array(["web", "fair"] * 10_000))
    flag = flagged(watch, table, scores(20_000, 1))["source"]
    # Half a row in a bin without any: radio and missing.
    now, then = [0.5, 0.5, 0.5 / 20_000, 0.5 / 20_000], [0.54, 0.27, 0.09, 0.1]
    assert flag.psi == pytest.approx(population_stability_index(np.array(now), np.array(then)), rel=0.03)


def test_levels_of_which_the_model_knows_nothing_are_flagged_with_their_share(watch):
    table = leads(2_000, 1, missing=0.0)
    new = pa.array(["podcast"] * 100 + table["source"].to_pylist()[100:])
    flag = flagged(watch, table.set_column(2, "source", new), scores(2_000, 1))["source"]
    assert flag.uncommon_share == pytest.approx(0.05)
    assert flag.uncommon_share_at_training == pytest.approx(0, abs=1e-12)
    assert flag.missing_share == 0.0
    assert flag.missing_share_at_training == pytest.approx(0.1, abs=0.01)


def test_a_column_that_comes_empty_is_major(watch):
    empty = leads(500, 1).set_column(0, "income", pa.nulls(500, pa.float64()))
    flag = flagged(watch, empty, scores(500, 1))["income"]
    assert (flag.level, flag.missing_share) == ("major", 1.0)


def test_no_lead_is_no_drift(watch):
    assert watch.flags(DriftCounts()) == []
    assert watch.flags(counted(watch, leads(0, 1), np.empty(0))) == []


def test_dictionaries_count_as_the_text_they_stand_for(watch):
    table, score = leads(1_000, 3), scores(1_000, 3)
    encoded = table.set_column(2, "source", table["source"].dictionary_encode())
    assert counted(watch, encoded, score) == counted(watch, table, score)


@pytest.fixture(scope="module")
def long_job(watch):
    """Leads of a job of which the second half is thinned, their scores and their counts."""
    n_rows = 2 * COUNTED_ROWS
    table, score = leads(n_rows, 4), scores(n_rows, 4)
    return table, score, counted(watch, table, score)


@settings(law, max_examples=10)
@given(st.lists(st.integers(1, 2 * COUNTED_ROWS - 1), max_size=4, unique=True), st.randoms())
def test_counts_do_not_depend_on_how_the_rows_came(watch, long_job, cuts, random):
    table, score, whole = long_job
    pieces = [
        counted(watch, table.slice(start, stop - start), score[start:stop], start + 1)
        for start, stop in pairwise([0, *sorted(cuts), len(table)])
    ]
    random.shuffle(pieces)
    assert reduce(add, pieces, DriftCounts()) == whole


def test_counts_survive_json(watch):
    counts = counted(watch, leads(100, 5), scores(100, 5))
    assert DriftCounts.from_dict(json.loads(json.dumps(counts.to_dict()))) == counts


def test_few_of_the_later_rows_are_counted_and_the_first_weigh_no_more(watch):
    first, later = leads(COUNTED_ROWS, 6), leads(15 * COUNTED_ROWS, 7, income=0.8)
    table, score = pa.concat_tables([first, later]), scores(16 * COUNTED_ROWS, 6)
    counts = counted(watch, table, score)
    assert counts.counted[1] == pytest.approx(15 * COUNTED_ROWS / THINNED_BY, rel=0.001)
    whole = flagged(watch, leads(15 * COUNTED_ROWS, 7, income=0.8), score[: 15 * COUNTED_ROWS])
    mixed = {flag.column: flag for flag in watch.flags(counts)}
    assert mixed["income"].psi == pytest.approx(whole["income"].psi, rel=0.15)


@pytest.mark.parametrize("period", [2, 16, 32, 100])
def test_rows_of_a_period_are_not_passed_over(watch, period):
    n_rows = 4 * COUNTED_ROWS
    income = np.where(np.arange(n_rows) % period == 0, 1.0, -1.0)
    table = leads(n_rows, 8).set_column(0, "income", pa.array(income))
    late = counted(watch, table, scores(n_rows, 8)).bins["income"][1]
    share = 1 - late[0] / sum(late)
    assert share == pytest.approx(1 / period, rel=0.02)


def test_a_reference_that_has_not_counted_goes_by_its_quantiles(reference):
    uncounted = dict(reference.columns["income"])
    del uncounted["bin_shares"], uncounted["n_rows"]
    watch = DriftWatch(replace(reference, columns={"income": uncounted}), SPECS[:1])
    assert not flagged(watch, leads(3_000, 1), scores(3_000, 1))
    assert flagged(watch, leads(3_000, 1, income=0.8), scores(3_000, 1))["income"].level == "major"


def test_a_flag_is_a_line_of_json(watch):
    (flag,) = watch.flags(counted(watch, leads(3_000, 1, income=0.8), scores(3_000, 1)))
    told = json.loads(json.dumps(flag.to_dict()))
    assert told["column"] == "income"
    assert told["level"] == "major"
    assert told["psi"] == round(flag.psi, 4)
