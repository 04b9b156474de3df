"""Batches of new leads with one thing broken, and whether monitoring calls the first of them broken."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import leadlift as ll
from leadlift.data.datasets import make_leads
from leadlift.data.values import is_number
from leadlift.lifecycle.monitoring.monitor import MonitorResult, monitor, monitor_store
from leadlift.serving.bundle import ModelBundle
from leadlift.terms import Severity
from simulated_futures import HORIZON_DAYS, Future

ANOTHER_UNIT = 100
N_EARLIER_BATCHES = 4
CRM_START, CRM_DAYS, CRM_LEADS = datetime(2025, 1, 6, tzinfo=UTC), 420, 8_000


@dataclass(frozen=True)
class Break:
    """A broken feed and what was said of its first batch.

    Parameters
    ----------
    kind : str
        ``"NULL"``, ``"times 100"`` or ``"renamed"``.
    what : str
        The column or the event type.
    n_rows : int
        Leads of the batch.
    codes : tuple of str
        Of the fatal findings.
    is_named : bool
        Whether a fatal finding names the column or the event type.
    """

    kind: str
    what: str
    n_rows: int
    codes: tuple[str, ...]
    is_named: bool

    @classmethod
    def of(cls, kind: str, what: str, n_rows: int, result: MonitorResult) -> Break:
        fatal = [found for found in result.findings if found.severity is Severity.FATAL]
        is_named = any(found.column == what or repr(what) in found.text for found in fatal)
        return cls(kind, what, n_rows, tuple(found.code for found in fatal), is_named)


def broken_columns(bundle: ModelBundle, future: Future) -> Iterator[Break]:
    """Break each input column of the first batch, one at a time: NULL, and numbers times 100."""
    n_rows = future.per_week
    scored, leads = future.scored.slice(0, n_rows), future.leads.slice(0, n_rows)
    for spec in bundle.specs:
        column, place = leads[spec.name], leads.schema.get_field_index(spec.name)
        breaks = {"NULL": pa.nulls(n_rows, column.type)}
        if is_number(column.type):
            breaks["times 100"] = pc.multiply(column, ANOTHER_UNIT)
        for kind, values in breaks.items():
            broken = leads.set_column(place, spec.name, values)
            yield Break.of(kind, spec.name, n_rows, monitor(bundle, scored, inputs=broken))


class BehaviourFeed:
    """A simulated CRM whose latest leads are scored every week, with their events so far, into a store.

    Parameters
    ----------
    folder : Path
        For the files of training and of each job.
    seed : int
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.crm = make_leads(
            CRM_LEADS, seed, start=CRM_START, history_days=CRM_DAYS, horizon_days=HORIZON_DAYS, drift=1.0
        )
        self.crm.save(folder)
        found = ll.discover(folder / "leads.csv", events=folder / "events.parquet")
        text = found.to_toml(folder=folder).replace("horizon_days = 60", f"horizon_days = {HORIZON_DAYS}")
        (folder / "leadlift.toml").write_text(text.replace("# folds = 8 ", "folds = 2 "))
        self.bundle = ll.train(ll.read_config(folder / "leadlift.toml"), leave_out_suspects=True).bundle

    @property
    def event_types(self) -> list[str]:
        """Types of the events that the model counts."""
        return sorted({spec.about[0] for spec in self.bundle.specs if spec.wording.startswith("type.")})

    def renamed_types(self, n_rows: int) -> Iterator[Break]:
        """Rename each event type in the batch after four good ones, one type at a time."""
        good = self.folder / f"scores-{n_rows}"
        for week in range(N_EARLIER_BATCHES):
            self._score(week, self.crm.events, n_rows, good)
        for event_type in self.event_types:
            store = self.folder / f"scores-{n_rows}-{event_type}"
            shutil.copytree(good, store)
            self._score(N_EARLIER_BATCHES, renamed(self.crm.events, event_type), n_rows, store)
            yield Break.of("renamed", event_type, n_rows, monitor_store(self.bundle, store))

    def _score(self, week: int, events: pa.Table, n_rows: int, store: Path) -> None:
        """Score the leads that came last before a week ended."""
        as_of = self.crm.known_until - timedelta(weeks=N_EARLIER_BATCHES - week)
        created_at = self.crm.leads["created_at"]
        n_before = pc.sum(pc.less(created_at, pa.scalar(as_of, created_at.type))).as_py()
        files = {name: self.folder / f"{name}.parquet" for name in ("batch", "acts", "scored")}
        pq.write_table(self.crm.leads.slice(n_before - n_rows, n_rows), files["batch"])
        pq.write_table(events, files["acts"])
        ll.predict(
            self.bundle, files["batch"], events=files["acts"], out=files["scored"], as_of=as_of,
            reasons=False, store=store,
        )  # fmt: skip


def renamed(events: pa.Table, event_type: str) -> pa.Table:
    """Return the events with one type under another name."""
    types = events["event_type"]
    other = pc.if_else(pc.equal(types, event_type), f"{event_type} v2", types)
    return events.set_column(events.schema.get_field_index("event_type"), "event_type", other)
