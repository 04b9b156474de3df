"""A bundle is made again from its provenance and compared file by file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from leadlift.config import LeadliftConfig
from leadlift.lifecycle.modelling import Step, make_model
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.bundle_place import MANIFEST
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class FileMatch:
    """One file of a bundle and of its reproduction.

    Parameters
    ----------
    name : str
    original, again : str or None
        sha256 of the file; None where there is no such file.
    """

    name: str
    original: str | None
    again: str | None

    @property
    def is_same(self) -> bool:
        """Whether both are the same, byte by byte."""
        return self.original == self.again


@dataclass(frozen=True)
class Reproduction:
    """A bundle beside what the same provenance gives now.

    Parameters
    ----------
    original, again : str
        Versions.
    files : tuple of FileMatch
        By name.
    reasons : tuple of str
        What is likely to make them differ; empty where they do not.
    """

    original: str
    again: str
    files: tuple[FileMatch, ...]
    reasons: tuple[str, ...] = ()

    @property
    def differing(self) -> tuple[str, ...]:
        """Names of the files that differ."""
        return tuple(match.name for match in self.files if not match.is_same)

    @property
    def is_same(self) -> bool:
        """Whether every file is the same."""
        return not self.differing

    @property
    def findings(self) -> tuple[Finding, ...]:
        """LL260 where a file differs."""
        if self.is_same:
            return ()
        return (
            Finding(
                code="LL260",
                severity=Severity.WARNING,
                title="the bundle was not reproduced",
                message=f"{len(self.differing)} of {len(self.files)} files differ; {'; '.join(self.reasons)}",
                remedy="train from the same files with the same versions, or take the difference as it is",
                count=len(self.differing),
                examples=self.differing[:5],
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "original": self.original,
            "again": self.again,
            "is_same": self.is_same,
            "files": [asdict(match) | {"is_same": match.is_same} for match in self.files],
            "reasons": list(self.reasons),
        }


def reproduce(
    bundle: str | Path,
    config: LeadliftConfig,
    *,
    on_step: Step | None = None,
    on_trial: Callable[[int], None] | None = None,
) -> Reproduction:
    """Train again with the settings that a bundle keeps, and compare the files by their hashes.

    Nothing is kept of the training. Settings of the provenance win over those of `config`, which says where
    the data are and how their files are written.

    Parameters
    ----------
    bundle : str or Path
        Folder of the bundle.
    config : LeadliftConfig
    on_step : callable, optional
        Called with the name of each step as it begins.
    on_trial : callable, optional
        Called with the number of search trials finished.

    Returns
    -------
    Reproduction

    Raises
    ------
    BundleError
        The bundle cannot be read.
    InputError, NoCutoffError
        The data cannot be learnt from as they stand now.
    """
    original = ModelBundle.load(bundle)
    before = _hashes(Path(bundle))
    with TemporaryDirectory(prefix="leadlift-reproduce-") as folder:
        made = make_model(
            as_trained(config, original, models=folder),
            name="again",
            leave_out_suspects=True,
            on_step=on_step,
            on_trial=on_trial,
        )
        after = _hashes(made.folder)
    names = sorted(before.keys() | after.keys())
    files = tuple(FileMatch(name, before.get(name), after.get(name)) for name in names)
    same = all(match.is_same for match in files)
    return Reproduction(
        original.version, made.bundle.version, files, () if same else _reasons(original, made.bundle)
    )


def as_trained(config: LeadliftConfig, bundle: ModelBundle, *, models: str) -> LeadliftConfig:
    """Return the settings of a bundle's training, with the data of a configuration.

    Parameters
    ----------
    config : LeadliftConfig
    bundle : ModelBundle
    models : str
        Folder of models.
    """
    kept = bundle.provenance["config"]
    insight = kept.get("insight", {}) | {"texts": config.insight.texts}
    here = {"data": config.data.model_dump(), "models": models, "insight": insight}
    return LeadliftConfig.model_validate(kept | here)


def _hashes(folder: Path) -> dict[str, str]:
    return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"]


def _reasons(original: ModelBundle, again: ModelBundle) -> tuple[str, ...]:
    """What is known to make two trainings differ, the surest first."""
    before, now = original.provenance, again.provenance
    reasons = [*_changed_cutoffs(before, again.version), *_other_data(before, now)]
    for package, then in before["versions"].items():
        if version(package) != then:
            reasons.append(f"{package} was {then} and is {version(package)}")
    if before["config"]["model"].get("time_budget_seconds") is not None:
        reasons.append("the search was stopped by the clock (model.time_budget_seconds)")
    elif before["config"]["model"].get("trials"):
        reasons.append("a search may have gone on from trials of an earlier training (search.db)")
    return tuple(reasons) or ("data, settings and versions are the same; the code or the machine differs",)


def _changed_cutoffs(before: dict[str, Any], version_again: str) -> tuple[str, ...]:
    changes = before.get("cutoff_changes", [])
    if not changes:
        return ()
    trained = changes[0]["previous_version"]
    said = "which was reproduced" if trained == version_again else "which was not reproduced either"
    return (f"a cut-off was changed after the training, which had made {trained}, {said}",)


def _other_data(before: dict[str, Any], now: dict[str, Any]) -> tuple[str, ...]:
    if before["data_sha256"] == now["data_sha256"]:
        return ()
    rows = (before["n_leads"], now["n_leads"])
    return (f"the leads are others: {rows[0]:,} then and {rows[1]:,} now, by their fingerprint",)
