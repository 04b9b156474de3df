"""A card as CSV, as Markdown to print, and as rules in JSON for a marketing tool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from leadlift.exceptions import InputError
from leadlift.insight.escaping import escape_formulas, escape_html
from leadlift.insight.publishing import publish
from leadlift.insight.scorecard.attributes import Operator, condition_text
from leadlift.insight.scorecard.loss import SAME_DECISION, loss_warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadlift.insight.scorecard.attributes import Attribute, Rule
    from leadlift.insight.scorecard.points_scorecard import PointsScorecard

FORMAT = "leadlift-scorecard"
FORMAT_VERSION = 1

# A row a level, so that no separator is needed.
CSV_SCHEMA = pa.schema(
    [
        ("attribute", pa.string()),
        ("label", pa.string()),
        ("operator", pa.string()),
        ("at_least", pa.float64()),
        ("below", pa.float64()),
        ("level", pa.string()),
        ("points", pa.int64()),
        ("share", pa.float64()),
    ]
)


def write_scorecard(card: PointsScorecard, path: str | Path) -> Path:
    """Write a card; the file appears whole or not at all.

    Parameters
    ----------
    card : PointsScorecard
        Fitted.
    path : path
        Ends in ``.csv`` (a row a rule and level), ``.md`` (to print) or ``.json`` (rules). Its folder is made
        if need be.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        The ending is another one, or the file cannot be written.
    """
    path = Path(path)
    forms = {".csv": _csv_bytes, ".md": _markdown_bytes, ".json": _json_bytes}
    if path.suffix.lower() not in forms:
        msg = f"{path}: a scorecard is written as .csv, .md or .json"
        raise InputError(msg)
    return publish(path, forms[path.suffix.lower()](card))


def scorecard_rules(card: PointsScorecard) -> dict[str, Any]:
    """Return a card as rules that a tool can import, ready for JSON.

    :func:`leadlift.insight.scorecard_reference.points` adds up its points in a few lines of plain Python.

    Parameters
    ----------
    card : PointsScorecard
        Fitted.

    Returns
    -------
    dict
        ``format`` and ``version`` of the schema; ``highest``, the most points there are; ``cutoffs`` by
        stage in points; ``probability`` with ``slope`` and ``intercept``; ``rules``, each with ``attribute``,
        ``label``, ``operator``, ``values`` and ``points``: of each attribute exactly one fits, and the points
        add up; ``measured``, the rows of ``card.loss_``, empty where nothing was measured. Values of
        ``between`` are ``[at least, less than]`` with null for no limit, of ``in`` and ``not_in`` levels; an
        attribute that is null, NaN or empty text is missing.
    """
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "highest": card.points,
        "cutoffs": dict(card.cutoffs_),
        "probability": {"slope": card.slope_, "intercept": card.intercept_},
        "rules": [
            {
                "attribute": attribute.name,
                "label": attribute.label,
                "operator": rule.operator.value,
                "values": list(rule.values),
                "points": rule.points,
            }
            for attribute, rule in _rules(card)
        ],
        "measured": [] if card.loss_ is None else card.loss_.to_pylist(),
    }


def scorecard_markdown(card: PointsScorecard) -> str:
    """Return a card as a person prints it: what it loses, the cut-offs, and a table a rule a row.

    Parameters
    ----------
    card : PointsScorecard
        Fitted.

    Returns
    -------
    str
        Markdown; text from the data is escaped and stays in its cell.
    """
    rows = [("attribute", "value", "points"), ("---", "---", "---:")]
    last = None
    for attribute, rule in _rules(card):
        shown = "" if attribute is last else _escaped(attribute.label)
        rows.append((shown, _escaped(condition_text(rule, whole=attribute.whole)), str(rule.points)))
        last = attribute
    table = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join(["# Scorecard", "", *scorecard_sentences(card), "", *table, ""])


def scorecard_sentences(card: PointsScorecard) -> list[str]:
    """Say how a card is used and what it loses.

    Parameters
    ----------
    card : PointsScorecard
        Fitted.

    Returns
    -------
    list of str
    """
    said = [f"Add up the points of each attribute; the total is between 0 and {card.points}."]
    for stage, cutoff in card.cutoffs_.items():
        reached = "no total is enough" if cutoff > card.points else f"from {cutoff} points on"
        said.append(f"{stage}: {reached}.")
    if card.loss_ is None:
        return [*said, "What the card loses against the model has not been measured."]
    rows = {row["measure"]: row for row in card.loss_.to_pylist()}
    first = next(iter(rows.values()))
    said.append(
        f"Measured on {first['n']:,} leads that neither model nor card has seen, {first['n_won']:,} of them "
        f"won (in brackets: {100 * first['confidence']:.4g}% intervals):"
    )
    said += [_loss_sentence(measure, row) for measure, row in rows.items()]
    warning = loss_warning(card.loss_)
    return [*said, "", warning] if warning else said


def _loss_sentence(measure: str, row: dict[str, float | None]) -> str:
    if measure.startswith(SAME_DECISION):
        stage = measure.removeprefix(f"{SAME_DECISION}, ")
        ends = f"[{100 * row['scorecard_low']:.1f}, {100 * row['scorecard_high']:.1f}]"
        return f"- {stage}: card and model decide alike for {100 * row['scorecard']:.1f}% of the leads {ends}"
    ends = "" if row["lost_low"] is None else f" [{row['lost_low']:+.4f}, {row['lost_high']:+.4f}]"
    return (
        f"- {measure}: model {row['model']:.4f}, card {row['scorecard']:.4f}; lost {row['lost']:+.4f}{ends}"
    )


def _rules(card: PointsScorecard) -> Iterator[tuple[Attribute, Rule]]:
    for attribute in card.attributes_:
        for rule in attribute.rules:
            yield attribute, rule


def _escaped(text: str) -> str:
    """Escape for a cell of Markdown, which may hold HTML."""
    text = escape_html(text)
    for mark in "\\|`*_[]~":
        text = text.replace(mark, f"\\{mark}")
    return text


def _csv_rows(card: PointsScorecard) -> Iterator[dict[str, Any]]:
    for attribute, rule in _rules(card):
        row = {
            "attribute": attribute.name,
            "label": attribute.label,
            "operator": rule.operator.value,
            "points": rule.points,
            "share": rule.share,
        }
        if rule.operator is Operator.BETWEEN:
            yield row | dict(zip(("at_least", "below"), rule.values, strict=True))
        else:
            yield from (row | {"level": level} for level in rule.values or (None,))


def _csv_bytes(card: PointsScorecard) -> bytes:
    table = pa.Table.from_pylist(list(_csv_rows(card)), schema=CSV_SCHEMA)
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(escape_formulas(table), sink)
    return sink.getvalue().to_pybytes()


def _markdown_bytes(card: PointsScorecard) -> bytes:
    return scorecard_markdown(card).encode("utf-8", errors="replace")


def _json_bytes(card: PointsScorecard) -> bytes:
    return json.dumps(scorecard_rules(card), indent=1, allow_nan=False).encode("ascii") + b"\n"
