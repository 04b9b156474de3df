"""In which format the dates of a column are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.dates import looks_like_dates, parse_dates

MAX_VALUES_TRIED = 2_000

_DAYS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FORMATS = tuple(day + time for day, time in product(_DAYS, _TIMES))
# Six characters or more, digits and a mark between them: what is no date for sure is not tried.
_LIKE_A_DATE = re.compile(r"(?=.{6,40}$)(?=.*\d)(?=.*[-/.: ]).*\d.*")


def date_formats_of(values: Sequence[str]) -> tuple[str | None, ...]:
    """Return every format that reads all values.

    More than one where days and months cannot be told apart, because no day is above 12.

    Parameters
    ----------
    values : sequence of str
        Distinct cells, stripped, without missing words; an evenly spaced sample of 2,000 is tried.

    Returns
    -------
    tuple of (str or None)
        ``strptime`` formats, day before month first; None stands for ISO 8601. Empty where the values are
        no dates.

    Examples
    --------
    >>> date_formats_of(["31/01/2024", "02/02/2024"]), date_formats_of(["2024-01-31 10:00:00"])
    (('%d/%m/%Y',), (None,))
    >>> date_formats_of(["01/02/2024"]), date_formats_of(["red"])
    (('%d/%m/%Y', '%m/%d/%Y'), ())
    """
    sample = values[:: max(1, len(values) // MAX_VALUES_TRIED)]
    if not sample or not all(_LIKE_A_DATE.match(value) for value in sample):
        return ()
    cells = pa.array(sample, pa.string())
    if looks_like_dates(cells):
        return (None,)
    return tuple(form for form in _FORMATS if _reads(cells.slice(0, 1), form) and _reads(cells, form))


def _reads(cells: pa.Array, date_format: str) -> bool:
    """Whether the format reads every cell."""
    return not pc.any(parse_dates(cells, date_format)[1]).as_py()
