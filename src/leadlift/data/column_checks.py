"""Checks of columns: LL110 to LL119."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.checks import Check, Subject
from leadlift.terms import Finding, Kind, Severity

MOSTLY_EMPTY_SHARE = 0.95
"""Above this share of missing values a column is pointed out."""
LONG_CELL_CHARACTERS = 10_000
"""Longer cells are no levels of anything."""


class ConstantColumns(Check):
    """Columns with one value in every row."""

    code, title, severity = "LL110", "constant column left out", Severity.INFO

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding a column."""
        return [
            self.finding(
                f"{facts.name!r} holds the same value in all {facts.n_rows:,} rows and tells no leads apart",
                "nothing to do, unless the export should have filled it",
                column=facts.name,
                count=facts.n_rows,
            )
            for facts in subject.columns
            if facts.is_constant
        ]


class NearUniqueColumns(Check):
    """Text columns that hold ids, names or free text."""

    code, title, severity = "LL111", "near-unique text column left out", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding a column."""
        return [
            self.finding(
                f"{facts.n_distinct:,} of {facts.n_filled:,} values of {facts.name!r} are distinct: an id, "
                "a name or free text, of which nothing can be learnt for other leads",
                "put it under ignore; or name it under categorical if its levels do come again",
                column=facts.name,
                count=facts.n_distinct,
            )
            for facts in subject.columns
            if facts.is_near_unique
        ]


class EmptyColumns(Check):
    """Columns without any value that nobody declared."""

    code, title, severity = "LL112", "column without any value left out", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding a column."""
        return [
            self.finding(
                f"{facts.name!r} holds no value in any of {facts.n_rows:,} rows",
                "put it under ignore, or find out why the export does not fill it",
                column=facts.name,
                count=facts.n_rows,
            )
            for facts in subject.columns
            if facts.is_all_missing and not facts.is_declared
        ]


class DeclaredEmptyColumns(Check):
    """Columns without any value whose kind the configuration declares: the user counts on them."""

    code, title, severity = "LL119", "declared column without any value", Severity.FATAL

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding a column."""
        return [
            self.finding(
                f"{facts.name!r} stands under numeric or categorical, but holds no value in any of "
                f"{facts.n_rows:,} rows",
                "mend the export, or take the column out of numeric and categorical",
                column=facts.name,
                count=facts.n_rows,
            )
            for facts in subject.columns
            if facts.is_all_missing and facts.is_declared
        ]


class MostlyEmptyColumns(Check):
    """Columns that hardly any row fills."""

    code, title, severity = "LL113", "column mostly missing", Severity.INFO

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding a column."""
        return [
            self.finding(
                f"{facts.n_missing:,} of {facts.n_rows:,} rows have no value of {facts.name!r}",
                "check who fills it, and when: what few leads have is often written after the outcome",
                column=facts.name,
                count=facts.n_missing,
            )
            for facts in subject.columns
            if facts.is_input and facts.n_missing > MOSTLY_EMPTY_SHARE * facts.n_rows
        ]


class InfiniteNumbers(Check):
    """Numeric inputs with infinite values."""

    code, title, severity = "LL114", "infinite numbers", Severity.FATAL

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding a column."""
        names = [facts.name for facts in subject.columns if facts.kind is Kind.NUMERIC and facts.is_input]
        return [finding for name in names for finding in self._infinite(subject, name)]

    def _infinite(self, subject: Subject, name: str) -> list[Finding]:
        is_infinite = pc.fill_null(pc.is_inf(subject.leads.table[name]), fill_value=False)
        count = pc.sum(is_infinite).as_py()
        if not count:
            return []
        message = f"{count:,} values of {name!r} are infinite, expected finite numbers"
        remedy = (
            "leave those cells empty, put the column under ignore, or mend the division by zero behind it"
        )
        rows = pa.array(subject.leads.row_numbers).filter(is_infinite.combine_chunks()).slice(0, 5)
        examples = [f"row {row}" for row in rows.to_pylist()]
        return [self.finding(message, remedy, column=name, count=count, examples=examples)]


class LongCells(Check):
    """Inputs with very long texts."""

    code, title, severity = "LL115", "over-long cells", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding a column."""
        names = [facts.name for facts in subject.columns if facts.kind is Kind.CATEGORICAL and facts.is_input]
        return [finding for name in names for finding in self._long(subject, name)]

    def _long(self, subject: Subject, name: str) -> list[Finding]:
        lengths = pc.fill_null(pc.utf8_length(subject.leads.table[name]), 0)
        is_long = pc.greater(lengths, LONG_CELL_CHARACTERS)
        count = pc.sum(is_long).as_py()
        if not count:
            return []
        longest = pc.max(lengths).as_py()
        message = (
            f"{count:,} values of {name!r} have over {LONG_CELL_CHARACTERS:,} characters, up to {longest:,}"
        )
        remedy = "check for a quote that was never closed; put free text under ignore"
        names = subject.lead_names(is_long)
        return [self.finding(message, remedy, column=name, count=count, examples=names)]


class ProtectedLeftOut(Check):
    """Protected attributes that nobody allowed."""

    code, title, severity = "LL116", "protected attribute left out", Severity.INFO

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding a column."""
        return [
            self.finding(
                f"{facts.name!r} seems to hold a protected attribute ({facts.protected}) and is no input",
                f"if it is none, or may be used: allow_protected = [{facts.name!r}]",
                column=facts.name,
            )
            for facts in subject.columns
            if facts.is_refused
        ]


class ProtectedAllowed(Check):
    """Protected attributes that the user allows by name."""

    code, title, severity = "LL117", "protected attribute used", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding a column."""
        return [
            self.finding(
                f"{facts.name!r} ({facts.protected}) is an input because allow_protected names it",
                "make sure that the law and your policy allow it",
                column=facts.name,
            )
            for facts in subject.columns
            if facts.protected and facts.is_allowed and facts.is_input
        ]


class NoInputs(Check):
    """A file of which no column is left as input."""

    code, title, severity = "LL118", "no inputs", Severity.FATAL

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where nothing can be learnt from."""
        if any(facts.is_input for facts in subject.columns):
            return []
        message = f"none of {len(subject.columns)} columns without a role can be an input"
        remedy = "see the findings on the columns that were left out; add columns known when a lead is scored"
        return [self.finding(message, remedy)]
