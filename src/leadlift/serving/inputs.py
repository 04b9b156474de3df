"""New leads -> the inputs of a bundle's model: columns as they stand, or features built as in training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from leadlift.config import EventsConfig, HistoryConfig
from leadlift.exceptions import ConfigError, InputError
from leadlift.terms import LEAD_ID, Severity

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from leadlift.data.behaviour import BehaviourTable
    from leadlift.data.events import Events
    from leadlift.data.history import History
    from leadlift.features.builder import FeatureBuilder
    from leadlift.features.session import BehaviourSession
    from leadlift.serving.bundle import ModelBundle


class ColumnsAsTheyStand:
    """The inputs of a bundle that was trained on columns of the leads' file alone.

    Parameters
    ----------
    names : sequence of str
        The columns, in the order of the model's matrix.
    """

    every_lead_is_known = False
    events: ClassVar[dict[str, int]] = {}

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = list(names)

    def of(self, leads: pa.Table) -> pa.Table:
        """Return the inputs of the next leads.

        Parameters
        ----------
        leads : pyarrow.Table
            From :func:`leadlift.data.new_leads.prepare_batch`.
        """
        return leads.select(self._names)

    def skip(self, n_rows: int) -> None:
        """Leave out the next leads."""


class BuiltFeatures:
    """The inputs of a bundle that was trained on features.

    Parameters
    ----------
    builder : FeatureBuilder
    session : BehaviourSession
        Open, over all leads of the job, in their order.

    Attributes
    ----------
    events : dict of str to int
        How many events were read, were of other leads, and were copies.
    """

    def __init__(self, builder: FeatureBuilder, session: BehaviourSession) -> None:
        self._builder = builder
        self._session = session
        self._done = 0
        self.events = _counted(session) if session.has_events else {}
        # That a lead did nothing yet is knowledge too.
        self.every_lead_is_known = session.has_events

    def of(self, leads: pa.Table) -> pa.Table:
        """Return the inputs of the next leads.

        Parameters
        ----------
        leads : pyarrow.Table
            From :func:`leadlift.data.new_leads.prepare_batch`, following on those of the last call.
        """
        start, self._done = self._done, self._done + leads.num_rows
        return self._builder.make(self._session, start, self._done, leads)

    def skip(self, n_rows: int) -> None:
        """Leave out the next leads."""
        self._done += n_rows


Inputs = ColumnsAsTheyStand | BuiltFeatures


@contextmanager
def open_inputs(
    bundle: ModelBundle,
    lead_ids: pa.Array,
    *,
    as_of: datetime | None,
    events: Events | None = None,
    history: History | None = None,
    engine: str = "duckdb",
) -> Iterator[Inputs]:
    """Open what makes the inputs of all leads of a job.

    Parameters
    ----------
    bundle : ModelBundle
    lead_ids : pyarrow.Array of string
        Ids of all leads, in order; empty where the bundle needs no features.
    as_of : datetime or None
        What was known before this moment counts.
    events : Events, optional
    history : History, optional
    engine : str, default="duckdb"

    Yields
    ------
    ColumnsAsTheyStand or BuiltFeatures

    Raises
    ------
    InputError
        Events or changes cannot be understood: most of their moments, for instance, are unreadable.
    ConfigError
        The bundle needs a moment, events or a change log and none is given, or has no use for them.
    """
    if bundle.builder is None:
        if events is not None or history is not None:
            msg = (
                "this bundle was trained without events and change log; score without them or train with them"
            )
            raise ConfigError(msg)
        yield ColumnsAsTheyStand(bundle.schema.feature_names)
        return
    if as_of is None:
        msg = "this bundle scores what was known at a moment; give as_of"
        raise ConfigError(msg)
    builder = bundle.builder.on(engine)
    moment = np.datetime64(round(as_of.timestamp() * 1_000_000), "us")
    moments = np.full(len(lead_ids), moment)
    with builder.open(once(lead_ids), moments, events=events, history=history) as session:
        for table in (events, history):
            _refuse_fatal(table)
        yield BuiltFeatures(builder, session)


def _counted(session: BehaviourSession) -> dict[str, int]:
    n_copies, _ = session.copies()
    return {"read": session.n_events, "of_other_leads": session.n_events_elsewhere, "copies": n_copies}


def _refuse_fatal(table: BehaviourTable | None) -> None:
    """Stop where scores would be those of leads that did nothing, because nothing could be read."""
    found = [] if table is None else table.findings()
    fatal = [f"  {f.code} {f.text}" for f in found if f.severity is Severity.FATAL]
    if fatal:
        msg = f"{table.source.name} cannot be scored with:\n" + "\n".join(fatal)
        raise InputError(msg)


def bundle_events(bundle: ModelBundle, source: str | Path | None, query: str | None = None) -> Events | None:
    """Open the events of a scoring job, written as those of training were.

    Parameters
    ----------
    bundle : ModelBundle
    source : path or address, or None
    query : str, optional
        For a DuckDB file or a database.

    Returns
    -------
    Events or None
    """
    if source is None:
        return None
    from leadlift.data.events import open_events

    roles = bundle.schema.roles.events or EventsConfig()
    return open_events(str(source), query, roles=roles, data=bundle.schema.data)


def bundle_history(
    bundle: ModelBundle, source: str | Path | None, query: str | None = None
) -> History | None:
    """Open the change log of a scoring job, written as that of training was; see :func:`bundle_events`."""
    if source is None:
        return None
    from leadlift.data.history import open_history

    roles = bundle.schema.roles.history or HistoryConfig()
    return open_history(str(source), query, roles=roles, data=bundle.schema.data)


def once(lead_ids: pa.Array) -> pa.Array:
    """Return ids with those that stood before as null: a repeated lead is not scored again.

    Examples
    --------
    >>> once(pa.array(["a", "b", "a", None])).to_pylist()
    ['a', 'b', None, None]
    """
    codes = lead_ids.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    is_copy = np.ones(len(codes), dtype=bool)
    is_copy[np.unique(codes, return_index=True)[1]] = False
    return pa.array(lead_ids.to_numpy(zero_copy_only=False), pa.string(), mask=is_copy)


def ids_of(batches: Iterator[pa.RecordBatch]) -> pa.Array:
    """Return the lead ids of some batches, in order."""
    return pa.concat_arrays([pa.array([], pa.string()), *[batch[LEAD_ID] for batch in batches]])
