"""The sections about the files: how they are written, which column is what, which family it belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from leadlift.config.base import Name, Section, ZoneName, no_overlap
from leadlift.config.behaviour import EventsConfig, HistoryConfig


class DataConfig(Section):
    """Where leads, events and the change log are, and how their files are written.

    A source is a CSV or Parquet file, a folder or a glob of such files, a DuckDB file, or the address of a
    database such as ``postgresql://crm.example/sales``. Paths are relative to the folder of leadlift.toml.

    Parameters
    ----------
    leads : str
        Source of the leads.
    events, history : str or None
        Sources of the behaviour events and of the change log of fields.
    contacts : str or None
        Source of the contact log: which leads were worked, and since when. Training then learns from those
        leads alone, each weighted by the inverse of its chance to be worked; see docs/feedback.md.
    scores : str or None
        Store of scored batches (a folder or a database) from which that chance is read; without one the log
        holds it.
    leads_query, events_query, history_query, contacts_query : str or None
        For DuckDB files and databases: the name of a table, or a SELECT.
    delimiter, encoding : str
        Of a CSV file; ignored for Parquet.
    decimal, thousands : str
        Marks in the numbers of a CSV file, e.g. ``","`` and ``"."`` for ``1.234,50``.
    missing_values : tuple of str
        Words that mean "not recorded", in any column, compared exactly after stripping white space.
        The empty cell always does.
    missing_numbers : dict of str to tuple of float
        By numeric column, the numbers that mean "not recorded", such as 999.
    ragged_rows : {"error", "skip"}
        Rows with too few or too many cells stop the job, or are left out and counted.
    """

    leads: Name
    events: Name | None = None
    history: Name | None = None
    contacts: Name | None = None
    scores: Name | None = None
    leads_query: Name | None = None
    events_query: Name | None = None
    history_query: Name | None = None
    contacts_query: Name | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: Name = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    missing_values: tuple[str, ...] = ()
    missing_numbers: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    ragged_rows: Literal["error", "skip"] = "error"

    @model_validator(mode="after")
    def _scores_serve_the_contact_log(self) -> DataConfig:
        if self.scores is not None and self.contacts is None:
            msg = "scores says how likely leads were to be contacted, and needs contacts: who was contacted"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _marks_differ(self) -> DataConfig:
        if self.decimal == self.thousands:
            msg = f"decimal and thousands are both {self.decimal!r}; they must differ"
            raise ValueError(msg)
        return self


class SchemaConfig(Section):
    """Which column plays which role. Column names are those of the user's file.

    Parameters
    ----------
    lead_id : str or None
        Column with one id a lead; without one, rows are numbered from 1.
    outcome : str
        Column that says how the lead ended.
    won, lost, open : tuple of str
        Values of `outcome` (as text, case matters) for each ending.
    created_at, closed_at : str or None
        Moments of the lead's creation and of its winning or losing.
    qualified_at : str or None
        Moment at which sales accepted the lead, which made it an SQL: a second label. Needs `created_at`.
    account : str or None
        Account or company of the lead: leads of one account are kept together in folds and in a random test
        set. A lead without one is an account of its own. The account is no input.
    weight : str or None
        What each lead counts for in learning, a number > 0; not a share, only ratios matter. No input.
    date_format : str or None
        ``strptime`` format of the date columns of a CSV; None reads ISO 8601.
    time_zone : str
        Zone of moments that are written without one, an IANA name.
    rows_in_time_order : bool
        The rows stand in the order in which the leads came; used as time where `created_at` is absent.
    horizon_days : float or None
        A lead counts as converted when won within so many days of `created_at`. None takes the
        outcome as it stands, whenever it came.
    known_until : datetime or None
        Moment of the extract: outcomes are known up to it. None takes the last date in the file.
    ignore : tuple of str
        Columns that are no inputs.
    known_at_creation : tuple of str
        Suspect columns that the user confirms to be known when the lead is scored.
    allow_protected : tuple of str
        Protected attributes that the user allows as inputs, by name.
    numeric, categorical : tuple of str
        Columns whose kind is to be as said instead of as found.
    events : EventsConfig or None
        Roles of the columns of the events; None where there are no events or they bear the house's names.
    history : HistoryConfig or None
        Roles of the columns of the change log of fields.
    """

    lead_id: Name | None = None
    outcome: Name
    won: tuple[str, ...] = Field(min_length=1)
    lost: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    created_at: Name | None = None
    closed_at: Name | None = None
    qualified_at: Name | None = None
    account: Name | None = None
    weight: Name | None = None
    date_format: str | None = None
    time_zone: ZoneName = "UTC"
    rows_in_time_order: bool = False
    horizon_days: Annotated[float, Field(gt=0, lt=36500)] | None = None
    known_until: datetime | None = None
    ignore: tuple[str, ...] = ()
    known_at_creation: tuple[str, ...] = ()
    allow_protected: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    events: EventsConfig | None = None
    history: HistoryConfig | None = None

    @model_validator(mode="after")
    def _roles_do_not_contradict(self) -> SchemaConfig:
        no_overlap("won, lost and open", self.won, self.lost, self.open)
        no_overlap("numeric and categorical", self.numeric, self.categorical)
        no_overlap("ignore and known_at_creation", self.ignore, self.known_at_creation)
        no_overlap("the roles of [schema]", *[(column,) for column in self.role_columns])
        if self.horizon_days is not None and self.created_at is None:
            msg = "horizon_days needs created_at: without dates nobody knows what happened within it"
            raise ValueError(msg)
        if self.qualified_at is not None and self.created_at is None:
            msg = "qualified_at needs created_at: without dates nobody knows who was SQL already"
            raise ValueError(msg)
        if self.created_at is not None and self.rows_in_time_order:
            msg = "created_at and rows_in_time_order are two clocks; give one"
            raise ValueError(msg)
        return self

    @property
    def role_columns(self) -> tuple[str, ...]:
        """Columns with a role, which are therefore no inputs."""
        dates = (self.created_at, self.closed_at, self.qualified_at)
        roles = (self.lead_id, self.outcome, *dates, self.account, self.weight)
        return tuple(column for column in roles if column is not None)


class FamiliesConfig(Section):
    """Which columns belong to which family of the sub-scores; a column not named is guessed from its name."""

    fit: tuple[str, ...] = ()
    engagement: tuple[str, ...] = ()
    intent: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_family_a_column(self) -> FamiliesConfig:
        no_overlap("the families", self.fit, self.engagement, self.intent, self.source, self.other)
        return self
