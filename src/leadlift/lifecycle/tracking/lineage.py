"""Where a model comes from, as tags of its version in MLflow."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import leadlift

if TYPE_CHECKING:
    from leadlift.serving.bundle import ModelBundle

# The tag by which a version of the registered model and a bundle are told to be the same.
BUNDLE_VERSION = "bundle_version"


def lineage_tags(bundle: ModelBundle, parent: str | None = None) -> dict[str, str]:
    """Return what a model was made from and with; its configuration stands in the bundle.

    Parameters
    ----------
    bundle : ModelBundle
        As saved, with its version.
    parent : str or None
        Version of the champion that it is to follow.

    Returns
    -------
    dict of str to str
        ``bundle_version``, ``data_sha256``, ``leadlift_version``, ``code_sha256``, ``python``, ``platform``,
        ``parent_champion``; those that are unknown are empty. Packages are in the model's requirements.
    """
    provenance = bundle.provenance
    return {
        BUNDLE_VERSION: bundle.version,
        "data_sha256": provenance.get("data_sha256") or "",
        "leadlift_version": provenance.get("leadlift") or "",
        "code_sha256": code_sha256(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "parent_champion": parent or "",
    }


@cache
def code_sha256() -> str:
    """Hash leadlift's own source as it runs: two models of one version of it may differ in this."""
    digest = hashlib.sha256()
    root = Path(leadlift.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
