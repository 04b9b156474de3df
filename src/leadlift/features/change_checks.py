"""The change log beside the leads: what does not fit together, as findings LL187 to LL189.

Nothing here leaves a change out; the rules of :mod:`leadlift.features.replay` do, and they are said in the
messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from leadlift.features.replay import ChangeCoder


def change_findings(coder: ChangeCoder) -> list[Finding]:
    """Return what was found in a change log.

    Parameters
    ----------
    coder : ChangeCoder
        Has coded the whole log.

    Returns
    -------
    list of Finding
        By code. Examples are ids of leads, the first five in order. That all changes are of unknown leads
        is fatal.
    """
    findings = (_unknown_leads(coder), _contradictions(coder), _copies(coder))
    return [finding for finding in findings if finding.count]


def _unknown_leads(coder: ChangeCoder) -> Finding:
    is_all = coder.n_unknown == coder.n_changes
    return Finding(
        code="LL187",
        severity=Severity.FATAL if is_all else Severity.WARNING,
        title="changes of unknown leads",
        message=f"{_of_all(coder.n_unknown, coder)} are of leads that are not in the table of leads; "
        + ("the ids of both files do not meet" if is_all else "they count for nobody"),
        remedy="Compare the spelling of the ids in [schema] lead_id and [schema.history] lead_id"
        + ("" if is_all else ", or export the leads of the same period"),
        count=coder.n_unknown,
        examples=tuple(coder.unknown_leads.values),
    )


def _contradictions(coder: ChangeCoder) -> Finding:
    return Finding(
        code="LL188",
        severity=Severity.WARNING,
        title="contradicting old values",
        message=f"{_of_all(coder.n_contradictions, coder)} have an old value that is not the value of the "
        "change before; the value logged before counts until the change",
        remedy="Find out which changes the log leaves out, or whether `value` and `old_value` are exchanged",
        count=coder.n_contradictions,
        examples=tuple(coder.contradicting_leads.values),
    )


def _copies(coder: ChangeCoder) -> Finding:
    return Finding(
        code="LL189",
        severity=Severity.INFO,
        title="copied changes",
        message=f"{_of_all(coder.n_copies, coder)} are the same as another in all columns and count once",
        remedy="Nothing, if exports overlap",
        count=coder.n_copies,
    )


def _of_all(count: int, coder: ChangeCoder) -> str:
    return f"{count:,} of {coder.n_changes:,} changes"
