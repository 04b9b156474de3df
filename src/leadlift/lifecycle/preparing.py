"""From a configuration to the rows of the learning problem, checked: what `check` and `train` share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.config import LeadliftConfig, LeadSchema
from leadlift.data.checks import check_leads
from leadlift.data.inputs import input_columns
from leadlift.data.observations import Observations, make_observations
from leadlift.data.reading import Leads, read_leads
from leadlift.exceptions import InputError, LeakageError
from leadlift.learning.leakage import LeakageGate, LeakageReport, Suspect
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Problem:
    """The rows of the learning problem with all that was found about them.

    Parameters
    ----------
    schema : LeadSchema
        How files are read and which columns are inputs.
    inputs : pyarrow.Table
        One row an observation: float64 or string columns, missing is null.
    observations : Observations
    leakage : LeakageReport
    findings : tuple of Finding
        Of reading, checking and the leakage gate.
    n_leads : int
        Leads in the file.
    left_out : tuple of Suspect
        Columns that look written after the outcome and were left out of this run.
    """

    schema: LeadSchema
    inputs: pa.Table
    observations: Observations
    leakage: LeakageReport
    findings: tuple[Finding, ...]
    n_leads: int
    left_out: tuple[Suspect, ...] = ()

    def raise_if_blocked(self) -> None:
        """Stop if a column looks written after the outcome and nobody has judged it.

        Raises
        ------
        LeakageError
            Names each, with evidence, price and the lines to paste.
        """
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
    """Check leads without stopping at the first fatal finding; what `leadlift check` does.

    The leakage gate needs leads that can be learnt from, so it is left out where another finding is fatal.

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
    """
    leads = read_leads(config)
    findings = tuple(check_leads(leads, config.roles))
    if any(finding.severity is Severity.FATAL for finding in findings):
        return CheckResult(findings, "Mend what is fatal first; leaks are looked for after that.")
    problem = _pose(leads, findings, config)
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
    raise_if_fatal(findings, source=config.data.leads)
    problem = _pose(leads, findings, config)
    return _without_suspects(problem) if leave_out_suspects else problem


def _pose(leads: Leads, findings: tuple[Finding, ...], config: LeadliftConfig) -> Problem:
    """Make the rows of the learning problem and look for leaks in them."""
    specs = input_columns(leads, config.roles, config.families)
    if not specs:
        msg = f"{config.data.leads}: no input column is left after ids, dates, ignored and empty columns"
        raise InputError(msg)
    observations = make_observations(leads, roles=config.roles)
    inputs = leads.table.select([spec.name for spec in specs]).take(pa.array(observations.index))
    leakage = _examine(leads, observations, inputs, config)
    # The folder is the trainer's own business, and equal data anywhere make equal bundles.
    written = config.data.model_copy(update={"leads": Path(config.data.leads).name})
    schema = LeadSchema(data=written, roles=config.roles, features=specs)
    return Problem(
        schema, inputs, observations, leakage, (*findings, *leakage.findings), leads.table.num_rows
    )


def _without_suspects(problem: Problem) -> Problem:
    gone = {suspect.column for suspect in problem.leakage.suspects}
    specs = tuple(spec for spec in problem.schema.features if spec.name not in gone)
    if not specs:
        msg = "every input column looks written after the outcome; nothing is left to learn from"
        raise InputError(msg)
    return replace(
        problem,
        schema=problem.schema.model_copy(update={"features": specs}),
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


def _examine(
    leads: Leads, observations: Observations, inputs: pa.Table, config: LeadliftConfig
) -> LeakageReport:
    index = pa.array(observations.index)
    dates = {
        name: leads.table[name].take(index).cast(pa.timestamp("us")).to_numpy()
        for name in leads.date_columns
        if name not in config.roles.ignore
    }
    return LeakageGate(random_state=config.model.random_state).examine(
        inputs,
        observations.y,
        confirmed=config.roles.known_at_creation,
        groups=lead_groups(observations),
        dates=dates,
        created_at=observations.as_of if observations.time == "dates" else None,
    )


def _as_left_out(finding: Finding) -> Finding:
    return replace(
        finding,
        severity=Severity.WARNING,
        remedy="It was left out of this run, as asked on the command line.",
    )
