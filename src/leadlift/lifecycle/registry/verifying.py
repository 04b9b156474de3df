"""Where the folder of models, ``registry.json``, the audit log and MLflow disagree, as findings."""

from __future__ import annotations

from collections.abc import Iterator

from leadlift.exceptions import BundleError, RegistryError, shorten
from leadlift.lifecycle.registry.audit import AuditLog
from leadlift.lifecycle.registry.folders import BundleFolders
from leadlift.lifecycle.registry.state import Book, RegistryState
from leadlift.lifecycle.tracking.registered import RegisteredModel
from leadlift.terms import Finding, Severity

REPAIR = "`leadlift models --repair` makes the registry follow the folder"
# What must be settled by a person before anything is promoted.
DISAGREEMENTS = frozenset({"LL271", "LL272", "LL278"})
# What a repair mends.
MENDED = frozenset({"LL271", "LL272", "LL273", "LL279"})


def folder_findings(folders: BundleFolders, audit: AuditLog) -> tuple[Finding, ...]:
    """Hold the bundles against their names and hashes, the link against what was written down last.

    Parameters
    ----------
    folders : BundleFolders
    audit : AuditLog

    Returns
    -------
    tuple of Finding
        LL270, LL272, LL273, LL274, LL277 and LL278.
    """
    book = Book.read(folders.models)
    found = [*_champion(folders, book), *_other_roles(folders, book), *_other_versions(folders, book)]
    return (*found, *_pending(book), *_audit(audit, folders, book))


def registry_findings(
    registered: RegisteredModel, folders: BundleFolders, state: RegistryState
) -> tuple[Finding, ...]:
    """Hold MLflow's aliases and versions against the folder.

    Parameters
    ----------
    registered : RegisteredModel
    folders : BundleFolders
    state : RegistryState

    Returns
    -------
    tuple of Finding
        LL271, LL275, LL276 and LL279.
    """
    try:
        aliases, known = registered.aliases(), registered.bundle_versions()
    except RegistryError as error:
        return (_warning("LL275", "the registry does not answer", str(error)),)
    wrong = [
        _alias(role, aliases.get(role), v) for role, v in state.to_dict().items() if aliases.get(role) != v
    ]
    unknown = [version for version in folders.versions() if version not in known]
    return (*wrong, *_unregistered(unknown))


def _champion(folders: BundleFolders, book: Book) -> Iterator[Finding]:
    champion, told = folders.champion(), book.state.champion
    if champion is None and told is None and not folders.link.exists():
        return
    trouble = _trouble_of_champion(folders, champion)
    if trouble:
        yield Finding(
            "LL270",
            Severity.FATAL,
            "the champion does not load",
            trouble,
            "`leadlift rollback` puts the previous champion in service, `leadlift promote` another version",
        )
    elif not folders.serves(champion):
        yield _warning(
            "LL272", "the champion was changed by hand", f"{folders.link} is no link to a version", REPAIR
        )
    elif book.pending is None and champion != told:
        message = f"{folders.link} leads to {champion}, but the registry was told {told} last"
        yield _warning("LL272", "the champion was changed by hand", message, REPAIR)


def _trouble_of_champion(folders: BundleFolders, champion: str | None) -> str:
    if champion is None:
        return f"{folders.link} is no bundle"
    return _trouble(folders, champion) if folders.serves(champion) else ""


def _trouble(folders: BundleFolders, version: str) -> str:
    try:
        folders.load(version)
    except BundleError as error:
        return str(error)
    return ""


def _other_roles(folders: BundleFolders, book: Book) -> Iterator[Finding]:
    for role in ("challenger", "previous"):
        version = book.state.to_dict()[role]
        if version is not None and (trouble := _trouble(folders, version)):
            remedy = f"Bring {folders.folder(version)} back, or {REPAIR}, without a {role}"
            yield _warning("LL273", "a bundle with a role does not load", f"the {role}: {trouble}", remedy)


def _other_versions(folders: BundleFolders, book: Book) -> Iterator[Finding]:
    others = set(folders.versions()) - {*book.state.to_dict().values(), folders.champion()}
    damaged = sorted(version for version in others if not folders.is_sound(version))
    if damaged:
        message = f"altered since they were written: {shorten(damaged)}"
        remedy = "Remove their folders; training again writes them anew"
        yield _warning("LL277", "old versions are damaged", message, remedy, examples=tuple(damaged[:5]))


def _pending(book: Book) -> Iterator[Finding]:
    if book.pending is not None:
        message = f"a change of the registry ({book.pending.action} {book.pending.version}) was interrupted"
        remedy = "The next change or `leadlift models --repair` finishes it or takes it back"
        yield _warning("LL274", "an interrupted change", message, remedy)


def _audit(audit: AuditLog, folders: BundleFolders, book: Book) -> Iterator[Finding]:
    try:
        records = audit.records()
    except RegistryError as error:
        yield _warning("LL278", "the audit log was altered", str(error))
        return
    last = records[-1].to_version if records else book.state.champion
    if book.pending is None and last != book.state.champion:
        message = f"{audit.path} ends with champion {last}, the registry was told {book.state.champion} last"
        yield _warning("LL278", "the audit log was altered", message, f"Bring back a copy of it, or {REPAIR}")


def _alias(role: str, got: str | None, expected: str | None) -> Finding:
    if got is None:
        message = f"the folder says {role} is {expected}, MLflow has no such alias"
        return _warning("LL279", "the registry has not been told", message, REPAIR, examples=(role,))
    message = f"MLflow's alias {role} points to {got}, the folder says {expected or 'nothing'}"
    return _warning("LL271", "the registry and the folder disagree", message, REPAIR, examples=(role,))


def _unregistered(versions: list[str]) -> Iterator[Finding]:
    if versions:
        yield Finding(
            "LL276",
            Severity.INFO,
            "versions that are not registered",
            f"MLflow does not have {shorten(versions)}",
            "Nothing: promoting a version registers it",
            count=len(versions),
            examples=tuple(versions[:5]),
        )


def _warning(
    code: str, title: str, message: str, remedy: str = "", examples: tuple[str, ...] = ()
) -> Finding:
    return Finding(code, Severity.WARNING, title, message, remedy, count=len(examples), examples=examples)
