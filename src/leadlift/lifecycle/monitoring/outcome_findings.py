"""Findings of the checks against outcomes, LL220 to LL239, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadlift.lifecycle.monitoring.table import MonitorRow

_DID = {"won": "were won", "became_sql": "became SQL"}


def base_rate_moved(rows: Sequence[MonitorRow]) -> tuple[Finding, ...]:
    """Return LL230 of the windows in which it alarms; none of none."""
    if not rows:
        return ()
    last = rows[-1]
    message = (
        f"of the {last['n']:,} leads scored {when(last)} {last['observed']:.1%} "
        f"{_DID[last['subject']]} where the scores said {last['expected']:.1%} (95 % interval "
        f"{last['low']:.1%} to {last['high']:.1%}){_in_others(rows)}"
    )
    remedy = "train again on the latest outcomes; until then read the scores as a ranking"
    return (_warning("LL230", "the base rate has moved", message, remedy, last),)


def slope_is_off(rows: Sequence[MonitorRow]) -> tuple[Finding, ...]:
    """Return LL231 of the windows in which it alarms; none of none."""
    if not rows:
        return ()
    last = rows[-1]
    too = "too far apart" if last["observed"] < 1 else "too close together"
    message = (
        f"the scores of the {last['n']:,} leads scored {when(last)} are {too}: the slope of their log-odds "
        f"against the outcomes is {last['observed']:.2f} (95 % interval {last['low']:.2f} to "
        f"{last['high']:.2f}) where 1 is right{_in_others(rows)}"
    )
    remedy = "train again; what told good from bad leads does so less, or more, than it did"
    return (_warning("LL231", "the scores are stretched wrongly", message, remedy, last),)


_OF = {
    "promise": "of the leads that reached the {stage} cut-off were {did}",
    "recall_promise": "of the leads that were {did} reached the {stage} cut-off",
}


def promise_broken(rows: Sequence[MonitorRow], did: str) -> tuple[Finding, ...]:
    """Return LL232 of the windows in which a promise is refuted; none of none."""
    if not rows:
        return ()
    last = rows[-1]
    of = _OF[str(last["check"])].format(stage=last["subject"], did=did)
    message = (
        f"at least {last['expected']:.1%} {of}, it was promised; of {last['n']:,} leads scored {when(last)} "
        f"it is {last['observed']:.1%} (95 % interval {last['low']:.1%} to {last['high']:.1%})"
        f"{_in_others(rows)}"
    )
    remedy = "set the cut-off anew (`leadlift cutoff`) or train again; until then nothing is promised"
    return (_warning("LL232", "a promise is broken", message, remedy, last),)


def precision_low(rows: Sequence[MonitorRow]) -> tuple[Finding, ...]:
    """Return LL233 of the windows in which fewer qualified leads were won than their scores said."""
    if not rows:
        return ()
    last = rows[-1]
    message = (
        f"of the {last['n']:,} leads scored {when(last)} that reached the {last['subject']} cut-off "
        f"{last['observed']:.1%} came to what it is for, where their scores said {last['expected']:.1%}"
        f"{_in_others(rows)}"
    )
    remedy = "train again on the latest outcomes"
    return (_warning("LL233", "fewer of the qualified succeed than their scores say", message, remedy, last),)


def segments_off(rows: Sequence[MonitorRow]) -> tuple[Finding, ...]:
    """Return LL234 of segments whose scores are wrong, and LL235 of those below a promise."""
    wrong = [row for row in rows if row["verdict"] == "alarm"]
    below = [row for row in rows if row["verdict"] == "broken"]
    found = []
    if wrong:
        worst = min(wrong, key=lambda row: row["p_value"])
        message = (
            f"the scores are wrong in {_these(wrong)}; most clearly in {worst['segment']}, where "
            f"{worst['observed']:.1%} of {worst['n']:,} leads came to it and the scores said "
            f"{worst['expected']:.1%}"
        )
        remedy = "train again; if it stays, ask what is different about the segment"
        found.append(
            _of_segments("LL234", Severity.WARNING, "scores are wrong in a segment", message, remedy, wrong)
        )
    if below:
        message = (
            f"{_these(below)}: fewer succeed there than the cut-off promises of all leads together; its "
            "promise is not about a segment"
        )
        remedy = "say so to whoever works the segment alone"
        found.append(
            _of_segments("LL235", Severity.INFO, "a segment is below the promise", message, remedy, below)
        )
    return tuple(found)


def when(row: MonitorRow) -> str:
    """Return when the leads of a row were scored, as a part of a sentence."""
    if row["window_start"] is None:
        return "without a date"
    return f"from {row['window_start']:%Y-%m-%d} to before {row['window_end']:%Y-%m-%d}"


def _in_others(rows: Sequence[MonitorRow]) -> str:
    return f"; it was clear in {len(rows)} windows" if len(rows) > 1 else ""


def _these(rows: Sequence[MonitorRow]) -> str:
    segments = dict.fromkeys(str(row["segment"]) for row in rows)
    return "1 segment" if len(segments) == 1 else f"{len(segments)} segments"


def _warning(code: str, title: str, message: str, remedy: str, row: MonitorRow) -> Finding:
    return Finding(code, Severity.WARNING, title, message, remedy, str(row["subject"]), int(row["n"]))


def _of_segments(
    code: str, severity: Severity, title: str, message: str, remedy: str, rows: Sequence[MonitorRow]
) -> Finding:
    segments = tuple(dict.fromkeys(str(row["segment"]) for row in rows))
    return Finding(code, severity, title, message, remedy, None, len(segments), segments[:5])


def nothing_says_sql() -> Finding:
    """Return LL228."""
    return Finding(
        "LL228",
        Severity.INFO,
        "nothing says which leads became SQL",
        "no outcome has a moment at which sales accepted the lead, so the MQL cut-off cannot be judged",
        "give outcomes with the column of [schema] qualified_at",
    )


def other_models(n_rows: int, n_all: int, versions: Sequence[str]) -> Finding:
    """Return LL227."""
    return Finding(
        "LL227",
        Severity.INFO,
        "scores of other models left out",
        f"{n_rows:,} of {n_all:,} scored rows are of other models; a model is held to its own scores alone",
        "monitor those with the bundle that made them",
        count=n_rows,
        examples=tuple(versions[:5]),
    )


def nothing_scored(version: str) -> Finding:
    """Return LL229."""
    return Finding(
        "LL229",
        Severity.INFO,
        "no scores of this model yet",
        f"the store holds no lead that model {version} scored, so there is nothing to check",
        "score leads with it: `leadlift predict --store`",
    )
