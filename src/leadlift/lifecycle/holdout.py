"""Which leads are held back from learning, to be opened once, at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlift.learning.encoding import TableEncoder
from leadlift.learning.propensity import kept_by_weight
from leadlift.learning.splitting import content_order, grouped_folds, one_row_a_lead, slice_in_time
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.lifecycle.preparing import Problem

# A test set with fewer leads of either outcome measures nothing.
LEAST_TESTED = 10
FORWARD = "forward in time"
RANDOM = "random, time order unknown"


@dataclass(frozen=True)
class Holdout:
    """Rows to learn from and rows held back.

    Parameters
    ----------
    train, test : ndarray of int64
        Row numbers in the order of the rows' content, so that no sum over them depends on the order of the
        file. Of a lead with several moments, one drawn at random is tested; where not every lead was worked,
        the test rows are :func:`representative`.
    kind : str
        ``"forward in time"`` or ``"random, time order unknown"``.
    findings : tuple of Finding
        LL160 where the test set is random.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    kind: str
    findings: tuple[Finding, ...] = ()

    @property
    def is_forward(self) -> bool:
        """Whether every lead tested is later than those learnt from."""
        return self.kind == FORWARD


def hold_back(problem: Problem, *, test_share: float, random_state: int) -> Holdout:
    """Hold back the latest leads where time is known, else random ones; whole leads either way.

    Random ones are whole accounts where leads have them. In time an account may have leads on both sides, as
    it will when new leads of known accounts are scored.

    Parameters
    ----------
    problem : Problem
    test_share : float
        Share of the rows, in (0, 0.5].
    random_state : int
        Seed of a random test set.

    Returns
    -------
    Holdout
    """
    order = rows_by_content(problem)
    forward = _latest(problem, test_share)
    if forward is not None:
        train, test = [order[np.isin(order, part)] for part in forward]
        test = tested_rows(test, problem, random_state)
        if problem.observations.contact_weight is None or _enough(problem.y[test]):
            return Holdout(train, test, FORWARD)
    together = problem.groups if problem.accounts is None else problem.accounts
    groups = None if together is None else together[order]
    folds = grouped_folds(problem.y[order], round(1 / test_share), groups=groups, random_state=random_state)
    test = tested_rows(order[folds == 0], problem, random_state)
    return Holdout(order[folds != 0], test, RANDOM, (_time_unknown(problem),))


def rows_by_content(problem: Problem) -> NDArray[np.int64]:
    """Order the rows by what they contain; of equal rows the earlier one comes first.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    ndarray of int64, shape (n_rows,)
    """
    moments = np.zeros(len(problem.y)) if problem.as_of is None else problem.as_of
    rows = np.argsort(moments, kind="stable")
    matrix = TableEncoder().fit_transform(problem.inputs)
    return rows[content_order(matrix[rows], problem.y[rows])]


def tested_rows(rows: NDArray[np.int64], problem: Problem, random_state: int) -> NDArray[np.int64]:
    """Return which of some rows are tested: one a lead, or the intervals of the figures would be too narrow.

    Where not every lead was worked, they are :func:`representative`.

    Parameters
    ----------
    rows : ndarray of int64
        In the order of their content.
    problem : Problem
    random_state : int
        Seed of the draws.

    Returns
    -------
    ndarray of int64
    """
    if problem.groups is not None:
        rows = one_row_a_lead(rows, problem.groups, random_state=random_state)
    return representative(rows, problem, random_state)


def representative(rows: NDArray[np.int64], problem: Problem, random_state: int) -> NDArray[np.int64]:
    """Return a plain sample of the leads that some rows stand for, so that its figures need no weights.

    Parameters
    ----------
    rows : ndarray of int64
        In the order of their content.
    problem : Problem
    random_state : int

    Returns
    -------
    ndarray of int64
        All of `rows` where every lead was worked; else those that
        :func:`leadlift.learning.propensity.kept_by_weight` draws.
    """
    weight = problem.observations.contact_weight
    return rows if weight is None else rows[kept_by_weight(weight[rows], random_state)]


def _latest(problem: Problem, share: float) -> tuple[NDArray[np.int64], ...] | None:
    """Return the rows before and in the latest slice; None where time is unknown or a slice too poor."""
    if problem.as_of is None:
        return None
    parts = slice_in_time(
        problem.as_of, (1 - share, share), label_known_at=problem.label_known_at, groups=problem.groups
    ).parts
    return parts if all(_enough(problem.y[part]) for part in parts) else None


def _enough(y: NDArray) -> bool:
    won = int(y.sum())
    return min(won, len(y) - won) >= LEAST_TESTED


def _time_unknown(problem: Problem) -> Finding:
    why = (
        "the leads have no dates"
        if problem.as_of is None
        else f"the latest leads hold fewer than {LEAST_TESTED} won or lost"
    )
    return Finding(
        code="LL160",
        severity=Severity.WARNING,
        title="time order unknown",
        message=f"The model was tested on leads drawn at random, because {why}.",
        remedy="Expect worse on future leads; name a created_at column where there is one.",
    )
