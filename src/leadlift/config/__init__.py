"""leadlift.toml as typed values: which column is what, how the file is written, what is asked of the model.

Text from outside becomes data here and nowhere else. `leadlift init` writes the file with a comment on
each line; :func:`read_config` reads it back and says precisely what is wrong with it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import Field, ValidationError

from leadlift.config.base import Name, Section
from leadlift.config.behaviour import EventsConfig, FeaturesConfig, HistoryConfig, ObservationsConfig
from leadlift.config.insight import InsightConfig
from leadlift.config.leads import DataConfig, FamiliesConfig, SchemaConfig
from leadlift.config.model import CutoffConfig, ModelConfig, PolicyConfig
from leadlift.config.retrain import ContractConfig, RetrainConfig
from leadlift.config.stages import StagesConfig
from leadlift.config.tracking import TrackingUri
from leadlift.exceptions import ConfigError, InputError
from leadlift.terms import FeatureSpec

__all__ = [
    "ContractConfig",
    "CutoffConfig",
    "DataConfig",
    "EventsConfig",
    "FamiliesConfig",
    "FeaturesConfig",
    "HistoryConfig",
    "InsightConfig",
    "LeadSchema",
    "LeadliftConfig",
    "ModelConfig",
    "ObservationsConfig",
    "PolicyConfig",
    "RetrainConfig",
    "SchemaConfig",
    "StagesConfig",
    "parse_config",
    "read_config",
]


class LeadliftConfig(Section):
    """All of leadlift.toml.

    Parameters
    ----------
    data : DataConfig
    roles : SchemaConfig
        The ``[schema]`` section.
    families : FamiliesConfig
    observations : ObservationsConfig
    features : FeaturesConfig
    model : ModelConfig
    cutoff : CutoffConfig
    stages : StagesConfig
    insight : InsightConfig
    retrain : RetrainConfig
    models : str
        Folder of bundles, the tracking database and figures, relative to the folder of leadlift.toml.
    tracking_uri : str
        Address of an MLflow server, ``http`` or ``https``; empty for the tracking database in that folder.
    """

    data: DataConfig
    roles: SchemaConfig = Field(alias="schema")
    families: FamiliesConfig = Field(default_factory=FamiliesConfig)
    observations: ObservationsConfig = Field(default_factory=ObservationsConfig)
    features: FeaturesConfig = Field(default_factory=FeaturesConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    cutoff: CutoffConfig
    stages: StagesConfig = Field(default_factory=StagesConfig)
    insight: InsightConfig = Field(default_factory=InsightConfig)
    retrain: RetrainConfig = Field(default_factory=RetrainConfig)
    models: Name = "models"
    tracking_uri: TrackingUri = ""


class LeadSchema(Section):
    """How files of leads are read and which columns are inputs: what training and scoring share.

    It is resolved once, when training data are read, and stored in the bundle.

    Parameters
    ----------
    data : DataConfig
        How files are written.
    roles : SchemaConfig
        Which column is the id, the outcome, the date.
    features : tuple of FeatureSpec
        Columns of the leads that the model's inputs are, or are made from, in order.
    logged : tuple of str
        Those of them that the change log has; a file of new leads may lack them.
    """

    data: DataConfig
    roles: SchemaConfig
    features: tuple[FeatureSpec, ...]
    logged: tuple[str, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the input columns, in order."""
        return tuple(spec.name for spec in self.features)


def read_config(path: str | Path) -> LeadliftConfig:
    """Read leadlift.toml; paths in it become relative to its folder.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    LeadliftConfig

    Raises
    ------
    InputError
        The file does not exist or is no text.
    ConfigError
        It is no TOML, or a key is unknown, missing or impossible; every such key is named.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        msg = f"{path}: no such file. `leadlift init FILE` writes one."
        raise InputError(msg) from error
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as UTF-8 text: {error}"
        raise InputError(msg) from error
    return parse_config(text, folder=path.parent, name=str(path))


def parse_config(text: str, *, folder: Path, name: str = "leadlift.toml") -> LeadliftConfig:
    """Parse the text of a leadlift.toml.

    Parameters
    ----------
    text : str
        TOML.
    folder : Path
        What relative paths in it are relative to.
    name : str
        How messages call it.

    Returns
    -------
    LeadliftConfig

    Raises
    ------
    ConfigError
        As for :func:`read_config`.

    Examples
    --------
    >>> config = parse_config('''
    ... [data]
    ... leads = "leads.csv"
    ... [schema]
    ... outcome = "won"
    ... won = ["yes"]
    ... [cutoff.mql]
    ... policy = "precision_guarantee"
    ... target = 0.3
    ... ''', folder=Path("crm"))
    >>> Path(config.data.leads).as_posix(), config.cutoff.mql.parameters
    ('crm/leads.csv', {'target': 0.3})
    """
    try:
        raw = tomllib.loads(text)
        config = LeadliftConfig.model_validate(raw)
    except tomllib.TOMLDecodeError as error:
        msg = f"{name} is no valid TOML: {error}"
        raise ConfigError(msg) from error
    except ValidationError as error:
        lines = [f"  [{'.'.join(map(str, e['loc']))}] {e['msg']}" for e in error.errors()]
        msg = f"{name} cannot be used:\n" + "\n".join(lines)
        raise ConfigError(msg) from error
    sources = ("leads", "events", "history", "contacts", "scores")
    located = {key: _located(folder, getattr(config.data, key)) for key in sources}
    data = config.data.model_copy(update=located)
    texts = None if config.insight.texts is None else str(folder / config.insight.texts)
    insight = config.insight.model_copy(update={"texts": texts})
    return config.model_copy(update={"data": data, "insight": insight, "models": str(folder / config.models)})


def _located(folder: Path, source: str | None) -> str | None:
    """Return a file's path seen from here; the address of a database stays as it is."""
    return source if source is None or "://" in source else str(folder / source)
