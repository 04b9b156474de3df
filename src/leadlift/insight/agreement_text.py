"""The agreement sheet as text: a Markdown table to sign, or a CSV file to calculate with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from leadlift.exceptions import InputError
from leadlift.insight.publishing import publish


def agreement_cells(sheet: pa.Table) -> tuple[list[str], list[list[str]]]:
    """Return an agreement sheet as a person reads it: the heads of its columns, and the cells of each row.

    Parameters
    ----------
    sheet : pyarrow.Table
        From :func:`leadlift.learning.cutoff.agreement.agreement_sheet`.

    Returns
    -------
    heads : list of str
    rows : list of list of str
        Estimates with their intervals; what the sheet cannot say has no column.
    """
    columns = _WITHOUT_DATES if sheet["leads_per_week"].null_count else _WITH_DATES
    shown = {name: how for name, how in columns.items() if sheet[name].null_count < len(sheet)}
    heads = ["score from", "of the leads", *[head for head, _ in shown.values()]]
    return heads, [_cells(row, shown) for row in sheet.to_pylist()]


def agreement_caption(sheet: pa.Table) -> str:
    """Return what the intervals of a sheet mean, with their confidence and the size of the evidence."""
    first = sheet.slice(0, 1).to_pylist()[0]
    confidence = f"{100 * first['confidence']:.4g}%"
    return (
        f"In brackets: intervals that hold with {confidence} confidence for all rows at once, so for "
        f"whichever is picked, on the evidence of {first['n_evidence']:,} leads "
        f"({first['n_evidence_won']:,} won; {first['evidence']}), as long as later leads are like these."
    )


def agreement_markdown(sheet: pa.Table) -> str:
    """Return an agreement sheet as a Markdown table with its caption.

    Examples
    --------
    >>> import numpy as np
    >>> from leadlift.learning.cutoff import Evidence
    >>> from leadlift.learning.cutoff.agreement import agreement_sheet
    >>> score = np.arange(1, 101) / 100
    >>> sheet = agreement_sheet(Evidence(score, score, score > 0.7), n_rows=2)
    >>> print(agreement_markdown(sheet).splitlines()[2])
    | 0.5100 | 50% | 60% [43, 75] | 100% [86, 100] | 0% [0, 14] |
    """
    heads, rows = agreement_cells(sheet)
    ruler = ["---:"] * len(heads)
    lines = [f"| {' | '.join(cells)} |" for cells in [heads, ruler, *rows]]
    return "\n".join([*lines, "", agreement_caption(sheet), ""])


def write_agreement(sheet: pa.Table, path: str | Path) -> Path:
    """Write an agreement sheet.

    Parameters
    ----------
    sheet : pyarrow.Table
        From :func:`leadlift.learning.cutoff.agreement.agreement_sheet`.
    path : path
        Ends in ``.csv`` (every column) or ``.md`` (what a person reads). Its folder is made if need be.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        The ending is another one, or the file cannot be written.
    """
    import pyarrow.csv

    path = Path(path)
    if path.suffix not in (".csv", ".md"):
        msg = f"{path}: an agreement sheet is written as .csv or .md"
        raise InputError(msg)
    if path.suffix == ".md":
        return publish(path, agreement_markdown(sheet).encode())
    buffer = pa.BufferOutputStream()
    pyarrow.csv.write_csv(sheet, buffer)
    return publish(path, buffer.getvalue().to_pybytes())


Writer = Callable[[float], str]


def _cells(row: dict[str, float | None], shown: dict[str, tuple[str, Writer]]) -> list[str]:
    told = [_with_interval(row, name, write) for name, (_, write) in shown.items()]
    return [f"{row['threshold']:.4f}", _percent(row["share"]), *told]


def _with_interval(row: dict[str, float | None], name: str, write: Writer) -> str:
    """Return ``27% [24, 31]``; a dash where there is no estimate."""
    if row[name] is None:
        return "-"
    low, high = (write(row[f"{name}_{end}"]).rstrip("%") for end in ("low", "high"))
    return f"{write(row[name])} [{low}, {high}]"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _count(number: float) -> str:
    return f"{number:,.1f}" if number < 9.95 else f"{number:,.0f}"


def _amount(amount: float) -> str:
    return f"{amount:,.0f}"


_RATES = {"precision": ("of them won", _percent), "wins_caught": ("wins caught", _percent)}
_WITH_DATES = {
    "leads_per_week": ("leads a week", _count),
    **_RATES,
    "wins_per_week": ("wins a week", _count),
    "wins_missed_per_week": ("missed a week", _count),
    "cost_per_week": ("cost a week", _amount),
    "value_per_week": ("value a week", _amount),
}
_WITHOUT_DATES = {
    **_RATES,
    "wins_missed": ("wins missed", _percent),
    "value_per_contact": ("value a contact", _amount),
}
