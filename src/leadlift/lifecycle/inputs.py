"""Leads, events and change log -> the inputs of the model, one row an observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.config import LeadliftConfig, SchemaConfig
from leadlift.data.events import read_events
from leadlift.data.history import read_history
from leadlift.data.naming import guess_family
from leadlift.data.observations import Observations
from leadlift.data.reading import CLOSED_AT, CREATED_AT, OUTCOME, Leads
from leadlift.exceptions import ConfigError, shorten
from leadlift.features.builder import FeatureBuilder
from leadlift.features.event_checks import EventWatch
from leadlift.features.profile import Profile
from leadlift.features.redundancy import redundant
from leadlift.terms import LEAD_ID, FeatureSpec, Finding, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.data.events import Events
    from leadlift.data.history import History


@dataclass(frozen=True)
class Inputs:
    """What the model is given.

    Parameters
    ----------
    table : pyarrow.Table
        One row an observation.
    specs : tuple of FeatureSpec
        What each column means, in order.
    columns : tuple of FeatureSpec
        Columns of the leads' file that are needed to make them.
    roles : SchemaConfig
        Roles of the files' columns, those of events and change log as they were found.
    builder : FeatureBuilder or None
        What makes them; None where they are columns of the leads' file as they stand.
    findings : tuple of Finding
        About events and the change log (LL170 to LL189).
    """

    table: pa.Table
    specs: tuple[FeatureSpec, ...]
    columns: tuple[FeatureSpec, ...]
    roles: SchemaConfig
    builder: FeatureBuilder | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def built(self) -> tuple[str, ...]:
        """Names of the inputs that are no columns of the leads."""
        columns = {spec.name for spec in self.columns}
        return tuple(spec.name for spec in self.specs if spec.name not in columns)


def make_inputs(
    leads: Leads,
    observations: Observations,
    columns: tuple[FeatureSpec, ...],
    config: LeadliftConfig,
) -> Inputs:
    """Make the inputs of the model.

    Without events, change log, texts and named feature groups these are the leads' columns as they stand.
    Features that say nothing new in the rows learnt from are left out.

    Parameters
    ----------
    leads : Leads
    observations : Observations
    columns : tuple of FeatureSpec
        Columns of the leads that are inputs.
    config : LeadliftConfig

    Returns
    -------
    Inputs

    Raises
    ------
    InputError
        Events or change log cannot be read.
    ConfigError
        There are events or a change log, but the leads have no dates.
    """
    if not _asks_for_features(config):
        return Inputs(_as_they_stand(leads, observations, columns), columns, columns, config.roles)
    job = feature_job(leads, observations, columns, config)
    table = job.builder.fit_transform(**job.arguments)
    made = [spec.name for spec in job.builder.specs_ if spec.group != Profile.name]
    builder = job.builder.without(redundant(table.filter(pa.array(job.fitted)).select(made)))
    table = table.select([spec.name for spec in builder.specs_])
    found = {"events": job.events and job.events.roles, "history": job.history and job.history.roles}
    roles = config.roles.model_copy(update=found)
    return Inputs(table, builder.specs_, job.columns, roles, builder, job.findings())


@dataclass(frozen=True)
class FeatureJob:
    """All that the features of a configuration are built from.

    Parameters
    ----------
    builder : FeatureBuilder
        Not fitted yet.
    leads : Leads
    observations : Observations
    columns : tuple of FeatureSpec
        Columns of the leads that are given to the builder.
    fitted : ndarray of bool, shape (n_rows,)
        Rows whose vocabulary may be learnt: those before the share that is held back as the test set.
    events : Events or None
    history : History or None
    watch : EventWatch or None
        None where there are neither events nor a change log.
    """

    builder: FeatureBuilder
    leads: Leads
    observations: Observations
    columns: tuple[FeatureSpec, ...]
    fitted: NDArray[np.bool_]
    events: Events | None
    history: History | None
    watch: EventWatch | None

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of :meth:`FeatureBuilder.fit_transform`."""
        names = ("observations", "leads", "columns", "events", "history", "fitted", "watch")
        return {name: getattr(self, name) for name in names}

    def findings(self) -> tuple[Finding, ...]:
        """Return what was noticed once the features are built."""
        read = [finding for table in (self.events, self.history) if table for finding in table.findings()]
        return (*read, *(self.watch.findings() if self.watch else ()))


def feature_job(
    leads: Leads, observations: Observations, columns: tuple[FeatureSpec, ...], config: LeadliftConfig
) -> FeatureJob:
    """Put together what the features of a configuration are built from.

    Parameters
    ----------
    leads, observations, columns, config
        As for :func:`make_inputs`.

    Returns
    -------
    FeatureJob

    Raises
    ------
    InputError, SchemaError
        Events or change log cannot be opened.
    ConfigError
        The leads have no dates, or a setting is impossible.
    """
    if observations.time != "dates":
        msg = "features of behaviour need [schema] created_at: without dates nobody knows what came before"
        raise ConfigError(msg)
    columns = (*columns, *_texts(leads, columns, config))
    events = None if config.data.events is None else read_events(config)
    history = None if config.data.history is None else read_history(config)
    is_watched = events is not None or history is not None
    unconfirmed = [spec.name for spec in columns if spec.name not in config.roles.known_at_creation]
    return FeatureJob(
        builder=make_builder(config, leads, columns),
        leads=leads,
        observations=observations,
        columns=columns,
        fitted=_early(observations, config.model.test_share),
        events=events,
        history=history,
        watch=EventWatch(leads.table, observations.known_until, unconfirmed) if is_watched else None,
    )


def make_builder(config: LeadliftConfig, leads: Leads, columns: tuple[FeatureSpec, ...]) -> FeatureBuilder:
    """Make the builder that a configuration describes, not fitted.

    Parameters
    ----------
    config : LeadliftConfig
    leads : Leads
    columns : tuple of FeatureSpec
        Columns of the leads that are inputs; other columns must not come back through the change log.

    Returns
    -------
    FeatureBuilder
    """
    inputs = {spec.name for spec in columns}
    others = [name for name in (*leads.table.column_names, *config.roles.role_columns) if name not in inputs]
    return FeatureBuilder(
        groups=config.features.groups,
        windows_days=config.features.windows_days,
        text=config.features.text,
        meanings=config.features.meanings,
        fields=None if config.roles.history is None else config.roles.history.fields,
        refused=(*others, *config.roles.ignore),
        engine=config.features.engine,
    )


def told_columns(leads: Leads, config: LeadliftConfig) -> pa.Table:
    """Return the columns of the leads that the report looks at, whether or not they are inputs.

    Parameters
    ----------
    leads : Leads
    config : LeadliftConfig
        ``[insight]`` names them.

    Returns
    -------
    pyarrow.Table
        One row a lead: ``lead_id``, ``outcome``, the moments there are, then the columns named.

    Raises
    ------
    ConfigError
        One named is not there.
    """
    asked = config.insight
    reason = () if asked.loss_reason is None else (asked.loss_reason,)
    named = dict.fromkeys((*asked.segments, *asked.protected, *reason, *asked.loss_text))
    absent = [name for name in named if name not in leads.table.column_names]
    if absent:
        msg = (
            f"[insight] names {shorten(absent)}, but the leads have no such column; "
            f"they have {shorten(leads.table.column_names)}"
        )
        raise ConfigError(msg)
    house = [name for name in (LEAD_ID, OUTCOME, CREATED_AT, CLOSED_AT) if name in leads.table.column_names]
    return leads.table.select([*house, *(name for name in named if name not in house)])


def _asks_for_features(config: LeadliftConfig) -> bool:
    return bool(config.data.events or config.data.history or config.features.text or config.features.groups)


def _as_they_stand(leads: Leads, observations: Observations, columns: tuple[FeatureSpec, ...]) -> pa.Table:
    return leads.table.select([spec.name for spec in columns]).take(pa.array(observations.index))


def _texts(leads: Leads, columns: tuple[FeatureSpec, ...], config: LeadliftConfig) -> tuple[FeatureSpec, ...]:
    """Columns of free text, which are no inputs as they stand."""
    known = {spec.name for spec in columns}
    names = [name for name in config.features.text if name not in known]
    absent = [name for name in names if leads.kinds.get(name) is not Kind.CATEGORICAL]
    if absent:
        msg = f"[features] text names {absent[0]!r}, which is no column of text in the leads"
        raise ConfigError(msg)
    return tuple(FeatureSpec(name, Kind.CATEGORICAL, guess_family(name)) for name in names)


def _early(observations: Observations, test_share: float) -> NDArray[np.bool_]:
    as_of = observations.as_of
    return as_of <= np.quantile(as_of.astype(np.int64), 1 - test_share, method="lower").astype(as_of.dtype)
