"""What a report is made of: sections of tables, figures, facts and paragraphs. No HTML here, no numbers made.

Each block names the public call that makes its numbers, so that a reader can make them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure


class Format(StrEnum):
    """How the cells of a column are written; null is an en dash in all of them."""

    TEXT = "text"
    """cut where it is longer than a few lines"""
    COUNT = "count"
    """1,234"""
    SHARE = "share"
    """0.1234 as 12.3%"""
    NUMBER = "number"
    """three significant digits, but no more than four decimals; from 1,000 on a whole number"""
    POINTS = "points"
    """signed, one decimal"""
    DATE = "date"
    YES = "yes"
    """a mark where true, nothing where false"""


@dataclass(frozen=True)
class Column:
    """One column of a table that is shown.

    Parameters
    ----------
    name : str
        In the Arrow table.
    title : str
        Head of the column.
    format : Format
    low, high : str or None
        Columns of the ends of its interval, shown behind the value: ``12.3% [10.1, 14.9]``.
    bar : bool
        Whether a bar behind the value shows its size.
    hide_where : str or None
        Boolean column; where it is true, ``too few`` stands instead of the value.
    """

    name: str
    title: str
    format: Format = Format.TEXT
    low: str | None = None
    high: str | None = None
    bar: bool = False
    hide_where: str | None = None


@dataclass(frozen=True)
class TableBlock:
    """A table.

    Parameters
    ----------
    caption : str
    table : pyarrow.Table
        Rows in the order in which they are shown.
    columns : tuple of Column
    made_by : str
        The public call that makes it, e.g. ``"ll.segments(inputs, won)"``.
    note : str
        One or two sentences below the table.
    most_rows : int
        Rows beyond these are counted, not shown.
    """

    caption: str
    table: pa.Table
    columns: tuple[Column, ...]
    made_by: str
    note: str = ""
    most_rows: int = 40


@dataclass(frozen=True)
class FigureBlock:
    """A figure.

    Parameters
    ----------
    caption : str
    figure : matplotlib.figure.Figure
    alt : str
        What the figure shows, in a sentence, for those who cannot see it.
    made_by : str
    """

    caption: str
    figure: Figure
    alt: str
    made_by: str


@dataclass(frozen=True)
class FactsBlock:
    """Names and values, such as where a model came from.

    Parameters
    ----------
    caption : str
    facts : tuple of (str, str)
    made_by : str
    """

    caption: str
    facts: tuple[tuple[str, str], ...]
    made_by: str


@dataclass(frozen=True)
class TextBlock:
    """Paragraphs.

    Parameters
    ----------
    paragraphs : tuple of str
        Plain text.
    """

    paragraphs: tuple[str, ...]


Block = TableBlock | FigureBlock | FactsBlock | TextBlock


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading.

    Parameters
    ----------
    key : str
        Anchor, e.g. ``"segments"``: small letters, digits, ``_`` and ``-``, unlike those of other sections.
    title : str
    summary : str
        What the section found, in one or two sentences a manager reads.
    blocks : tuple of Block
    label : str
        One to three words for the table of contents; empty makes them of the key.
    """

    key: str
    title: str
    summary: str
    blocks: tuple[Block, ...]
    label: str = ""


@dataclass(frozen=True)
class Report:
    """The whole report.

    Parameters
    ----------
    title, subtitle : str
    sections : tuple of Section
    language : str
        Of the page, ``"en"`` or the like.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    language: str = "en"
