"""Checks of ids and rows: LL101 to LL105."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.checks import Check, Subject
from leadlift.data.reading import OUTCOME
from leadlift.terms import LEAD_ID, Finding, Outcome, Severity


class MissingIds(Check):
    """Rows without an id."""

    code, title, severity = "LL101", "lead ids missing", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where a row has no id."""
        is_missing = subject.leads.table[LEAD_ID].is_null()
        count = pc.sum(is_missing).as_py()
        if not count:
            return []
        message = f"{count:,} of {len(is_missing):,} rows have no id; each is taken as a lead of its own"
        remedy = f"fill {subject.roles.lead_id!r}, or drop the rows"
        names = subject.lead_names(is_missing)
        return [self.finding(message, remedy, column=subject.roles.lead_id, count=count, examples=names)]


class RepeatedIds(Check):
    """Ids that stand in several rows, while others stand in one."""

    code, title, severity = "LL102", "lead ids repeated", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where some ids, but not all, stand more than once."""
        ids, counts = _id_counts(subject)
        repeated = ids.filter(counts > 1)
        if not len(repeated) or counts.min() > 1:
            return []
        rows = int(counts[counts > 1].sum())
        message = (
            f"{len(repeated):,} ids stand in {rows:,} rows; rows of one lead stay together in every split, "
            "and count as several observations"
        )
        remedy = "keep one row a lead, unless the rows are its states at several moments"
        names = repeated.slice(0, 5).to_pylist()
        return [
            self.finding(message, remedy, column=subject.roles.lead_id, count=len(repeated), examples=names)
        ]


class OnlyRepeatedIds(Check):
    """No id that stands in one row only: the column is no id, or the file holds its rows twice."""

    code, title, severity = "LL103", "every lead id repeated", Severity.FATAL

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where every id stands more than once."""
        ids, counts = _id_counts(subject)
        if not len(ids) or counts.min() == 1:
            return []
        message = (
            f"100 % of the ids are duplicates: {len(ids):,} ids in {counts.sum():,} rows, each at least twice"
        )
        remedy = (
            f"remove the copies, name another column as lead_id, or take {subject.roles.lead_id!r} out "
            "so that rows are numbered"
        )
        names = ids.slice(0, 5).to_pylist()
        return [self.finding(message, remedy, column=subject.roles.lead_id, count=len(ids), examples=names)]


class CopiedRows(Check):
    """Rows that are the same in every column of the file; copies may fall on both sides of a split."""

    code, title, severity = "LL104", "copied rows", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where a row repeats an earlier one."""
        table = subject.leads.table
        compared = table if subject.roles.lead_id else table.drop_columns([LEAD_ID])
        is_copy = _repeats_earlier_row(compared)
        count = int(is_copy.sum())
        if not count:
            return []
        message = f"{count:,} of {len(is_copy):,} rows are the same as another row in every column"
        remedy = "remove the copies; where they are different leads, give each an id and name it as lead_id"
        rows = [f"row {row}" for row in subject.leads.row_numbers[is_copy][:5]]
        return [self.finding(message, remedy, count=count, examples=rows)]


class ContradictingOutcomes(Check):
    """Ids whose rows say both won and lost."""

    code, title, severity = "LL105", "leads both won and lost", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where the rows of a lead contradict each other."""
        table = subject.leads.table.select([LEAD_ID, OUTCOME])
        is_closed = pc.is_in(table[OUTCOME], value_set=pa.array([Outcome.WON.value, Outcome.LOST.value]))
        closed = table.filter(pc.and_(is_closed, table[LEAD_ID].is_valid()))
        outcomes = closed.group_by(LEAD_ID, use_threads=False).aggregate([(OUTCOME, "count_distinct")])
        both = outcomes.filter(pc.greater(outcomes[f"{OUTCOME}_count_distinct"], 1))[LEAD_ID].sort()
        if not len(both):
            return []
        message = f"{len(both):,} ids have rows that are won and rows that are lost"
        remedy = (
            "keep the row with the true outcome, unless the lead came back as a new one: give that its own id"
        )
        names = both.slice(0, 5).to_pylist()
        return [self.finding(message, remedy, column=subject.roles.lead_id, count=len(both), examples=names)]


def _id_counts(subject: Subject) -> tuple[pa.Array, np.ndarray]:
    """Return the distinct ids, in alphabetical order, and the rows of each."""
    counted = pc.value_counts(subject.leads.table[LEAD_ID].drop_null())
    order = pc.sort_indices(counted.field("values"))
    return counted.field("values").take(order), counted.field("counts").take(order).to_numpy()


def _repeats_earlier_row(table: pa.Table) -> np.ndarray:
    """Return which rows are equal to an earlier one.

    Each column refines the groups of rows that are equal so far; rows that are alone drop out.
    """
    rows, group = np.arange(table.num_rows), np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns:
        codes = (
            column.take(rows).combine_chunks().dictionary_encode(null_encoding="encode").indices.to_numpy()
        )
        pairs = group * (int(codes.max(initial=0)) + 1) + codes
        _, group, sizes = np.unique(pairs, return_inverse=True, return_counts=True)
        rows, group = rows[sizes[group] > 1], group[sizes[group] > 1]
    _, first = np.unique(group, return_index=True)
    is_copy = np.zeros(table.num_rows, dtype=bool)
    is_copy[np.delete(rows, first)] = True
    return is_copy
