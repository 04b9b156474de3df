"""Checks of outcomes: LL130 to LL134.

Values that are declared neither won, lost nor open stop reading already.
"""

from __future__ import annotations

import pyarrow.compute as pc

from leadlift.data.checks import Check, Subject
from leadlift.data.reading import OUTCOME
from leadlift.terms import Finding, Outcome, Severity

MIN_LEADS_OF_EITHER = 40
"""Fewer won or lost leads cannot be parted into slices that each hold ten of either."""
FEW_LEADS_OF_EITHER = 200
"""With fewer of either, the standard error of an AUC of 0.75 is above 0.02."""


class MissingLabels(Check):
    """Rows without an outcome."""

    code, title, severity = "LL130", "outcomes missing", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where a row has no outcome."""
        is_missing = subject.leads.table[OUTCOME].is_null()
        count = pc.sum(is_missing).as_py()
        if not count:
            return []
        message = (
            f"{count:,} of {len(is_missing):,} rows have no {subject.roles.outcome!r}; they take no part"
        )
        remedy = "fill it, or write a value for leads that are open and name it under open"
        names = subject.lead_names(is_missing)
        return [self.finding(message, remedy, column=subject.roles.outcome, count=count, examples=names)]


class OneClass(Check):
    """Won leads only, or lost leads only, or neither."""

    code, title, severity = "LL131", "one class only", Severity.FATAL

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where won or lost leads are lacking."""
        counts = _counts(subject)
        lacking = [ending.value for ending in (Outcome.WON, Outcome.LOST) if not counts[ending]]
        if not lacking:
            return []
        message = (
            f"there are {counts[Outcome.WON]:,} won and {counts[Outcome.LOST]:,} lost leads; without "
            f"{' and '.join(lacking)} leads there is nothing to compare"
        )
        remedy = "check won, lost and open in [schema], and that the export holds closed leads of both kinds"
        return [self.finding(message, remedy, column=subject.roles.outcome)]


class TooFewLeads(Check):
    """Fewer than 40 won or lost leads."""

    code, title, severity = "LL132", "too few won or lost leads", Severity.FATAL

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where one class exists, but is too small."""
        rarer, count = _rarer(subject)
        if not 0 < count < MIN_LEADS_OF_EITHER:
            return []
        message = (
            f"{count} {rarer} leads, expected at least {MIN_LEADS_OF_EITHER}: with fewer, the slices to fit, "
            "calibrate, decide and test hold under ten each, and no measured figure means anything"
        )
        remedy = "export a longer history; until then score by hand-set rules"
        return [self.finding(message, remedy, column=subject.roles.outcome, count=count)]


class FewLeads(Check):
    """40 to 199 won or lost leads."""

    code, title, severity = "LL133", "few won or lost leads", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where the smaller class is small."""
        rarer, count = _rarer(subject)
        if not MIN_LEADS_OF_EITHER <= count < FEW_LEADS_OF_EITHER:
            return []
        message = (
            f"{count} {rarer} leads; below {FEW_LEADS_OF_EITHER} every figure is uncertain (an AUC by over "
            "0.04 either way) and few cut-offs can be promised"
        )
        remedy = "export a longer history, and read the intervals beside the figures"
        return [self.finding(message, remedy, column=subject.roles.outcome, count=count)]


class OpenLeads(Check):
    """Leads that are neither won nor lost yet."""

    code, title, severity = "LL134", "open leads", Severity.INFO

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where leads are open."""
        count = _counts(subject)[Outcome.OPEN]
        if not count:
            return []
        part = (
            "they take no part: without horizon_days it is too early to say"
            if subject.roles.horizon_days is None
            else "those older than the horizon count as not converted"
        )
        message = f"{count:,} of {subject.leads.table.num_rows:,} leads are open; {part}"
        remedy = "nothing to do"
        return [self.finding(message, remedy, column=subject.roles.outcome, count=count)]


def _counts(subject: Subject) -> dict[Outcome, int]:
    counted = pc.value_counts(subject.leads.table[OUTCOME].drop_null()).to_pylist()
    found = {entry["values"]: entry["counts"] for entry in counted}
    return {ending: found.get(ending.value, 0) for ending in Outcome}


def _rarer(subject: Subject) -> tuple[str, int]:
    """Return the rarer of won and lost, and how many there are."""
    counts = _counts(subject)
    rarer = min((Outcome.WON, Outcome.LOST), key=lambda ending: counts[ending])
    return rarer.value, counts[rarer]
