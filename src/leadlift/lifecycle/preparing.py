"""From a configuration to the rows of the learning problem, checked: what `check` and `train` share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.config import LeadliftConfig, LeadSchema
from leadlift.data.addresses import source_name
from leadlift.data.checks import check_leads
from leadlift.data.inputs import input_columns
from leadlift.data.observations import Observations
from leadlift.data.reading import Leads, read_leads
from leadlift.data.second_label import SecondLabel, second_label
from leadlift.exceptions import InputError, LeakageError
from leadlift.features.builder import FeatureBuilder
from leadlift.features.later_counts import LATER_COUNTS
from leadlift.insight.texts import load_texts
from leadlift.learning.cutoff import get_policy
from leadlift.learning.leakage import LeakageGate, LeakageReport, Suspect
from leadlift.lifecycle.inputs import Inputs, make_inputs, told_columns
from leadlift.lifecycle.observing import observe_worked
from leadlift.serving.stages import check_rules
from leadlift.terms import FeatureSpec, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Problem:
    """The rows of the learning problem with all that was found about them.

    Parameters
    ----------
    schema : LeadSchema
        How files are read and which columns of the leads are needed.
    inputs : pyarrow.Table
        One row an observation: numbers or strings, missing is null.
    specs : tuple of FeatureSpec
        What each input means, in order.
    builder : FeatureBuilder or None
        What makes the inputs; None where they are columns of the leads as they stand.
    observations : Observations
    leakage : LeakageReport or None
        None where nobody looked, as when a model is looked back at.
    findings : tuple of Finding
        Of reading, checking and the leakage gate.
    n_leads : int
        Leads in the file.
    left_out : tuple of Suspect
        Columns that look written after the outcome and were left out of this run.
    second : SecondLabel or None
        Which leads became SQL; None where that is not recorded.
    leads : pyarrow.Table
        What the report looks at beside the inputs, one row a lead of the file; see
        :func:`leadlift.lifecycle.inputs.told_columns`.
    """

    schema: LeadSchema
    inputs: pa.Table
    specs: tuple[FeatureSpec, ...]
    builder: FeatureBuilder | None
    observations: Observations
    leakage: LeakageReport | None
    findings: tuple[Finding, ...]
    n_leads: int
    leads: pa.Table
    left_out: tuple[Suspect, ...] = ()
    second: SecondLabel | None = None

    def raise_if_blocked(self) -> None:
        """Stop if a column looks written after the outcome and nobody has judged it.

        Raises
        ------
        LeakageError
            Names each, with evidence, price and the lines to paste.
        """
        if self.leakage is None:
            return
        roles = self.schema.roles
        self.leakage.raise_if_blocked(ignored=roles.ignore, confirmed=roles.known_at_creation)

    @property
    def y(self) -> NDArray[np.int8]:
        """Labels 0 and 1, shape (n_rows,)."""
        return self.observations.y

    @property
    def as_of(self) -> NDArray | None:
        """Moments, shape (n_rows,), or None where time is unknown."""
        return self.observations.as_of

    @property
    def label_known_at(self) -> NDArray | None:
        """When labels were known, shape (n_rows,), or None where leads have no dates."""
        return self.observations.label_known_at if self.observations.time == "dates" else None

    @property
    def groups(self) -> NDArray | None:
        """Lead of each row where leads repeat, else None."""
        groups = lead_groups(self.observations)
        return groups if len(np.unique(groups)) < len(groups) else None

    @property
    def accounts(self) -> NDArray | None:
        """Account of each row, that of its lead; None where the leads have no accounts."""
        account = self.observations.account
        return None if account is None else whole_accounts(lead_groups(self.observations), account)


def whole_accounts(lead: NDArray[np.str_], account: NDArray) -> NDArray[np.str_]:
    """Return an account for each row so that no lead stands in two.

    Parameters
    ----------
    lead : ndarray of str, shape (n_rows,)
        From :func:`lead_groups`.
    account : ndarray of str or None, shape (n_rows,)

    Returns
    -------
    ndarray of str, shape (n_rows,)
        A lead with several accounts goes with the first by name; one without any is an account of its own.

    Examples
    --------
    >>> whole_accounts(np.array(["=1", "=1", "=2"]), np.array(["b", "a", None])).tolist()
    ['account a', 'account a', '=2']
    """
    known = [i for i, name in enumerate(account) if name is not None]
    first: dict[str, str] = {}
    for i in sorted(known, key=lambda i: str(account[i]), reverse=True):
        first[lead[i]] = f"account {account[i]}"
    return np.array([first.get(name, name) for name in lead], dtype=str)


def lead_groups(observations: Observations) -> NDArray[np.str_]:
    """Return the lead of each row; a row without an id is a lead of its own.

    Parameters
    ----------
    observations : Observations

    Returns
    -------
    ndarray of str, shape (n_rows,)
        Ids with an ``=`` before them, and ``row N`` where the id is missing.
    """
    pairs = enumerate(observations.lead_id)
    return np.array([f"row {i}" if lead is None else f"={lead}" for i, lead in pairs], dtype=str)


_MEND_FIRST = "Mend what is fatal first; leaks are looked for after that."


@dataclass(frozen=True)
class CheckResult:
    """Everything found about a file of leads.

    Parameters
    ----------
    findings : tuple of Finding
    advice : str
        What to do next, in words.
    """

    findings: tuple[Finding, ...]
    advice: str


def find_all(config: LeadliftConfig) -> CheckResult:
    """Check leads and behaviour without stopping at the first fatal finding; what `leadlift check` does.

    Events and changes need leads that can be learnt from, and the leakage gate needs both: what comes after a
    fatal finding is left out.

    Parameters
    ----------
    config : LeadliftConfig

    Returns
    -------
    CheckResult

    Raises
    ------
    InputError
        The file cannot be read.
    ConfigError
        A policy or a rule of the stages cannot be kept, whatever the leads are, or texts cannot be used.
    """
    for section in filter(None, (config.cutoff.mql, config.cutoff.sql)):
        get_policy(section.policy, **section.parameters)
    load_texts(config.insight.language, config.insight.texts)
    leads = read_leads(config)
    findings = tuple(check_leads(leads, config.roles))
    if _is_fatal(findings):
        return CheckResult(findings, _MEND_FIRST)
    observations, inputs = _build(leads, config)
    if _is_fatal(inputs.findings):
        return CheckResult((*findings, *inputs.findings), _MEND_FIRST)
    problem = _pose(leads, findings, observations, inputs, config)
    check_rules(config.stages, problem.specs, problem.inputs)
    try:
        problem.raise_if_blocked()
    except LeakageError as error:
        return CheckResult(problem.findings, str(error))
    return CheckResult(problem.findings, "Nothing stands in the way of training.")


def prepare(config: LeadliftConfig, *, leave_out_suspects: bool = False) -> Problem:
    """Read the leads, check them and look for leaks; nothing is raised for a suspect column.

    Parameters
    ----------
    config : LeadliftConfig
    leave_out_suspects : bool, default=False
        Take columns that look written after the outcome out of the inputs.

    Returns
    -------
    Problem

    Raises
    ------
    InputError
        The file cannot be read, or a check other than the leakage gate is fatal.
    ImmatureLabelsError
        No lead has a known outcome within the horizon.
    """
    leads = read_leads(config)
    findings = tuple(check_leads(leads, config.roles))
    raise_if_fatal(findings, source=source_name(config.data.leads))
    observations, inputs = _build(leads, config)
    counting = [finding for finding in inputs.findings if finding.code == LATER_COUNTS]
    if leave_out_suspects and counting:
        again = prepare(_ignoring(config, {f.column for f in counting}), leave_out_suspects=True)
        return replace(again, findings=(*map(_as_left_out, counting), *again.findings))
    raise_if_fatal(inputs.findings, source="the events and changes")
    problem = _pose(leads, findings, observations, inputs, config)
    return _without_suspects(problem, config) if leave_out_suspects else problem


def _build(leads: Leads, config: LeadliftConfig) -> tuple[Observations, Inputs]:
    """Make the rows of the learning problem and the inputs beside them."""
    columns = input_columns(leads, config.roles, config.families)
    worked = observe_worked(leads, config)
    observations = worked.observations
    inputs = make_inputs(leads, observations, columns, config)
    if not inputs.specs:
        name = source_name(config.data.leads)
        msg = f"{name}: no input column is left after ids, dates, ignored and empty columns"
        raise InputError(msg)
    return observations, replace(inputs, findings=(*worked.findings, *inputs.findings))


def _pose(
    leads: Leads,
    findings: tuple[Finding, ...],
    observations: Observations,
    inputs: Inputs,
    config: LeadliftConfig,
) -> Problem:
    """Look for leaks in the inputs, and put everything together."""
    second = None if config.roles.qualified_at is None else second_label(leads, observations)
    leakage = _examine(leads, observations, inputs, config, second)
    return Problem(
        schema=_schema(config, inputs),
        inputs=inputs.table,
        specs=inputs.specs,
        builder=inputs.builder,
        observations=observations,
        leakage=leakage,
        findings=(*findings, *inputs.findings, *leakage.findings),
        n_leads=leads.table.num_rows,
        leads=told_columns(leads, config),
        second=second,
    )


def _schema(config: LeadliftConfig, inputs: Inputs) -> LeadSchema:
    """What scoring needs to know of the files; where they were is the trainer's own business.

    So equal data anywhere make equal bundles, and no address of a database is written down.
    """
    sources = ("events", "history", "contacts", "scores")
    queries = ("leads_query", "events_query", "history_query", "contacts_query")
    nowhere = dict.fromkeys((*sources, *queries))
    name = "leads" if "://" in config.data.leads else Path(config.data.leads).name
    data = config.data.model_copy(update=nowhere | {"leads": name})
    fields = () if inputs.builder is None else inputs.builder.replay_.fields
    logged = tuple(spec.name for spec in inputs.columns if spec.name in fields)
    return LeadSchema(data=data, roles=inputs.roles, features=inputs.columns, logged=logged)


def _ignoring(config: LeadliftConfig, columns: set[str | None]) -> LeadliftConfig:
    """The same configuration with some columns under ignore."""
    ignore = (*config.roles.ignore, *sorted(columns))
    return config.model_copy(update={"roles": config.roles.model_copy(update={"ignore": ignore})})


def _without_suspects(problem: Problem, config: LeadliftConfig) -> Problem:
    gone = {suspect.column for suspect in problem.leakage.suspects}
    of_leads = gone.intersection(problem.schema.feature_names)
    if problem.builder is not None and of_leads:
        # What was built from a suspect column is as suspect; without the column nothing is.
        again = prepare(_ignoring(config, of_leads), leave_out_suspects=True)
        left_out = tuple(s for s in problem.leakage.suspects if s.column in of_leads)
        told = [_as_left_out(f) for f in problem.findings if f.column in of_leads and _is_fatal([f])]
        return replace(again, left_out=(*left_out, *again.left_out), findings=(*again.findings, *told))
    specs = tuple(spec for spec in problem.specs if spec.name not in gone)
    columns = tuple(spec for spec in problem.schema.features if spec.name not in gone)
    if not specs:
        msg = "every input column looks written after the outcome; nothing is left to learn from"
        raise InputError(msg)
    return replace(
        problem,
        schema=problem.schema.model_copy(update={"features": columns}),
        specs=specs,
        builder=None if problem.builder is None else problem.builder.without(gone),
        inputs=problem.inputs.select([spec.name for spec in specs]),
        leakage=replace(problem.leakage, suspects=()),
        left_out=problem.leakage.suspects,
        findings=tuple(
            _as_left_out(f) if f.column in gone and f.severity is Severity.FATAL else f
            for f in problem.findings
        ),
    )


def raise_if_fatal(findings: Sequence[Finding], *, source: str = "the leads") -> None:
    """Stop if a finding is fatal.

    Parameters
    ----------
    findings : sequence of Finding
    source : str
        What the message calls the leads.

    Raises
    ------
    InputError
        Names each fatal finding with its remedy.
    """
    fatal = [finding for finding in findings if finding.severity is Severity.FATAL]
    if fatal:
        lines = [f"  {f.code} {f.text}" for f in fatal]
        msg = f"{source} cannot be learnt from:\n" + "\n".join(lines)
        raise InputError(msg)


def _is_fatal(findings: Sequence[Finding]) -> bool:
    return any(finding.severity is Severity.FATAL for finding in findings)


def _examine(
    leads: Leads,
    observations: Observations,
    inputs: Inputs,
    config: LeadliftConfig,
    second: SecondLabel | None,
) -> LeakageReport:
    """Look for leaks of every label."""
    rows = np.arange(len(observations.y))
    report = _examine_label(leads, observations, inputs, config, observations.y, rows)
    if second is None:
        return report
    rows = np.flatnonzero(second.teaches)
    became_sql = second.became_sql.astype(np.int8)
    other = _examine_label(leads, observations, inputs, config, became_sql, rows)
    return report.with_those_of(other, label="became SQL")


def _examine_label(
    leads: Leads,
    observations: Observations,
    inputs: Inputs,
    config: LeadliftConfig,
    y: NDArray[np.int8],
    rows: NDArray[np.int64],
) -> LeakageReport:
    """Look for leaks of one label in the rows that teach it."""
    index = pa.array(observations.index[rows])
    dates = {
        name: leads.table[name].take(index).cast(pa.timestamp("us")).to_numpy()
        for name in leads.date_columns
        if name not in config.roles.ignore
    }
    return LeakageGate(random_state=config.model.random_state).examine(
        inputs.table.take(pa.array(rows)),
        y[rows],
        confirmed=config.roles.known_at_creation,
        groups=lead_groups(observations)[rows],
        dates=dates,
        created_at=observations.as_of[rows] if observations.time == "dates" else None,
        built=inputs.built,
    )


def _as_left_out(finding: Finding) -> Finding:
    return replace(
        finding,
        severity=Severity.WARNING,
        remedy="It was left out of this run, as asked on the command line.",
    )
