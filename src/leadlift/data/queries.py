"""What is read from a database: one table, or one SELECT."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from leadlift.exceptions import ConfigError

_TABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*){0,2}")
_QUOTED_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
_FIRST_WORD = re.compile(r"\s*\(*\s*(select|with)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Query:
    """One table, or one SELECT.

    Parameters
    ----------
    text : str
        As the user wrote it, without a semicolon at its end.
    is_table : bool
        Whether it is the name of a table, with or without its schema.
    """

    text: str
    is_table: bool

    def select(self, columns: Sequence[str] | None, quote: Callable[[str], str]) -> str:
        """Return the statement to send.

        Parameters
        ----------
        columns : sequence of str or None
            Columns wanted of a table; None takes all. A SELECT is sent as it is.
        quote : callable
            Quotes a name as the database does.

        Returns
        -------
        str

        Examples
        --------
        >>> Query("crm.leads", is_table=True).select(["id"], double_quoted)
        'SELECT "id" FROM "crm"."leads"'
        """
        if not self.is_table:
            return self.text
        wanted = "*" if columns is None else ", ".join(quote(name) for name in columns)
        table = ".".join(quote(part) for part in self.text.split("."))
        return f"SELECT {wanted} FROM {table}"  # noqa: S608 -- every name is quoted


def parse_query(query: str | None, name: str, key: str) -> Query:
    """Take what a configuration says is to be read.

    Parameters
    ----------
    query : str or None
        The name of a table, or a SELECT.
    name : str
        What messages call the database.
    key : str
        What messages call the query.

    Returns
    -------
    Query

    Raises
    ------
    ConfigError
        There is none, or it is neither a name nor a single SELECT.

    Examples
    --------
    >>> parse_query("SELECT * FROM leads;", "crm.duckdb", "leads_query")
    Query(text='SELECT * FROM leads', is_table=False)
    """
    if query is None or not query.strip():
        msg = f"{name}: a database holds many tables; set {key} to the name of one, or to a SELECT"
        raise ConfigError(msg)
    text = query.strip().rstrip(";").rstrip()
    if _TABLE.fullmatch(text):
        return Query(text, is_table=True)
    bare = _QUOTED_OR_COMMENT.sub(" ", text)
    if not _FIRST_WORD.match(bare) or ";" in bare:
        msg = (
            f"{name}: {key} should be the name of a table or a single SELECT (or WITH ... SELECT), "
            f"got {text[:80]!r}. A table whose name has other characters than letters, digits and _ needs a "
            f"SELECT"
        )
        raise ConfigError(msg)
    # A driver may put the statement into brackets; a comment at its end must not swallow the closing one.
    return Query(f"{text}\n" if "--" in text else text, is_table=False)


def double_quoted(name: str) -> str:
    """Return a name quoted as standard SQL does.

    Examples
    --------
    >>> double_quoted("first name")
    '"first name"'
    """
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def text_literal(text: str) -> str:
    """Return a text as a literal of standard SQL.

    Examples
    --------
    >>> text_literal("O'Neil")
    "'O''Neil'"
    """
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def moment_literal(moment: datetime) -> str:
    """Return a moment as a literal that databases read as one, and that SQLite compares as the text it keeps.

    Examples
    --------
    >>> moment_literal(datetime(2026, 11, 22, 6, tzinfo=UTC))
    "'2026-11-22 06:00:00.000000Z'"
    """
    return f"'{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%fZ}'"
