"""Contributions -> sentences a sales person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from leadlift.terms import FeatureSpec

# A contribution that rounds to 0.0 points is no reason.
LEAST_POINTS = 0.05
# From here on a float64 has no decimals to round.
EXACT_BELOW = 1e15


def strongest_reasons(
    specs: Sequence[FeatureSpec],
    values: pa.RecordBatch | pa.Table,
    contributions: NDArray[np.float64],
    *,
    typical_won: Mapping[str, str] | None = None,
    n_reasons: int = 3,
) -> list[pa.Array]:
    """Put each lead's strongest reasons into words, the strongest first.

    A reason reads ``"Total Visits: 9 (typical won lead: 5), +4.2 points"``; points are hundredths of the
    published probability, so they add up to the score.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The input columns, in the order of `contributions`.
    values : table
        The input columns by name: float64 or string, missing is null.
    contributions : ndarray of float64, shape (n_rows, n_columns)
        On the scale of the probability.
    typical_won : mapping of str to str, optional
        By column, what is typical of won leads.
    n_reasons : int, default=3

    Returns
    -------
    list of pyarrow.Array of string
        One array a rank; null where a lead has no reason of that rank left.

    Examples
    --------
    >>> from leadlift.terms import FeatureSpec, Kind
    >>> table = pa.table({"visits": [9.0]})
    >>> strongest_reasons([FeatureSpec("visits", Kind.NUMERIC)], table, np.array([[0.042]]))[0].to_pylist()
    ['visits: 9, +4.2 points']
    """
    n_ranks = min(n_reasons, len(specs))
    ranked = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :n_ranks]
    points = 100 * np.take_along_axis(contributions, ranked, axis=1)
    sentences = [_sentences(spec, values[spec.name], (typical_won or {}).get(spec.name)) for spec in specs]
    return [
        _one_rank(ranked[:, rank], points[:, rank], sentences) if rank < n_ranks else _none(len(ranked))
        for rank in range(n_reasons)
    ]


def _sentences(spec: FeatureSpec, values: pa.ChunkedArray | pa.Array, typical: str | None) -> pa.Array:
    """Return what is said of a column for each lead, without the points."""
    shown = value_texts(values, spec.unit)
    known = pc.binary_join_element_wise(spec.name, shown, ": ")
    if typical is not None:
        typical = _with_unit(pa.array([typical]), spec.unit)[0].as_py()
        compared = pc.binary_join_element_wise(known, f" (typical won lead: {typical})", "")
        known = pc.if_else(pc.equal(shown, typical), known, compared)
    return pc.fill_null(known, f"{spec.name}: {spec.missing_means}")


def value_texts(values: pa.ChunkedArray | pa.Array, unit: str) -> pa.Array:
    """Write the values of a column as people read them, with their unit.

    Parameters
    ----------
    values : pyarrow.Array or pyarrow.ChunkedArray of float64 or string
        Null is missing.
    unit : str
        Of numbers; empty where there is none.

    Returns
    -------
    pyarrow.Array of string
        Texts are cut at 60 characters; null where missing.

    Examples
    --------
    >>> value_texts(pa.array([1.0, 2.5, None]), "visits").to_pylist()
    ['1 visit', '2.5 visits', None]
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return _with_unit(_shown(values), unit)


def _with_unit(shown: pa.Array, unit: str) -> pa.Array:
    """Put the unit behind numbers; less than a day is told in hours, minutes or seconds."""
    if not unit:
        return shown
    if unit == "days":
        return pc.dictionary_decode(_with_unit_of_time(shown.dictionary_encode()))
    singular = unit.removesuffix("s")
    units = pc.if_else(pc.equal(shown, "1"), pa.scalar(singular), pa.scalar(unit))
    return pc.binary_join_element_wise(shown, units, " ")


def _with_unit_of_time(days: pa.DictionaryArray) -> pa.DictionaryArray:
    told = [duration_text(float(text)) for text in days.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(days.indices, pa.array(told, pa.string()))


def duration_text(days: float) -> str:
    """Return a length of time in the unit in which people think of it.

    Examples
    --------
    >>> [duration_text(days) for days in (7.421, 1.0, 0.278, 0.01, 0.00001, 0.0)]
    ['7.4 days', '1 day', '6.7 hours', '14.4 minutes', '0.9 seconds', '0 seconds']
    """
    seconds = days * 86_400
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    unit, length = next((pair for pair in units if abs(seconds) >= pair[1]), units[-1])
    amount = round(seconds / length, 1)
    return f"{amount:g} {unit}{'' if amount == 1 else 's'}"


def _shown(values: pa.Array) -> pa.Array:
    """Values as text: numbers rounded, texts cut at 60 characters."""
    if pa.types.is_floating(values.type):
        return number_texts(values)
    return pc.utf8_slice_codeunits(pc.cast(values, pa.string()), 0, 60)


def number_texts(values: pa.Array) -> pa.Array:
    """Write numbers as people read them: three decimals, below 0.1 three significant digits.

    Parameters
    ----------
    values : pyarrow.Array of float64
        Null is missing.

    Returns
    -------
    pyarrow.Array of string
        Null where missing.

    Examples
    --------
    >>> number_texts(pa.array([9.0, 1250000.0, 7.6341, 0.00041, None])).to_pylist()
    ['9', '1250000', '7.634', '0.00041', None]
    """
    numbers = values.to_numpy(zero_copy_only=False)
    size = np.maximum(np.abs(numbers), 1e-12)
    scale = 10.0 ** np.clip(2 - np.floor(np.log10(size)), 3, 15)
    rounded = np.where(size < EXACT_BELOW, np.rint(numbers * scale) / scale + 0.0, numbers)
    return pc.cast(pa.array(rounded, mask=pc.is_null(values).to_numpy(zero_copy_only=False)), pa.string())


def _one_rank(column: NDArray[np.int64], points: NDArray[np.float64], sentences: list[pa.Array]) -> pa.Array:
    """Pick for each lead the sentence of its column and add the points."""
    n_rows = len(column)
    places, parts = [], []
    for j in np.unique(column):
        rows = np.flatnonzero(column == j)
        places.append(rows)
        parts.append(sentences[j].take(pa.array(rows)))
    back = np.empty(n_rows, dtype=np.int64)
    back[np.concatenate(places) if places else []] = np.arange(n_rows)
    told = pa.concat_arrays(parts).take(pa.array(back)) if parts else _none(n_rows)
    said = pc.binary_join_element_wise(told, points_text(points), ", ")
    return pc.if_else(np.abs(points) >= LEAST_POINTS, said, pa.scalar(None, pa.string()))


def points_text(points: NDArray[np.float64]) -> pa.Array:
    """Write points with their sign and one decimal, e.g. ``"+4.2 points"``.

    Parameters
    ----------
    points : ndarray of float64, shape (n_rows,)

    Returns
    -------
    pyarrow.Array of string
    """
    tenths = np.rint(points * 10).astype(np.int64)
    distinct, place = np.unique(tenths, return_inverse=True)
    texts = pa.array([f"{tenth / 10:+.1f} points" for tenth in distinct], pa.string())
    return texts.take(pa.array(place))


def _none(n_rows: int) -> pa.Array:
    return pa.nulls(n_rows, pa.string())
