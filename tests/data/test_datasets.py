"""make_leads: the truth it states, the causes it claims, the traps it sets."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest

from leadlift.data.datasets import make_leads
from leadlift.data.simulation import population
from leadlift.data.simulation.later_columns import LATER_COLUMNS
from leadlift.exceptions import ConfigError
from leadlift.terms import LEAD_ID

FIRST_LEAD = {
    LEAD_ID: "L0000001",
    "created_at": datetime(2024, 1, 7, 7, 30, 54, tzinfo=UTC),
    "outcome": "lost",
    "closed_at": datetime(2024, 1, 16, 3, 12, 32, tzinfo=UTC),
    "source": "referral",
    "country": "Sweden",
    "employees": None,
    "timeline": "Select",
    "days_since_first_touch": 5.4009,
    "minutes_on_site": 10.4,
    "pages_before_form": 5,
    "loss_note": "Budget was frozen by head office.",
}


@pytest.fixture(scope="module")
def simulated():
    return make_leads(40_000, seed=4, with_events=False)


@pytest.fixture(scope="module")
def leads(simulated):
    """The leads as a frame, with the truth beside them."""
    return simulated.leads.to_pandas().assign(
        truth=simulated.true_probability(),
        converts=simulated.converts(),
        mode=simulated.hidden["mode"].to_pandas(),
    )


# The truth


@pytest.mark.parametrize("days", [0.0, 7.0, 30.0])
def test_observed_conversion_equals_truth_in_every_decile(simulated, days):
    truth = simulated.true_probability(days)
    alive = np.flatnonzero(~np.isnan(truth))
    converts = simulated.converts(days)
    for tenth in np.array_split(alive[np.argsort(truth[alive])], 10):
        expected = truth[tenth]
        error = np.sqrt(np.sum(expected * (1 - expected)))
        # Four standard deviations of a sum of independent Bernoulli draws; the seed is fixed.
        assert abs(converts[tenth].sum() - expected.sum()) < 4 * error


def test_mean_truth_at_creation_is_the_base_rate(simulated):
    assert simulated.true_probability().mean() == pytest.approx(0.12, abs=1e-12)
    assert simulated.truth.column_names == [LEAD_ID, "true_probability"]
    assert simulated.truth[LEAD_ID].equals(simulated.leads[LEAD_ID])


def test_truth_is_missing_exactly_for_leads_that_have_ended(simulated):
    ended = simulated.process.closed_after_seconds <= 20 * 86_400
    assert np.array_equal(np.isnan(simulated.true_probability(20.0)), ended)
    assert not simulated.converts(20.0)[ended].any()


def test_moments_may_differ_by_lead(simulated):
    n = simulated.leads.num_rows
    days = np.where(np.arange(n) % 2 == 0, 0.0, 9.0)
    expected = np.where(days == 0.0, simulated.true_probability(0.0), simulated.true_probability(9.0))
    assert np.array_equal(simulated.true_probability(days), expected, equal_nan=True)


@pytest.mark.parametrize("days", [-1.0, float("nan")])
def test_moments_before_creation_are_refused(simulated, days):
    with pytest.raises(ConfigError, match="days_after_creation must be numbers >= 0; got 1 others"):
        simulated.true_probability(days)


def test_outcome_in_the_table_is_the_one_known_at_the_extract(simulated, leads):
    closed = leads["closed_at"].notna()
    assert np.array_equal(closed, leads["outcome"] != "open")
    assert (leads.loc[closed, "closed_at"] <= simulated.known_until).all()
    assert (leads.loc[closed, "closed_at"] > leads.loc[closed, "created_at"]).all()
    waited = (leads["closed_at"] - leads["created_at"]).dt.total_seconds() / 86_400
    mature = leads["created_at"] + timedelta(days=60) <= simulated.known_until
    won_in_time = (leads["outcome"] == "won") & (waited <= 60)
    assert np.array_equal(won_in_time[mature], leads.loc[mature, "converts"])


def test_open_leads_arise_by_themselves_and_are_mostly_young(simulated, leads):
    is_open = leads["outcome"] == "open"
    assert 0.01 < is_open.mean() < 0.1
    age_days = (simulated.known_until - leads.loc[is_open, "created_at"]).dt.days
    assert age_days.median() < 30
    assert age_days.max() > 60


# The causes


def test_pricing_as_the_first_touch_means_less_than_the_same_acts_in_another_order(leads):
    same = ["pages_before_form", "pricing_views_before_form", "case_study_views_before_form"]
    chosen = leads[(leads["pricing_views_before_form"] == 1) & leads["pages_before_form"].between(2, 5)]
    chosen = chosen.assign(prices_first=chosen["first_touch"] == "pricing")
    pairs = chosen.pivot_table(index=same, columns="prices_first", values="truth", aggfunc=["mean", "size"])
    pairs = pairs[(pairs["size"] >= 50).all(axis=1)]
    assert len(pairs) >= 5
    assert (pairs["mean"][False] > 1.1 * pairs["mean"][True]).all()
    weights = pairs["size"].min(axis=1)
    assert np.average(pairs["mean"][False], weights=weights) > 1.4 * np.average(
        pairs["mean"][True], weights=weights
    )


def test_drift_moves_the_odds_of_late_leads(simulated):
    def late_over_early(drift):
        truth = make_leads(40_000, seed=4, drift=drift, with_events=False).true_probability()
        early, late = truth[:13_000].mean(), truth[-13_000:].mean()
        return late / (1 - late) / (early / (1 - early))

    # Thirds of the history lie 2/3 of it apart; averaging over leads shrinks the factor a little.
    assert late_over_early(1.0) == pytest.approx(1.0, abs=0.08)
    assert 1.4 < late_over_early(3.0) < 3 ** (2 / 3) + 0.1
    assert late_over_early(0.5) < 0.85


def test_in_a_market_that_turns_buyers_and_price_shoppers_exchange_their_intent():
    turned = make_leads(20_000, seed=4, history_days=400.0, turns_between=(100.0, 300.0), with_events=False)
    day = np.arange(20_000) / 50  # leads come evenly, in the order of creation
    mode, intent = turned.hidden["mode"].to_numpy(), turned.hidden["intent"].to_numpy()

    def gap(first, last):
        now = (day >= first) & (day < last)
        return intent[now & (mode == "buyer")].mean() - intent[now & (mode == "price shopper")].mean()

    assert [gap(0, 90) > 2.5, abs(gap(180, 220)) < 0.4, gap(310, 400) < -2.3] == [True, True, True]


def test_hand_raisers_are_contacted_and_closed_sooner_and_won_more_often(simulated, leads):
    asked = (leads["contact_me"] == "yes").to_numpy()
    process = simulated.process
    for seconds in (process.contacted_after_seconds, process.closed_after_seconds):
        assert np.median(seconds[asked]) < 0.8 * np.median(seconds[~asked])
    assert leads["truth"][asked].mean() > 2 * leads["truth"][~asked].mean()


def test_sources_and_campaigns_differ_in_quality(leads):
    by_source = leads.groupby("source")["truth"].mean()
    assert by_source["referral"] > 2 * by_source["social"]
    by_campaign = leads[leads["source"] == "paid search"].groupby("campaign")["truth"].mean()
    assert by_campaign["brand terms"] > 1.25 * by_campaign["generic terms"]


def test_each_industry_has_a_size_that_fits_best(leads):
    small = leads["employees"].between(20, 150)
    large = leads["employees"].between(1_200, 6_000)
    truth = leads.groupby("industry")["truth"]
    software = leads["industry"] == "software"
    finance = leads["industry"] == "financial services"
    assert truth.ngroups == len(population.INDUSTRIES)
    assert leads["truth"][software & small].mean() > 2 * leads["truth"][software & large].mean()
    assert leads["truth"][finance & large].mean() > 1.5 * leads["truth"][finance & small].mean()


def test_gender_changes_nothing_when_all_else_is_equal():
    people = population.draw_population(np.random.default_rng(0), 500, history_days=100.0)
    swapped = replace(people, gender=(1 - people.gender).clip(min=0).astype(np.int8))
    for cause in (population.contact_per_day, population.end_per_day):
        assert np.array_equal(cause(people), cause(swapped))
    assert np.array_equal(population.win_log_odds(people, 1.4), population.win_log_odds(swapped, 1.4))


def test_gender_and_winning_are_associated_through_seniority_and_the_newsletter_topic_gives_gender_away(
    leads,
):
    by_gender = leads.groupby("gender")["truth"].mean()
    assert by_gender["male"] > 1.02 * by_gender["female"]
    topic = leads.groupby("newsletter_topic")["gender"].value_counts(normalize=True)
    assert topic["careers and community", "female"] > 0.7
    assert topic["engineering notes", "male"] > 0.7


# The table


def test_there_are_missing_values_rare_levels_and_a_missing_word(leads):
    for column in ("employees", "industry", "budget", "minutes_on_site", "campaign", "gender"):
        assert 0.03 < leads[column].isna().mean() < 0.7
    for column in ("source", "country", "industry", "job_title"):
        assert leads[column].value_counts(normalize=True).min() < 0.01
    assert 0.05 < (leads["timeline"] == "Select").mean() < 0.3


def test_leaks_are_neutral_for_open_leads_and_tell_the_end_of_closed_ones(leads):
    is_open, lost, won = (leads["outcome"] == outcome for outcome in ("open", "lost", "won"))
    assert set(leads.loc[is_open, "sales_stage"]) == {"new", "contacted"}
    assert set(leads.loc[is_open, "last_activity"]) == {"e-mail opened", "page visited", "phone call"}
    assert leads.loc[~lost, ["loss_reason", "loss_note"]].isna().all(axis=None)
    assert leads.loc[~won, "deal_amount"].isna().all()
    assert leads.loc[won, "deal_amount"].notna().all()
    assert set(leads.loc[won, "sales_stage"]) == {"customer"}
    assert leads.loc[lost, "loss_reason"].notna().mean() == pytest.approx(0.85, abs=0.02)


def test_a_loss_note_goes_with_its_reason(leads):
    noted = leads[leads["loss_note"].notna()]
    assert noted["loss_reason"].notna().all()
    assert (noted.groupby("loss_note")["loss_reason"].nunique() == 1).all()


def test_ids_are_unique_and_in_the_order_of_creation(leads):
    assert leads[LEAD_ID].is_unique
    assert leads[LEAD_ID].iloc[[0, -1]].tolist() == ["L0000001", "L0040000"]
    assert leads["created_at"].is_monotonic_increasing


# The seed


def test_the_same_arguments_give_the_same_tables():
    one, two = make_leads(500, seed=9), make_leads(500, seed=9)
    for table in ("leads", "events", "history", "hidden", "truth"):
        assert getattr(one, table).equals(getattr(two, table))
    assert not one.leads.equals(make_leads(500, seed=10).leads)


def test_the_first_lead_of_seed_0_is_the_same_on_every_machine():
    first = make_leads(100, seed=0, with_events=False).leads.slice(0, 1).to_pylist()[0]
    assert {key: first[key] for key in FIRST_LEAD} == FIRST_LEAD


def test_leaving_the_events_out_changes_nothing_else():
    full, flat = make_leads(500, seed=9), make_leads(500, seed=9, with_events=False)
    assert flat.events.num_rows == 0
    assert flat.events.schema == full.events.schema
    assert flat.history.num_rows == 0
    assert flat.history.schema == full.history.schema
    assert flat.leads.equals(full.leads)
    assert flat.truth.equals(full.truth)


def test_another_start_moves_all_moments_and_nothing_else():
    shift = timedelta(days=400)
    here = make_leads(300, seed=1)
    there = make_leads(300, seed=1, start=datetime(2024, 1, 1, tzinfo=UTC) + shift)
    assert there.known_until - here.known_until == shift
    moved = here.leads.to_pandas()
    moved[["created_at", "closed_at"]] += shift
    assert moved.equals(there.leads.to_pandas())
    for table, moment in (("events", "occurred_at"), ("history", "changed_at")):
        then = getattr(here, table).to_pandas()
        assert then.assign(**{moment: then[moment] + shift}).equals(getattr(there, table).to_pandas())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be an integer >= 1; got 0"),
        ({"n": 10.0}, r"n must be an integer >= 1; got 10\.0"),
        ({"seed": -1}, "seed must be an integer >= 0; got -1"),
        ({"start": datetime(2024, 1, 1)}, "start must be a datetime with a time zone"),  # noqa: DTZ001
        ({"history_days": 0}, "history_days must be a number > 0; got 0"),
        ({"horizon_days": float("nan")}, "horizon_days must be a number > 0; got nan"),
        ({"base_rate": 1.0}, r"base_rate must be a number between 0 and 1.*got 1\.0"),
        ({"base_rate": 0.99}, r"base_rate must be below 0\.\d+"),
        ({"drift": -2}, "drift must be a factor > 0; got -2"),
        ({"turns_between": (90, 90)}, "turns_between must be two days, the first before the last"),
    ],
)
def test_impossible_arguments_are_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        make_leads(**{"n": 50, **arguments})


def test_one_lead_is_enough():
    assert make_leads(1).leads.num_rows == 1


# The files


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small simulation and the folder it was saved to."""
    small = make_leads(2_000, seed=3)
    folder = tmp_path_factory.mktemp("crm") / "data"
    small.save(folder, new_days=20)
    return small, folder


def read_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_saved_leads_and_new_leads_are_disjoint_and_complete(saved):
    small, folder = saved
    old = [row[LEAD_ID] for row in read_rows(folder / "leads.csv")]
    new = [row[LEAD_ID] for row in read_rows(folder / "new_leads.csv")]
    assert old + new == small.leads[LEAD_ID].to_pylist()
    assert 20 < len(new) < 80


def test_new_leads_hide_the_outcome_and_what_is_written_later(saved):
    small, folder = saved
    header = list(read_rows(folder / "new_leads.csv")[0])
    hidden = {"outcome", "closed_at", *LATER_COLUMNS}
    assert header == [name for name in small.leads.column_names if name not in hidden]


def test_csv_cells_are_iso_moments_and_empty_for_null(saved):
    small, folder = saved
    rows = read_rows(folder / "leads.csv")
    for row, lead in zip(rows, small.leads.slice(0, len(rows)).to_pylist(), strict=True):
        assert datetime.fromisoformat(row["created_at"]) == lead["created_at"]
        assert (row["closed_at"] == "") == (lead["closed_at"] is None)
        assert row["employees"] == ("" if lead["employees"] is None else f"{lead['employees']:.0f}")
        assert (row["loss_note"] or None) == lead["loss_note"]


def test_events_changes_and_truth_are_saved_whole(saved):
    small, folder = saved
    assert pq.read_table(folder / "events.parquet").equals(small.events)
    assert pq.read_table(folder / "history.parquet").equals(small.history)
    assert pq.read_table(folder / "truth.parquet").equals(small.truth)
