"""How scores went, and why: differences add up, lines crossed are told, standing still is measured."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.exceptions import InputError
from leadlift.serving.history import crossings, latest_changes, score_decay, score_history
from leadlift.serving.history.movement import CHANGES, movements
from leadlift.serving.history.panel import FAMILIES, READ
from leadlift.serving.score_store import open_score_store
from scored_tables import NOW, scored_row, scored_table

DAY = timedelta(days=1)
BASE = 0.2


def row(lead_id, day, stage="none", version="m1", base=BASE, reasons=(), **families):
    """A scoring on a day whose sub-scores are those given, the others 0."""
    known = dict.fromkeys(FAMILIES, 0.0) | families
    told = dict(zip(("reason_1", "reason_2", "reason_3"), reasons, strict=False))
    score = base + sum(known.values())
    told |= {"stage": stage, "base": base, "model_version": version, "as_of": NOW + day * DAY}
    return scored_row(lead_id, score, **told, **known)


def stored(tmp_path, *rows):
    store = open_score_store(tmp_path / "store")
    store.add(scored_table(*rows))
    return store


def by_lead(table):
    return {row["lead_id"]: row for row in table.to_pylist()}


@pytest.fixture
def store(tmp_path):
    return stored(
        tmp_path,
        row("up", 0, engagement=0.1, reasons=["visits: 2, +8 points", "region: north, +1.5 points"]),
        row(
            "up",
            1,
            "MQL",
            engagement=0.3,
            fit=-0.01,
            reasons=["visits: 9, +28 points", "region: north, -0.9 points"],
        ),
        row("steady", 0, "MQL", engagement=0.3),
        row("steady", 1, "MQL", engagement=0.26),
        row("down", 0, "SQL", intent=0.5),
        row("down", 1, "MQL", intent=0.2),
        row("gone", 0),
        row("new", 1, "SQL"),
        scored_row("unscored", as_of=NOW + DAY),
    )


# By eye


def test_leads_of_the_latest_batch_are_compared_with_their_scoring_before(store):
    found = by_lead(latest_changes(store))
    assert {lead: row["trend"] for lead, row in found.items()} == {
        "up": "up",
        "steady": "steady",
        "down": "down",
        "new": "new",
    }
    up = found["up"]
    assert (up["previous_as_of"], up["as_of"]) == (NOW, NOW + DAY)
    assert up["change"] == pytest.approx(0.19)
    assert up["change_engagement"] == pytest.approx(0.2)
    assert up["change_fit"] == pytest.approx(-0.01)
    assert up["change_model"] == 0
    assert found["new"]["change"] is found["new"]["change_fit"] is found["new"]["change_model"] is None


def test_why_names_what_moved_the_score_and_the_reasons_that_came_and_went(store):
    found = by_lead(latest_changes(store))
    assert found["up"]["why"] == "engagement +20.0, fit -1.0"
    assert found["up"]["new_reasons"] == "visits: 9"
    assert found["up"]["gone_reasons"] == "visits: 2"
    assert found["down"]["why"] == "intent -30.0"
    assert found["new"]["why"] is found["new"]["new_reasons"] is None


def test_who_crossed_a_line_is_told_upwards_first(store):
    crossed = crossings(store).select(["lead_id", "previous_stage", "stage", "crossed"]).to_pylist()
    assert [tuple(row.values()) for row in crossed] == [
        ("up", "none", "MQL", "up"),
        ("down", "SQL", "MQL", "down"),
    ]


def test_a_line_crossed_since_a_day_is_one_that_was_not_crossed_back(tmp_path):
    days = [("none", 0), ("MQL", 1), ("SQL", 2)]
    back = [("MQL", 0), ("none", 1), ("MQL", 2)]
    store = stored(
        tmp_path,
        *[row("riser", day, stage) for stage, day in days],
        *[row("back", day, stage) for stage, day in back],
        row("young", 1, "none"),
        row("young", 2, "MQL"),
    )
    assert set(by_lead(crossings(store))) == {"riser", "back", "young"}
    since = by_lead(crossings(store, since=NOW + 0.5 * DAY))
    assert {lead: (found["previous_stage"], found["stage"]) for lead, found in since.items()} == {
        "riser": ("none", "SQL")
    }
    assert by_lead(latest_changes(store, since=NOW + 0.5 * DAY))["young"]["trend"] == "new"
    assert by_lead(latest_changes(store, since=NOW - DAY))["riser"]["trend"] == "new"


def test_another_model_is_a_reason_of_its_own(tmp_path):
    store = stored(
        tmp_path, row("a", 0, engagement=0.1), row("a", 1, version="m2", base=0.25, engagement=0.2, fit=0.1)
    )
    (found,) = latest_changes(store).to_pylist()
    assert found["change_model"] == pytest.approx(0.25)
    assert found["change_engagement"] == found["change_fit"] == 0
    assert found["why"] == "another model (m1 to m2) +25.0"


def test_another_cutoff_is_no_other_model(tmp_path):
    store = stored(tmp_path, row("a", 0, engagement=0.1), row("a", 1, version="m2", engagement=0.2))
    (found,) = latest_changes(store).to_pylist()
    assert found["change_model"] == 0
    assert found["change_engagement"] == pytest.approx(0.1)


def test_a_lead_stands_still_since_the_first_score_near_the_last(tmp_path):
    scores = {"still": [0, 0.01, 0.02, 0.03], "moved": [0, 0.2, 0.22, 0.2], "back": [0, 0.2, 0, 0]}
    rows = [row(lead, day, fit=fit) for lead, fits in scores.items() for day, fit in enumerate(fits)]
    found = by_lead(latest_changes(stored(tmp_path, *rows)))
    assert {lead: row["steady_days"] for lead, row in found.items()} == {"still": 3, "moved": 2, "back": 1}
    assert found["moved"]["steady_since"] == NOW + DAY


def test_the_history_of_a_lead_is_all_its_scorings(store):
    found = score_history(store, "up").to_pylist()
    assert [(row["as_of"], row["trend"], row["crossed"]) for row in found] == [
        (NOW, "new", None),
        (NOW + DAY, "up", "up"),
    ]
    assert len(score_history(store)) == 8
    assert score_history(store, "up", since=NOW + DAY)["trend"].to_pylist() == ["new"]


def test_of_two_models_at_one_moment_the_version_that_sorts_last_counts(tmp_path):
    store = stored(tmp_path, row("a", 0), row("a", 0, version="m2", base=0.3), row("a", 1))
    assert score_history(store)["model_version"].to_pylist() == ["m2", "m1"]
    assert score_history(store, model_version="m1")["model_version"].to_pylist() == ["m1", "m1"]


def test_scores_without_sub_scores_move_and_nobody_knows_why(tmp_path):
    store = stored(tmp_path, scored_row("a", 0.2), scored_row("a", 0.5, as_of=NOW + DAY))
    (found,) = latest_changes(store).to_pylist()
    assert found["trend"] == "up"
    assert [found[name] for name in CHANGES] == [None] * 5 + [0]
    assert found["why"] is None


def test_a_lead_that_was_never_scored_is_said_to_be_none(store):
    with pytest.raises(InputError, match=r"no score of lead 'nobody' among 2 batch\(es\)"):
        score_history(store, "nobody")
    with pytest.raises(InputError, match=r"no score of lead 'unscored'"):
        score_history(store, "unscored")


# Decay


def test_scores_of_untouched_leads_fall_as_they_did(tmp_path):
    # Falls by one point a week until it acts after three weeks, and falls again.
    one = [row("a", 7 * week, engagement=0.3 - 0.01 * week + 0.2 * (week >= 3)) for week in range(6)]
    other = [row("b", 7 * week, engagement=0.3 - 0.03 * week) for week in range(3)]
    decay = score_decay(stored(tmp_path, *one, *other)).to_pylist()
    assert [(week["week"], week["n_leads"]) for week in decay] == [(1, 3), (2, 3)]
    assert [week["change_median"] for week in decay] == pytest.approx([-0.01, -0.02])
    assert [week["change_low"] for week in decay] == pytest.approx([-0.02, -0.04])


def test_another_model_begins_a_stretch_and_without_sub_scores_there_is_none(tmp_path):
    rows = [row("a", 0), row("a", 7, version="m2", base=0.1), scored_row("b", 0.3)]
    store = stored(tmp_path, *rows, scored_row("b", 0.2, as_of=NOW + 7 * DAY))
    assert score_decay(store).num_rows == 0


# By law

values = st.floats(-0.1, 0.1, allow_nan=False)
scorings = st.tuples(
    st.sampled_from(["m1", "m2"]), st.tuples(*[values] * 5), st.sampled_from(["none", "MQL", "SQL"])
)


@given(st.lists(st.tuples(scorings, scorings), min_size=1, max_size=5))
def test_the_differences_add_up_to_that_of_the_score(pairs):
    def table(side):
        made = [
            row(
                str(i),
                side,
                stage,
                version,
                {"m1": 0.2, "m2": 0.3}[version],
                **dict(zip(FAMILIES, parts, strict=True)),
            )
            for i, (version, parts, stage) in enumerate(pair[side] for pair in pairs)
        ]
        return scored_table(*made).select(READ)

    moved = movements(table(1), table(0))
    parts = np.sum([moved[name].to_numpy() for name in CHANGES], axis=0)
    assert parts == pytest.approx(moved["change"].to_numpy(), abs=1e-12)
    back = movements(table(0), table(1))
    assert back["change"].to_numpy() == pytest.approx(-moved["change"].to_numpy())
    turned = {"up": "down", "down": "up", None: None}
    assert [turned[way] for way in moved["crossed"].to_pylist()] == back["crossed"].to_pylist()


def test_the_order_in_which_batches_were_added_does_not_matter(tmp_path):
    rng = np.random.default_rng(0)
    rows = [row(f"L{i % 7}", i // 7, engagement=rng.normal(0, 0.1)) for i in range(35)]
    forth, back = open_score_store(tmp_path / "forth"), open_score_store(tmp_path / "back")
    forth.add(scored_table(*rows))
    for made in rows[::-1]:
        back.add(scored_table(made))
    assert latest_changes(forth).equals(latest_changes(back))
    assert score_decay(forth).equals(score_decay(back))


def test_a_score_is_the_sum_that_the_differences_are_of(bundle, workspace, tmp_path):
    """What scoring writes keeps the law that the differences rest on."""
    import pyarrow.csv

    from leadlift.serving.predict import score_table

    leads = pyarrow.csv.read_csv(workspace.new_leads).slice(0, 200)
    changed = leads.set_column(leads.column_names.index("employees"), "employees", pa.repeat(9, len(leads)))
    store = open_score_store(tmp_path / "store")
    for day, table in enumerate((leads, changed)):
        store.add(score_table(bundle, table, as_of=NOW + day * DAY))
    moved = latest_changes(store)
    parts = np.sum([moved[name].to_numpy() for name in CHANGES], axis=0)
    assert parts == pytest.approx(moved["change"].to_numpy(), abs=1e-9)
    assert np.abs(moved["change_fit"].to_numpy()).max() > 0.01
