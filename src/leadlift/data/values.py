"""Cells -> values: the one conversion that training and scoring share.

Every cell is read on its own, whatever stands beside it, so that a table gives the same values in one piece
and in batches, as CSV and as Parquet.
"""

from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.terms import Kind

Column = pa.Array | pa.ChunkedArray
"""One column, in one piece or in several."""

# What pyarrow's cast to double reads, but for "nan(...)", which is no number here.
_NUMBER = r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_INFINITE_OR_NAN = r"(?i:inf|infinity|nan)"
_PLAIN_NUMBER = rf"^[+-]?({_NUMBER}|{_INFINITE_OR_NAN})$"
_FIRST_ROWS = 1000
_CODE = r"^[+-]?0\d"
_WHOLE_NUMBER_LIMIT = 2.0**53
_TRUTH_VALUES = pa.array(["True", "TRUE", "False", "FALSE"])


def plain(array: Column) -> Column:
    """Return an array without dictionary or large types: text as string, the rest as it is.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        Any column.

    Returns
    -------
    of the same class
    """
    if pa.types.is_dictionary(array.type):
        if is_text(array.type.value_type):
            # polars' categories are string views, which Arrow cannot decode before they are plain strings.
            array = pc.cast(array, pa.dictionary(array.type.index_type, pa.string()))
        array = pc.cast(array, array.type.value_type)
    if is_text(array.type) or pa.types.is_null(array.type):
        return pc.cast(array, pa.string())
    return array


def is_text(dtype: pa.DataType) -> bool:
    """Return whether a type holds text."""
    return pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype)


def is_number(dtype: pa.DataType) -> bool:
    """Return whether a type holds numbers."""
    return pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_decimal(dtype)


def clean_text(array: Column, missing_values: tuple[str, ...] = ()) -> Column:
    """Strip white space from text cells; the empty cell and the words for "not recorded" become null.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray of string
    missing_values : tuple of str
        Words compared exactly, after stripping.

    Returns
    -------
    of the same class, string

    Examples
    --------
    >>> clean_text(pa.array([" a", "", "Select "]), ("Select",)).to_pylist()
    ['a', None, None]
    """
    text = pc.utf8_trim_whitespace(array)
    words = pa.array(["", *(word.strip() for word in missing_values)])
    is_missing = pc.is_in(text, value_set=words)
    return pc.if_else(is_missing, pa.scalar(None, pa.string()), text)


def convert_column(array: Column, kind: Kind, data: DataConfig, name: str) -> tuple[Column, Column]:
    """Convert one input column to the values a model sees.

    Text is stripped; words for "not recorded" become null. A numeric column is read with the decimal and
    thousands marks of `data`; its `missing_numbers` and NaN become null. A categorical column becomes text
    that does not depend on how the file was written: ``1``, ``1.0`` and the integer 1 are ``"1"``;
    ``True``, ``TRUE`` and the boolean are ``"true"``.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        A column as read: text, or any flat type of Parquet.
    kind : Kind
        How to read it.
    data : DataConfig
        Marks and missing values.
    name : str
        The column's name, for `missing_numbers`.

    Returns
    -------
    values : of the same class, float64 or string
        Null where missing or unreadable; an infinite number stays.
    is_bad : of the same class, bool
        Cells that hold something that is no finite number; always false for a categorical column.

    Examples
    --------
    >>> data = DataConfig(leads="leads.csv", decimal=",", thousands=".", missing_numbers={"days": (999,)})
    >>> values, is_bad = convert_column(pa.array(["1.234,5", "999", "soon"]), Kind.NUMERIC, data, "days")
    >>> values.to_pylist(), is_bad.to_pylist()
    ([1234.5, None, None], [False, False, True])
    >>> convert_column(pa.array([1.0, None]), Kind.CATEGORICAL, data, "region")[0].to_pylist()
    ['1', None]
    """
    array = plain(array)
    if kind is Kind.CATEGORICAL:
        return level_text(array, data), _none_of(array)
    values, is_bad = _read_numbers(array, data)
    sentinels = data.missing_numbers.get(name, ())
    if sentinels:
        is_missing = pc.is_in(values, value_set=pa.array(sentinels, pa.float64()))
        values = pc.if_else(is_missing, pa.scalar(None, pa.float64()), values)
    return values, is_bad


def level_text(array: Column, data: DataConfig) -> Column:
    """Return cells as levels of a categorical column: text that does not depend on the file's type.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        Without dictionary type (see `plain`).
    data : DataConfig
        Decimal mark and missing values of text.

    Returns
    -------
    of the same class, string
        Null where missing.
    """
    if is_text(array.type):
        return _one_spelling(clean_text(array, data.missing_values), data.decimal)
    if pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
        return _number_text(_without_nan(pc.cast(array, pa.float64(), safe=False)))
    return pc.cast(array, pa.string())


def looks_numeric(array: Column, data: DataConfig) -> bool:
    """Return whether a column without a declared kind is numeric.

    It is when it has a type of number, or when it is text, has a value, and every value is a number none of
    which starts with a needless zero: ``007`` is a code, as postal codes and telephone numbers are.
    Codes without such zeros are taken for numbers; a tree can still split between any two of them.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        Without dictionary type (see `plain`).
    data : DataConfig
        Marks and missing values.

    Returns
    -------
    bool

    Examples
    --------
    >>> data = DataConfig(leads="leads.csv")
    >>> [looks_numeric(pa.array(cells), data) for cells in (["1", ""], ["1", "x"], ["007", "1"], ["", ""])]
    [True, False, False, False]
    """
    if not is_text(array.type):
        return is_number(array.type) and array.null_count < len(array)
    first_rows = clean_text(array.slice(0, _FIRST_ROWS), data.missing_values)
    if not _all_numbers(first_rows, data):  # most text columns are told apart here
        return False
    text = clean_text(array, data.missing_values)
    return text.null_count < len(text) and _all_numbers(text, data)


def _all_numbers(text: Column, data: DataConfig) -> bool:
    """Whether no cell is a word or a code."""
    is_unreadable = parse_numbers(text, data.decimal, data.thousands)[1]
    return not any(pc.any(mask).as_py() for mask in (is_unreadable, pc.match_substring_regex(text, _CODE)))


def parse_numbers(text: Column, decimal: str = ".", thousands: str = "") -> tuple[Column, Column]:
    """Read text as numbers, strictly.

    Thousands marks must part groups of three, and a mark not declared makes a cell unreadable: with
    ``thousands=","`` the cell ``1,5`` is no number.

    Parameters
    ----------
    text : pyarrow.Array or pyarrow.ChunkedArray of string
        Stripped, null where missing.
    decimal, thousands : str
        Marks; no thousands mark is the empty string.

    Returns
    -------
    values : of the same class, float64
        Null where missing, NaN or unreadable.
    is_unreadable : of the same class, bool

    Examples
    --------
    >>> parse_numbers(pa.array(["1,234.5", "1,5", "inf"]), thousands=",")[0].to_pylist()
    [1234.5, None, inf]
    """
    values = _cast_all(text) if (decimal, thousands) == (".", "") else None
    if values is not None:
        return values, _none_of(text)
    is_number_text = pc.match_substring_regex(text, _number_pattern(decimal, thousands))
    if thousands:
        text = pc.replace_substring(text, thousands, "")
    if decimal != ".":
        text = pc.replace_substring(text, decimal, ".")
    readable = pc.if_else(is_number_text, text, pa.scalar(None, pa.string()))
    is_unreadable = pc.fill_null(pc.invert(is_number_text), fill_value=False)
    return _without_nan(pc.cast(readable, pa.float64())), is_unreadable


def _cast_all(text: Column) -> Column | None:
    """The fast way: all cells are plain numbers; None where one is not, or is a NaN however spelled."""
    try:
        values = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        return None
    return None if pc.any(pc.is_nan(values)).as_py() else values


def _number_pattern(decimal: str, thousands: str) -> str:
    if (decimal, thousands) == (".", ""):
        return _PLAIN_NUMBER
    mark, group = "\\" + decimal, rf"\d{{1,3}}([{thousands}]\d{{3}})+|" if thousands else ""
    return rf"^[+-]?((({group}\d+)({mark}\d*)?|{mark}\d+)([eE][+-]?\d+)?|{_INFINITE_OR_NAN})$"


def _read_numbers(array: Column, data: DataConfig) -> tuple[Column, Column]:
    """Values and which cells hold something that is no finite number."""
    if is_text(array.type):
        text = clean_text(array, data.missing_values)
        values, is_bad = parse_numbers(text, data.decimal, data.thousands)
    elif is_number(array.type) or pa.types.is_boolean(array.type):
        values, is_bad = pc.cast(array, pa.float64(), safe=False), _none_of(array)
        if all_finite(values):
            return values, is_bad
        values = _without_nan(values)
    else:
        values, is_bad = pc.if_else(_none_of(array), 0.0, pa.scalar(None, pa.float64())), pc.is_valid(array)
    return values, pc.or_(is_bad, pc.fill_null(pc.is_inf(values), fill_value=False))


def all_finite(values: Column) -> bool:
    """Return whether no number is NaN or infinite; an overflow of the sum counts as one that is.

    Parameters
    ----------
    values : pyarrow.Array or pyarrow.ChunkedArray of float64

    Returns
    -------
    bool
    """
    total = pc.sum(values).as_py()
    return total is None or math.isfinite(total)


def _without_nan(values: Column) -> Column:
    return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)


def _number_text(values: Column) -> Column:
    """Whole numbers without a decimal point, others in the shortest form that reads back the same."""
    is_whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), _WHOLE_NUMBER_LIMIT))
    whole = pc.cast(pc.cast(pc.if_else(is_whole, values, 0.0), pa.int64()), pa.string())
    return pc.if_else(is_whole, whole, pc.cast(values, pa.string()))


def _one_spelling(text: Column, decimal: str) -> Column:
    """One spelling of whole numbers and of truth values, as different programs write them."""
    if pc.any(pc.match_substring(text, f"{decimal}0")).as_py():
        text = pc.replace_substring_regex(text, rf"^([+-]?\d+)\{decimal}0+$", r"\1")
    is_truth_value = pc.is_in(text, value_set=_TRUTH_VALUES)
    if pc.any(is_truth_value).as_py():
        text = pc.if_else(is_truth_value, pc.ascii_lower(text), text)
    return text


def _none_of(array: Column) -> Column:
    """As many false values as the array has values, of its class."""
    return pc.xor(pc.is_valid(array), pc.is_valid(array))
