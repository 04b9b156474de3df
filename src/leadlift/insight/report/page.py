"""A report as one HTML file that asks nothing of the network and runs no script."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from leadlift.exceptions import InputError, shorten
from leadlift.insight.publishing import publish
from leadlift.insight.report.blocks import (
    Block,
    FactsBlock,
    FigureBlock,
    Report,
    Section,
    TableBlock,
    TextBlock,
)
from leadlift.insight.report.figures import figure_html
from leadlift.insight.report.tables import is_wordy, table_rows
from leadlift.insight.report.text import LONGEST_PARAGRAPH, has_long_word, safe_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Environment
    from markupsafe import Markup

# Longer tables show their first rows; the others are a click away, and on paper. Sentences take more room.
ROWS_AT_ONCE = 12
WORDY_ROWS_AT_ONCE = 6
# To fold away fewer rows saves less than the click costs.
FEWEST_FOLDED = 3

# No script, no font, no request: what is not named here the browser refuses to run or to fetch.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)

_KEY = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class _Part:
    """A section as its template takes it: groups of blocks that stand side by side, each block as HTML."""

    section: Section
    label: str
    groups: tuple[tuple[Markup, ...], ...]


def report_html(report: Report) -> str:
    """Return a report as one HTML page.

    The page holds its style and its figures and forbids itself everything else
    (:data:`CONTENT_SECURITY_POLICY`, W3C Content Security Policy Level 3), so no text in it can run. All text
    is escaped; control characters and marks of the direction of writing are taken out, and what is longer
    than a few lines is cut. Equal reports give equal pages.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str

    Raises
    ------
    InputError
        The keys of two sections are the same, a key is no anchor, or a table lacks a column that is to be
        shown.

    Examples
    --------
    >>> from leadlift.insight.report.blocks import Report, Section, TextBlock
    >>> section = Section("ads", "Ads <i>win</i> least", "One lead in ten.", (TextBlock(("So it is.",)),))
    >>> "Ads &lt;i&gt;win&lt;/i&gt; least" in report_html(Report("Leads", "2026", (section,)))
    True
    """
    _require_anchors(report.sections)
    environment = _environment()
    page = environment.get_template("page.html.jinja")
    return page.render(
        report=report,
        parts=[_part(environment, section) for section in report.sections],
        policy=CONTENT_SECURITY_POLICY,
    )


def write_report(report: Report, path: str | Path) -> Path:
    """Write a report as one HTML file, which appears whole or not at all.

    Parameters
    ----------
    report : Report
    path : path
        Ends in ``.html``. Its folder is made if need be.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        The ending is another one, the file cannot be written, or the report cannot be shown (see
        :func:`report_html`).
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        msg = f"{path}: a report is written as .html"
        raise InputError(msg)
    return publish(path, report_html(report).encode())


def _require_anchors(sections: Iterable[Section]) -> None:
    keys = [section.key for section in sections]
    odd = [key for key in keys if not _KEY.fullmatch(key)]
    if odd:
        msg = f"the key of a section is made of small letters, digits, _ and -, got {shorten(odd)}"
        raise InputError(msg)
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        msg = f"each section needs a key of its own, got {shorten(repeated)} more than once"
        raise InputError(msg)


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("leadlift.insight.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["long_word"] = has_long_word
    environment.filters["safe_text"] = safe_text
    environment.filters["safe_paragraph"] = lambda text: safe_text(text, LONGEST_PARAGRAPH)
    return environment


def _part(environment: Environment, section: Section) -> _Part:
    """Render the blocks of a section; figures that follow each other stand side by side."""
    numbered = [(block, f"{section.key}-{i}") for i, block in enumerate(section.blocks, start=1)]
    groups = groupby(numbered, key=lambda pair: isinstance(pair[0], FigureBlock) or pair[1])
    return _Part(
        section=section,
        label=section.label or section.key.replace("_", " ").replace("-", " ").capitalize(),
        groups=tuple(tuple(_block(environment, *pair) for pair in pairs) for _, pairs in groups),
    )


def _block(environment: Environment, block: Block, key: str) -> Markup:
    from markupsafe import Markup

    template, context = _CONTEXTS[type(block)](block, key)
    html = environment.get_template(template).render(block=block, key=key, **context)
    return Markup(html)  # noqa: S704 -- the template escapes


def _of_table(block: TableBlock, key: str) -> tuple[str, dict[str, object]]:
    rows = table_rows(block)
    wordy = is_wordy(rows)
    n_first = _n_at_once(len(rows), WORDY_ROWS_AT_ONCE if wordy else ROWS_AT_ONCE)
    return "table.html.jinja", {
        "first": rows[:n_first],
        "others": rows[n_first:],
        "n_hidden": len(block.table) - len(rows),
        "is_wordy": wordy,
    }


def _n_at_once(n_rows: int, at_once: int) -> int:
    return n_rows if n_rows < at_once + FEWEST_FOLDED else at_once


def _of_figure(block: FigureBlock, key: str) -> tuple[str, dict[str, object]]:
    return "figure.html.jinja", {
        "drawing": figure_html(block.figure, key=key, title=block.caption, alt=block.alt)
    }


def _of_facts(block: FactsBlock, key: str) -> tuple[str, dict[str, object]]:
    return "facts.html.jinja", {}


def _of_text(block: TextBlock, key: str) -> tuple[str, dict[str, object]]:
    return "text.html.jinja", {}


_CONTEXTS = {TableBlock: _of_table, FigureBlock: _of_figure, FactsBlock: _of_facts, TextBlock: _of_text}
