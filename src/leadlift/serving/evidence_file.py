"""The evidence of a model as text: scores and outcomes on which another cut-off can be set later.

It holds no id and nothing a lead said or did: the score, its log-odds, whether the lead was won, and when it
was scored.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv

from leadlift.learning.cutoff.evidence import Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS_FILE = "evidence.csv"
FACTS_FILE = "evidence.json"
MAX_ROWS = 200_000
"""More leads would narrow no interval that anybody acts on; of more, so many are drawn."""

_TYPES = {"score": pa.float64(), "log_odds": pa.float64(), "won": pa.int8(), "as_of": pa.string()}


def evidence_files(evidence: Evidence, *, max_rows: int = MAX_ROWS, random_state: int = 0) -> dict[str, str]:
    """Return evidence as the text of two files: a row a lead, and the facts about all of them.

    Numbers are written in the fewest digits that give back the same bits.

    Parameters
    ----------
    evidence : Evidence
    max_rows : int, default=200_000
        Of more leads so many are drawn, and the share of arrivals is lowered to match.
    random_state : int, default=0
        Seed of the draw.

    Returns
    -------
    dict of str to str
        ``evidence.csv`` (``score``, ``log_odds``, ``won`` 0 or 1, ``as_of`` where there is time) and
        ``evidence.json``, by name.
    """
    evidence = _drawn(evidence, max_rows, random_state)
    columns = {"score": evidence.score, "log_odds": evidence.log_odds, "won": evidence.won.astype(np.int8)}
    if evidence.as_of is not None:
        columns["as_of"] = _moment_texts(evidence.as_of)
    text = io.BytesIO()
    pyarrow.csv.write_csv(pa.table(columns), text, pyarrow.csv.WriteOptions(quoting_style="none"))
    facts = {
        "source": evidence.source,
        "share_of_arrivals": evidence.share_of_arrivals,
        "as_of_type": None if evidence.as_of is None else evidence.as_of.dtype.str,
    }
    return {
        ROWS_FILE: text.getvalue().decode(),
        FACTS_FILE: json.dumps(facts, indent=1, sort_keys=True) + "\n",
    }


def read_evidence(files: Mapping[str, str]) -> Evidence | None:
    """Read what :func:`evidence_files` wrote; None where the files are not there.

    Raises
    ------
    ValueError
        The files hold something else.
    """
    if ROWS_FILE not in files:
        return None
    facts = json.loads(files[FACTS_FILE])
    rows = pyarrow.csv.read_csv(
        io.BytesIO(files[ROWS_FILE].encode()),
        pyarrow.csv.ReadOptions(use_threads=False),
        convert_options=pyarrow.csv.ConvertOptions(column_types=_TYPES, null_values=[]),
    )
    score, log_odds, won = (rows[name].to_numpy() for name in ("score", "log_odds", "won"))
    if not ((score >= 0) & (score <= 1) & np.isin(won, (0, 1))).all():
        msg = f"{ROWS_FILE} holds scores outside [0, 1] or outcomes other than 0 and 1"
        raise ValueError(msg)
    moments = facts["as_of_type"]
    return Evidence(
        score=score,
        log_odds=log_odds,
        won=won > 0,
        as_of=None if moments is None else _moments(rows["as_of"], moments),
        source=str(facts["source"]),
        share_of_arrivals=float(facts["share_of_arrivals"]),
    )


def _drawn(evidence: Evidence, max_rows: int, random_state: int) -> Evidence:
    n = len(evidence.score)
    if n <= max_rows:
        return evidence
    rows = np.sort(np.random.default_rng(random_state).permutation(n)[:max_rows])
    return Evidence(
        score=evidence.score[rows],
        log_odds=evidence.log_odds[rows],
        won=evidence.won[rows],
        as_of=None if evidence.as_of is None else evidence.as_of[rows],
        source=evidence.source,
        share_of_arrivals=evidence.share_of_arrivals * max_rows / n,
    )


def _moment_texts(as_of: NDArray) -> NDArray[np.str_]:
    return np.datetime_as_string(as_of) if as_of.dtype.kind == "M" else as_of.astype(str)


def _moments(texts: pa.ChunkedArray, type_name: str) -> NDArray:
    moment_type = np.dtype(type_name)
    if moment_type.kind not in "Miuf":
        msg = f"{FACTS_FILE} says that moments are of type {type_name!r}, expected dates or numbers"
        raise ValueError(msg)
    return np.array(texts.to_pylist(), dtype=str).astype(moment_type)
