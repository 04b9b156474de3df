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
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from leadlift.config import LeadSchema, StagesConfig
from leadlift.exceptions import BundleError, InputError
from leadlift.insight.attribution import Attributor
from leadlift.insight.explained import explained_specs
from leadlift.insight.reasons import ReasonWriter
from leadlift.insight.texts import Texts, load_texts
from leadlift.serving.bundle_place import MANIFEST, followed, put_in_place, require_place
from leadlift.serving.label_model import LabelModel, dump, label_files, read_label
from leadlift.terms import Cutoff, FeatureSpec

if TYPE_CHECKING:
    from leadlift.features.builder import FeatureBuilder
    from leadlift.learning.fitted.model import FittedModel
    from leadlift.learning.scorer import LeadScorer

FORMAT_VERSION = 1
# Of the hash of its files, in the name of a bundle.
VERSION_DIGITS = 12
FEATURES = "features.json"
STAGES = "stages.json"
TEXTS = "texts.json"
SCHEMA = "schema.json"
REFERENCE = "reference.json"
PROVENANCE = "provenance.json"
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
    """A fitted model with all that is needed to score new leads and to know where it came from.

    Loading and scoring take NumPy and Arrow alone; the estimators (`scorer`, `sql_scorer`) are made when they
    are asked for.

    Parameters
    ----------
    won : LabelModel
        Learnt which leads are won.
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
    became_sql : LabelModel or None
        Learnt on the same inputs which leads become SQL; its cut-off is then the MQL one. None where there is
        one label, see :mod:`leadlift.learning.two_labels`.
    stages : StagesConfig
        Rules of stages beside the cut-offs.
    texts : Texts
        The words of reasons; English, if not given.
    """

    won: LabelModel
    schema: LeadSchema
    reference: Reference
    provenance: dict[str, Any]
    version: str = ""
    builder: FeatureBuilder | None = None
    became_sql: LabelModel | None = None
    stages: StagesConfig = field(default_factory=StagesConfig)
    texts: Texts = field(default_factory=load_texts)

    @classmethod
    def from_scorer(
        cls,
        scorer: LeadScorer,
        schema: LeadSchema,
        reference: Reference,
        provenance: dict[str, Any],
        *,
        sql_scorer: LeadScorer | None = None,
        builder: FeatureBuilder | None = None,
        stages: StagesConfig | None = None,
        texts: Texts | None = None,
    ) -> ModelBundle:
        """Make a bundle of fitted scorers.

        Parameters
        ----------
        scorer : LeadScorer
            Fitted on "won", with a :class:`BlendedLearner`.
        schema, reference, provenance
            As of the class.
        sql_scorer : LeadScorer, optional
            Fitted on "became SQL".
        builder, stages, texts : optional
            As of the class.

        Raises
        ------
        InputError
            A learner is no :class:`BlendedLearner`.
        """
        return cls(
            LabelModel.of(scorer),
            schema,
            reference,
            provenance,
            builder=builder,
            became_sql=None if sql_scorer is None else LabelModel.of(sql_scorer),
            stages=stages or StagesConfig(),
            texts=texts or load_texts(),
        )

    def with_scorers(
        self, scorer: LeadScorer | None = None, sql_scorer: LeadScorer | None = None
    ) -> ModelBundle:
        """Return the bundle with other scorers; one that is not given stays."""
        return replace(
            self,
            won=self.won if scorer is None else LabelModel.of(scorer),
            became_sql=self.became_sql if sql_scorer is None else LabelModel.of(sql_scorer),
        )

    @property
    def model(self) -> FittedModel:
        """What gives P(won)."""
        return self.won.fitted

    @property
    def sql_model(self) -> FittedModel | None:
        """What gives P(SQL); None where there is one label."""
        return None if self.became_sql is None else self.became_sql.fitted

    @property
    def probe(self) -> dict[str, Any] | None:
        """Made-up rows with the scores they must get; see :class:`LabelModel`."""
        return self.won.probe

    def using(self, engine: str) -> ModelBundle:
        """Return the bundle with its models on another engine.

        Parameters
        ----------
        engine : {"auto", "fast", "plain"}
            As for :meth:`FittedModel.using`.
        """
        second = None if self.became_sql is None else self.became_sql.using(engine)
        return replace(self, won=self.won.using(engine), became_sql=second)

    @property
    def scorer(self) -> LeadScorer:
        """The estimator of "won", made when it is first asked for."""
        return self.won.scorer

    @property
    def sql_scorer(self) -> LeadScorer | None:
        """The estimator of "became SQL"; None where there is one label."""
        return None if self.became_sql is None else self.became_sql.scorer

    @property
    def mql_cutoff(self) -> Cutoff:
        """The MQL line: on P(SQL) where that is learnt, else on P(won)."""
        return (self.became_sql or self.won).cutoff

    @property
    def sql_cutoff(self) -> Cutoff | None:
        """The SQL line, on P(won); None where there is none."""
        return self.won.sql_cutoff

    @property
    def specs(self) -> tuple[FeatureSpec, ...]:
        """What each input of the model means, in the order of its matrix."""
        return self.schema.features if self.builder is None else self.builder.specs_

    @property
    def explained_specs(self) -> tuple[FeatureSpec, ...]:
        """What each contribution to a score belongs to: the inputs, then pairs of them."""
        return explained_specs(self.specs, self.model.statistics)

    @cached_property
    def attributor(self) -> Attributor:
        """What explains the scores, made once."""
        return Attributor(self.model)

    @cached_property
    def reason_writer(self) -> ReasonWriter:
        """What puts contributions into words, made once."""
        return ReasonWriter(self.explained_specs, self.texts, self.reference.typical_won)

    def save(self, folder: str | Path) -> ModelBundle:
        """Write the bundle; the folder appears only when it is complete.

        Parameters
        ----------
        folder : str or Path
            Must not exist, or be a bundle, which is replaced in one step.

        Returns
        -------
        ModelBundle
            The same with its version.

        Raises
        ------
        InputError
            The folder exists and is no bundle, is a link, or cannot be written.
        """
        folder = Path(folder)
        require_place(folder)
        if folder.is_symlink():
            msg = f"{folder} is a link to a bundle, which leadlift.Registry moves; name a folder of its own"
            raise InputError(msg)
        files = _to_files(self)
        manifest = _manifest(files)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            try:
                for name, text in [*files.items(), (MANIFEST, dump(manifest))]:
                    _write(temporary / name, text)
                temporary.chmod(0o755)
                put_in_place(temporary, folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        except OSError as error:
            msg = f"the bundle could not be written to {folder}: {error.strerror or error}"
            raise InputError(msg) from error
        return replace(self, version=manifest["version"])

    @classmethod
    def load(cls, folder: str | Path) -> ModelBundle:
        """Read a bundle; no code in it is executed.

        Parameters
        ----------
        folder : str or Path
            A link is followed once: should it be moved meanwhile, all files are still those of one bundle.

        Raises
        ------
        BundleError
            It is missing, incomplete, altered since it was written, or made by a newer version.
        """
        folder = followed(Path(folder))
        manifest = _read_manifest(folder)
        contents = {name: _read_checked(folder, name, digest) for name, digest in manifest["sha256"].items()}
        try:
            files = {name: content.decode("utf-8") for name, content in contents.items()}
            return _from_files(files, manifest["version"])
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{folder}: the bundle's files match their hashes but cannot be understood: {error}"
            raise BundleError(msg) from error


def is_version(name: str) -> bool:
    """Say whether a name is one that bundles get for their contents.

    Examples
    --------
    >>> is_version("3f2a91c0d1e2"), is_version("champion")
    (True, False)
    """
    return len(name) == VERSION_DIGITS and set(name) <= set("0123456789abcdef")


def _to_files(bundle: ModelBundle) -> dict[str, str]:
    built = {} if bundle.builder is None else {FEATURES: dump(bundle.builder.to_dict(), sort_keys=False)}
    second = {} if bundle.became_sql is None else label_files(bundle.became_sql)
    return (
        built
        | label_files(bundle.won)
        | {SQL_PREFIX + name: text for name, text in second.items()}
        | {
            STAGES: dump(bundle.stages.model_dump(mode="json")),
            TEXTS: dump(bundle.texts.to_dict()),
            SCHEMA: dump(bundle.schema.model_dump(mode="json")),
            REFERENCE: dump(asdict(bundle.reference)),
            PROVENANCE: dump(bundle.provenance),
        }
    )


def _from_files(files: dict[str, str], version: str) -> ModelBundle:
    second = {name[len(SQL_PREFIX) :]: text for name, text in files.items() if name.startswith(SQL_PREFIX)}
    return ModelBundle(
        won=read_label(files),
        schema=LeadSchema.model_validate_json(files[SCHEMA]),
        reference=TypeAdapter(Reference).validate_json(files[REFERENCE]),
        provenance=json.loads(files[PROVENANCE]),
        version=version,
        builder=_builder(json.loads(files[FEATURES])) if FEATURES in files else None,
        became_sql=read_label(second) if second else None,
        # Bundles of before there were rules have none.
        stages=StagesConfig.model_validate_json(files.get(STAGES, "{}")),
        # Those of before texts could be chosen speak English.
        texts=Texts.from_dict(json.loads(files[TEXTS])) if TEXTS in files else load_texts(),
    )


def _builder(state: dict[str, Any]) -> FeatureBuilder:
    from leadlift.features.builder import FeatureBuilder

    return FeatureBuilder.from_dict(state)


def _manifest(files: dict[str, str]) -> dict[str, Any]:
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())}
    return {"format_version": FORMAT_VERSION, "version": _version(digests), "sha256": digests}


def _version(digests: dict[str, str]) -> str:
    """Name of exactly these files; it seals the manifest too."""
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()[:VERSION_DIGITS]


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


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
