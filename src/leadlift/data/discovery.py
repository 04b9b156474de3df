"""What a file of leads seems to hold: the guess that `leadlift init` writes down for the user to check."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from leadlift.config import DataConfig, FamiliesConfig, SchemaConfig
from leadlift.data.behaviour_discovery import BehaviourDiscovery, discover_behaviour
from leadlift.data.dates import parse_dates
from leadlift.data.dialect import detect_dialect
from leadlift.data.files import is_parquet, require_file
from leadlift.data.label_guess import LabelGuess, guess_label
from leadlift.data.naming import LeakName, guess_family, leak_words, protected_attribute
from leadlift.data.number_marks import NumberMarks, detect_marks
from leadlift.data.profiling import ColumnProfile, as_text, number_sentinels, profile_columns
from leadlift.data.reading import HOUSE_COLUMNS, read_text_table
from leadlift.data.role_guess import (
    RoleGuess,
    guess_closed,
    guess_created,
    guess_lead_id,
    useless_columns,
)
from leadlift.data.shared_dialect import share_dialect
from leadlift.exceptions import InputError
from leadlift.terms import Family

HORIZONS_DAYS = (7, 14, 30, 60, 90, 180, 365)
"""Horizons that are suggested."""
HORIZON_QUANTILE = 0.9
"""Share of the wins that fall within the suggested horizon."""
MIN_WINS_FOR_HORIZON = 20
"""With fewer dated wins no horizon is suggested."""
MIN_WORDS_OF_TEXT = 3
"""Free text has at least so many words a value on average; a name has two."""

_CHECK_THIS = "; check this"
_MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class Discovery:
    """What a file of leads seems to hold.

    Parameters
    ----------
    path : Path
        The file.
    data : DataConfig
        How it is written.
    roles : SchemaConfig
        Which column plays which role.
    families : FamiliesConfig
        The family of every input column.
    target : float
        Share of won leads among the qualified that the first cut-off is to promise, in (0, 1).
    notes : mapping of str to str
        By key of leadlift.toml, the evidence; of a missing word, a column under `ignore` and a column in
        `missing_numbers`, under ``"word:…"``, ``"ignore:…"`` and ``"number:…"``.
    suspects : mapping of str to LeakName
        Input columns whose name says that they may be written after the outcome.
    protected : mapping of str to str
        Columns that seem to hold a protected attribute, and which; they are left out.
    dates : tuple of str
        Date columns without a role; they are left out.
    texts : tuple of str
        Ignored columns that seem to hold free text and not to be written after the outcome.
    events, history : BehaviourDiscovery or None
        What the events and the change log seem to hold, where they were given.
    """

    path: Path
    data: DataConfig
    roles: SchemaConfig
    families: FamiliesConfig
    target: float
    notes: Mapping[str, str]
    suspects: Mapping[str, LeakName]
    protected: Mapping[str, str]
    dates: tuple[str, ...]
    texts: tuple[str, ...] = ()
    events: BehaviourDiscovery | None = None
    history: BehaviourDiscovery | None = None

    @property
    def has_behaviour(self) -> bool:
        """Whether events or a change log were given."""
        return self.events is not None or self.history is not None

    def to_toml(self, *, folder: str | Path = ".") -> str:
        """Return the guess as the text of a leadlift.toml, a comment on each line.

        Parameters
        ----------
        folder : str or Path
            Where leadlift.toml will stand; paths of files are written relative to it.

        Returns
        -------
        str
            Valid for :func:`leadlift.config.parse_config`.
        """
        from leadlift.data.toml_draft import draft

        return draft(self, Path(folder))


def discover(
    path: str | Path,
    *,
    outcome: str | None = None,
    lead_id: str | None = None,
    created_at: str | None = None,
    today: date | None = None,
    events: str | Path | None = None,
    history: str | Path | None = None,
    events_query: str | None = None,
    history_query: str | None = None,
) -> Discovery:
    """Look at a file of won and lost leads, and at their behaviour, and guess how all is to be read.

    Names, values and their counts are looked at, in every row of the leads and in the first 50,000 of events
    and change log; nothing is learnt. What is uncertain is marked "check this" in the notes. Ids and free
    text are put under `ignore`; columns that may be written after the outcome are only pointed out, since the
    leakage gate measures them.

    Parameters
    ----------
    path : str or Path
        CSV or Parquet file.
    outcome, lead_id, created_at : str or None
        Columns that the user names.
    today : date or None
        Dates after it are pointed out; None does not look.
    events, history : str, Path or None
        Sources of the events and of the change log of fields
        (see :func:`leadlift.data.sources.open_source`).
    events_query, history_query : str or None
        For DuckDB files and databases: the name of a table, or a SELECT.

    Returns
    -------
    Discovery

    Raises
    ------
    InputError
        A file cannot be read, a column named is not in it, or no column says how leads ended; events or
        change log bear no id of a lead, lack a column that they need, or are CSV files written otherwise
        than the leads.
    SchemaError, ConfigError, MissingDependencyError
        Events or change log: as for :func:`leadlift.data.sources.open_source`.
    """
    path = require_file(path)
    notes: dict[str, str] = {}
    data, table = _read(path, notes)
    profiles = profile_columns(table)
    label = guess_label(profiles, outcome)
    _note_label(label, profiles, notes)
    roles = _guess_roles(profiles, label, lead_id, created_at, notes)
    roles = _with_horizon(roles, table, data, today, notes)
    sources = {"events": events and str(events), "history": history and str(history)}
    queries = {"events_query": events_query, "history_query": history_query}
    data = share_dialect(data.model_copy(update=sources | queries), notes)
    behaviour = discover_behaviour(data, roles.lead_id, table)
    written = (*profiles, *(profile for found in behaviour.values() for profile in found.profiles))
    marks = detect_marks([profile.values for profile in written if not profile.is_date])
    free = [profile for profile in profiles if profile.name not in roles.role_columns]
    ignored = {**useless_columns(free, marks), **_name_clashes(free)}
    notes.update({f"ignore:{name}": reason for name, reason in ignored.items()})
    inputs = [profile for profile in free if profile.name not in ignored and not profile.is_date]
    return Discovery(
        path=path,
        data=_with_missing(data, marks, written, inputs, notes),
        roles=roles.model_copy(
            update={"ignore": tuple(ignored)} | {key: found.roles for key, found in behaviour.items()}
        ),
        families=_families(inputs),
        target=suggest_target(_base_rate(label, profiles)),
        notes=notes,
        suspects={p.name: found for p in inputs if (found := leak_words(p.name)) is not None},
        protected={p.name: found for p in inputs if (found := protected_attribute(p.name)) is not None},
        dates=tuple(profile.name for profile in free if profile.is_date and profile.name not in ignored),
        texts=tuple(p.name for p in free if p.name in ignored and _is_free_text(p)),
        **behaviour,
    )


def suggest_target(base_rate: float) -> float:
    """Return a precision worth promising for the first cut-off: about twice the base rate.

    At most 0.8 (unless the base rate is above 0.7) and at most halfway between the base rate and 1;
    rounded down to a step of 0.05 from 0.1 on.

    Parameters
    ----------
    base_rate : float
        Share of won among the closed leads, in (0, 1).

    Returns
    -------
    float
        Above `base_rate`.

    Examples
    --------
    >>> [suggest_target(base_rate) for base_rate in (0.004, 0.06, 0.115, 0.385, 0.63, 0.95)]
    [0.008, 0.1, 0.2, 0.65, 0.8, 0.975]
    """
    wanted = min(2 * base_rate, (1 + base_rate) / 2)
    if base_rate <= 0.7:
        wanted = min(wanted, 0.8)
    step = math.floor(20 * wanted + 1e-9) / 20
    return step if wanted >= 0.1 and step > base_rate else round(wanted, 3)


def suggest_horizon(days_to_win: np.ndarray) -> int | None:
    """Return the shortest usual horizon within which nine wins of ten fall.

    Parameters
    ----------
    days_to_win : ndarray of float64
        Days from creation to winning, one a won lead.

    Returns
    -------
    int or None
        7, 14, 30, 60, 90, 180 or 365 days; None for fewer than 20 wins or where nine of ten take more than
        a year.

    Examples
    --------
    >>> suggest_horizon(np.arange(50.0))
    60
    """
    if days_to_win.size < MIN_WINS_FOR_HORIZON:
        return None
    needed = float(np.quantile(days_to_win, HORIZON_QUANTILE))
    return next((days for days in HORIZONS_DAYS if days >= needed), None)


def _read(path: Path, notes: dict[str, str]) -> tuple[DataConfig, pa.Table]:
    """Read every cell as text; ragged rows are left out here and pointed out."""
    if is_parquet(path):
        data = DataConfig(leads=str(path))
        return data, read_text_table(path, data)
    dialect = detect_dialect(path)
    notes["encoding"], notes["delimiter"] = dialect.encoding_evidence, dialect.delimiter_evidence
    data = DataConfig(leads=str(path), delimiter=dialect.delimiter, encoding=dialect.encoding)
    try:
        return data, read_text_table(path, data)
    except InputError as error:
        table = read_text_table(path, data.model_copy(update={"ragged_rows": "skip"}))
        notes["ragged_rows"] = f'"skip" leaves them out: {error}'
        return data, table


def _note_label(label: LabelGuess, profiles: Sequence[ColumnProfile], notes: dict[str, str]) -> None:
    profile = next(profile for profile in profiles if profile.name == label.column)
    rivals = f"; it could also be {', '.join(map(repr, label.rivals))}{_CHECK_THIS}" if label.rivals else ""
    notes["outcome"] = (
        f"{profile.n_distinct} values in {profile.n_filled:,} of {profile.n_rows:,} rows{rivals}"
    )
    for ending, values in (("won", label.won), ("lost", label.lost), ("open", label.open)):
        rows = sum(profile.count_of(value) for value in values)
        notes[ending] = f"{rows:,} rows{_CHECK_THIS if set(values) & set(label.unsure) else ''}"


def _guess_roles(
    profiles: Sequence[ColumnProfile],
    label: LabelGuess,
    lead_id: str | None,
    created_at: str | None,
    notes: dict[str, str],
) -> SchemaConfig:
    free = [profile for profile in profiles if profile.name != label.column]
    by_name = {profile.name: profile for profile in free}
    created = guess_created(free, created_at)
    closed = guess_closed([p for p in free if p.name != created.column], by_name.get(created.column or ""))
    dates = {created.column, closed.column}
    ids = guess_lead_id([profile for profile in free if profile.name not in dates], lead_id)
    notes.update(lead_id=_note(ids), created_at=_note(created), closed_at=_note(closed))
    date_format = _common_format([by_name[name] for name in dates if name is not None], notes)
    return SchemaConfig(
        lead_id=ids.column,
        outcome=label.column,
        won=label.won,
        lost=label.lost,
        open=label.open,
        created_at=created.column,
        closed_at=closed.column,
        date_format=date_format,
    )


def _note(guess: RoleGuess) -> str:
    return guess.evidence if guess.is_sure else guess.evidence + _CHECK_THIS


def _common_format(dates: Sequence[ColumnProfile], notes: dict[str, str]) -> str | None:
    """Return the format that reads all date columns with a role; the likeliest where several do."""
    if not dates:
        return None
    formats = [form for form in dates[0].date_formats if all(form in other.date_formats for other in dates)]
    rivals = f"; {', '.join(map(repr, formats[1:]))} would read them too{_CHECK_THIS}" if formats[1:] else ""
    notes["date_format"] = "dates are ISO 8601" if formats[0] is None else f"reads every date{rivals}"
    return formats[0]


def _with_horizon(
    roles: SchemaConfig, table: pa.Table, data: DataConfig, today: date | None, notes: dict[str, str]
) -> SchemaConfig:
    """Suggest a horizon from the time that wins took, where both dates are known."""
    if roles.created_at is None:
        notes["horizon_days"] = "needs created_at and closed_at"
        return roles
    created = _moments(table, roles.created_at, roles)
    closed = _moments(table, roles.closed_at, roles) if roles.closed_at else created[:0]
    _note_last_date(np.concatenate([created, closed]), today, notes)
    if roles.closed_at is None:
        notes["horizon_days"] = "needs closed_at; the outcome is taken as it stands, whenever it came"
        return roles
    is_won = np.isin(np.array(as_text(table[roles.outcome]).fill_null("").to_pylist()), roles.won)
    days = (closed - created)[is_won].astype(np.float64) / _MICROSECONDS_A_DAY
    days = days[~np.isnat((closed - created)[is_won])]
    horizon = suggest_horizon(days)
    notes["horizon_days"] = _horizon_evidence(days, horizon)
    return roles.model_copy(update={"horizon_days": horizon})


def _moments(table: pa.Table, column: str, roles: SchemaConfig) -> np.ndarray:
    moments, _ = parse_dates(_text_or_dates(table[column]), roles.date_format)
    return moments.cast(pa.timestamp("us")).to_numpy()


def _text_or_dates(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column if pa.types.is_temporal(column.type) else as_text(column)


def _note_last_date(moments: np.ndarray, today: date | None, notes: dict[str, str]) -> None:
    known = moments[~np.isnat(moments)]
    if not known.size:
        return
    last = known.max()
    notes["known_until"] = f"{np.datetime_as_string(last, unit='s')}Z"
    if today is not None and last > np.datetime64(today, "us"):
        notes["created_at"] += (
            f"; dates run to {np.datetime_as_string(last, unit='D')}, after today{_CHECK_THIS}"
        )


def _horizon_evidence(days: np.ndarray, horizon: int | None) -> str:
    if days.size < MIN_WINS_FOR_HORIZON:
        return f"only {days.size} won leads with both dates, too few to suggest a horizon"
    needed = np.quantile(days, HORIZON_QUANTILE)
    tail = "" if horizon else "; longer than a year, check the dates"
    return f"{HORIZON_QUANTILE:.0%} of {days.size:,} wins came within {math.ceil(needed)} days{tail}"


def _is_free_text(profile: ColumnProfile) -> bool:
    """Whether its values are sentences and its name does not say that they are written after the outcome."""
    leak = leak_words(profile.name)
    is_late = leak is not None and leak.strength == "strong"
    n_words = sum(len(value.split()) for value in profile.values)
    return not is_late and n_words >= MIN_WORDS_OF_TEXT * profile.n_distinct


def _name_clashes(free: Sequence[ColumnProfile]) -> dict[str, str]:
    """Return columns whose name leadlift needs for itself."""
    reason = f"leadlift needs this name for itself; rename the column to use it{_CHECK_THIS}"
    return {profile.name: reason for profile in free if profile.name in HOUSE_COLUMNS}


def _with_missing(
    data: DataConfig,
    marks: NumberMarks,
    profiles: Sequence[ColumnProfile],
    inputs: Sequence[ColumnProfile],
    notes: dict[str, str],
) -> DataConfig:
    """Add how numbers and missing values are written."""
    found: dict[str, list[str]] = {}
    for profile in profiles:
        for word, count in profile.missing_words.items():
            found.setdefault(word, []).append(f"{profile.name} ({count:,})")
    notes.update({f"word:{word}": _where(columns) for word, columns in found.items()})
    numbers = {profile.name: number_sentinels(profile, marks) for profile in inputs}
    numbers = {name: values for name, values in numbers.items() if values}
    notes.update(
        {f"number:{p.name}": _sentinel_evidence(p, numbers[p.name]) for p in inputs if p.name in numbers}
    )
    return data.model_copy(
        update={
            "decimal": marks.decimal,
            "thousands": marks.thousands,
            "missing_values": tuple(sorted(found)),
            "missing_numbers": numbers,
        }
    )


def _where(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - 3} more columns" if len(columns) > 3 else ""
    return f"in {', '.join(columns[:3])}{more}"


def _sentinel_evidence(profile: ColumnProfile, numbers: Sequence[float]) -> str:
    rows = sum(
        n for value, n in zip(profile.values, profile.counts.tolist(), strict=True) if _is_one(value, numbers)
    )
    return f"{rows:,} of {profile.n_rows:,} rows, far from all other values{_CHECK_THIS}"


def _is_one(value: str, numbers: Sequence[float]) -> bool:
    return value.removesuffix(".0") in {f"{number:g}" for number in numbers}


def _families(inputs: Sequence[ColumnProfile]) -> FamiliesConfig:
    guesses = [(profile.name, guess_family(profile.name)) for profile in inputs]
    return FamiliesConfig(
        **{family.value: tuple(name for name, guess in guesses if guess is family) for family in Family}
    )


def _base_rate(label: LabelGuess, profiles: Sequence[ColumnProfile]) -> float:
    profile = next(profile for profile in profiles if profile.name == label.column)
    won = sum(profile.count_of(value) for value in label.won)
    lost = sum(profile.count_of(value) for value in label.lost)
    return won / (won + lost) if lost else 0.5
