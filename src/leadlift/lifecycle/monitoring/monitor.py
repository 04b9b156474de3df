"""Watching a model in service: one call for all checks, with and without outcomes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.contacts import contacts_from
from leadlift.data.new_leads import prepare_batch
from leadlift.data.sources import open_source
from leadlift.data.tables import lead_ids, require_columns, table_from
from leadlift.exceptions import ConfigError, InputError
from leadlift.lifecycle.contact_decisions import outcome_weights
from leadlift.lifecycle.monitoring.against_outcomes import ScoredLeads, check_outcomes
from leadlift.lifecycle.monitoring.budget import AlarmBudget
from leadlift.lifecycle.monitoring.drift import check_inputs
from leadlift.lifecycle.monitoring.maturity import latest, moments
from leadlift.lifecycle.monitoring.outcome_findings import nothing_scored, other_models
from leadlift.lifecycle.monitoring.outcomes import require_outcomes
from leadlift.lifecycle.monitoring.override_quality import check_overrides
from leadlift.lifecycle.monitoring.period import Period
from leadlift.lifecycle.monitoring.scored_leads import READ, read_scored
from leadlift.lifecycle.monitoring.scores import check_scores
from leadlift.lifecycle.monitoring.table import Checked, monitor_table
from leadlift.lifecycle.monitoring.volume import check_volume
from leadlift.lifecycle.monitoring.windows import Windows
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.score_store import ScoreStore, open_score_store
from leadlift.serving.scoring import watch_of
from leadlift.terms import (
    AS_OF,
    GRADE,
    LEAD_ID,
    MODEL_VERSION,
    SCORE,
    SCORED_COLUMNS,
    STATUS,
    Finding,
    Severity,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from leadlift.serving.drift import DriftCounts

DAY = np.timedelta64(1, "D")
VOLUME_WEEKS = Windows(7)
# Days of scoring of which a store is asked what its jobs counted: a quarter of nightly jobs.
MOST_BATCHES = 91


@dataclass(frozen=True)
class MonitorResult:
    """What monitoring found.

    Parameters
    ----------
    table : pyarrow.Table
        Columns :data:`leadlift.lifecycle.monitoring.table.MONITOR_SCHEMA`, a row for each check, subject,
        segment and window.
    findings : tuple of Finding
        What somebody should know or do.
    model_version : str
        Of the bundle.
    """

    table: pa.Table
    findings: tuple[Finding, ...]
    model_version: str = ""

    @property
    def needs_action(self) -> bool:
        """Whether a finding is fatal or a warning."""
        return any(finding.severity is not Severity.INFO for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; moments in ISO 8601."""
        rows = [{name: _json(value) for name, value in row.items()} for row in self.table.to_pylist()]
        return {
            "model_version": self.model_version,
            "needs_action": self.needs_action,
            "findings": [asdict(finding) for finding in self.findings],
            "checks": rows,
        }


def monitor(
    bundle: ModelBundle,
    scored: object,
    *,
    inputs: object = None,
    counts: DriftCounts | None = None,
    outcomes: object = None,
    known_until: datetime | None = None,
    segment_by: Sequence[str] = (),
    previous: Sequence[DriftCounts] = (),
    weights: ArrayLike | None = None,
    contacts: object = None,
    false_alarm_rate: float = 0.05,
    window_days: float = 28.0,
) -> MonitorResult:
    """Check whether a model in service may still be believed.

    Without outcomes: drift of the inputs, of scores and grades in the latest batch, the number of leads, and
    an estimate for each promise. With outcomes, as they mature: base rate, calibration, the promises of the
    cut-offs, and segments. A batch is what was scored on one day.

    Where nothing changes, the chance of any alarm is at most about `false_alarm_rate` a quarter, however
    often it is looked: tests against outcomes are of windows that are over and lie on a fixed grid, so that
    looking again is no other test. An alarm of a window stays as long as its rows are given; leave out old
    rows, or put a better model in service.

    Parameters
    ----------
    bundle : ModelBundle
        Of the model in service; rows that other models scored are left out.
    scored : path, address or table
        Scored leads of one or many batches, as for
        :func:`leadlift.lifecycle.monitoring.scored_leads.read_scored`.
    inputs : pyarrow, pandas or polars table, optional
        Columns of the leads. Those of the model, of the latest batch, are compared with training, unless
        `counts` are given; others can be named in `segment_by`, by ``lead_id`` or row by row.
    counts : DriftCounts, optional
        What the job of the latest batch counted of its inputs.
    outcomes : path, address or table, optional
        As for :func:`leadlift.lifecycle.monitoring.outcomes.read_outcomes`, or what that returned.
    known_until : datetime, optional
        Moment up to which outcomes are known, UTC where no zone is said; None takes the latest closing.
    segment_by : sequence of str
        Columns of the scored leads, such as ``grade``, or of `inputs`.
    previous : sequence of DriftCounts
        Of earlier batches of the model.
    weights : array of float64, shape (n_scored,), optional
        Inverse of the chance that each scored row's lead was worked, 0 where it was not: estimates are then
        Hájek's, and tests go by the effective number of leads.
    contacts : path, address or table, optional
        Contact log as for :func:`leadlift.data.contacts.contacts_from`, to make the weights from where leads
        were worked as the scored table's ``contact_probability`` says.
    false_alarm_rate : float, default=0.05
        Chance of an alarm in 91 days where nothing changes, in (0, 1).
    window_days : float, default=28
        Length of the windows, by the moment of scoring; whole weeks begin on a Monday.

    Returns
    -------
    MonitorResult

    Raises
    ------
    ConfigError
        A parameter is out of its range; weights and contacts are both given; or outcomes are given of a model
        that was trained without lead ids.
    InputError
        Something cannot be read; no scored row is of this model; weights are not one a row.
    SchemaError
        A column is not there or holds something else.
    """
    budget, windows = AlarmBudget(false_alarm_rate), Windows(window_days)
    everything = read_scored(scored, also=segment_by)
    if not len(everything):
        msg = "there are no scored leads to look at; score some with this model first"
        raise InputError(msg)
    is_own, others = _of_model(everything, bundle.version)
    # A copy of a million rows costs a tenth of a gigabyte.
    table = everything if is_own.all() else everything.filter(pa.array(is_own))
    leads = ScoredLeads(
        table,
        windows,
        _of_rows(_weights(everything, weights, contacts, bundle), is_own),
        _inputs_of_rows(inputs, is_own, bundle),
    )
    checked = Checked((), others)
    checked += _without_outcomes(bundle, leads, counts, tuple(previous), budget)
    known = None if outcomes is None else require_outcomes(outcomes, bundle)
    checked += check_outcomes(
        bundle, leads, known, budget=budget, known_until=known_until, segment_by=segment_by
    )
    checked += check_overrides(bundle, table, known, known_until=known_until)
    return MonitorResult(monitor_table(checked.rows), checked.findings, bundle.version)


def monitor_store(
    bundle: ModelBundle | str | Path,
    store: ScoreStore | str | Path,
    outcomes: object = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    **settings: Any,
) -> MonitorResult:
    """Check a model by what a store holds of it: its scores, and what its jobs counted.

    Parameters
    ----------
    bundle : ModelBundle or path of one
    store : ScoreStore, or the place of one
        As for :func:`leadlift.serving.score_store.open_score_store`.
    outcomes : optional
        As for :func:`monitor`.
    since, until : datetime with time zone, optional
        Moments of scoring from the first on and before the second.
    **settings
        As for :func:`monitor`.

    Returns
    -------
    MonitorResult
        With finding LL229 alone where the store holds no scores of the model yet.

    Raises
    ------
    BundleError, ConfigError, InputError, SchemaError
        As for :func:`monitor`; there is no bundle or no store.
    """
    bundle = bundle if isinstance(bundle, ModelBundle) else ModelBundle.load(bundle)
    store = store if isinstance(store, ScoreStore) else open_score_store(store)
    columns = dict.fromkeys([*READ, *[c for c in settings.get("segment_by", ()) if c in SCORED_COLUMNS]])
    scored = store.scored(since, until, bundle.version, columns=list(columns))
    if not len(scored):
        return MonitorResult(monitor_table([]), (nothing_scored(bundle.version),), bundle.version)
    days = batch_days(moments(scored, AS_OF))[-MOST_BATCHES:]
    counts = [store.counts(_utc(day), _utc(day + DAY), bundle.version) for day in days]
    return monitor(
        bundle,
        scored,
        outcomes=outcomes,
        counts=next((each for each in counts[-1:] if sum(each.counted)), None),
        previous=[each for each in counts[:-1] if sum(each.counted)],
        **settings,
    )


def _of_model(scored: pa.Table, version: str) -> tuple[NDArray[np.bool_], tuple[Finding, ...]]:
    """Which rows a model made, and what is said of the others; rows that name no model are its own."""
    versions = scored[MODEL_VERSION]
    is_other = pc.fill_null(pc.not_equal(versions, version), fill_value=False).to_numpy()
    if not version or not is_other.any():
        return np.ones(len(scored), dtype=bool), ()
    found = sorted(pc.unique(versions.filter(pa.array(is_other))).to_pylist())
    if is_other.all():
        msg = (
            f"none of {len(scored):,} scored rows was made by this model, version {version}; they are of "
            f"{', '.join(found[:5])}. Give the bundle that made them, or later scores"
        )
        raise InputError(msg)
    return ~is_other, (other_models(int(is_other.sum()), len(scored), found),)


def _of_rows(weights: ArrayLike | None, is_own: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != is_own.shape:
        msg = f"weights must be one a scored row, {len(is_own):,}; got shape {weights.shape}"
        raise InputError(msg)
    return weights[is_own]


def _weights(
    scored: pa.Table, weights: ArrayLike | None, contacts: object, bundle: ModelBundle
) -> ArrayLike | None:
    if contacts is None:
        return weights
    if weights is not None:
        msg = "give either weights or contacts, from which they are made"
        raise ConfigError(msg)
    if isinstance(contacts, str | Path):
        source = open_source(str(contacts), None, bundle.schema.data, query_key="contacts_query")
        contacts = pa.Table.from_batches(source.batches(), source.schema)
    log, horizon_days = contacts_from(contacts), bundle.schema.roles.horizon_days
    return outcome_weights(scored, log, horizon_days=horizon_days).weight


def _inputs_of_rows(inputs: object, is_own: NDArray[np.bool_], bundle: ModelBundle) -> pa.Table | None:
    """The columns of the leads, with the id under the house's name where they have one."""
    if inputs is None:
        return None
    table, roles = table_from(inputs), bundle.schema.roles
    if LEAD_ID not in table.column_names and roles.lead_id in table.column_names:
        ids = lead_ids(table[roles.lead_id], np.arange(1, len(table) + 1), bundle.schema.data)
        return table.append_column(LEAD_ID, ids)
    is_by_row = LEAD_ID not in table.column_names and len(table) == len(is_own)
    return table.filter(pa.array(is_own)) if is_by_row else table


def _without_outcomes(
    bundle: ModelBundle,
    leads: ScoredLeads,
    counts: DriftCounts | None,
    previous: tuple[DriftCounts, ...],
    budget: AlarmBudget,
) -> Checked:
    """Drift of the latest batch, and the volume of the latest week that is over."""
    is_latest, period, every_days = _latest_batch(leads.as_of)
    asked = {"window_days": every_days, "budget": budget, "period": period}
    scores = leads.table.select([AS_OF, SCORE, GRADE, STATUS])
    earlier = scores.filter(pa.array(~is_latest))
    checked = check_scores(
        bundle, scores.filter(pa.array(is_latest)), earlier=earlier if len(earlier) else None, **asked
    )
    counts = counts or _counted(bundle, leads.inputs)
    if counts is not None:
        checked += check_inputs(bundle, counts, earlier=previous, **asked)
    if period.end is None:
        return checked
    until = VOLUME_WEEKS.start(int(VOLUME_WEEKS.number(np.array([latest(leads.as_of)]))[0]))
    return checked + check_volume(
        bundle, leads.table, until=until, window_days=VOLUME_WEEKS.days, budget=budget
    )


def _latest_batch(as_of: NDArray[np.datetime64]) -> tuple[NDArray[np.bool_], Period, float]:
    """Rows of the last day of scoring, that day, and the usual number of days between batches."""
    day, days = as_of.astype("datetime64[D]"), batch_days(as_of)
    if not len(days):
        return np.ones(len(as_of), dtype=bool), Period(), 1.0
    gaps = np.diff(days) / DAY
    every_days = float(np.median(gaps)) if len(gaps) else 1.0
    return day == days[-1], Period(_utc(days[-1]), _utc(days[-1] + DAY)), every_days


def batch_days(as_of: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the days on which leads were scored, ascending, in UTC."""
    day = as_of.astype("datetime64[D]")
    return np.unique(day[~np.isnat(day)])


def _utc(day: np.datetime64) -> datetime:
    return day.astype("datetime64[us]").item().replace(tzinfo=UTC)


def _counted(bundle: ModelBundle, inputs: pa.Table | None) -> DriftCounts | None:
    """Counts of the model's inputs; None where the columns given are none of them."""
    names = [spec.name for spec in bundle.specs]
    if inputs is None or not set(names) & set(inputs.column_names):
        return None
    if bundle.builder is None:
        rows = pa.table(prepare_batch(inputs, bundle.schema, source="inputs"))
    else:
        require_columns(names, inputs.column_names, "inputs")
        rows = inputs
    n_rows = len(rows)
    return watch_of(bundle).count(rows, np.full(n_rows, np.nan), np.arange(1, n_rows + 1))


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
