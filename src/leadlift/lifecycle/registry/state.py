"""Which bundle has which role, and the change under way: ``registry.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from leadlift.exceptions import RegistryError
from leadlift.lifecycle.registry.audit import AuditRecord
from leadlift.lifecycle.registry.folders import REGISTRY
from leadlift.serving.journal import write_synced


@dataclass(frozen=True)
class RegistryState:
    """Which bundle has which role.

    Parameters
    ----------
    champion : str or None
        Version of the bundle in service; None before the first training.
    challenger : str or None
        Version that was registered to be compared with it.
    previous : str or None
        Version to which :meth:`Registry.rollback` goes back.

    Examples
    --------
    >>> RegistryState("b", challenger="c", previous="a").promoted("c")
    RegistryState(champion='c', challenger=None, previous='b')
    """

    champion: str | None = None
    challenger: str | None = None
    previous: str | None = None

    def promoted(self, version: str) -> RegistryState:
        """Return the roles once a version is champion."""
        challenger = None if version == self.challenger else self.challenger
        previous = self.previous if version == self.champion else self.champion
        return RegistryState(version, challenger, previous)

    def challenged_by(self, version: str) -> RegistryState:
        """Return the roles once a version is challenger; the champion does not challenge itself."""
        return self if version == self.champion else replace(self, challenger=version)

    def to_dict(self) -> dict[str, str | None]:
        """Return the version by role."""
        return {"champion": self.champion, "challenger": self.challenger, "previous": self.previous}

    @classmethod
    def after(cls, record: AuditRecord) -> RegistryState:
        """Return the roles that a record leaves."""
        return cls(record.to_version, record.challenger, record.previous)


@dataclass(frozen=True)
class Book:
    """What ``registry.json`` says.

    Parameters
    ----------
    state : RegistryState
        What MLflow was told last.
    server : str
        Address of the MLflow server; empty for the file in the models folder.
    pending : AuditRecord or None
        A change that was begun and has not ended.
    """

    state: RegistryState = RegistryState()
    server: str = ""
    pending: AuditRecord | None = None

    @staticmethod
    def is_kept(models: Path) -> bool:
        """Say whether a models folder has a book."""
        return (models / REGISTRY).is_file()

    @classmethod
    def read(cls, models: Path) -> Book:
        """Read the book of a models folder; an empty one where there is none.

        Raises
        ------
        RegistryError
            It cannot be understood.
        """
        path = models / REGISTRY
        try:
            return TypeAdapter(cls).validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except (OSError, ValidationError) as error:
            msg = (
                f"{path} cannot be read: {str(error).partition(chr(10))[0]}. Move it away; "
                "`leadlift models --repair` makes it anew from the champion and the audit log"
            )
            raise RegistryError(msg) from error

    def write(self, models: Path) -> None:
        """Write the book, whole or not at all.

        Raises
        ------
        OSError
        """
        value = {
            "state": self.state.to_dict(),
            "server": self.server,
            "pending": None if self.pending is None else self.pending.to_dict(),
        }
        write_synced(models / REGISTRY, json.dumps(value, indent=1).encode() + b"\n")
