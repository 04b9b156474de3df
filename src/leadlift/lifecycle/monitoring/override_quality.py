"""How right people were where they set another stage than the model: what became of those leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.tables import require_columns
from leadlift.learning.intervals import clopper_pearson
from leadlift.lifecycle.monitoring.maturity import matured
from leadlift.lifecycle.monitoring.table import Checked, monitor_row
from leadlift.serving.override_table import AUTHOR, EXPIRES_AT, MADE_AT
from leadlift.serving.overrides import OVERRIDE, Overrides
from leadlift.serving.previous import RANKED_STAGES
from leadlift.terms import AS_OF, LEAD_ID, MODEL_STAGE, SCORE, STAGE, STAGE_REASON, Finding, Severity, Stage

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from leadlift.serving.bundle import ModelBundle

UP, DOWN = "up", "down"
DIRECTION, LINE = "direction", "line"
NEEDED = (LEAD_ID, AS_OF, SCORE, STAGE, MODEL_STAGE, STAGE_REASON)
# Direction, stage of the line, author.
_Key = tuple[str, str, str | None]
QUALITY_SCHEMA = pa.schema(
    [
        (DIRECTION, pa.string()),
        (STAGE, pa.string()),
        (AUTHOR, pa.string()),
        ("n_overrides", pa.int64()),
        ("n_mature", pa.int64()),
        ("n_won", pa.int64()),
        ("share_won", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("expected", pa.float64()),
        (LINE, pa.float64()),
    ]
)


def override_quality(
    bundle: ModelBundle,
    scored: pa.Table,
    outcomes: pa.Table | None,
    *,
    overrides: pa.Table | None = None,
    known_until: datetime | None = None,
    confidence: float = 0.95,
) -> pa.Table:
    """Compare what became of overridden leads with what the model expected, and with what the line asks.

    Each override counts once, at the first scoring that honoured it. Only mature ones are counted as won or
    not: see :func:`leadlift.lifecycle.monitoring.maturity.matured`. A lead that was raised is also worked, so
    a high share of wins says that it was worth the work, not that the score was wrong.

    Parameters
    ----------
    bundle : ModelBundle
        Its cut-offs say how many of the leads on a line are won.
    scored : pyarrow.Table
        Of one or many batches: ``lead_id``, ``as_of``, ``score``, ``stage``, ``model_stage`` and
        ``stage_reason``.
    outcomes : pyarrow.Table or None
        From :func:`leadlift.lifecycle.monitoring.outcomes.read_outcomes`.
    overrides : pyarrow.Table, optional
        From :func:`leadlift.serving.override_table.read_overrides`: parts the table by author.
    known_until : datetime, optional
        Moment up to which outcomes are known.
    confidence : float, default=0.95
        Of the intervals, in (0, 1).

    Returns
    -------
    pyarrow.Table
        A row for each `direction` (string: ``"up"``, ``"down"``), `stage` (string: that of the line which the
        person overruled, the one set where a lead was raised, that of the model where it was lowered) and
        `author` (string; null without `overrides`). `n_overrides`, `n_mature`, `n_won` (int64). `share_won`,
        `low`, `high` (float64): of the mature, with the exact binomial interval (Clopper and Pearson 1934,
        doi:10.1093/biomet/26.4.404). `expected` (float64): their mean score. `line` (float64): precision of
        the cut-off of that stage in its evidence; null where there is none or it speaks of another label.
        Null where nothing is mature.

    Raises
    ------
    SchemaError
        A column is missing.
    """
    require_columns(NEEDED, scored.column_names, "the scored leads")
    first = _first_scorings(scored)
    won, score = _won(bundle, first, outcomes, known_until), first[SCORE].to_numpy()
    authors = _authors(first, overrides)
    places: dict[_Key, list[int]] = {}
    for place, key in enumerate(
        zip(first[DIRECTION].to_pylist(), first[LINE].to_pylist(), authors, strict=True)
    ):
        places.setdefault(key, []).append(place)
    rows = [
        _row(bundle, key, won[places[key]], score[places[key]], confidence) for key in sorted(places, key=str)
    ]
    return pa.Table.from_pylist(rows, QUALITY_SCHEMA)


def check_overrides(
    bundle: ModelBundle,
    scored: pa.Table,
    outcomes: pa.Table | None = None,
    *,
    known_until: datetime | None = None,
) -> Checked:
    """Return the rows of monitoring about overrides; check ``"override"``, of all authors together.

    They inform: an override is a person's decision, and no alarm of the model's.

    Parameters
    ----------
    bundle, scored, outcomes, known_until
        As for :func:`override_quality`.

    Returns
    -------
    Checked
        No rows where nothing was overridden. Finding LL244 where the interval says that overrides did other
        than intended.
    """
    found = override_quality(bundle, scored, outcomes, known_until=known_until).to_pylist()
    rows = [
        monitor_row(
            "override",
            f"{row[DIRECTION]}: {row[STAGE]}",
            "ok" if row["n_mature"] else "too_early",
            n=row["n_mature"] or row["n_overrides"],
            expected=row["expected"],
            observed=row["share_won"],
            low=row["low"],
            high=row["high"],
            limit=row[LINE],
        )
        for row in found
    ]
    return Checked(rows, tuple(finding for row in found if (finding := _finding(row)) is not None))


def override_findings(overrides: pa.Table, scored: pa.Table) -> tuple[Finding, ...]:
    """Say which overrides have no effect or no end (LL240 to LL243).

    Parameters
    ----------
    overrides : pyarrow.Table
        From :func:`leadlift.serving.override_table.read_overrides`.
    scored : pyarrow.Table
        ``lead_id`` and ``as_of`` of scored leads; the latest batch is looked at.

    Returns
    -------
    tuple of Finding
    """
    as_of = pc.max(scored[AS_OF])
    latest = scored.filter(pc.equal(scored[AS_OF], as_of))
    now = Overrides(overrides, as_of.as_py())
    forever = now.table.filter(pc.is_null(now.table[EXPIRES_AT]))
    strangers = now.table.filter(
        pc.invert(pc.is_in(now.table[LEAD_ID], value_set=pc.unique(latest[LEAD_ID])))
    )
    made = [
        _said("LL240", "overrides never end", forever[LEAD_ID].to_pylist(), "give each an expires_at"),
        _said("LL241", "overrides have ended", now.counts.ended, "take them out, or set them anew"),
        _said("LL242", "overrides replaced by later ones", now.counts.replaced, "nothing; the latest counts"),
        _said("LL243", "overrides of leads not scored", strangers[LEAD_ID].to_pylist(), "check their ids"),
    ]
    return tuple(finding for finding in made if finding.count)


def _said(code: str, title: str, concerned: list[str] | int, remedy: str) -> Finding:
    ids = concerned if isinstance(concerned, list) else []
    count = len(ids) if isinstance(concerned, list) else concerned
    message = f"{count} override(s): {title}"
    return Finding(code, Severity.INFO, title, message, remedy, count=count, examples=tuple(ids[:5]))


def _first_scorings(scored: pa.Table) -> pa.Table:
    """The first scoring that honoured each override that moved a lead, with direction and overruled line."""
    is_set = pc.fill_null(pc.starts_with(scored[STAGE_REASON], f"{OVERRIDE}: "), fill_value=False)
    rows = scored.filter(is_set).sort_by([(AS_OF, "ascending")])
    now, model = (
        pc.index_in(rows[name], value_set=pa.array(RANKED_STAGES)).to_numpy() for name in (STAGE, MODEL_STAGE)
    )
    line = np.array(RANKED_STAGES, dtype=object)[np.maximum(now, model)]
    rows = rows.append_column(DIRECTION, pa.array(np.where(now > model, UP, DOWN), pa.string()))
    rows = rows.append_column(LINE, pa.array(line, pa.string())).filter(pa.array(now != model))
    rows = rows.append_column("row", pa.array(np.arange(len(rows))))
    key = [LEAD_ID, STAGE_REASON, DIRECTION]
    first = rows.group_by(key).aggregate([("row", "min")])["row_min"]
    return rows.take(first).sort_by([(LEAD_ID, "ascending"), (AS_OF, "ascending")])


def _authors(first: pa.Table, overrides: pa.Table | None) -> list[str | None]:
    """Who made the override of each row: the latest of the lead at that moment."""
    if overrides is None:
        return [None] * len(first)
    made: dict[str, list[tuple[datetime, str]]] = {}
    for row in overrides.to_pylist():
        made.setdefault(row[LEAD_ID], []).append((row[MADE_AT], row[AUTHOR]))
    rows = zip(first[LEAD_ID].to_pylist(), first[AS_OF].to_pylist(), strict=True)
    begun = ([entry for entry in made.get(lead, []) if entry[0] <= at] for lead, at in rows)
    return [max(entries)[1] if entries else None for entries in begun]


def _won(
    bundle: ModelBundle, first: pa.Table, outcomes: pa.Table | None, known_until: datetime | None
) -> NDArray[np.float64]:
    """1 where a lead was won, 0 where not, NaN where that is not known yet."""
    won = np.full(len(first), np.nan)
    if outcomes is not None:
        known = matured(first, outcomes, bundle.schema.roles.horizon_days, known_until)
        won[known.rows] = known.won
    return won


def _row(
    bundle: ModelBundle, key: _Key, won: NDArray[np.float64], score: NDArray[np.float64], confidence: float
):
    direction, stage, author = key
    is_mature = ~np.isnan(won)
    n, n_won = int(is_mature.sum()), int(won[is_mature].sum())
    counted = {"n_overrides": len(won), "n_mature": n, "n_won": n_won, LINE: _precision(bundle, stage)}
    row = {DIRECTION: direction, STAGE: stage, AUTHOR: author} | counted
    if not n:
        return row
    share = clopper_pearson(n_won, n, confidence)
    told = {"share_won": share.estimate, "low": share.low, "high": share.high}
    return row | told | {"expected": float(score[is_mature].mean())}


def _precision(bundle: ModelBundle, stage: str) -> float | None:
    """Share of the leads on a line that are won; None where its cut-off speaks of another label."""
    if stage == Stage.SQL:
        return None if bundle.sql_cutoff is None else bundle.sql_cutoff.precision.estimate
    return bundle.mql_cutoff.precision.estimate if bundle.sql_model is None else None


def _finding(row: dict) -> Finding | None:
    """What an interval says against a kind of overrides."""
    line = row[LINE]
    if line is None or not row["n_mature"]:
        return None
    if row[DIRECTION] == UP and row["high"] < line:
        what, bound = "raised, won less often than the line asks: at most", row["high"]
    elif row[DIRECTION] == DOWN and row["low"] > line:
        what, bound = "lowered, won more often than the line asks: at least", row["low"]
    else:
        return None
    message = (
        f"{row['n_won']} of {row['n_mature']} leads that people {what} {bound:.0%} of such leads, where the "
        f"cut-off of {row[STAGE]} has {line:.0%}"
    )
    title, remedy = "overrides did other than meant", "talk to those who set them"
    return Finding("LL244", Severity.INFO, title, message, remedy, count=row["n_mature"])
