"""How right overrides were: each counts once, when it is mature, against the score and the line."""

from datetime import timedelta
from types import SimpleNamespace

import pyarrow as pa
import pytest

from leadlift.exceptions import SchemaError
from leadlift.lifecycle.monitoring.outcomes import OUTCOME_SCHEMA
from leadlift.lifecycle.monitoring.override_quality import (
    check_overrides,
    override_findings,
    override_quality,
)
from leadlift.lifecycle.monitoring.table import monitor_table
from leadlift.serving.override_table import read_overrides
from scored_tables import NOW, scored_row, scored_table

DAY = timedelta(days=1)
LATER = NOW + 40 * DAY


def bundle(sql_model=None):
    """What is asked of a model: its horizon, and what its lines promise."""
    mql, sql = (SimpleNamespace(precision=SimpleNamespace(estimate=share)) for share in (0.3, 0.6))
    roles = SimpleNamespace(horizon_days=30)
    return SimpleNamespace(
        schema=SimpleNamespace(roles=roles), mql_cutoff=mql, sql_cutoff=sql, sql_model=sql_model
    )


def overridden(lead_id, score, model_stage, stage, day=0, reason="call"):
    told = {"stage_reason": f"override: {reason}", "model_stage": model_stage, "stage": stage}
    return scored_row(lead_id, score, as_of=NOW + day * DAY, **told)


def outcomes(**closed):
    """Outcome and day of closing by lead."""
    rows = [
        {"lead_id": lead, "outcome": outcome, "closed_at": None if day is None else NOW + day * DAY}
        for lead, (outcome, day) in sorted(closed.items())
    ]
    return pa.Table.from_pylist(rows, schema=OUTCOME_SCHEMA)


# By eye


def test_each_override_counts_once_when_it_is_mature():
    scored = scored_table(
        overridden("won", 0.1, "none", "SQL"),
        overridden("won", 0.2, "none", "SQL", day=1),
        overridden("lost", 0.3, "MQL", "SQL"),
        overridden("late win", 0.2, "none", "SQL"),
        overridden("young", 0.2, "none", "SQL", day=20),
        overridden("down", 0.7, "SQL", "none"),
        overridden("agreed", 0.7, "SQL", "SQL"),
        scored_row("alone", 0.9, stage="SQL", model_stage="SQL", stage_reason="score"),
    )
    known = outcomes(
        **{
            "won": ("won", 5),
            "lost": ("lost", 5),
            "late win": ("won", 35),
            "young": ("won", 25),
            "down": ("won", 3),
        },
        agreed=("won", 3),
        alone=("won", 3),
    )
    down, up = override_quality(bundle(), scored, known, known_until=LATER).to_pylist()
    assert (up["direction"], up["stage"], up["author"]) == ("up", "SQL", None)
    assert (up["n_overrides"], up["n_mature"], up["n_won"]) == (4, 3, 1)
    assert up["expected"] == pytest.approx(0.2)
    assert (up["share_won"], up["line"]) == (pytest.approx(1 / 3), 0.6)
    assert 0 < up["low"] < 1 / 3 < up["high"] < 1
    assert (down["direction"], down["stage"], down["n_mature"], down["n_won"]) == ("down", "SQL", 1, 1)


def test_overrides_are_parted_by_author_where_their_table_is_given():
    scored = scored_table(*[overridden(lead, 0.2, "none", "MQL") for lead in ("a", "b", "c")])
    said = {"stage": "MQL", "reason": "call", "made_at": NOW - DAY, "expires_at": None}
    table = read_overrides(
        pa.Table.from_pylist(
            [
                {"lead_id": lead, "author": who} | said
                for lead, who in zip("abc", ["kim", "lee", "kim"], strict=True)
            ]
        )
    )
    found = override_quality(bundle(), scored, None, overrides=table).to_pylist()
    assert [(row["author"], row["n_overrides"], row["n_mature"], row["share_won"]) for row in found] == [
        ("kim", 2, 0, None),
        ("lee", 1, 0, None),
    ]


def test_the_line_of_another_label_is_no_measure():
    scored = scored_table(overridden("a", 0.2, "none", "MQL"))
    assert override_quality(bundle(sql_model=object()), scored, None)["line"].to_pylist() == [None]


def test_monitoring_names_no_author_and_says_what_an_interval_says():
    n = 30
    rows = [overridden(f"L{i:02}", 0.1, "none", "SQL") for i in range(n)]
    rows += [overridden(f"M{i:02}", 0.4, "MQL", "none") for i in range(n)]
    known = outcomes(**{row["lead_id"]: ("won" if row["score"] > 0.3 else "lost", 4) for row in rows})
    checked = check_overrides(bundle(), scored_table(*rows), known, known_until=LATER)
    table = monitor_table(checked.rows)
    assert table["subject"].to_pylist() == ["down: MQL", "up: SQL"]
    assert set(table["verdict"].to_pylist()) == {"ok"}
    assert [(finding.code, finding.severity.value) for finding in checked.findings] == [("LL244", "info")] * 2
    assert checked.findings[1].message == (
        "0 of 30 leads that people raised, won less often than the line asks: at most 12% of such "
        "leads, where the cut-off of SQL has 60%"
    )
    early = check_overrides(bundle(), scored_table(*rows), None)
    assert [row["verdict"] for row in early.rows] == ["too_early"] * 2
    assert early.findings == ()


def test_where_nothing_was_overridden_there_is_nothing_to_say():
    scored = scored_table(scored_row("a", 0.2, stage_reason="score", model_stage="none"), scored_row("b"))
    assert check_overrides(bundle(), scored, outcomes(a=("won", 1))).rows == []
    with pytest.raises(SchemaError, match=r"(?s)not there:.*'stage_reason'"):
        override_quality(bundle(), scored.drop_columns("stage_reason"), None)


def test_overrides_without_end_or_effect_are_found():
    base = {
        "stage": "MQL",
        "reason": "call",
        "author": "kim",
        "made_at": NOW - 3 * DAY,
        "expires_at": NOW + DAY,
    }
    table = read_overrides(
        pa.Table.from_pylist(
            [
                base | {"lead_id": "forever", "expires_at": None},
                base | {"lead_id": "over", "expires_at": NOW - DAY},
                base | {"lead_id": "twice"},
                base | {"lead_id": "twice", "made_at": NOW - DAY},
                base | {"lead_id": "stranger"},
            ]
        )
    )
    found = override_findings(table, scored_table(scored_row("forever", 0.2), scored_row("twice", 0.3)))
    assert [(finding.code, finding.count, finding.examples) for finding in found] == [
        ("LL240", 1, ("forever",)),
        ("LL241", 1, ()),
        ("LL242", 1, ()),
        ("LL243", 1, ("stranger",)),
    ]


def test_the_order_of_rows_does_not_matter():
    rows = [overridden(f"L{i % 5}", 0.1 + i / 50, "none", "SQL", day=i // 5) for i in range(20)]
    known = outcomes(**{f"L{i}": ("won", 9) for i in range(3)})
    forth = override_quality(bundle(), scored_table(*rows), known, known_until=LATER)
    assert forth.equals(override_quality(bundle(), scored_table(*rows[::-1]), known, known_until=LATER))
