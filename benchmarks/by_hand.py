"""The columns of the group `activity`, written by hand: three queries for DuckDB, and pandas.

They are given what `leadlift` has to find out (the event types and channels) and leave out what this log has
not: copies of events, types and channels beyond the common ones, values. All make the same columns.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from event_log import CHANNELS, TYPES

DAY_US = 86_400_000_000
WINDOWS_DAYS = {"1d": 1, "7d": 7, "30d": 30, "90d": 90}
LABELS = (*WINDOWS_DAYS, "all")
UNKNOWN = "unknown"

_KEYS = ("n", *[f"n_{name}" for name in TYPES], *[f"n_by_{name}" for name in (*CHANNELS, UNKNOWN)])
_BREADTH = (
    "n_sessions_all", "n_sessions_30d", "n_active_days_all", "n_active_days_30d", "n_assets_all",
    "n_new_assets_30d",
)  # fmt: skip

_BAND = f"""CASE {
    " ".join(f"WHEN age_us <= {days * DAY_US} THEN {i}" for i, days in enumerate(WINDOWS_DAYS.values()))
} ELSE {len(WINDOWS_DAYS)} END"""


def _in_list(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


_TEXT = {"type": "event_type", "channel": f"coalesce(channel, '{UNKNOWN}')"}
_CODED = {
    "type": f"list_position([{_in_list(TYPES)}], event_type)::TINYINT",
    "channel": f"coalesce(list_position([{_in_list(CHANNELS)}], channel), {len(CHANNELS) + 1})::TINYINT",
}


def _known(names: dict[str, str]) -> str:
    """Acts before as_of, each with what only the acts before it can tell."""
    return f"""
    acts AS (
        SELECT lead_id, epoch_us(occurred_at) AS moment, {names["type"]} AS type,
            {names["channel"]} AS channel, asset FROM events),
    ordered AS (
        SELECT lead_id, moment, type, channel,
            moment - lag(moment) OVER by_time AS gap_us,
            moment // {DAY_US} IS DISTINCT FROM lag(moment // {DAY_US}) OVER by_time AS is_new_day,
            asset IS NOT NULL AND row_number() OVER (PARTITION BY lead_id, asset ORDER BY moment) = 1
                AS is_new_asset
        FROM acts WINDOW by_time AS (PARTITION BY lead_id ORDER BY moment)),
    known AS (
        SELECT row, epoch_us(as_of) - moment AS age_us, type, channel, is_new_day, is_new_asset,
            gap_us IS NULL OR gap_us > 1800000000 AS is_start
        FROM observations JOIN ordered USING (lead_id) WHERE moment < epoch_us(as_of))"""  # noqa: S608


def _query(known: str, counts: list[str], counted: dict[str, str], value_of: Callable[[str], str]) -> str:
    """Put the statement together from the ways in which a form names types and keeps counts.

    `counts` are aggregates, `counted` the expressions that make columns of them, and `value_of` says how the
    form writes an event type.
    """
    month_us = 30 * DAY_US
    day_bit = f"1::BIGINT << ((age_us - 1) // {DAY_US})"
    aggregates = [
        *counts,
        "min(age_us) AS last_us",
        "max(age_us) AS first_us",
        *[f"min(age_us) FILTER (type = {value_of(name)}) AS last_{name}_us" for name in TYPES],
        "count(*) FILTER (is_start) AS n_sessions_all",
        f"count(*) FILTER (is_start AND age_us <= {month_us}) AS n_sessions_30d",
        "count(*) FILTER (is_new_day) AS n_active_days_all",
        # One bit a day is several times as fast as count(DISTINCT day).
        f"bit_count(bit_or({day_bit}) FILTER (age_us <= {month_us})) AS n_active_days_30d",
        "count(*) FILTER (is_new_asset) AS n_assets_all",
        f"count(*) FILTER (is_new_asset AND age_us <= {month_us}) AS n_new_assets_30d",
        f"count(*) FILTER (age_us <= {37 * DAY_US}) AS n_37d",
        f"sum(round(1e6 * exp(age_us / (-14e0 * {DAY_US})))::BIGINT) AS decayed",
    ]
    week = f"coalesce({counted['n_7d']}, 0)"
    columns = {
        **{name: f"coalesce({expression}, 0)::INTEGER" for name, expression in counted.items()},
        "days_since_last": f"last_us / {DAY_US}e0",
        "days_since_first": f"first_us / {DAY_US}e0",
        **{f"days_since_{name}": f"last_{name}_us / {DAY_US}e0" for name in TYPES},
        **{name: f"coalesce(counted.{name}, 0)::INTEGER" for name in _BREADTH},
        "velocity": f"({week} / 7e0) / ((coalesce(n_37d, 0) - {week} + 1) / 30e0)",
        "decayed_acts": "coalesce(decayed, 0) / 1e6",
    }
    return f"""
    WITH {known}, counted AS (SELECT row, {", ".join(aggregates)} FROM known GROUP BY row)
    SELECT {", ".join(f"{expression} AS {name}" for name, expression in columns.items())}
    FROM observations LEFT JOIN counted USING (row) ORDER BY row"""  # noqa: S608


def plain_query() -> str:
    """One FILTER a column, on the names of types and channels: what comes to mind first."""
    tests = {"n": "true"}
    tests |= {f"n_{name}": f"type = '{name}'" for name in TYPES}
    tests |= {f"n_by_{name}": f"channel = '{name}'" for name in (*CHANNELS, UNKNOWN)}
    spans = {label: f"age_us <= {days * DAY_US}" for label, days in WINDOWS_DAYS.items()} | {"all": "true"}
    counts = [
        f"count(*) FILTER ({test} AND {span}) AS c_{key}_{label}"
        for key, test in tests.items()
        for label, span in spans.items()
    ]
    counted = {f"{key}_{label}": f"c_{key}_{label}" for key in tests for label in LABELS}
    return _query(_known(_TEXT), counts, counted, lambda name: f"'{name}'")


def banded_query() -> str:
    """One FILTER a band of age, on one small number that holds key and band; bands are added up to windows.

    The best form that is still a plain query, and the one that the bar is measured against.
    """
    n_bands = len(LABELS)
    known = f"""{_known(_CODED).replace("known AS", "plainly_known AS")},
    known AS (
        SELECT *, ({_BAND})::TINYINT AS band, (type * {n_bands} + {_BAND})::SMALLINT AS type_band,
            (channel * {n_bands} + {_BAND})::SMALLINT AS channel_band
        FROM plainly_known)"""  # noqa: S608
    cells = {("n", band): f"band = {band}" for band in range(n_bands)}
    for column, names, stem in (("type", TYPES, "n"), ("channel", (*CHANNELS, UNKNOWN), "n_by")):
        for place, name in enumerate(names, start=1):
            for band in range(n_bands):
                cells[f"{stem}_{name}", band] = f"{column}_band = {place * n_bands + band}"
    counts = [f"count(*) FILTER ({test}) AS b_{key}_{band}" for (key, band), test in cells.items()]
    counted = {
        f"{key}_{label}": f"({' + '.join(f'b_{key}_{band}' for band in range(last + 1))})"
        for key in _KEYS
        for last, label in enumerate(LABELS)
    }
    return _query(known, counts, counted, _code)


def packed_query() -> str:
    """The counts of all windows of a key in one sum, 12 bits each: wrong from 4,096 acts of a lead on."""
    shifts = {label: 12 * place for place, label in enumerate(reversed(LABELS))}
    ones = [
        f"CASE WHEN age_us <= {days * DAY_US} THEN {1 << shifts[label]} ELSE 0 END"
        for label, days in WINDOWS_DAYS.items()
    ]
    known = f"""{_known(_CODED).replace("known AS", "plainly_known AS")},
    known AS (SELECT *, (1 + {" + ".join(ones)})::BIGINT AS ones FROM plainly_known)"""  # noqa: S608
    tests = {"n": "true"}
    tests |= {f"n_{name}": f"type = {_code(name)}" for name in TYPES}
    tests |= {
        f"n_by_{name}": f"channel = {place}" for place, name in enumerate((*CHANNELS, UNKNOWN), start=1)
    }
    counts = [f"sum(ones) FILTER ({test}) AS p_{key}" for key, test in tests.items()]
    counted = {
        f"{key}_{label}": f"(p_{key}::BIGINT >> {shifts[label]} & 4095)" for key in _KEYS for label in LABELS
    }
    return _query(known, counts, counted, _code)


def _code(name: str) -> str:
    return str(TYPES.index(name) + 1)


def with_duckdb(query: str, events: Path, observations: Path) -> pa.Table:
    """Run a query on the two files."""
    import duckdb

    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(f"CREATE VIEW events AS FROM '{events}'")
        connection.execute(f"CREATE VIEW observations AS FROM '{observations}'")
        return connection.sql(query).to_arrow_table()


def with_pandas(events: Path, observations: Path) -> pa.Table:
    """Merge on the lead, keep what was before as_of, group by row."""
    import pandas as pd

    acts = _ordered(pd.read_parquet(events))
    rows = pd.read_parquet(observations)
    known = rows.merge(acts, on="lead_id")
    known = known[known["occurred_at"] < known["as_of"]]
    known["age_days"] = (known["as_of"] - known["occurred_at"]) / pd.Timedelta(days=1)
    columns = pd.DataFrame(index=rows["row"])
    for label, days in (*WINDOWS_DAYS.items(), ("all", np.inf)):
        recent = known[known["age_days"] <= days]
        columns[f"n_{label}"] = recent.groupby("row").size()
        for stem, key in (("n", "event_type"), ("n_by", "channel")):
            counts = recent.groupby(["row", key], observed=True).size().unstack()  # noqa: PD010
            columns = columns.join(counts.rename(columns=lambda name, s=stem, w=label: f"{s}_{name}_{w}"))
    columns = columns.join(_breadth(known)).fillna(0)
    columns["velocity"] = (columns["n_7d"] / 7) / ((columns.pop("n_37d") - columns["n_7d"] + 1) / 30)
    return pa.Table.from_pandas(columns.join(_recency(known)), preserve_index=False)


def _ordered(acts):
    """Acts in the order of time, each with what only the acts before it can tell."""
    import pandas as pd

    acts = acts.sort_values(["lead_id", "occurred_at"])
    acts["is_start"] = ~(acts.groupby("lead_id")["occurred_at"].diff() <= pd.Timedelta(minutes=30))
    acts["day"] = acts["occurred_at"].dt.floor("D")
    acts["is_new_day"] = ~acts.duplicated(["lead_id", "day"])
    acts["is_new_asset"] = acts["asset"].notna() & ~acts.duplicated(["lead_id", "asset"])
    acts["event_type"] = acts["event_type"].astype("category")
    acts["channel"] = acts["channel"].fillna(UNKNOWN).astype("category")
    return acts.drop(columns=["asset", "day"])


def _breadth(known):
    import pandas as pd

    month = known[known["age_days"] <= 30]
    days = month.assign(day=np.ceil(month["age_days"])).drop_duplicates(["row", "day"])
    by_row, lately = known.groupby("row"), month.groupby("row")
    decayed = np.exp(known["age_days"] / -14).groupby(known["row"]).sum()
    return pd.DataFrame(
        {
            "n_sessions_all": by_row["is_start"].sum(),
            "n_sessions_30d": lately["is_start"].sum(),
            "n_active_days_all": by_row["is_new_day"].sum(),
            "n_active_days_30d": days.groupby("row").size(),
            "n_assets_all": by_row["is_new_asset"].sum(),
            "n_new_assets_30d": lately["is_new_asset"].sum(),
            "n_37d": known[known["age_days"] <= 37].groupby("row").size(),
            "decayed_acts": decayed,
        }
    )


def _recency(known):
    age = known.groupby("row")["age_days"].agg(days_since_last="min", days_since_first="max")
    by_type = known.groupby(["row", "event_type"], observed=True)["age_days"].min().unstack()  # noqa: PD010
    return age.join(by_type.rename(columns=lambda name: f"days_since_{name}"))
