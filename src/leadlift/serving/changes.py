"""Which leads are worth telling a CRM about: those whose stage or grade is another one than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.exceptions import ConfigError, shorten
from leadlift.serving.previous import RANKED_GRADES, RANKED_STAGES, PreviousStages, Standing
from leadlift.terms import GRADE, STAGE, STATUS, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANGED_BY = {STAGE: RANKED_STAGES, GRADE: RANKED_GRADES}
"""Columns by which a change is told, and their values."""


def require_comparable(by: str, previous: PreviousStages | None) -> None:
    """Refuse to look for changes where nothing can be compared.

    Parameters
    ----------
    by : str
        ``"stage"`` or ``"grade"``.
    previous : PreviousStages or None
        None where no earlier scoring is given.

    Raises
    ------
    ConfigError
        `by` is another word, there is no earlier scoring, or it has leads and none of them a grade.
    """
    if by not in CHANGED_BY:
        msg = f"changed_only: expected {' or '.join(CHANGED_BY)}, got {shorten([by])}"
        raise ConfigError(msg)
    if previous is None:
        msg = "changed_only needs previous, the scoring that this one is compared with"
        raise ConfigError(msg)
    if by == GRADE and len(previous) and not previous.has_grades:
        msg = (
            "changed_only by grade: the previous scoring has no grades, so every lead would look new. "
            "Compare by stage, or score once without changed_only"
        )
        raise ConfigError(msg)


def changed(scored: pa.Table, standing: Standing, by: str) -> NDArray[np.bool_]:
    """Say which rows are new or differ from the scoring before.

    Parameters
    ----------
    scored : pyarrow.Table
        Columns ``status`` and `by` of a scored table, texts plain or dictionary-encoded.
    standing : Standing
        Where the leads of the same rows stood before.
    by : str
        ``"stage"`` or ``"grade"``.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        False of rows that were not scored: they have no stage to compare. Leads that were scored before and
        are missing now have no row, and are not told of.

    Examples
    --------
    >>> from dataclasses import replace
    >>> stages, status = ["MQL", "SQL", "none", None], ["scored", "scored", "scored", "invalid_value"]
    >>> scored = pa.table({"stage": stages, "status": status})
    >>> standing = replace(Standing.unknown(4), rank=np.array([1, 1, -1, 2]))
    >>> changed(scored, standing, "stage").tolist()
    [False, True, True, False]
    """
    values = pc.cast(scored[by], pa.string())
    place = pc.index_in(values, value_set=pa.array(CHANGED_BY[by]))
    before = standing.rank if by == STAGE else standing.grade
    is_scored = pc.equal(pc.cast(scored[STATUS], pa.string()), Status.SCORED.value).to_numpy()
    # What was not known before has place -1, which no stage or grade has now.
    return is_scored & (pc.fill_null(place, -1).to_numpy() != before)
