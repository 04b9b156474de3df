"""The errors leadlift raises.

::

    LeadliftError                 everything below; the CLI turns it into one message and exit code 1
    ├── InputError                a file or a table cannot be read as what it is said to be
    │   └── SchemaError           columns, types or label values are not those expected
    ├── ConfigError               leadlift.toml says something impossible
    ├── LeakageError              columns look written after the outcome and nobody confirmed them
    ├── ImmatureLabelsError       too few leads whose outcome is known
    ├── NoCutoffError             no cut-off keeps the promise asked for; carries the best promise
    ├── BundleError               a model bundle is damaged, altered or made by a newer version
    ├── RegistryError             the registry of models does not answer or disagrees with the folder
    └── MissingDependencyError    an optional package is needed and absent
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadlift.terms import Cutoff, Finding


class LeadliftError(Exception):
    """Root of the errors leadlift raises on purpose."""


class InputError(LeadliftError, ValueError):
    """A file or table cannot be read as what it is said to be."""


class SchemaError(InputError):
    """Columns, types or label values are not those expected."""


class ConfigError(LeadliftError, ValueError):
    """The configuration says something impossible."""


class LeakageError(LeadliftError):
    """Columns look written after the outcome and nobody has confirmed them.

    Parameters
    ----------
    message : str
        Names each column, its evidence and its price.
    findings : sequence of Finding
        The same as records.
    """

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class ImmatureLabelsError(LeadliftError):
    """Too few leads whose outcome is known within the horizon."""


class NoCutoffError(LeadliftError):
    """No cut-off keeps the promise asked for.

    Parameters
    ----------
    message : str
        What was asked, what evidence there was, and what could be promised instead.
    best : Cutoff or None
        The cut-off with the best promise that can be certified; None where nothing can.
    """

    def __init__(self, message: str, best: Cutoff | None = None) -> None:
        super().__init__(message)
        self.best = best


class BundleError(LeadliftError):
    """A model bundle is damaged, altered or made by a newer version."""


class RegistryError(LeadliftError):
    """The registry of models does not answer, or disagrees with the folder that serves."""


class MissingDependencyError(LeadliftError):
    """An optional package is needed and absent."""


def shorten(items: Iterable[object], limit: int = 5) -> str:
    """Return up to `limit` items quoted, and how many more there are.

    Examples
    --------
    >>> shorten(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    shown = [str(item) for item in items]
    text = ", ".join(repr(item[:80]) for item in shown[:limit])
    more = len(shown) - limit
    return f"{text} and {more} more" if more > 0 else text


def column_diff(expected: Iterable[str], got: Iterable[str]) -> str:
    """Return a diff of two sets of column names, one line a column that is missing or extra.

    Examples
    --------
    >>> print(column_diff(["source", "visits"], ["Source", "visits"]))
      - 'source' (expected, not found; did you mean 'Source'?)
      + 'Source' (found, not expected)
    """
    import difflib

    expected, got = list(expected), list(got)
    by_fold = {name.casefold(): name for name in got}
    lines = []
    for name in expected:
        if name in got:
            continue
        close = difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.75)
        hint = f"; did you mean {by_fold[close[0]]!r}?" if close else ""
        lines.append(f"  - {name!r} (expected, not found{hint})")
    lines += [f"  + {name!r} (found, not expected)" for name in got if name not in expected]
    return "\n".join(lines)
