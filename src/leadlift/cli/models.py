"""``leadlift models``, ``promote`` and ``rollback``: which model is in service, and which should be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlift.cli.moments import now
from leadlift.cli.printing import print_findings, print_json, print_table
from leadlift.cli.users import os_user

if TYPE_CHECKING:
    import pyarrow as pa

    from leadlift.lifecycle.registry import AuditRecord, Registry
    from leadlift.terms import Finding

ACTION_NEEDED = 3

Models = Annotated[Path, typer.Option(help="Folder of models.")]
TrackingUri = Annotated[str, typer.Option(help="MLflow server; the one used last if not given.")]
Why = Annotated[str, typer.Option(help="Reason, kept in the audit log.")]
By = Annotated[
    str, typer.Option(help="Who does it, for the audit log; the user of this machine if not given.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON instead of tables.")]


def models(
    models: Models = Path("models"),
    tracking_uri: TrackingUri = "",
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Finish what was interrupted; let the registry follow the folder."),
    ] = False,
    prune: Annotated[
        int | None, typer.Option(min=1, help="Remove old versions but so many; those with a role stay.")
    ] = None,
    audit: Annotated[bool, typer.Option("--audit", help="Show who changed what, when and why.")] = False,
    why: Why = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Show which model has which role, and where folder and registry disagree; exit 3 if they do."""
    registry = _registry(models, tracking_uri)
    who = {"by": by or os_user(), "at": now(), "why": why}
    found = registry.repair(**who) if repair else registry.verify()
    removed = () if prune is None else registry.prune(prune)
    (_print_json if json else _print)(registry, found, removed, registry.audit() if audit else None)
    if any(_needs_action(finding) for finding in found):
        raise typer.Exit(ACTION_NEEDED)


def promote(
    version: Annotated[str, typer.Argument(help="Version of a bundle, or challenger.")],
    why: Why,
    models: Models = Path("models"),
    tracking_uri: TrackingUri = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Put another model in service: folder, registry and audit log in one step."""
    registry = _registry(models, tracking_uri)
    _tell(registry, registry.promote(version, by=by or os_user(), at=now(), why=why), json=json)


def rollback(
    why: Why,
    models: Models = Path("models"),
    tracking_uri: TrackingUri = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Put the previous champion back in service."""
    registry = _registry(models, tracking_uri)
    _tell(registry, registry.rollback(by=by or os_user(), at=now(), why=why), json=json)


def _registry(models: Path, tracking_uri: str) -> Registry:
    from leadlift.exceptions import InputError
    from leadlift.lifecycle.registry import Registry

    if not models.is_dir():
        msg = f"{models}: no such folder; `leadlift train` makes it, --models names another"
        raise InputError(msg)
    return Registry(models, tracking_uri)


def _tell(registry: Registry, record: AuditRecord, *, json: bool) -> None:
    if json:
        print_json(record.to_dict())
        return
    before = f", before {record.from_version}" if record.from_version else ""
    print(f"{registry.champion} is version {record.to_version}{before}")


def _needs_action(finding: Finding) -> bool:
    from leadlift.terms import Severity

    return finding.severity is not Severity.INFO


def _print_json(
    registry: Registry, found: tuple[Finding, ...], removed: tuple[str, ...], audit: pa.Table | None
) -> None:
    from dataclasses import asdict

    value: dict[str, Any] = registry.state().to_dict() | {
        "registry": registry.store.name,
        "versions": list(registry.versions()),
        "removed": list(removed),
        "findings": [asdict(finding) for finding in found],
    }
    if audit is not None:
        value["audit"] = [row | {"at": _moment(row)} for row in audit.to_pylist()]
    print_json(value)


def _print(
    registry: Registry, found: tuple[Finding, ...], removed: tuple[str, ...], audit: pa.Table | None
) -> None:
    roles = registry.state().to_dict()
    rows = [
        [version, ", ".join(r for r, v in roles.items() if v == version)] for version in registry.versions()
    ]
    print_table(
        f"{registry.champion}, registered in {registry.store.name}", ["version", "role"], rows, n_text=2
    )
    if removed:
        print(f"Removed {', '.join(removed)}")
    if audit is not None:
        _print_audit(audit)
    if found:
        print_findings(found)


def _print_audit(audit: pa.Table) -> None:
    columns = ["number", "at", "by", "action", "version", "from_version", "to_version", "why"]
    told = [row | {"number": str(row["number"]), "at": _moment(row)} for row in audit.to_pylist()]
    rows = [[row[column] or "" for column in columns] for row in told]
    print_table("Audit log", columns, rows, n_text=len(columns), width=160)


def _moment(row: dict[str, Any]) -> str | None:
    return None if row["at"] is None else row["at"].isoformat(timespec="seconds")
