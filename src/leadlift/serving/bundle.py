"""ModelBundle: all that a scoring job needs, as a folder of text and JSON.

Loading parses text; it executes nothing. Every file is listed with its sha256 in ``bundle.json``, and a
bundle whose files do not match it is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from leadlift.config import LeadSchema, StagesConfig
from leadlift.exceptions import BundleError, InputError
from leadlift.features.builder import FeatureBuilder
from leadlift.insight.attribution import Attributor
from leadlift.insight.explained import explained_specs
from leadlift.insight.reasons import ReasonWriter
from leadlift.insight.texts import Texts, load_texts
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import Calibrator
from leadlift.learning.encoding import EncodedColumn, TableEncoder
from leadlift.learning.scorer import LeadScorer
from leadlift.serving.evidence_file import evidence_files, read_evidence
from leadlift.serving.learner_files import learner_files, read_learner
from leadlift.terms import Cutoff, FeatureSpec

FORMAT_VERSION = 1
MANIFEST = "bundle.json"
FEATURES = "features.json"
STAGES = "stages.json"
TEXTS = "texts.json"
# Before the names of the files of the model of the second label.
SQL_PREFIX = "sql_"


@dataclass(frozen=True)
class Reference:
    """What scores and inputs looked like at training, for grades and for later comparison.

    Parameters
    ----------
    base : float
        Probability before anything is known of a lead; reasons start from it.
    grade_thresholds : dict of str to float
        Smallest score of each grade but the last, best grade first.
    grade_rates : dict of str to tuple of (int, int)
        Leads and won leads of each grade in the evidence.
    score_quantiles : tuple of float
        Scores of the evidence at 0 %, 5 %, …, 100 %.
    columns : dict of str to dict
        By input column: share missing, and quantiles or the most common levels with their shares.
    typical_won : dict of str to str
        By input column, the median or most common value of won leads.
    """

    base: float
    grade_thresholds: dict[str, float]
    grade_rates: dict[str, tuple[int, int]]
    score_quantiles: tuple[float, ...]
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    typical_won: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelBundle:
    """A fitted scorer with all that is needed to score new leads and to know where it came from.

    Parameters
    ----------
    scorer : LeadScorer
        Fitted, with a :class:`BlendedLearner`.
    schema : LeadSchema
        How files are read and which columns are inputs.
    reference : Reference
    provenance : dict of str to JSON values
        Data fingerprint, versions, seed, range of dates, quality on the test set.
    version : str
        Name of the model in the scored table: the first 12 digits of the hash of its files; empty until
        saved.
    builder : FeatureBuilder or None
        Makes the inputs from leads, events and change log; None where they are the leads' columns as they
        stand.
    sql_scorer : LeadScorer or None
        Learnt on the same inputs which leads become SQL; its cut-off is then the MQL one. None where there is
        one label, see :mod:`leadlift.learning.two_labels`.
    stages : StagesConfig
        Rules of stages beside the cut-offs.
    texts : Texts
        The words of reasons; English, if not given.
    """

    scorer: LeadScorer
    schema: LeadSchema
    reference: Reference
    provenance: dict[str, Any]
    version: str = ""
    builder: FeatureBuilder | None = None
    sql_scorer: LeadScorer | None = None
    stages: StagesConfig = field(default_factory=StagesConfig)
    texts: Texts = field(default_factory=load_texts)

    @property
    def mql_cutoff(self) -> Cutoff:
        """The MQL line: on P(SQL) where that is learnt, else on P(won)."""
        return (self.sql_scorer or self.scorer).cutoff_

    @property
    def sql_cutoff(self) -> Cutoff | None:
        """The SQL line, on P(won); None where there is none."""
        return self.scorer.sql_cutoff_

    @property
    def specs(self) -> tuple[FeatureSpec, ...]:
        """What each input of the model means, in the order of its matrix."""
        return self.schema.features if self.builder is None else self.builder.specs_

    @property
    def explained_specs(self) -> tuple[FeatureSpec, ...]:
        """What each contribution to a score belongs to: the inputs, then pairs of them."""
        return explained_specs(self.specs, self.scorer.learner_.statistics)

    @cached_property
    def attributor(self) -> Attributor:
        """What explains the scores, made once."""
        return Attributor(self.scorer)

    @cached_property
    def reason_writer(self) -> ReasonWriter:
        """What puts contributions into words, made once."""
        return ReasonWriter(self.explained_specs, self.texts, self.reference.typical_won)

    def save(self, folder: str | Path) -> ModelBundle:
        """Write the bundle; the folder appears only when it is complete.

        Parameters
        ----------
        folder : str or Path
            Must not exist, or be a bundle, which is replaced.

        Returns
        -------
        ModelBundle
            The same with its version.

        Raises
        ------
        InputError
            The folder exists and is no bundle, or cannot be written.
        """
        folder = Path(folder)
        require_place(folder)
        files = _to_files(self)
        manifest = _manifest(files)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            try:
                for name, text in [*files.items(), (MANIFEST, _dump(manifest))]:
                    _write(temporary / name, text)
                _swap(temporary, folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        except OSError as error:
            msg = f"the bundle could not be written to {folder}: {error.strerror or error}"
            raise InputError(msg) from error
        return replace(self, version=manifest["version"])

    @classmethod
    def load(cls, folder: str | Path) -> ModelBundle:
        """Read a bundle; no code in it is executed.

        Raises
        ------
        BundleError
            It is missing, incomplete, altered since it was written, or made by a newer version.
        """
        folder = Path(folder)
        manifest = _read_manifest(folder)
        contents = {name: _read_checked(folder, name, digest) for name, digest in manifest["sha256"].items()}
        try:
            files = {name: content.decode("utf-8") for name, content in contents.items()}
            return _from_files(files, manifest["version"])
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            msg = f"{folder}: the bundle's files match their hashes but cannot be understood: {error}"
            raise BundleError(msg) from error


def require_place(folder: Path) -> None:
    """Make sure that a bundle can be written, before hours are spent on what goes into it.

    Raises
    ------
    InputError
        The folder exists and is no bundle, or nothing can be written where it is to stand.
    """
    if folder.exists() and not (folder / MANIFEST).is_file():
        msg = f"{folder} exists and is no bundle; name another folder"
        raise InputError(msg)
    nearest = next(parent for parent in folder.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        msg = f"the bundle could not be written to {folder}: {error.strerror or error}"
        raise InputError(msg) from error


def _to_files(bundle: ModelBundle) -> dict[str, str]:
    built = {} if bundle.builder is None else {FEATURES: _dump(bundle.builder.to_dict(), sort_keys=False)}
    second = {} if bundle.sql_scorer is None else _scorer_files(bundle.sql_scorer)
    return (
        built
        | _scorer_files(bundle.scorer)
        | {SQL_PREFIX + name: text for name, text in second.items()}
        | {
            STAGES: _dump(bundle.stages.model_dump(mode="json")),
            TEXTS: _dump(bundle.texts.to_dict()),
            "schema.json": _dump(bundle.schema.model_dump(mode="json")),
            "reference.json": _dump(asdict(bundle.reference)),
            "provenance.json": _dump(bundle.provenance),
        }
    )


def _scorer_files(scorer: LeadScorer) -> dict[str, str]:
    """What one model is stored as."""
    learner = scorer.learner_
    if not isinstance(learner, BlendedLearner):
        msg = f"a bundle holds a BlendedLearner, got {type(learner).__name__}"
        raise InputError(msg)
    files = learner_files(learner)
    if hasattr(scorer, "evidence_"):
        files |= evidence_files(scorer.evidence_)
    return files | {
        "encoder.json": _dump([asdict(column) for column in scorer.encoder_.columns_]),
        "calibrator.json": _dump(scorer.calibrator_.to_dict()),
        "cutoffs.json": _dump({"mql": _as_dict(scorer.cutoff_), "sql": _as_dict(scorer.sql_cutoff_)}),
    }


def _from_files(files: dict[str, str], version: str) -> ModelBundle:
    data = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    second = {name[len(SQL_PREFIX) :]: text for name, text in files.items() if name.startswith(SQL_PREFIX)}
    return ModelBundle(
        scorer=_scorer(files),
        schema=LeadSchema.model_validate(data["schema.json"]),
        reference=TypeAdapter(Reference).validate_python(data["reference.json"]),
        provenance=data["provenance.json"],
        version=version,
        builder=FeatureBuilder.from_dict(data[FEATURES]) if FEATURES in data else None,
        sql_scorer=_scorer(second) if second else None,
        # Bundles of before there were rules have none.
        stages=StagesConfig.model_validate(data.get(STAGES, {})),
        # Those of before texts could be chosen speak English.
        texts=Texts.from_dict(data[TEXTS]) if TEXTS in data else load_texts(),
    )


def _scorer(files: dict[str, str]) -> LeadScorer:
    """Read one model; the inverse of `_scorer_files`."""
    data = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    scorer = LeadScorer()
    scorer.classes_ = np.array([0, 1])
    scorer.encoder_ = _encoder(data["encoder.json"])
    scorer.n_features_in_ = len(scorer.encoder_.columns_)
    scorer.feature_names_in_ = scorer.encoder_.feature_names_in_
    scorer.learner_ = read_learner(files, scorer.n_features_in_)
    scorer.calibrator_ = Calibrator.from_dict(data["calibrator.json"])
    cutoffs = data["cutoffs.json"]
    scorer.cutoff_ = TypeAdapter(Cutoff).validate_python(cutoffs["mql"])
    scorer.sql_cutoff_ = (
        None if cutoffs["sql"] is None else TypeAdapter(Cutoff).validate_python(cutoffs["sql"])
    )
    # Bundles of before evidence was kept have none.
    if (evidence := read_evidence(files)) is not None:
        scorer.evidence_ = evidence
    return scorer


def _encoder(columns: list[dict[str, Any]]) -> TableEncoder:
    encoder = TableEncoder()
    encoder.columns_ = tuple(TypeAdapter(list[EncodedColumn]).validate_python(columns))
    encoder.n_features_in_ = len(encoder.columns_)
    encoder.feature_names_in_ = np.array([column.name for column in encoder.columns_], dtype=object)
    return encoder


def _as_dict(cutoff: Cutoff | None) -> dict[str, Any] | None:
    return None if cutoff is None else asdict(cutoff)


def _dump(value: Any, *, sort_keys: bool = True) -> str:
    return json.dumps(value, indent=1, sort_keys=sort_keys, ensure_ascii=False, allow_nan=True) + "\n"


def _manifest(files: dict[str, str]) -> dict[str, Any]:
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())}
    return {"format_version": FORMAT_VERSION, "version": _version(digests), "sha256": digests}


def _version(digests: dict[str, str]) -> str:
    """Name of exactly these files; it seals the manifest too."""
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()[:12]


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _swap(temporary: Path, folder: Path) -> None:
    """Put the new folder in place; an older bundle there makes way first."""
    temporary.chmod(0o755)
    if folder.exists():
        retired = temporary.with_name(temporary.name + "-old")
        folder.rename(retired)
        try:
            temporary.rename(folder)
        except OSError:
            retired.rename(folder)
            raise
        shutil.rmtree(retired)
    else:
        temporary.rename(folder)


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = int(manifest["format_version"])
        files = TypeAdapter(dict[str, str]).validate_python(manifest["sha256"])
    except FileNotFoundError as error:
        msg = f"{folder} is no model bundle: {MANIFEST} is missing. `leadlift train` writes one."
        raise BundleError(msg) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{folder / MANIFEST} cannot be read: {error}"
        raise BundleError(msg) from error
    if version > FORMAT_VERSION:
        msg = (
            f"{folder} was made by a newer leadlift (bundle format {version}, this one reads up to "
            f"{FORMAT_VERSION}); upgrade leadlift or train again"
        )
        raise BundleError(msg)
    if any("/" in name or "\\" in name or name.startswith(".") for name in files):
        msg = f"{folder / MANIFEST} lists files outside the bundle; it was tampered with"
        raise BundleError(msg)
    if version < 1 or manifest.get("version") != _version(files):
        msg = f"{folder / MANIFEST} was altered since it was written; copy the bundle or train again"
        raise BundleError(msg)
    return manifest


def _read_checked(folder: Path, name: str, digest: str) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        msg = f"{folder}: the bundle is incomplete, {name} cannot be read: {error.strerror}"
        raise BundleError(msg) from error
    if hashlib.sha256(content).hexdigest() != digest:
        msg = f"{folder / name} was altered since it was written (its sha256 differs); copy it or train again"
        raise BundleError(msg)
    return content
