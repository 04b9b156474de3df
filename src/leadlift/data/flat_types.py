"""The types of databases -> the few that cells have here."""

from __future__ import annotations

from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.values import is_text

UNREADABLE = pa.binary()
"""Stands for any type that is not one value a cell, or has no fixed meaning, such as JSON or an interval."""

_MOMENT = pa.timestamp("us", tz="UTC")
_LOCAL_MOMENT = pa.timestamp("us")


def flat_schema(schema: pa.Schema) -> pa.Schema:
    """Return the columns of a database with the type that `flat_batch` gives each.

    bool; int64 of every whole number; float64 of every other number, NUMERIC included; date32; timestamp us,
    in UTC where it has a zone; string of text, enumerations and UUIDs. The rest is `UNREADABLE`.

    Parameters
    ----------
    schema : pyarrow.Schema
        As a driver gives it.

    Returns
    -------
    pyarrow.Schema
        Without metadata.

    Examples
    --------
    >>> flat_schema(pa.schema([("age", pa.int16()), ("paid", pa.decimal128(10, 2))])).types
    [DataType(int64), DataType(double)]
    """
    return pa.schema([pa.field(field.name, _flat_type(field)) for field in schema])


def flat_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return some columns of a batch in the types of `flat_schema`.

    NUMERIC becomes the nearest float64, which is exact up to 15 digits. A 4-byte floating number becomes the
    decimal it is shown as: 0.1, not 0.10000000149.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        As a driver gives it.
    schema : pyarrow.Schema
        The columns wanted, none of them unreadable.

    Returns
    -------
    pyarrow.RecordBatch

    Raises
    ------
    pyarrow.ArrowInvalid
        A whole number does not fit into 64 bits.
    """
    columns = [_flat_column(batch.column(field.name), field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _flat_type(field: pa.Field) -> pa.DataType:
    dtype = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if isinstance(dtype, pa.BaseExtensionType):
        return _flat_extension(dtype)
    if pa.types.is_timestamp(dtype):
        return _LOCAL_MOMENT if dtype.tz is None else _MOMENT
    if pa.types.is_boolean(dtype):
        return pa.bool_()
    if pa.types.is_integer(dtype):
        return pa.int64()
    if pa.types.is_floating(dtype) or pa.types.is_decimal(dtype):
        return pa.float64()
    if pa.types.is_date(dtype):
        return pa.date32()
    return pa.string() if is_text(dtype) or pa.types.is_null(dtype) else UNREADABLE


def _flat_extension(dtype: pa.BaseExtensionType) -> pa.DataType:
    if isinstance(dtype, pa.UuidType):
        return pa.string()
    is_numeric = (
        isinstance(dtype, pa.OpaqueType) and dtype.type_name == "numeric" and is_text(dtype.storage_type)
    )
    return pa.float64() if is_numeric else UNREADABLE


def _flat_column(array: pa.Array, dtype: pa.DataType) -> pa.Array:
    if array.type == dtype:
        return array
    if isinstance(array.type, pa.UuidType):
        return pa.array([_uuid_text(value) for value in array.storage.to_pylist()], pa.string())
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_float32(array.type):
        array = pc.cast(array, pa.string())
    # Nanoseconds may be lost; whole numbers may not.
    return pc.cast(array, dtype, safe=not pa.types.is_timestamp(dtype))


def _uuid_text(value: bytes | None) -> str | None:
    return None if value is None else str(UUID(bytes=value))
