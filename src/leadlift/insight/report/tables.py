"""Tables of a report as the cells that a page shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadlift.exceptions import InputError, column_diff, shorten
from leadlift.insight.report.blocks import Column, Format, TableBlock
from leadlift.insight.report.formats import TOO_FEW, format_interval, format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

# A cell with more characters than this fills lines of a telephone.
LONGEST_WORD_CELL = 40


@dataclass(frozen=True)
class Cell:
    """What a cell shows.

    Parameters
    ----------
    text : str
    interval : str
        Behind the value, empty where there is none.
    bar_share : float or None
        Length of the bar, as a share of the column's longest, in [0, 1].
    is_too_few : bool
    is_number : bool
        Numbers stand at the right.
    """

    text: str
    interval: str = ""
    bar_share: float | None = None
    is_too_few: bool = False
    is_number: bool = True


def table_rows(block: TableBlock) -> list[tuple[Cell, ...]]:
    """Return the cells of the rows that are shown, at most ``block.most_rows``.

    Parameters
    ----------
    block : TableBlock

    Returns
    -------
    list of tuple of Cell

    Raises
    ------
    InputError
        The table lacks a column that is to be shown.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"rate": [0.5, 0.25], "too_few": [True, False]})
    >>> columns = (Column("rate", "won", Format.SHARE, hide_where="too_few"),)
    >>> [row[0].text for row in table_rows(TableBlock("Rates", table, columns, made_by="rates()"))]
    ['too few', '25.0%']
    """
    _require_columns(block)
    shown = block.table.slice(0, block.most_rows)
    return list(zip(*(_cells(column, shown) for column in block.columns), strict=True))


def is_wordy(rows: Sequence[Sequence[Cell]]) -> bool:
    """Return whether half of the rows hold a sentence, so that a telephone shows cells below each other."""
    n_wordy = sum(any(len(cell.text) > LONGEST_WORD_CELL for cell in row) for row in rows)
    return 0 < 2 * n_wordy >= len(rows)


def _require_columns(block: TableBlock) -> None:
    asked = {
        name
        for column in block.columns
        for name in (column.name, column.low, column.high, column.hide_where)
        if name is not None
    }
    missing = sorted(asked - set(block.table.column_names))
    if missing:
        diff = column_diff(missing, block.table.column_names)
        msg = f"the table {block.caption!r} lacks {shorten(missing)}, which is to be shown:\n{diff}"
        raise InputError(msg)


def _cells(column: Column, shown: pa.Table) -> list[Cell]:
    values = shown[column.name].to_pylist()
    nothing = [None] * len(values)
    low, high, hidden = (
        nothing if name is None else shown[name].to_pylist()
        for name in (column.low, column.high, column.hide_where)
    )
    bars = _bar_shares(values, hidden) if column.bar else nothing
    return [
        Cell(TOO_FEW, is_too_few=True) if gone else _cell(column, value, *ends, bar)
        for value, *ends, gone, bar in zip(values, low, high, hidden, bars, strict=True)
    ]


def _cell(column: Column, value: Any, low: Any, high: Any, bar: float | None) -> Cell:
    interval = "" if value is None else format_interval(low, high, column.format)
    is_number = column.format not in (Format.TEXT, Format.YES)
    return Cell(format_value(value, column.format), interval, bar, is_number=is_number)


def _bar_shares(values: Sequence[Any], hidden: Sequence[Any]) -> list[float | None]:
    """Sizes beside the largest that is shown; what is hidden or not finite has no bar."""
    sizes = [
        abs(value) if value is not None and not gone and math.isfinite(value) else None
        for value, gone in zip(values, hidden, strict=True)
    ]
    largest = max(filter(None, sizes), default=0.0)
    return [None if size is None or not largest else size / largest for size in sizes]
