"""Source: the share won among leads of the same source over that of all, as far as was known at as_of."""

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from leadlift.data.observations import Observations, make_observations
from leadlift.data.public_logs import olist
from leadlift.features.builder import FeatureBuilder
from leadlift.terms import Family, FeatureSpec, Kind

START = datetime(2026, 3, 1, tzinfo=UTC)
CHANNEL = FeatureSpec("channel", Kind.CATEGORICAL, Family.SOURCE)


def day(number):
    return START + timedelta(days=number)


def observations(rows):
    """Each row: lead, day of as_of, converted, day on which the label was known, channel."""
    lead, as_of, converted, known, _ = zip(*rows, strict=True)
    stamp = pa.timestamp("us", "UTC")
    table = pa.table(
        {
            "lead_id": pa.array(lead, pa.string()),
            "as_of": pa.array([day(number) for number in as_of], stamp),
            "converted": pa.array(converted, pa.int8()),
            "label_known_at": pa.array([None if k is None else day(k) for k in known], stamp),
            "weight": pa.array([1.0] * len(rows)),
        }
    )
    return Observations(table, np.arange(len(rows)), horizon_days=5.0, known_until=None, time="dates")


def lifts(rows, columns=(CHANNEL,), fitted=None):
    builder = FeatureBuilder(groups=["source"])
    leads = pa.table({"channel": pa.array([row[4] for row in rows], pa.string())})
    table = builder.fit_transform(observations(rows), leads=leads, columns=columns, fitted=fitted)
    return builder, table


def lifts_by_loop(rows, min_leads=5, k=20):
    """The same by counting over all leads for each row."""
    first = {}
    for lead, as_of, converted, known, channel in sorted(rows, key=lambda row: (row[1], row[3], row[2])):
        first.setdefault(lead, (as_of, converted, known, channel))
    seen = [channel for *_, channel in first.values()]
    common = {channel for channel in seen if channel is not None and seen.count(channel) >= min_leads}

    def bucket(channel):
        return channel if channel in common or channel is None else "other"

    results = []
    for _, as_of, _, _, channel in rows:
        midnight = int(as_of // 1)
        known = [(c, bucket(ch)) for _, c, at, ch in first.values() if at < midnight]
        if not any(c for c, _ in known):
            results.append(None)
            continue
        overall = Fraction(sum(c for c, _ in known), len(known))
        same = [c for c, ch in known if ch == bucket(channel)]
        results.append(float((sum(same) + k * overall) / (len(same) + k) / overall))
    return results if len(common) > 1 else None


def eight_leads():
    """Five leads by mail of which three are won, five by phone of which one is; all known on day 5 or 6."""
    mail = [(f"m{i}", 0, int(i < 3), 5, "mail") for i in range(5)]
    phone = [(f"p{i}", 0, int(i < 1), 6, "phone") for i in range(5)]
    return [*mail, *phone]


def test_the_lift_is_that_known_at_as_of_by_eye():
    asked = [(f"new {c} {d}", d, 0, d + 5, c) for c in ("mail", "phone", "fax") for d in (5.5, 6, 6.5, 7)]
    rows = [*eight_leads(), *asked]
    _, table = lifts(rows)
    at = dict(zip([row[0] for row in rows], table["channel_lift"].to_pylist(), strict=True))
    # On day 5 the labels of the mails became known; they count from the midnight after, day 6.
    assert at["m0"] is None
    assert at["new mail 5.5"] is None
    assert at["new mail 6"] == at["new mail 6.5"] == (3 * 5 + 20 * 3) / ((5 + 20) * 3) == 1.0
    assert at["new phone 6.5"] == at["new fax 6"] == 1.0
    # From day 7 all ten are known, four of them won; nothing is known of faxes.
    assert at["new mail 7"] == (3 * 10 + 20 * 4) / ((5 + 20) * 4) == 1.1
    assert at["new phone 7"] == (1 * 10 + 20 * 4) / ((5 + 20) * 4) == 0.9
    assert at["new fax 7"] == 1.0


def test_without_a_win_there_is_nothing_to_compare_with():
    lost = [(f"{channel}{i}", 0, 0, 5, channel) for channel in ("mail", "phone") for i in range(5)]
    asked = ("asked", 9, 0, 12, "mail")
    won = ("won", 0, 1, 9, "phone")
    _, table = lifts([*lost, won, asked, ("asked later", 10, 0, 13, "mail")])
    assert table["channel_lift"].to_pylist()[-2:] == [None, (0 * 11 + 20 * 1) / ((5 + 20) * 1)]


def test_a_lift_does_not_follow_the_share_of_all_leads():
    def of_wins(mail, phone):
        rows = [
            (f"{channel}{i}", 0, int(i < n_won), 5, channel)
            for channel, n_won in (("mail", mail), ("phone", phone))
            for i in range(20)
        ]
        return lifts([*rows, ("asked", 9, 0, 12, "mail")])[1]["channel_lift"][-1].as_py()

    assert of_wins(16, 8) == of_wins(8, 4) == of_wins(4, 2) > 1


def test_a_label_known_at_as_of_itself_is_not_known_before():
    rows = [*eight_leads(), ("asked", 5, 0, 10, "mail"), ("asked later", 6, 0, 11, "mail")]
    _, table = lifts(rows)
    assert table["channel_lift"].to_pylist()[-2:] == [None, 1.0]


def test_only_the_first_observation_of_a_lead_counts():
    rows = eight_leads()
    repeated = [(lead, 1, 1 - won, known + 1, channel) for lead, _, won, known, channel in rows]
    asked = ("asked", 30, 0, 35, "mail")
    _, once = lifts([*rows, asked])
    _, twice = lifts([*rows, *repeated, asked])
    assert once["channel_lift"][-1] == twice["channel_lift"][-1]


def test_only_fitted_observations_count():
    rows = [*eight_leads(), *[(f"x{i}", 0, 1, 5, "mail") for i in range(9)], ("asked", 30, 0, 35, "mail")]
    fitted = np.array([not row[0].startswith("x") for row in rows])
    _, table = lifts(rows, fitted=fitted)
    assert table["channel_lift"][-1].as_py() == 1.1


def test_rare_and_unseen_levels_share_a_history_and_missing_is_a_level():
    rare = [(f"r{i}", 0, 1, 5, f"rare {i}") for i in range(4)]
    missing = [(f"n{i}", 0, 0, 5, None) for i in range(4)]
    asked = [("q0", 30, 0, 35, "rare 0"), ("q1", 30, 0, 35, "never seen"), ("q2", 30, 0, 35, None)]
    builder, table = lifts([*eight_leads(), *rare, *missing, *asked])
    # 8 of all 18 leads are won.
    seen_rare, unseen, none = table["channel_lift"].to_pylist()[-3:]
    assert seen_rare == unseen == (4 * 18 + 20 * 8) / ((4 + 20) * 8)
    assert none == (0 * 18 + 20 * 8) / ((4 + 20) * 8)
    assert builder.groups_[0].histories_["channel"].levels == ("mail", "phone")


def test_labels_whose_moment_is_not_recorded_are_left_out():
    # Without a closing date a label counts as known as of the observation, which nobody did.
    undated = [(f"u{i}", 0, 1, known, "mail") for i, known in enumerate([0, None, -1])]
    _, table = lifts([*eight_leads(), *undated, ("asked", 30, 0, 35, "mail")])
    assert table["channel_lift"][-1].as_py() == 1.1


@pytest.mark.parametrize(
    "columns",
    [
        [FeatureSpec("channel", Kind.CATEGORICAL, Family.FIT)],
        [FeatureSpec("channel", Kind.NUMERIC, Family.SOURCE)],
        [],
    ],
)
def test_only_categories_of_source_have_a_lift(columns):
    builder, _ = lifts(eight_leads(), columns)
    assert builder.specs_ == ()


def test_ids_and_constants_have_no_lift():
    for channel in (lambda i: f"click {i}", lambda i: "mail"):
        rows = [(f"L{i}", 0, i % 2, 5, channel(i)) for i in range(20)]
        assert lifts(rows)[0].specs_ == ()


def test_without_labels_or_their_moments_there_is_no_lift():
    undated = [(*row[:3], None, row[4]) for row in eight_leads()]
    assert lifts(undated)[0].specs_ == ()
    rows = eight_leads()
    leads = pa.table({"channel": [row[4] for row in rows]})
    unlabelled = observations(rows).rows.select(["lead_id", "as_of"])
    builder = FeatureBuilder(groups=["source"]).fit(unlabelled, leads=leads, columns=[CHANNEL])
    assert builder.specs_ == ()


def test_a_source_read_back_gives_the_same_lifts():
    rows = [*eight_leads(), ("asked", 5.5, 0, 35, "mail"), ("asked", 30, 0, 35, None)]
    builder, table = lifts(rows)
    again = FeatureBuilder.from_dict(json.loads(json.dumps(builder.to_dict())))
    assert again.specs_ == builder.specs_
    new = observations(rows).rows.select(["lead_id", "as_of"])
    leads = pa.table({"channel": [row[4] for row in rows]})
    assert again.transform(new, leads=leads).equals(table)


@st.composite
def learnt_rows(draw):
    """Rows of leads observed once or twice, before their labels are known, in quarters of days."""
    channels = st.sampled_from(["mail", "mail", "phone", "phone", "fax", None])
    rows = []
    for i in range(draw(st.integers(10, 40))):
        channel, start = draw(channels), draw(st.integers(-8, 40)) / 4
        for moment in sorted(draw(st.sets(st.integers(0, 8), min_size=1, max_size=2))):
            as_of = start + moment / 4
            rows.append(
                (f"L{i}", as_of, draw(st.integers(0, 1)), as_of + draw(st.integers(1, 20)) / 4, channel)
            )
    return rows


@settings(max_examples=25, deadline=None)
@given(learnt_rows())
def test_lifts_are_those_of_a_loop(rows):
    builder, table = lifts(rows)
    expected = lifts_by_loop(rows)
    if expected is None:
        assert builder.specs_ == ()
    else:
        assert table["channel_lift"].to_pylist() == expected


@settings(max_examples=20, deadline=None)
@given(learnt_rows(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, random):
    order = random.sample(range(len(rows)), len(rows))
    _, table = lifts(rows)
    _, shuffled = lifts([rows[i] for i in order])
    assert shuffled.equals(table.take(order))


@settings(max_examples=20, deadline=None)
@given(learnt_rows(), st.integers(0, 40))
def test_labels_not_known_before_as_of_change_nothing(rows, quarters):
    now = quarters / 4
    changed = [
        (lead, as_of, 1 - won, known + 3, channel) if known >= now else (lead, as_of, won, known, channel)
        for lead, as_of, won, known, channel in rows
    ]
    builder, table = lifts(rows)
    _, other = lifts(changed)
    if builder.specs_:
        until_now = [row[1] <= now for row in rows]
        assert other.filter(until_now).equals(table.filter(until_now))


@settings(max_examples=20, deadline=None)
@given(learnt_rows(), st.integers(-4000, 4000))
def test_shifting_all_days_changes_nothing(rows, days):
    _, table = lifts(rows)
    _, shifted = lifts([(lead, a + days, won, k + days, ch) for lead, a, won, k, ch in rows])
    assert shifted.equals(table)


@pytest.mark.real_data
def test_the_history_of_landing_pages_ranks_later_leads_of_a_marketplace(real_data):
    log = olist(real_data / "olist_funnel")
    seen = make_observations(log.leads, horizon_days=30, known_until=log.known_until)
    start = np.quantile(seen.as_of.astype(np.int64), 0.7).astype(np.int64).view("datetime64[us]")
    fitted, later = seen.as_of + np.timedelta64(30, "D") <= start, seen.as_of >= start
    builder = FeatureBuilder(groups=["source"])
    columns = [FeatureSpec(name, Kind.CATEGORICAL, Family.SOURCE) for name in ("landing_page", "source")]
    table = builder.fit_transform(seen, leads=log.leads, columns=columns, fitted=fitted)
    lift = table["landing_page_lift"].to_numpy()
    # .678 when written; a page drawn at random would rank no better than .5, its standard error being .02.
    assert roc_auc_score(seen.y[later], lift[later]) > 0.62
