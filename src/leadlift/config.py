"""leadlift.toml as typed values: which column is what, how the file is written, what is asked of the model.

Text from outside becomes data here and nowhere else. `leadlift init` writes the file with a comment on
each line; :func:`read_config` reads it back and says precisely what is wrong with it.
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from leadlift.exceptions import ConfigError, InputError
from leadlift.terms import FeatureSpec

Name = Annotated[str, Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Section):
    """How the file of leads is written.

    Parameters
    ----------
    leads : str
        Path of the CSV or Parquet file, relative to the folder of leadlift.toml.
    delimiter, encoding : str
        Of a CSV file; ignored for Parquet.
    decimal, thousands : str
        Marks in the numbers of a CSV file, e.g. ``","`` and ``"."`` for ``1.234,50``.
    missing_values : tuple of str
        Words that mean "not recorded", in any column, compared exactly after stripping white space.
        The empty cell always does.
    missing_numbers : dict of str to tuple of float
        By numeric column, the numbers that mean "not recorded", such as 999.
    ragged_rows : {"error", "skip"}
        Rows with too few or too many cells stop the job, or are left out and counted.
    """

    leads: Name
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: Name = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    missing_values: tuple[str, ...] = ()
    missing_numbers: dict[str, tuple[float, ...]] = {}
    ragged_rows: Literal["error", "skip"] = "error"

    @model_validator(mode="after")
    def _marks_differ(self) -> DataConfig:
        if self.decimal == self.thousands:
            msg = f"decimal and thousands are both {self.decimal!r}; they must differ"
            raise ValueError(msg)
        return self


class SchemaConfig(_Section):
    """Which column plays which role. Column names are those of the user's file.

    Parameters
    ----------
    lead_id : str or None
        Column with one id a lead; without one, rows are numbered from 1.
    outcome : str
        Column that says how the lead ended.
    won, lost, open : tuple of str
        Values of `outcome` (as text, case matters) for each ending.
    created_at, closed_at : str or None
        Moments of the lead's creation and of its winning or losing.
    date_format : str or None
        ``strptime`` format of the date columns of a CSV; None reads ISO 8601.
    rows_in_time_order : bool
        The rows stand in the order in which the leads came; used as time where `created_at` is absent.
    horizon_days : float or None
        A lead counts as converted when won within so many days of `created_at`. None takes the
        outcome as it stands, whenever it came.
    known_until : datetime or None
        Moment of the extract: outcomes are known up to it. None takes the last date in the file.
    ignore : tuple of str
        Columns that are no inputs.
    known_at_creation : tuple of str
        Suspect columns that the user confirms to be known when the lead is scored.
    allow_protected : tuple of str
        Protected attributes that the user allows as inputs, by name.
    numeric, categorical : tuple of str
        Columns whose kind is to be as said instead of as found.
    """

    lead_id: Name | None = None
    outcome: Name
    won: tuple[str, ...] = Field(min_length=1)
    lost: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    created_at: Name | None = None
    closed_at: Name | None = None
    date_format: str | None = None
    rows_in_time_order: bool = False
    horizon_days: Annotated[float, Field(gt=0, lt=36500)] | None = None
    known_until: datetime | None = None
    ignore: tuple[str, ...] = ()
    known_at_creation: tuple[str, ...] = ()
    allow_protected: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _roles_do_not_contradict(self) -> SchemaConfig:
        _no_overlap("won, lost and open", self.won, self.lost, self.open)
        _no_overlap("numeric and categorical", self.numeric, self.categorical)
        _no_overlap("ignore and known_at_creation", self.ignore, self.known_at_creation)
        roles = [c for c in (self.lead_id, self.outcome, self.created_at, self.closed_at) if c]
        _no_overlap("lead_id, outcome, created_at and closed_at", *[(c,) for c in roles])
        if self.horizon_days is not None and self.created_at is None:
            msg = "horizon_days needs created_at: without dates nobody knows what happened within it"
            raise ValueError(msg)
        if self.created_at is not None and self.rows_in_time_order:
            msg = "created_at and rows_in_time_order are two clocks; give one"
            raise ValueError(msg)
        return self

    @property
    def role_columns(self) -> tuple[str, ...]:
        """Columns with a role, which are therefore no inputs."""
        roles = (self.lead_id, self.outcome, self.created_at, self.closed_at)
        return tuple(column for column in roles if column is not None)


class FamiliesConfig(_Section):
    """Which columns belong to which family of the sub-scores; a column not named is guessed from its name."""

    fit: tuple[str, ...] = ()
    engagement: tuple[str, ...] = ()
    intent: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_family_a_column(self) -> FamiliesConfig:
        _no_overlap("the families", self.fit, self.engagement, self.intent, self.source, self.other)
        return self


class ModelConfig(_Section):
    """How the model is learnt.

    Parameters
    ----------
    random_state : int
        Seed of everything random.
    folds : int
        Folds of the bag, 2 to 20.
    trials : int
        Optuna trials; 0 takes the defaults.
    time_budget_seconds : float or None
        Wall-clock seconds after which the search stops.
    test_share : float
        Share of the leads, the latest where dates exist, that is held back as the test set.
    """

    random_state: Annotated[int, Field(ge=0)] = 0
    folds: Annotated[int, Field(ge=2, le=20)] = 8
    trials: Annotated[int, Field(ge=0)] = 0
    time_budget_seconds: Annotated[float, Field(gt=0)] | None = None
    test_share: Annotated[float, Field(ge=0.05, le=0.5)] = 0.2


class PolicyConfig(BaseModel):
    """A cut-off policy by its name, with its own parameters beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    policy: Name

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters of the policy, as written."""
        return dict(self.model_extra or {})


class CutoffConfig(_Section):
    """The two cut-offs; a lead from `mql` on is marketing-qualified, from `sql` on sales-qualified."""

    mql: PolicyConfig
    sql: PolicyConfig | None = None


class LeadliftConfig(_Section):
    """All of leadlift.toml.

    Parameters
    ----------
    data : DataConfig
    roles : SchemaConfig
        The ``[schema]`` section.
    families : FamiliesConfig
    model : ModelConfig
    cutoff : CutoffConfig
    models : str
        Folder of bundles, the tracking database and figures, relative to the folder of leadlift.toml.
    """

    data: DataConfig
    roles: SchemaConfig = Field(alias="schema")
    families: FamiliesConfig = Field(default_factory=FamiliesConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    cutoff: CutoffConfig
    models: Name = "models"


class LeadSchema(_Section):
    """How files of leads are read and which columns are inputs: what training and scoring share.

    It is resolved once, when training data are read, and stored in the bundle.

    Parameters
    ----------
    data : DataConfig
        How files are written.
    roles : SchemaConfig
        Which column is the id, the outcome, the date.
    features : tuple of FeatureSpec
        The input columns, in the order of the model's matrix.
    """

    data: DataConfig
    roles: SchemaConfig
    features: tuple[FeatureSpec, ...]

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
    data = config.data.model_copy(update={"leads": str(folder / config.data.leads)})
    return config.model_copy(update={"data": data, "models": str(folder / config.models)})


def _no_overlap(what: str, *groups: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for group in groups:
        both = seen.intersection(group)
        if both:
            msg = f"{sorted(both)[0]!r} stands twice in {what}; each may stand once"
            raise ValueError(msg)
        seen.update(group)
