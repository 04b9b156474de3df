"""A bundle that was changed, such as its cut-off, saved where it came from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from leadlift.exceptions import InputError
from leadlift.lifecycle.registry.folders import CHAMPION, VERSIONS, version_in
from leadlift.lifecycle.registry.registry import Registry
from leadlift.lifecycle.registry.state import Book
from leadlift.lifecycle.tracking.store import TrackingStore
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.bundle_place import followed


def save_changed(
    bundle: ModelBundle, folder: str | Path, *, by: str, at: datetime | None, why: str = ""
) -> ModelBundle:
    """Save a bundle in the place of the one that it was made from.

    Parameters
    ----------
    bundle : ModelBundle
        Made from the bundle in `folder`.
    folder : str or Path
        The champion of a registry, whose place the bundle takes as a version of its own, so that
        :meth:`Registry.rollback` brings the former back; or a plain folder, which is replaced.
    by, at, why
        Who, when and why, for the registry's audit log.

    Returns
    -------
    ModelBundle
        With its version.

    Raises
    ------
    InputError
        The folder is a version that is not in service, or cannot be written.
    RegistryError
        MLflow does not answer or disagrees with the folder; the champion is as it was.
    """
    folder = Path(folder)
    models = _models_of(folder)
    if models is None:
        return bundle.save(folder)
    registry, version = Registry(models), version_in(folder)
    if registry.state().champion != version:
        msg = f"{folder} is a version, which does not change; promote {version} first and change the champion"
        raise InputError(msg)
    kept = registry.keep(bundle)
    registry.promote(kept.version, by=by, at=at, why=why, action="cutoff", expected_champion=version)
    return kept


def _models_of(folder: Path) -> Path | None:
    """The models folder of a champion or of a version; None where a folder is neither."""
    place = followed(folder).absolute()
    models = place.parent.parent if place.parent.name == VERSIONS else folder.parent
    is_registered = Book.is_kept(models) or TrackingStore(models).is_kept
    return models if is_registered and (place.parent.name == VERSIONS or folder.name == CHAMPION) else None
