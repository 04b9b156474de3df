"""Which way scores are computed: by tables or by LightGBM. Both give the same bits.

``fast``
    Decision-pattern tables (:mod:`leadlift.learning.patterns`).
``plain``
    Scores by LightGBM; contributions by tables, where the trees fit these.
``lightgbm``
    Contributions by LightGBM too, for tables that are found wrong.
``auto``
    As ``fast`` where there are rows enough to pay for tables, else as ``plain``.
"""

from __future__ import annotations

from leadlift.exceptions import InputError

AUTO, FAST, PLAIN, LIGHTGBM = "auto", "fast", "plain", "lightgbm"
ENGINES = (AUTO, FAST, PLAIN, LIGHTGBM)
# Tables save some 60 ns a tree and row and take about 0.25 ms a tree to make, and loading the compiler takes
# a second; for fewer rows they are not worth it.
ROWS_WORTH_TABLES = 20_000


def checked_engine(name: str) -> str:
    """Return the name of an engine.

    Raises
    ------
    InputError
        There is no such engine.
    """
    if name not in ENGINES:
        msg = f"expected one of the engines {', '.join(ENGINES)}, but got {name!r}"
        raise InputError(msg)
    return name


def uses_tables(engine: str, n_rows: int) -> bool:
    """Say whether so many rows are scored by tables."""
    return engine == FAST or (engine == AUTO and n_rows >= ROWS_WORTH_TABLES)
