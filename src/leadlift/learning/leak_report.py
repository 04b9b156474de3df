"""What the leakage gate says: suspects with evidence and price, as findings and as one message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from leadlift.exceptions import LeakageError
from leadlift.learning.leak_price import Worth
from leadlift.terms import Finding, Severity


@dataclass(frozen=True)
class Suspect:
    """A column that looks written after the outcome.

    Parameters
    ----------
    column : str
        Its name.
    evidence : tuple of str
        What speaks against it: one sentence each, with numbers.
    strength : float
        Points of the evidence; 1 is enough to block.
    single_auc : float
        Out-of-fold AUC of the column alone.
    auc_without, lift_without : float
        AUC, and lift in the top tenth, of a quick learner on the columns that are no suspects.
    auc_with, lift_with : float
        The same with this column added.
    """

    column: str
    evidence: tuple[str, ...]
    strength: float
    single_auc: float
    auc_without: float
    auc_with: float
    lift_without: float
    lift_with: float

    @property
    def price(self) -> str:
        """What it costs to leave the column out, in words."""
        return (
            f"AUC {self.auc_with:.3f} with it, {self.auc_without:.3f} without; "
            f"lift in the top tenth {self.lift_with:.2f} with it, {self.lift_without:.2f} without"
        )


@dataclass(frozen=True)
class LeakageReport:
    """What the gate found.

    Parameters
    ----------
    suspects : tuple of Suspect
        Columns that stop training, strongest evidence first.
    confirmed : tuple of Suspect
        Columns that would, had the user not confirmed them; their price is that of leaving them out.
    doubtful : tuple of Suspect
        Columns whose name may say so and whose evidence comes near to blocking; they stay inputs.
    named_only : tuple of str
        Columns whose name alone is suspicious.
    worth_with, worth_without : Worth
        AUC and lift of the quick learner with all suspects and without any.
    n_rows : int
        Leads examined.
    """

    suspects: tuple[Suspect, ...]
    confirmed: tuple[Suspect, ...]
    doubtful: tuple[Suspect, ...]
    named_only: tuple[str, ...]
    worth_with: Worth
    worth_without: Worth
    n_rows: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """LL120 (fatal) for each suspect, LL121 (info) for each confirmed, LL122 and LL123 (warning)."""
        return (
            *map(_suspect_finding, self.suspects),
            *map(_confirmed_finding, self.confirmed),
            *map(_name_finding, self.named_only),
            *map(_doubtful_finding, self.doubtful),
        )

    def with_those_of(self, other: LeakageReport, *, label: str) -> LeakageReport:
        """Return this report with what it adds that another label was examined too.

        Parameters
        ----------
        other : LeakageReport
            Of the same columns.
        label : str
            What the other label says, for the evidence.

        Returns
        -------
        LeakageReport
            Prices and figures are those of the label under which a column was found first.
        """
        added = [
            replace(suspect, evidence=(*suspect.evidence, f"found where the label is {label!r}"))
            for suspect in _others(other.suspects, self.suspects)
        ]
        blocked = {suspect.column for suspect in (*self.suspects, *added)}
        return replace(
            self,
            suspects=(*self.suspects, *added),
            confirmed=(*self.confirmed, *_others(other.confirmed, self.confirmed)),
            doubtful=tuple(s for s in self.doubtful if s.column not in blocked),
            named_only=tuple(name for name in self.named_only if name not in blocked),
        )

    def raise_if_blocked(self, *, ignored: Sequence[str] = (), confirmed: Sequence[str] = ()) -> None:
        """Stop if there is a suspect.

        Parameters
        ----------
        ignored, confirmed : sequence of str
            What stands under `ignore` and `known_at_creation` already; the lines to paste keep it.

        Raises
        ------
        LeakageError
            Names each suspect with its evidence and price, and ends with the two lines of leadlift.toml
            of which the user takes one for each column.
        """
        if self.suspects:
            raise LeakageError(_blocking_message(self, ignored, confirmed), self.findings)


def _others(found: Sequence[Suspect], known: Sequence[Suspect]) -> list[Suspect]:
    """Those found whose column is not known yet."""
    columns = {suspect.column for suspect in known}
    return [suspect for suspect in found if suspect.column not in columns]


def _suspect_finding(suspect: Suspect) -> Finding:
    return Finding(
        code="LL120",
        severity=Severity.FATAL,
        title="column looks written after the outcome",
        message=f"{suspect.column!r}: {'; '.join(suspect.evidence)}. Price: {suspect.price}.",
        remedy="put it under `ignore`, or under `known_at_creation` if it is known when the lead is created",
        column=suspect.column,
    )


def _confirmed_finding(suspect: Suspect) -> Finding:
    return Finding(
        code="LL121",
        severity=Severity.INFO,
        title="suspect column confirmed as known at creation",
        message=f"{suspect.column!r}: {'; '.join(suspect.evidence)}. Price: {suspect.price}.",
        column=suspect.column,
    )


def _name_finding(column: str) -> Finding:
    return Finding(
        code="LL122",
        severity=Severity.WARNING,
        title="column is named as if written after the outcome",
        message=f"{column!r} is named as if written after the outcome, but hardly goes with it",
        remedy="put it under `ignore` unless it is known when the lead is created",
        column=column,
    )


def _doubtful_finding(suspect: Suspect) -> Finding:
    return Finding(
        code="LL123",
        severity=Severity.WARNING,
        title="column may have been written after the outcome",
        message=f"{suspect.column!r}: {'; '.join(suspect.evidence)}. Price: {suspect.price}.",
        remedy="it stays an input; put it under `ignore` unless it is known when the lead is scored",
        column=suspect.column,
    )


def _blocking_message(report: LeakageReport, ignored: Sequence[str], confirmed: Sequence[str]) -> str:
    suspects = report.suspects
    looks = "1 column looks" if len(suspects) == 1 else f"{len(suspects)} columns look"
    lines = [f"{looks} written after the outcome; training stops until each is left out or confirmed.", ""]
    for suspect in suspects:
        lines.append(f"  {suspect.column!r}")
        lines += [f"    - {sentence}" for sentence in suspect.evidence]
        lines.append(f"    price: {suspect.price}")
    with_all, without = report.worth_with, report.worth_without
    together = f"All together: AUC {with_all.auc:.3f} with them, {without.auc:.3f} without; "
    together += f"lift in the top tenth {with_all.lift:.2f} with them, {without.lift:.2f} without."
    names = [suspect.column for suspect in suspects]
    return "\n".join(
        [
            *lines,
            "",
            together,
            "Let each column stand on one of these lines, which take the place of those under [schema] of",
            "leadlift.toml: the first leaves it out, the second confirms that it is known at creation.",
            _toml_line("ignore", [*ignored, *names]),
            _toml_line("known_at_creation", [*confirmed, *names]),
        ]
    )


def _toml_line(key: str, columns: Sequence[str]) -> str:
    # JSON's strings are TOML's basic strings, escapes included.
    return f"{key} = {json.dumps(list(columns), ensure_ascii=False)}"
