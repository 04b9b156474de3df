"""Which learner a scorer takes, and what it is told of the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sklearn.base import clone

from leadlift.exceptions import ConfigError, shorten
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.cold_start import ColdStartLearner, is_cold
from leadlift.learning.monotone import monotone_columns
from leadlift.learning.segment_models import SegmentedLearner
from leadlift.terms import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.encoding import EncodedColumn
    from leadlift.learning.log_odds import LogOddsClassifier


def default_learner(
    y: NDArray, groups: NDArray | None, *, segmented: bool, random_state: int
) -> LogOddsClassifier:
    """Return the learner for so many known outcomes, not fitted.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Labels 0 and 1 of the rows that will be learnt from.
    groups : ndarray of shape (n_rows,) or None
        Lead of each row.
    segmented : bool
        Whether segments may have models of their own.
    random_state : int

    Returns
    -------
    LogOddsClassifier
    """
    if is_cold(y, groups):
        return ColdStartLearner(random_state=random_state)
    return (SegmentedLearner if segmented else BlendedLearner)(random_state=random_state)


def informed(
    learner: LogOddsClassifier,
    columns: Sequence[EncodedColumn],
    *,
    monotone: Mapping[str, str] | None = None,
    segment: str | None = None,
) -> LogOddsClassifier:
    """Return a clone of a learner that knows the columns by their place in the matrix.

    Parameters
    ----------
    learner : LogOddsClassifier
        With parameters `monotone` and `segment` where those are asked for; one without `segment` learns one
        model of all.
    columns : sequence of EncodedColumn
        Columns of the matrix.
    monotone : mapping of str to {"up", "down"}, optional
    segment : str, optional

    Returns
    -------
    LogOddsClassifier
        Not fitted.

    Raises
    ------
    ConfigError
        `monotone` or `segment` names a column that is not there or of the wrong kind.
    """
    learner = clone(learner)
    if monotone:
        learner.set_params(monotone=monotone_columns(monotone, columns))
    if segment is not None:
        place = segment_column(segment, columns)
        if isinstance(learner, SegmentedLearner):
            learner.set_params(segment=place)
    return learner


def segment_column(name: str, columns: Sequence[EncodedColumn]) -> int:
    """Return the place of the segment's column in the matrix.

    Parameters
    ----------
    name : str
    columns : sequence of EncodedColumn

    Returns
    -------
    int

    Raises
    ------
    ConfigError
        There is no categorical input of that name.

    Examples
    --------
    >>> from leadlift.learning.encoding import EncodedColumn
    >>> segment_column("region", [EncodedColumn("region", Kind.CATEGORICAL, ("north", "south"))])
    0
    """
    places = {column.name: j for j, column in enumerate(columns) if column.kind is Kind.CATEGORICAL}
    if name not in places:
        msg = f"segment names {name!r}, which is no categorical input; those are {shorten(places)}"
        raise ConfigError(msg)
    return places[name]
