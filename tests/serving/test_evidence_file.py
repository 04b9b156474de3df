"""Evidence as text gives back the very bits, says nothing of a person, and is small enough to ship."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contracts.policy_contract import simulate
from laws import law
from leadlift.learning.cutoff import Capacity, Evidence, PrecisionGuarantee
from leadlift.serving.evidence_file import FACTS_FILE, ROWS_FILE, evidence_files, read_evidence

STORED = ("score", "log_odds", "won", "as_of", "source", "share_of_arrivals")
N = 8


def same_bits(first, second):
    for name in STORED:
        before, after = getattr(first, name), getattr(second, name)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype, name
            assert before.tobytes() == after.tobytes(), name
        else:
            assert before == after, name


@law
@given(
    score=arrays(np.float64, N, elements=st.floats(0, 1)),
    log_odds=arrays(np.float64, N, elements=st.floats(allow_nan=False)),
    won=arrays(np.bool_, N),
)
def test_read_again_every_bit_is_there(score, log_odds, won):
    evidence = Evidence(score, log_odds, won)
    same_bits(evidence, read_evidence(evidence_files(evidence)))


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us", "ns"])
def test_moments_keep_their_unit(unit):
    evidence = simulate(50)
    evidence = replace(
        evidence, as_of=(evidence.as_of + np.timedelta64(7, "s")).astype(f"datetime64[{unit}]")
    )
    same_bits(evidence, read_evidence(evidence_files(evidence)))


@pytest.mark.parametrize("numbers", [np.arange(50), np.arange(50) / 7])
def test_moments_may_be_numbers_in_time_order(numbers):
    evidence = replace(simulate(50), as_of=numbers)
    same_bits(evidence, read_evidence(evidence_files(evidence)))


def test_the_same_cutoffs_come_of_it():
    evidence = replace(simulate(), share_of_arrivals=2 / 3, source="decide slice")
    again = read_evidence(evidence_files(evidence))
    for policy in (PrecisionGuarantee(0.35), Capacity(20)):
        assert policy.choose(again) == policy.choose(evidence)


def test_no_column_but_the_four_is_written():
    header = evidence_files(simulate())[ROWS_FILE].split("\n")[0]
    assert header == '"score","log_odds","won","as_of"'
    assert {field.name for field in fields(Evidence)} >= set(STORED)


def test_of_many_leads_a_sample_is_kept_that_speaks_of_as_many_weeks():
    evidence = simulate(20_000)
    kept = read_evidence(evidence_files(evidence, max_rows=5_000))
    assert len(kept.score) == 5_000
    assert kept.n_weeks == pytest.approx(evidence.n_weeks / 4, rel=0.02)  # its first or last day may be lost
    before, after = Capacity(30).choose(evidence), Capacity(30).choose(kept)
    # Three standard errors of the share of a sample of 5,000.
    assert after.share == pytest.approx(before.share, abs=3 * np.sqrt(0.015 * 0.985 / 5_000))
    again = evidence_files(kept, max_rows=5_000)
    assert again == evidence_files(evidence, max_rows=5_000)


def test_without_files_there_is_none():
    assert read_evidence({}) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (ROWS_FILE, "score,log_odds,won\n1.5,0,1\n"),
        (ROWS_FILE, "score,log_odds,won\n0.5,0,2\n"),
        (ROWS_FILE, "score,log_odds,won\nhigh,0,1\n"),
        (ROWS_FILE, "score,log_odds\n0.5,0\n"),
        (ROWS_FILE, ""),
        (FACTS_FILE, json.dumps({"source": "x", "share_of_arrivals": 1, "as_of_type": "O"})),
        (FACTS_FILE, "{}"),
    ],
)
def test_something_else_in_its_place_is_noticed(name, text):
    with pytest.raises((ValueError, KeyError), match=r"\S"):
        read_evidence(evidence_files(simulate(20)) | {name: text})
