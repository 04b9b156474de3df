"""How a change of the registry is carried out, so that a process may die at any moment of it.

First the change is written into ``registry.json``. Then the champion's link is moved, in one step: from there
on the change counts. Then MLflow's aliases, the audit log and ``registry.json`` follow. Every method that
writes needs the registry's lock.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from leadlift.exceptions import BundleError, RegistryError
from leadlift.lifecycle.registry.audit import AuditLog, AuditRecord
from leadlift.lifecycle.registry.folders import BundleFolders
from leadlift.lifecycle.registry.state import Book, RegistryState
from leadlift.lifecycle.tracking.figures import model_metrics
from leadlift.lifecycle.tracking.registered import RegisteredModel
from leadlift.lifecycle.tracking.runs import log_run
from leadlift.lifecycle.tracking.store import TrackingStore

# The tag that a change leaves on MLflow's version before anything moves: a store that cannot be written
# refuses here.
INTENT = "registry_intent"


class Changes:
    """Changes of one registry.

    Parameters
    ----------
    folders : BundleFolders
    audit : AuditLog
    registered : RegisteredModel
    store : TrackingStore
    """

    def __init__(
        self, folders: BundleFolders, audit: AuditLog, registered: RegisteredModel, store: TrackingStore
    ) -> None:
        self._folders = folders
        self._audit = audit
        self._registered = registered
        self._store = store

    def state(self) -> RegistryState:
        """Return the roles: those of a change that has moved the champion, else those written down last."""
        book, champion = Book.read(self._folders.models), self._folders.champion()
        if book.pending is not None and book.pending.to_version == champion:
            return RegistryState.after(book.pending)
        return replace(book.state, champion=champion)

    def record(
        self, action: str, version: str, after: RegistryState, *, by: str, at: datetime | None, why: str
    ) -> AuditRecord:
        """Return the record of a change that is to be; the bundle it acts on is read and checked."""
        provenance = self._folders.load(version).provenance
        return AuditRecord(
            number=self._audit.next_number(),
            at=at,
            by=by,
            action=action,
            version=version,
            from_version=self._folders.champion(),
            to_version=after.champion,
            challenger=after.challenger,
            previous=after.previous,
            why=why,
            data_sha256=provenance.get("data_sha256") or "",
        )

    def carry_out(self, record: AuditRecord) -> AuditRecord:
        """Write a change down, move the champion, and tell everybody."""
        after = RegistryState.after(record)
        for version in filter(None, after.to_dict().values()):
            self._ensure_registered(version, record.from_version)
        self._registered.tag(record.version, INTENT, json.dumps(record.to_dict()))
        self._folders.stage(record.to_version)
        Book(self.state(), self._store.server, record).write(self._folders.models)
        self._folders.move()
        self._finish(record)
        return record

    def settle(self) -> None:
        """Finish a change that has moved the champion, take back one that has not."""
        book = Book.read(self._folders.models)
        if book.pending is not None and self._folders.champion() == book.pending.to_version:
            self._finish(book.pending)
        elif book.pending is not None:
            replace(book, pending=None).write(self._folders.models)
        self._folders.adopt()

    def _finish(self, record: AuditRecord) -> None:
        """Tell MLflow, the audit log and the book what the champion's link says already."""
        after = RegistryState.after(record)
        try:
            self._registered.set_aliases(after.to_dict())
        except RegistryError as error:
            msg = f"{record.to_version} serves, but {error}; then `leadlift models --repair` does the rest"
            raise RegistryError(msg) from error
        self._audit.append(record)
        Book(after, self._store.server).write(self._folders.models)

    def _ensure_registered(self, version: str, parent: str | None) -> None:
        """Register a version that MLflow does not have; one that cannot be read stays out."""
        if self._registered.number_of(version) is not None:
            return
        try:
            bundle = self._folders.load(version)
        except BundleError:
            return
        log_run(
            bundle=bundle,
            bundle_folder=self._folders.folder(version),
            parameters={},
            metrics=model_metrics(bundle),
            findings=(),
            tables={},
            figures={},
            store=self._folders.models,
            server=self._store.server,
            parent=parent,
        )
