"""The leakage gate on tables whose leaks are planted."""

import tomllib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from leadlift.exceptions import ImmatureLabelsError, LeakageError, SchemaError
from leadlift.learning.leakage import LeakageGate
from leadlift.terms import Severity

N_LEADS = 1_500


def honest_leads(seed=0, n=N_LEADS):
    """Five honest columns of which one is strong (AUC about 0.78), and a label with a base rate of 25 %."""
    rng = np.random.default_rng(seed)
    won = (rng.random(n) < 0.25).astype(int)
    table = {
        "minutes_on_site": rng.gamma(2.0 + 2.2 * won, 3.0),
        "visits": rng.poisson(3 + won).astype(float),
        "employees": np.where(rng.random(n) < 0.2, np.nan, rng.lognormal(3 + 0.3 * won)),
        "source": np.where(rng.random(n) < 0.3 + 0.2 * won, "referral", "search"),
        "region": rng.choice(["north", "south", "east"], n),
    }
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in table.items()}), won


def with_column(table, name, values):
    return table.append_column(name, pa.array(values, from_pandas=True))


def suspects(report):
    return [suspect.column for suspect in report.suspects]


def test_an_honest_table_passes_although_one_column_is_strong():
    table, won = honest_leads()
    report = LeakageGate().examine(table, won)
    assert report.suspects == ()
    assert report.worth_with == report.worth_without
    report.raise_if_blocked()


def test_a_column_written_for_winners_only_is_caught_whatever_its_name():
    table, won = honest_leads()
    rng = np.random.default_rng(1)
    written = (won == 1) & (rng.random(N_LEADS) < 0.2)
    table = with_column(table, "f17", np.where(written, rng.lognormal(8, 1, N_LEADS), np.nan))
    report = LeakageGate().examine(table, won)
    assert suspects(report) == ["f17"]
    assert any("for won leads only" in sentence for sentence in report.suspects[0].evidence)


def test_a_text_written_for_most_losers_only_is_caught_whatever_its_name():
    table, won = honest_leads()
    notes = np.random.default_rng(1).choice(["too dear", "no answer", None], N_LEADS)
    table = with_column(table, "f17", np.where(won == 0, notes, None).tolist())
    assert suspects(LeakageGate().examine(table, won)) == ["f17"]


def test_a_zero_for_every_loser_counts_as_nothing_written():
    table, won = honest_leads()
    written = (won == 1) & (np.random.default_rng(1).random(N_LEADS) < 0.3)
    report = LeakageGate().examine(with_column(table, "f17", np.where(written, 900.0, 0.0)), won)
    assert any("for won leads only: 3" in sentence for sentence in report.suspects[0].evidence)


def test_a_strong_name_blocks_only_together_with_an_association():
    table, won = honest_leads()
    rng = np.random.default_rng(1)
    says_little = np.where(rng.random(N_LEADS) < 0.35 + 0.3 * won, "hot", "cold")
    says_nothing = rng.choice(["hot", "cold"], N_LEADS)
    caught = LeakageGate().examine(with_column(table, "Lead Quality", says_little), won)
    spared = LeakageGate().examine(with_column(table, "Lead Quality", says_nothing), won)
    assert suspects(caught) == ["Lead Quality"]
    assert suspects(spared) == []
    assert spared.named_only == ("Lead Quality",)
    assert [(f.code, f.severity) for f in spared.findings] == [("LL122", Severity.WARNING)]


def test_a_weak_name_with_a_weak_association_passes():
    table, won = honest_leads()
    seconds = np.random.default_rng(1).gamma(2 + 0.5 * won, 60)
    report = LeakageGate().examine(with_column(table, "duration", seconds), won)
    assert (report.suspects, report.named_only) == ((), ())


def test_a_nameless_column_that_holds_most_of_what_the_table_knows_is_caught():
    rng = np.random.default_rng(0)
    won = (rng.random(4_000) < 0.2).astype(int)
    table = pa.table({f"f{i}": rng.normal(0.3 * won) for i in range(6)} | {"f6": rng.normal(1.7 * won)})
    report = LeakageGate().examine(table, won)
    assert suspects(report) == ["f6"]
    assert 0.85 < report.suspects[0].single_auc < 0.90
    assert report.suspects[0].auc_with > report.suspects[0].auc_without + 0.15
    assert report.suspects[0].lift_with > report.suspects[0].lift_without + 1


def test_twin_leaks_do_not_hide_each_other():
    rng = np.random.default_rng(0)
    won = (rng.random(4_000) < 0.2).astype(int)
    signal = rng.normal(1.7 * won)
    table = pa.table({f"f{i}": rng.normal(0.3 * won) for i in range(4)} | {"f4": signal, "f5": 2 * signal})
    assert sorted(suspects(LeakageGate().examine(table, won))) == ["f4", "f5"]


def test_ids_and_free_text_are_no_suspects():
    table, won = honest_leads()
    table = with_column(table, "note", [f"lead number {i}" for i in range(N_LEADS)])
    table = with_column(table, "reference", [f"R{i % 700}" for i in range(N_LEADS)])
    assert suspects(LeakageGate().examine(table, won)) == []


@pytest.mark.slow
def test_forty_columns_of_noise_on_two_hundred_leads_raise_no_alarm():
    alarms = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        won = rng.permutation(np.arange(200) < 30).astype(int)
        numbers = {f"number_{i}": rng.normal(size=200) for i in range(25)}
        texts = {f"text_{i}": rng.integers(0, 2 + i, 200).astype(str) for i in range(15)}
        alarms += bool(LeakageGate().examine(pa.table(numbers | texts), won).suspects)
    assert alarms <= 1  # 95 % of 20


def test_a_confirmed_column_is_reported_and_stays_in_the_table():
    table, won = honest_leads()
    table = with_column(table, "deal value", np.where(won == 1, 900.0, np.nan))
    report = LeakageGate().examine(table, won, confirmed=["deal value"])
    report.raise_if_blocked()
    assert [(f.code, f.severity) for f in report.findings] == [("LL121", Severity.INFO)]
    assert report.worth_without.auc == 1.0
    assert report.confirmed[0].auc_with == 1.0
    assert report.confirmed[0].auc_without < 0.9


def test_a_confirmed_column_may_be_clean():
    table, won = honest_leads()
    assert LeakageGate().examine(table, won, confirmed=["visits"]).findings == ()


def test_the_error_names_evidence_and_price_and_ends_with_two_lines_of_toml():
    table, won = honest_leads()
    table = with_column(table, 'the "verdict"', np.where(won == 1, "yes", "no"))
    table = with_column(table, "Lost Reason", np.where(won == 1, None, "price").tolist())
    report = LeakageGate().examine(table, won)
    with pytest.raises(LeakageError, match="2 columns look written after the outcome") as caught:
        report.raise_if_blocked()
    message = str(caught.value)
    for suspect in report.suspects:
        assert suspect.price in message
        assert all(sentence in message for sentence in suspect.evidence)
    ignore, known = message.splitlines()[-2:]
    assert sorted(tomllib.loads(ignore)["ignore"]) == ["Lost Reason", 'the "verdict"']
    assert tomllib.loads(known)["known_at_creation"] == tomllib.loads(ignore)["ignore"]
    assert [f.code for f in caught.value.findings] == ["LL120", "LL120"]
    assert {f.severity for f in caught.value.findings} == {Severity.FATAL}


def test_the_order_of_rows_changes_nothing():
    table, won = honest_leads()
    leads = np.arange(N_LEADS) // 2
    table = with_column(table, "tags", np.where(won == 1, "ready", "ringing"))
    order = np.random.default_rng(3).permutation(N_LEADS)
    gate = LeakageGate(random_state=5)
    assert gate.examine(table.take(order), won[order]) == gate.examine(table, won)
    grouped = gate.examine(table, won, groups=leads)
    assert gate.examine(table.take(order), won[order], groups=leads[order]) == grouped


def test_a_text_of_the_lead_is_no_leak_where_a_lead_has_several_rows():
    leads = np.repeat(np.arange(150), 10)
    won = (leads % 3 == 0).astype(int)
    table = pa.table({"town": [f"town {lead}" for lead in leads], "visits": np.ones(len(leads))})
    gate = LeakageGate()
    assert suspects(gate.examine(table, won, groups=[f"L{lead}" for lead in leads])) == []
    assert suspects(gate.examine(table, won)) == ["town"]


def test_prices_are_learnt_on_a_sample_of_a_long_table():
    table, won = honest_leads(n=6_000)
    table = with_column(table, "tags", np.where(won == 1, "ready", "ringing"))
    report = LeakageGate(max_rows=1_000).examine(table, won)
    assert suspects(report) == ["tags"]
    assert (report.n_rows, report.worth_with.auc) == (6_000, 1.0)


def test_a_date_with_the_name_of_an_ending_is_caught():
    table, won = honest_leads()
    days = np.random.default_rng(0).integers(0, 300, N_LEADS).astype("timedelta64[D]")
    report = LeakageGate().examine(table, won, dates={"close_date": np.datetime64("2024-01-01") + days})
    assert suspects(report) == ["close_date"]


def test_a_date_later_than_creation_is_evidence_and_an_earlier_one_is_none():
    table, won = honest_leads()
    rng = np.random.default_rng(0)
    created_at = np.datetime64("2024-01-01T09:30", "us") + rng.integers(0, 300, N_LEADS) * np.timedelta64(
        1, "D"
    )
    later = created_at + np.where(won == 1, 20, rng.integers(2, 40, N_LEADS)) * np.timedelta64(1, "D")
    earlier = created_at - rng.integers(0, 40, N_LEADS) * np.timedelta64(1, "D")
    dates = {"touched": later, "first_seen": earlier, "same_day": created_at + np.timedelta64(5, "h")}
    report = LeakageGate().examine(table, won, dates=dates, created_at=created_at)
    assert suspects(report) == ["touched"]
    assert "100% of the leads are dated after their creation" in report.suspects[0].evidence


def test_a_clean_date_takes_no_part_in_the_prices():
    table, won = honest_leads()
    day = np.datetime64("2024-01-01", "us") + np.arange(N_LEADS) * np.timedelta64(1, "h")
    assert LeakageGate().examine(table, won, dates={"first_seen": day}).worth_with.auc == pytest.approx(
        LeakageGate().examine(table, won).worth_with.auc,
        abs=0.03,  # other folds are dealt, the columns are the same
    )


def test_a_column_without_any_value_is_no_suspect():
    table, won = honest_leads()
    table = with_column(table, "fax", np.full(N_LEADS, np.nan))
    table = table.append_column("telex", pa.nulls(N_LEADS, pa.string()))
    assert LeakageGate().examine(table, won).suspects == ()


def test_a_table_without_columns_has_no_suspects():
    _, won = honest_leads()
    day = np.full(N_LEADS, np.datetime64("2024-01-01", "us"))
    assert LeakageGate().examine(pa.table({}), won).findings == ()
    assert LeakageGate().examine(pa.table({}), won, dates={"day": day}).findings == ()


def test_labels_other_than_0_and_1_are_refused():
    table, won = honest_leads()
    with pytest.raises(SchemaError, match="labels must be 0 or 1; 1 are not: '7'"):
        LeakageGate().examine(table, np.append(won[:-1], 7))


def test_labels_of_another_length_are_refused():
    table, won = honest_leads()
    with pytest.raises(SchemaError, match=r"each of 1500 rows, got an array of shape \(1499,\)"):
        LeakageGate().examine(table, won[1:])
    with pytest.raises(SchemaError, match="expected one group for each of 1500 rows"):
        LeakageGate().examine(table, won, groups=won[1:])


def test_columns_of_another_type_are_refused():
    table, won = honest_leads()
    table = table.append_column("seen", pc.greater(table["visits"], 3))
    with pytest.raises(SchemaError, match="must be numbers or text; 1 are not: 'seen'"):
        LeakageGate().examine(table, won)


def test_too_few_leads_of_a_class_are_refused():
    table, _ = honest_leads()
    with pytest.raises(ImmatureLabelsError, match="9 won and 1491 lost leads; at least 10"):
        LeakageGate().examine(table, (np.arange(N_LEADS) < 9).astype(int))


def test_a_weak_name_near_blocking_is_a_warning_and_the_column_stays():
    rng = np.random.default_rng(3)
    won = rng.integers(0, 2, 2000)
    leads = pa.table(
        {
            "last activity": np.where(rng.random(2000) < 0.72, won, 1 - won).astype(float),
            "visits": rng.poisson(3 + won).astype(float),
        }
    )
    report = LeakageGate().examine(leads, won)
    assert not report.suspects
    assert [suspect.column for suspect in report.doubtful] == ["last activity"]
    (finding,) = [finding for finding in report.findings if finding.code == "LL123"]
    assert "it stays an input" in finding.remedy
    assert report.doubtful[0].auc_with > report.doubtful[0].auc_without
