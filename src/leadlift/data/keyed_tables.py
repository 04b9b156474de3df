"""Tables of databases whose rows are told apart by a key, and the statements that write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.data.queries import double_quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class KeyedTable:
    """A table and the columns by which its rows are told apart.

    Parameters
    ----------
    name : str
        With or without the schema it is in, such as ``crm.scores``; each part is quoted, so case matters.
    schema : pyarrow.Schema
    key : tuple of str
        Columns of the primary key; no row lacks one of them.
    """

    name: str
    schema: pa.Schema
    key: tuple[str, ...]

    @property
    def quoted(self) -> str:
        """The name as statements need it."""
        return quoted_table(self.name)

    def create_statement(self, types: Mapping[pa.DataType, str], *, has_primary_key: bool = True) -> str:
        """Return the statement that makes the table.

        Parameters
        ----------
        types : mapping of pyarrow.DataType to str
            What the database calls each type.
        has_primary_key : bool, default=True

        Returns
        -------
        str
        """
        columns = [self.column_definition(field, types) for field in self.schema]
        if has_primary_key:
            columns.append(f"PRIMARY KEY ({quoted_list(self.key)})")
        return f"CREATE TABLE {self.quoted} ({', '.join(columns)})"

    def column_definition(self, field: pa.Field, types: Mapping[pa.DataType, str]) -> str:
        """Return name and type of a column as statements need them."""
        return (
            f"{double_quoted(field.name)} {types[field.type]}{' NOT NULL' if field.name in self.key else ''}"
        )

    def upsert_statement(self, rows: str) -> str:
        """Return the statement that inserts rows, each in the place of one with the same key.

        Parameters
        ----------
        rows : str
            ``VALUES (...)``, or a SELECT with a WHERE of all columns in their order.

        Returns
        -------
        str

        Examples
        --------
        >>> scores = KeyedTable("scores", pa.schema([("id", pa.string()), ("p", pa.float64())]), ("id",))
        >>> scores.upsert_statement("VALUES (?, ?)")
        'INSERT INTO "scores" ("id", "p") VALUES (?, ?) ON CONFLICT ("id") DO UPDATE SET "p" = excluded."p"'
        """
        others = [double_quoted(name) for name in self.schema.names if name not in self.key]
        changes = ", ".join(f"{name} = excluded.{name}" for name in others)
        return f"{self.insert_statement(rows)} ON CONFLICT ({quoted_list(self.key)}) DO UPDATE SET {changes}"

    def insert_statement(self, rows: str) -> str:
        """Return the statement that inserts rows, given as for :meth:`upsert_statement`."""
        return f"INSERT INTO {self.quoted} ({quoted_list(self.schema.names)}) {rows}"

    def select_statement(self, source: str, condition: str = "true") -> str:
        """Return the SELECT of all columns in their order from a table or view."""
        return f"SELECT {quoted_list(self.schema.names)} FROM {source} WHERE {condition}"  # noqa: S608 -- quoted


def quoted_table(name: str) -> str:
    """Return the name of a table, with or without its schema, quoted part by part.

    Examples
    --------
    >>> quoted_table("crm.scores")
    '"crm"."scores"'
    """
    return ".".join(double_quoted(part) for part in name.split("."))


def quoted_list(names: Sequence[str]) -> str:
    """Return names quoted and separated by commas.

    Examples
    --------
    >>> quoted_list(["a", "b c"])
    '"a", "b c"'
    """
    return ", ".join(double_quoted(name) for name in names)
