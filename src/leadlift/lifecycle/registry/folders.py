"""The bundles of a models folder on disk: versions that never change, and the link to the one in service.

Every method that writes needs the registry's lock.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from leadlift.exceptions import BundleError, InputError
from leadlift.serving.bundle import ModelBundle, is_version
from leadlift.serving.bundle_place import MANIFEST, put_in_place
from leadlift.serving.writing import sync_folder

REGISTRY = "registry.json"
VERSIONS = "versions"
CHAMPION = "champion"
# Hidden names of what is being made; what a process that died left there is removed.
INCOMING = ".incoming"
NEW_LINK = ".champion-new"


class BundleFolders:
    """``versions/<version>`` and ``champion`` below a models folder.

    Parameters
    ----------
    models : Path
    """

    def __init__(self, models: Path) -> None:
        self.models = models
        self.link = models / CHAMPION
        self._new_link = models / NEW_LINK

    def folder(self, version: str) -> Path:
        """Return where a version stands, or would stand."""
        return self.models / VERSIONS / version

    def versions(self) -> tuple[str, ...]:
        """Return the versions that are there, the newest first."""
        folders = [path for path in (self.models / VERSIONS).glob("*") if is_version(path.name)]
        newest = sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        return tuple(path.name for path in newest)

    def champion(self) -> str | None:
        """Return the version in service; None where there is none or its manifest cannot be read."""
        return self._linked() or version_in(self.link)

    def serves(self, version: str | None) -> bool:
        """Say whether the champion is a link to a version."""
        return self._linked() == version

    def load(self, version: str) -> ModelBundle:
        """Read a version with its hashes checked.

        Raises
        ------
        BundleError
            It is missing, damaged, or another bundle than its name says.
        """
        folder = self.folder(version)
        if not folder.is_dir():
            msg = f"{folder}: no such version; `leadlift models` lists those that are there"
            raise BundleError(msg)
        bundle = ModelBundle.load(folder)
        if bundle.version != version:
            msg = f"{folder} holds version {bundle.version}, expected {version}; it was written over"
            raise BundleError(msg)
        return bundle

    def is_sound(self, version: str) -> bool:
        """Say whether a version is there and whole."""
        try:
            self.load(version)
        except BundleError:
            return False
        return True

    def keep(self, bundle: ModelBundle) -> ModelBundle:
        """Save a bundle under its version; return it with that."""
        return self._add(bundle.save)

    def copy(self, folder: Path) -> ModelBundle:
        """Copy a saved bundle under its version, file by file; return it."""

        def copy_to(place: Path) -> ModelBundle:
            shutil.copytree(folder, place)
            return ModelBundle.load(place)

        return self._add(copy_to)

    def stage(self, version: str | None) -> None:
        """Make the link to a version that is to be champion, beside its place; none where it is already.

        Raises
        ------
        InputError
            There are no symbolic links on this file system.
        """
        if version is None or self._linked() == version:
            return
        try:
            # Relative, so that the models folder may be moved or mounted elsewhere.
            self._new_link.symlink_to(Path(VERSIONS, version), target_is_directory=True)
        except OSError as error:
            msg = (
                f"{self.link} cannot be made a link: {error.strerror or error}. Nothing was changed. Keep "
                "the models on a file system with symbolic links, or train with --name and score with "
                "that folder as --bundle"
            )
            raise InputError(msg) from error

    def move(self) -> None:
        """Let the link that was staged take the champion's place, in one step."""
        if not self._new_link.is_symlink():
            return
        if self.link.is_dir() and not self.link.is_symlink():
            put_in_place(self._new_link, self.link)
            shutil.rmtree(self._new_link)
        else:
            self._new_link.replace(self.link)
        sync_folder(self.models)

    def adopt(self) -> None:
        """Take a champion that is no link to a version among them; its content stays in service throughout.

        Raises
        ------
        BundleError
            It is damaged.
        """
        if self._linked() is None and (self.link / MANIFEST).is_file():
            self.stage(self.copy(self.link).version)
            self.move()

    def remove(self, version: str) -> None:
        """Remove a version that has no role; its name goes first, so that no half of it is left."""
        shutil.rmtree(self.folder(version).rename(self.folder(f".{version}")))

    def clean(self) -> None:
        """Remove what a process that died had begun, and finish a move that was between two renames."""
        retired = self.models / f"{NEW_LINK}-old"
        if retired.exists() and not os.path.lexists(self.link):
            retired.rename(self.link)
        (self.models / f"{REGISTRY}.part").unlink(missing_ok=True)
        for left in [retired, self._new_link, *(self.models / VERSIONS).glob(".*")]:
            if left.is_symlink():
                left.unlink()
            elif left.exists():
                shutil.rmtree(left)

    def _linked(self) -> str | None:
        """The version that the link names, whether it is there or not; None where it is no such link."""
        target = self.link.readlink() if self.link.is_symlink() else Path()
        return target.name if target.parts == (VERSIONS, target.name) else None

    def _add(self, write: Callable[[Path], ModelBundle]) -> ModelBundle:
        """Write a bundle beside the versions and let it take its place among them."""
        incoming = self.folder(INCOMING)
        shutil.rmtree(incoming, ignore_errors=True)
        bundle = write(incoming)
        if self.is_sound(bundle.version):
            shutil.rmtree(incoming)
        else:
            put_in_place(incoming, self.folder(bundle.version))
            shutil.rmtree(incoming, ignore_errors=True)
        return bundle


def version_in(folder: Path) -> str | None:
    """Return the version that a bundle's manifest says; None where it cannot be read.

    Parameters
    ----------
    folder : Path
    """
    try:
        return str(json.loads((folder / MANIFEST).read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
