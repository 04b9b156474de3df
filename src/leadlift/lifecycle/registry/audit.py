"""The audit log of a registry: who changed which model is in service, when, why, and on what evidence."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from leadlift.exceptions import RegistryError

AUDIT = "audit.jsonl"
AUDIT_SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("by", pa.string()),
        ("action", pa.string()),
        ("version", pa.string()),
        ("from_version", pa.string()),
        ("to_version", pa.string()),
        ("challenger", pa.string()),
        ("previous", pa.string()),
        ("why", pa.string()),
        ("data_sha256", pa.string()),
        ("verdict_sha256", pa.string()),
    ]
)


@dataclass(frozen=True)
class AuditRecord:
    """One change of the registry.

    Parameters
    ----------
    number : int
        From 1, without gaps.
    at : datetime with time zone, or None
        None where the caller named no moment.
    by : str
        Who did it; empty where nobody was named.
    action : str
        ``"register"``, ``"train"``, ``"promote"``, ``"force"``, ``"cutoff"``, ``"rollback"`` or ``"repair"``.
    version : str
        The bundle that was acted on.
    from_version, to_version : str or None
        The champion before and after.
    challenger, previous : str or None
        These roles afterwards.
    why : str
    data_sha256 : str
        Fingerprint of the leads that the bundle learnt from; empty where it names none.
    verdict_sha256 : str
        Of the verdict on the challenger; empty where there was none.
    """

    number: int
    at: datetime | None
    by: str
    action: str
    version: str
    from_version: str | None
    to_version: str | None
    challenger: str | None
    previous: str | None
    why: str = ""
    data_sha256: str = ""
    verdict_sha256: str = ""

    def to_dict(self) -> dict[str, str | int | None]:
        """Return JSON-ready values."""
        at = None if self.at is None else self.at.astimezone(UTC).isoformat()
        return asdict(self) | {"at": at}


class AuditLog:
    """A file of records, one a line, to which lines are only ever added.

    Parameters
    ----------
    models : Path
        The models folder.
    """

    def __init__(self, models: Path) -> None:
        self.path = models / AUDIT

    def records(self) -> tuple[AuditRecord, ...]:
        """Return what was done, oldest first; a last line that was not written to its end is not yet one.

        Raises
        ------
        RegistryError
            A line is no record, or one is missing.
        """
        records = []
        for number, line in enumerate(self._whole().splitlines(), start=1):
            try:
                records.append(TypeAdapter(AuditRecord).validate_json(line))
            except ValidationError as error:
                raise RegistryError(self._damaged(number)) from error
            if records[-1].number != number:
                raise RegistryError(self._damaged(number))
        return tuple(records)

    def append(self, record: AuditRecord) -> None:
        """Add a record, which survives a power cut from here on; one that is there is not added again.

        Parameters
        ----------
        record : AuditRecord

        Raises
        ------
        OSError
            It cannot be written.
        """
        whole = self._whole()
        if record.number <= whole.count(b"\n"):
            return
        line = json.dumps(record.to_dict(), ensure_ascii=False).encode() + b"\n"
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            # What a process that died had begun to write is this very line.
            os.ftruncate(file, len(whole))
            os.pwrite(file, line, len(whole))
            os.fsync(file)
        finally:
            os.close(file)

    def table(self) -> pa.Table:
        """Return the records, oldest first, columns ``AUDIT_SCHEMA``.

        Raises
        ------
        RegistryError
            As for :meth:`records`.
        """
        return pa.Table.from_pylist([asdict(record) for record in self.records()], schema=AUDIT_SCHEMA)

    def next_number(self) -> int:
        """Return the number of the record to come."""
        return self._whole().count(b"\n") + 1

    def _whole(self) -> bytes:
        """The lines that were written to their end."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return b""
        return content[: content.rfind(b"\n") + 1]

    def _damaged(self, number: int) -> str:
        return (
            f"{self.path}, line {number}: expected record number {number}; the log was altered. Bring back a "
            "copy, or move it away to begin a new one"
        )
