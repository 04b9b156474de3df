"""Registry: register, promote, roll back, verify and repair, one at a time and each whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from leadlift.config.tracking import server_address
from leadlift.exceptions import BundleError, RegistryError
from leadlift.lifecycle.registry.audit import AuditLog, AuditRecord
from leadlift.lifecycle.registry.changes import Changes
from leadlift.lifecycle.registry.folders import BundleFolders
from leadlift.lifecycle.registry.state import Book, RegistryState
from leadlift.lifecycle.registry.verifying import (
    DISAGREEMENTS,
    MENDED,
    folder_findings,
    registry_findings,
)
from leadlift.lifecycle.tracking.registered import RegisteredModel
from leadlift.lifecycle.tracking.store import TrackingStore
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.lock import locked
from leadlift.serving.writing import told
from leadlift.terms import Finding

LOCK = ".registry.lock"


class Registry:
    """The models of a folder, and which of them is in service.

    A change is written down first, then the link ``champion`` is moved in one step, then MLflow's aliases,
    the audit log and ``registry.json`` follow. A process that dies before the move has changed nothing; of
    one that dies later, the next change, or :meth:`repair`, does the rest. Changes wait for each other.

    Parameters
    ----------
    models : str or Path
        The models folder; made where it does not exist.
    tracking_uri : str, default=""
        Address of an MLflow server, ``http`` or ``https``; empty for the one used last, or ``mlflow.db`` in
        the models folder.

    Raises
    ------
    RegistryError
        ``registry.json`` cannot be understood.
    ConfigError
        `tracking_uri` is no such address.
    """

    def __init__(self, models: str | Path, tracking_uri: str = "") -> None:
        self._models = Path(models)
        self._folders = BundleFolders(self._models)
        self._audit = AuditLog(self._models)
        server = server_address(tracking_uri) or Book.read(self._models).server
        self.store = TrackingStore(self._models, server)
        self._registered = RegisteredModel(self.store)
        self._changes = Changes(self._folders, self._audit, self._registered, self.store)

    @property
    def champion(self) -> Path:
        """The path that loads the model in service at every moment."""
        return self._folders.link

    def state(self) -> RegistryState:
        """Return which version has which role.

        Returns
        -------
        RegistryState
            The champion as it serves, whatever the registry was told.

        Raises
        ------
        RegistryError
            ``registry.json`` cannot be understood.
        """
        return self._changes.state()

    def folder(self, version: str) -> Path:
        """Return the folder of a version.

        Parameters
        ----------
        version : str
            Of a bundle, or ``"champion"``, ``"challenger"``, ``"previous"``.

        Raises
        ------
        BundleError
            There is no such version, or none with that role.
        """
        folder = self._folders.folder(self._resolved(version))
        if not folder.is_dir():
            msg = f"{folder}: no such version; `leadlift models` lists those that are there"
            raise BundleError(msg)
        return folder

    def versions(self) -> tuple[str, ...]:
        """Return the versions whose bundles are in the models folder, the newest first."""
        return self._folders.versions()

    def keep(self, bundle: ModelBundle | str | Path) -> ModelBundle:
        """Save a bundle among the versions; the registry is not told.

        Parameters
        ----------
        bundle : ModelBundle or path of one
            A path is copied file by file.

        Returns
        -------
        ModelBundle
            With its version.

        Raises
        ------
        BundleError
            The folder is no sound bundle.
        InputError
            It cannot be written.
        """
        with self._locked():
            return self._keep(bundle)

    def register(
        self, bundle: ModelBundle | str | Path, *, by: str, at: datetime | None, why: str = ""
    ) -> str:
        """Make a bundle the challenger.

        Parameters
        ----------
        bundle : ModelBundle or path of one
        by : str
            Who does it.
        at : datetime with time zone, or None
            When.
        why : str

        Returns
        -------
        str
            Its version. The champion registered again stays champion, and the challenger what it was.

        Raises
        ------
        RegistryError
            MLflow does not answer; the bundle is kept.
        BundleError, InputError
            As for :meth:`keep`.
        """
        with self._locked():
            kept = self._keep(bundle)
            self._changes.settle()
            after = self.state().challenged_by(kept.version)
            self._changes.carry_out(
                self._changes.record("register", kept.version, after, by=by, at=at, why=why)
            )
            return kept.version

    def promote(
        self,
        version: str,
        *,
        by: str,
        at: datetime | None,
        why: str = "",
        action: str = "promote",
        expected_champion: str | None = None,
        verdict_sha256: str = "",
    ) -> AuditRecord:
        """Put a version in service.

        Parameters
        ----------
        version : str
            Of a bundle in the models folder, or ``"challenger"``; registered first where it is not.
        by, at, why
            Who, when and why, for the audit log.
        action : str, default="promote"
            What the audit log calls it: ``"promote"``, ``"force"``, ``"train"``, ``"cutoff"``.
        expected_champion : str, optional
            The champion that the version was compared with.
        verdict_sha256 : str
            Of the verdict, for the audit log.

        Returns
        -------
        AuditRecord

        Raises
        ------
        RegistryError
            MLflow does not answer, the folder and the registry disagree, or the champion is another one than
            expected; nothing has changed. Or MLflow stopped answering once the champion had moved; the
            message says so.
        BundleError
            There is no such version, or it is damaged; nothing has changed.
        """
        with self._locked():
            self._changes.settle()
            self._require_agreement()
            state, version = self.state(), self._resolved(version)
            _require_champion(state, expected_champion)
            record = self._changes.record(action, version, state.promoted(version), by=by, at=at, why=why)
            return self._changes.carry_out(replace(record, verdict_sha256=verdict_sha256))

    def rollback(self, *, by: str, at: datetime | None, why: str = "") -> AuditRecord:
        """Put the previous champion back in service; the present one becomes the previous.

        Where folder and registry disagree, they agree afterwards.

        Parameters
        ----------
        by, at, why
            Who, when and why, for the audit log.

        Returns
        -------
        AuditRecord

        Raises
        ------
        RegistryError
            There is no previous champion, or MLflow does not answer; as for :meth:`promote`.
        BundleError
            The previous champion's bundle is missing or damaged; nothing has changed.
        """
        with self._locked():
            self._changes.settle()
            state, version = self.state(), self._resolved("previous")
            record = self._changes.record("rollback", version, state.promoted(version), by=by, at=at, why=why)
            return self._changes.carry_out(record)

    def verify(self) -> tuple[Finding, ...]:
        """Find where the folder of models, ``registry.json``, the audit log and MLflow disagree.

        Returns
        -------
        tuple of Finding
            Codes LL270 to LL279; empty where all is well.
        """
        with self._locked():
            return self._findings()

    def repair(self, *, by: str, at: datetime | None, why: str = "") -> tuple[Finding, ...]:
        """Finish or take back what was interrupted, and make the registry follow the folder.

        Parameters
        ----------
        by, at, why
            Who, when and why, for the audit log; it gets a record where something disagreed.

        Returns
        -------
        tuple of Finding
            What is left, which only a promotion or a rollback can mend.

        Raises
        ------
        RegistryError
            MLflow does not answer; nothing has changed.
        """
        with self._locked():
            self._changes.settle()
            found = self._findings()
            champion = self._folders.champion()
            if champion is None or not {finding.code for finding in found} & MENDED:
                return found
            after = self._sound(self._remembered().promoted(champion))
            self._changes.carry_out(self._changes.record("repair", champion, after, by=by, at=at, why=why))
            return self._findings()

    def prune(self, n_kept: int) -> tuple[str, ...]:
        """Remove the folders of old versions; MLflow keeps its copies.

        Parameters
        ----------
        n_kept : int
            How many of those without a role stay, the newest.

        Returns
        -------
        tuple of str
            The versions that were removed.
        """
        with self._locked():
            roles = set(self.state().to_dict().values())
            old = [version for version in self._folders.versions() if version not in roles][n_kept:]
            for version in old:
                self._folders.remove(version)
            return tuple(old)

    def audit(self) -> pa.Table:
        """Return what was done, oldest first.

        Returns
        -------
        pyarrow.Table
            number (int64), at (timestamp us UTC), by, action, version, from_version, to_version,
            challenger, previous, why, data_sha256, verdict_sha256 (string), as of :class:`AuditRecord`.

        Raises
        ------
        RegistryError
            The log was altered.
        """
        return self._audit.table()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with told(self._models), locked(self._models / LOCK, self._models, wait=True):
            self._folders.clean()
            yield

    def _resolved(self, name: str) -> str:
        """The version of a role; any other name is a version."""
        roles = self.state().to_dict()
        version = roles.get(name, name)
        if version is None:
            msg = f"{self._models} has no {name} model; `leadlift models` shows which model has which role"
            raise RegistryError(msg)
        return version

    def _keep(self, bundle: ModelBundle | str | Path) -> ModelBundle:
        return (
            self._folders.keep(bundle)
            if isinstance(bundle, ModelBundle)
            else self._folders.copy(Path(bundle))
        )

    def _findings(self) -> tuple[Finding, ...]:
        found = folder_findings(self._folders, self._audit)
        return (*found, *registry_findings(self._registered, self._folders, self.state()))

    def _require_agreement(self) -> None:
        """Refuse to promote where somebody changed the folder or the registry by hand."""
        if not Book.is_kept(self._models) or self._folders.champion() is None:
            return
        against = [finding.text for finding in self._findings() if finding.code in DISAGREEMENTS]
        if against:
            msg = f"{self._models}: nothing was promoted. {' '.join(against)}"
            raise RegistryError(msg)

    def _remembered(self) -> RegistryState:
        """The roles as the registry was told last."""
        records = self._audit.records()
        if Book.is_kept(self._models) or not records:
            return Book.read(self._models).state
        return RegistryState.after(records[-1])

    def _sound(self, state: RegistryState) -> RegistryState:
        """The roles whose bundles can be read."""
        roles = {role: v if v and self._folders.is_sound(v) else None for role, v in state.to_dict().items()}
        return RegistryState(**roles)


def _require_champion(state: RegistryState, expected: str | None) -> None:
    if expected is not None and state.champion != expected:
        msg = (
            f"the champion is {state.champion}, expected {expected}: it was changed since the comparison. "
            "Nothing was promoted; compare again"
        )
        raise RegistryError(msg)
