"""FeatureBuilder: observations, leads, events, history -> one table of features, the same for all who ask."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from leadlift.data.events import Events, events_from
from leadlift.data.history import History, history_from
from leadlift.data.observations import Observations
from leadlift.data.reading import Leads
from leadlift.engines import Engine, get_engine
from leadlift.exceptions import ConfigError
from leadlift.features import GROUPS, Settings, group_class
from leadlift.features.meanings import Meanings
from leadlift.features.replay import Replay
from leadlift.features.rows import ObservedRows, columns_without_role
from leadlift.features.session import BehaviourSession, Moments
from leadlift.terms import FeatureSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.features.event_checks import EventWatch


class FeatureBuilder:
    """Builds the features of observations from what was known before their moments.

    Parameters
    ----------
    groups : sequence of str, optional
        Names of feature groups; None takes all. A group without data makes no columns.
    windows_days : sequence of float, default=(1, 7, 30, 90)
        Look-back windows of counts, days.
    text : sequence of str
        Columns of the leads with free text known at creation.
    meanings : mapping of str to sequence of str, optional
        Event types and assets that are about ``content``, ``pricing``, ``demo``, ``quote``, ``hand_raise``;
        one that is not named is guessed from the names.
    fields : sequence of str, optional
        Fields of the change log that are replayed; None takes all that are not refused.
    refused : sequence of str
        Fields of the change log that must be no inputs, unless named in `fields`: protected attributes, the
        outcome, columns that the user ignores.
    engine : str or Engine, default="duckdb"
        Where the table work runs; the features do not depend on it.

    Attributes
    ----------
    groups_ : tuple of FeatureGroup
        Fitted.
    left_out_ : tuple of str
        Features that are not made; see :meth:`without`.
    needs_events_, needs_history_ : bool
        Whether events and a change log were there at fit, and so must be at :meth:`transform`.
    replay_ : Replay
        Which columns of the leads have the value of the day.
    """

    def __init__(
        self,
        groups: Sequence[str] | None = None,
        windows_days: Sequence[float] = (1.0, 7.0, 30.0, 90.0),
        text: Sequence[str] = (),
        meanings: Mapping[str, Sequence[str]] | None = None,
        fields: Sequence[str] | None = None,
        refused: Sequence[str] = (),
        engine: str | Engine = "duckdb",
    ) -> None:
        self.groups = groups
        self.windows_days = windows_days
        self.text = text
        self.meanings = meanings
        self.fields = fields
        self.refused = refused
        self.engine = engine

    def fit(
        self,
        observations: Observations | object,
        *,
        leads: Leads | object,
        columns: Sequence[FeatureSpec] | None = None,
        events: Events | object | None = None,
        history: History | object | None = None,
        fitted: NDArray[np.bool_] | None = None,
    ) -> Self:
        """Learn the vocabularies from what was known at the observations.

        Parameters
        ----------
        observations : Observations, or a pyarrow, pandas or polars table
            From :func:`leadlift.make_observations`; or ``lead_id`` and ``as_of``, a row for each of `leads`.
        leads : Leads, or a pyarrow, pandas or polars table
            The leads, in house columns.
        columns : sequence of FeatureSpec, optional
            Columns of `leads` that were known at creation and are to be features; all without a role, if
            not given.
        events : Events, or a pyarrow, pandas or polars table, optional
            A table has the house's names; see :func:`leadlift.events_from` for others.
        history : History, or a pyarrow, pandas or polars table, optional
            Likewise.
        fitted : ndarray of bool, shape (n_rows,), optional
            Observations to learn from; all, if not given.

        Returns
        -------
        self
        """
        work = ObservedRows(observations, leads, fitted)
        columns = columns_without_role(leads) if columns is None else columns
        with self._session(work.moments, events, history) as session:
            self._learn(session, work, columns)
        return self

    def transform(
        self,
        observations: Observations | object,
        *,
        leads: Leads | object,
        events: Events | object | None = None,
        history: History | object | None = None,
    ) -> pa.Table:
        """Make the features of observations.

        Parameters
        ----------
        observations, leads, events, history
            As for :meth:`fit`.

        Returns
        -------
        pyarrow.Table
            One row an observation, in their order; the columns of :attr:`specs_`.

        Raises
        ------
        ConfigError
            The features were learnt from events or a change log, and none is given.
        """
        self._require(events, history)
        work = ObservedRows(observations, leads)
        with self._session(work.moments, events, history) as session:
            return self._in_order(list(self._batches(session, work)))

    def fit_transform(
        self,
        observations: Observations | object,
        *,
        leads: Leads | object,
        columns: Sequence[FeatureSpec] | None = None,
        events: Events | object | None = None,
        history: History | object | None = None,
        fitted: NDArray[np.bool_] | None = None,
        watch: EventWatch | None = None,
    ) -> pa.Table:
        """Learn from the fitted observations and make the features of all; the events are read once.

        Parameters
        ----------
        observations, leads, columns, events, history, fitted
            As for :meth:`fit`.
        watch : EventWatch, optional
            Is shown every event and the change log, for findings.

        Returns
        -------
        pyarrow.Table
            As from :meth:`transform`.
        """
        parts = list(
            self.fit_transform_batches(
                observations,
                leads=leads,
                columns=columns,
                events=events,
                history=history,
                fitted=fitted,
                watch=watch,
            )
        )
        return self._in_order(parts)

    def fit_transform_batches(
        self,
        observations: Observations | object,
        *,
        leads: Leads | object,
        columns: Sequence[FeatureSpec] | None = None,
        events: Events | object | None = None,
        history: History | object | None = None,
        fitted: NDArray[np.bool_] | None = None,
        watch: EventWatch | None = None,
    ) -> Iterator[tuple[NDArray[np.int64], pa.Table]]:
        """Do as :meth:`fit_transform` in memory that does not grow with the events.

        Yields
        ------
        rows : ndarray of int64
            Numbers of observations; ascending throughout where the rows of a lead stand side by side.
        features : pyarrow.Table
            Their features.
        """
        work = ObservedRows(observations, leads, fitted)
        columns = columns_without_role(leads) if columns is None else columns
        with self._session(work.moments, events, history, watch) as session:
            self._learn(session, work, columns)
            yield from self._batches(session, work)

    def open(
        self,
        lead_id: pa.Array,
        as_of: NDArray[np.datetime64],
        *,
        events: Events | object | None = None,
        history: History | object | None = None,
        watch: EventWatch | None = None,
    ) -> BehaviourSession:
        """Return a session over leads to be scored, for :meth:`make`; the rows of a lead stand side by side.

        Parameters
        ----------
        lead_id : pyarrow.Array of string, length n_rows
        as_of : ndarray of datetime64, shape (n_rows,)
        events, history, watch
            As for :meth:`fit_transform`.
        """
        self._require(events, history)
        return self._session(Moments.of(lead_id, as_of), events, history, watch)

    def make(self, session: BehaviourSession, start: int, stop: int, leads: pa.Table) -> pa.Table:
        """Make the features of the rows in [start, stop) of a session.

        Parameters
        ----------
        session : BehaviourSession
            Within its ``with`` block.
        start, stop : int
        leads : pyarrow.Table
            Columns of the leads of these rows known at creation.

        Returns
        -------
        pyarrow.Table
        """
        if start == stop:
            return self._schema.empty_table()
        needed = sorted({column for group in self.groups_ for column in group.act_columns})
        facts = self.replay_.applied(session.facts(start, stop, self._with_left_out(leads), needed))
        columns = [column for group in self.groups_ for column in group.columns(facts)]
        named = zip(self._all_specs, columns, strict=True)
        kept = [column for spec, column in named if spec.name not in self.left_out_]
        return pa.Table.from_arrays(kept, schema=self._schema)

    def without(self, names: Collection[str]) -> Self:
        """Return the fitted builder less some features.

        Parameters
        ----------
        names : collection of str
            Of features; columns of the leads among them need not be given any more.
        """
        return self.from_dict(self.to_dict() | {"left_out": sorted({*self.left_out_, *names})}, self.engine)

    def on(self, engine: str | Engine) -> Self:
        """Return the fitted builder with its table work on another engine."""
        return self.from_dict(self.to_dict(), engine)

    def to_dict(self) -> dict[str, Any]:
        """Return settings and vocabularies as JSON values."""
        return {
            "groups": [[group.name, group.to_dict()] for group in self.groups_],
            "left_out": list(self.left_out_),
            "meanings": None if self.meanings is None else {k: list(v) for k, v in self.meanings.items()},
            "needs_events": self.needs_events_,
            "needs_history": self.needs_history_,
            "replay": self.replay_.to_dict(),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any], engine: str | Engine = "duckdb") -> Self:
        """Make a fitted builder anew.

        Parameters
        ----------
        state : dict
            From :meth:`to_dict`.
        engine : str or Engine
        """
        builder = cls(
            groups=tuple(name for name, _ in state["groups"]), meanings=state["meanings"], engine=engine
        )
        builder.groups_ = tuple(group_class(name).from_dict(s) for name, s in state["groups"])
        builder.left_out_ = tuple(state["left_out"])
        builder.needs_events_, builder.needs_history_ = state["needs_events"], state["needs_history"]
        builder.replay_ = Replay.from_dict(state["replay"])
        return builder

    @property
    def specs_(self) -> tuple[FeatureSpec, ...]:
        """What each column means, in order."""
        return tuple(spec for spec in self._all_specs if spec.name not in self.left_out_)

    @property
    def _all_specs(self) -> list[FeatureSpec]:
        return _with_own_names([spec for group in self.groups_ for spec in group.specs()])

    def _with_left_out(self, leads: pa.Table) -> pa.Table:
        """Add columns that were left out and that their group asks for, empty."""
        for spec in self._all_specs:
            if spec.name in self.left_out_ and spec.name not in leads.column_names:
                leads = leads.append_column(spec.name, pa.nulls(len(leads), _ARROW_TYPES[spec.dtype]))
        return leads

    @property
    def _schema(self) -> pa.Schema:
        return pa.schema([(spec.name, _ARROW_TYPES[spec.dtype]) for spec in self.specs_])

    def _session(
        self,
        moments: Moments,
        events: Events | object | None,
        history: History | object | None,
        watch: EventWatch | None = None,
    ) -> BehaviourSession:
        return BehaviourSession(
            get_engine(self.engine),
            moments,
            events=events if events is None or isinstance(events, Events) else events_from(events),
            history=history if history is None or isinstance(history, History) else history_from(history),
            meanings=Meanings(self.meanings),
            watch=watch,
        )

    def _require(self, events: object | None, history: object | None) -> None:
        """Refuse to make features before they were learnt, or of acts where there is no file of acts."""
        if not hasattr(self, "groups_"):
            msg = "this FeatureBuilder has learnt nothing yet; call fit first"
            raise ConfigError(msg)
        given = (("events", events, "needs_events_"), ("history", history, "needs_history_"))
        for name, source, learnt in given:
            if source is None and getattr(self, learnt):
                msg = f"the features were learnt with {name}; give {name}, an empty file if there are none"
                raise ConfigError(msg)

    def _learn(self, session: BehaviourSession, work: ObservedRows, columns: Sequence[FeatureSpec]) -> None:
        survey = work.with_labels(session.survey(work.leads_of(0, work.n_rows)))
        settings = Settings(
            columns=tuple(columns),
            windows_days=tuple(self.windows_days),
            text=tuple(self.text),
            fields=None if self.fields is None else tuple(self.fields),
            refused=tuple(self.refused),
        )
        names = GROUPS if self.groups is None else self.groups
        self.groups_ = tuple(group_class(name).configured(settings).fit(survey) for name in names)
        self.left_out_ = ()
        self.replay_ = survey.replay
        self.needs_events_, self.needs_history_ = session.has_events, session.has_history

    def _batches(
        self, session: BehaviourSession, work: ObservedRows
    ) -> Iterator[tuple[NDArray[np.int64], pa.Table]]:
        for start, stop in session.slices():
            yield work.order[start:stop], self.make(session, start, stop, work.leads_of(start, stop))

    def _in_order(self, parts: Sequence[tuple[NDArray[np.int64], pa.Table]]) -> pa.Table:
        """Join parts in the order of their rows."""
        if not parts:
            return self._schema.empty_table()
        rows = np.concatenate([rows for rows, _ in parts])
        table = pa.concat_tables([part for _, part in parts])
        return table if (np.diff(rows) > 0).all() else table.take(pa.array(np.argsort(rows)))


_ARROW_TYPES = {"int32": pa.int32(), "float64": pa.float64(), "string": pa.string()}


def build_features(
    observations: Observations | object,
    *,
    leads: Leads | object,
    columns: Sequence[FeatureSpec] | None = None,
    events: Events | object | None = None,
    history: History | object | None = None,
    engine: str | Engine = "duckdb",
) -> pa.Table:
    """Build the features of observations with default settings; see :class:`FeatureBuilder`.

    Parameters
    ----------
    observations, leads, columns, events, history
        As for :meth:`FeatureBuilder.fit`.
    engine : str or Engine, default="duckdb"
        Where the table work runs.

    Returns
    -------
    pyarrow.Table
        One row an observation, in their order.
    """
    builder = FeatureBuilder(engine=engine)
    return builder.fit_transform(observations, leads=leads, columns=columns, events=events, history=history)


def _with_own_names(specs: Sequence[FeatureSpec]) -> list[FeatureSpec]:
    """Put its group before the name of a feature that an earlier one, mostly a column of the leads, bears."""
    named, taken = [], set()
    for spec in specs:
        name = spec.name
        while name in taken:
            name = f"{spec.group}_{name}"
        taken.add(name)
        named.append(replace(spec, name=name))
    return named
