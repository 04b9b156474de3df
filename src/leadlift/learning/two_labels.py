"""Two labels of the same leads, learnt apart and published in order: became SQL, and won.

Whoever is won was accepted by sales, so "won" is counted as "became SQL" and ``P(won) <= P(SQL)`` holds for
every lead. Two models that were learnt apart need not keep to it. Published is::

    P(SQL) = max(what the model of SQL says, P(won))

P(won) stays as it is, since reasons add up to it and the SQL cut-off is promised on it; so where the two
contradict each other, P(SQL) gives way. The MQL cut-off is decided on published scores, so its promise holds
for them, raised or not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from leadlift.learning.cutoff import CutoffPolicy
    from leadlift.learning.scorer import LeadScorer


WON_MEANS_SQL = '"won" means "became SQL" here'


def published_score_sql(score_sql: ArrayLike, score_won: ArrayLike) -> NDArray[np.float64]:
    """Return the published P(SQL): never below P(won).

    Parameters
    ----------
    score_sql, score_won : array of float64, shape (n_rows,)
        Calibrated probabilities of becoming SQL, and of being won, within the same horizon.

    Returns
    -------
    ndarray of float64, shape (n_rows,)

    Examples
    --------
    >>> published_score_sql([0.4, 0.1], [0.2, 0.2]).tolist()
    [0.4, 0.2]
    """
    return np.maximum(score_sql, score_won)


def learn_second_label(
    scorer: LeadScorer,
    X: Any,
    became_sql: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    teaches: ArrayLike,
    as_of: ArrayLike | None = None,
    label_known_at: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    accounts: ArrayLike | None = None,
    contact_weight: ArrayLike | None = None,
) -> LeadScorer:
    """Learn which leads become SQL, on the inputs and slices that a fitted scorer was learnt on.

    Each row does for the second label what it did for the first: fit, calibrate, or decide the cut-off. So
    the rows on which the MQL cut-off is decided are new to both models.

    Parameters
    ----------
    scorer : LeadScorer
        Fitted on `X` and the label "won"; its parameters are used for the second label too.
    X : table or array of shape (n_rows, n_columns)
        What `scorer` was fitted on, row for row.
    became_sql : array of bool, shape (n_rows,)
        Whether the lead became SQL, or was won, within the horizon.
    sample_weight : array of shape (n_rows,), optional
    teaches : array of bool, shape (n_rows,)
        False for a lead that was SQL already at the moment of its row: it takes no part.
    as_of, label_known_at, groups, accounts, contact_weight : arrays of shape (n_rows,), optional
        As for :meth:`LeadScorer.fit`.

    Returns
    -------
    LeadScorer
        Gives the model's own P(SQL); its `evidence_` holds published ones. Its cut-off is a fixed threshold
        of 0.5 until :func:`choose_both_cutoffs` sets another.

    Raises
    ------
    InputError
        Among the rows that teach, none or all became SQL.
    """
    from sklearn.base import clone

    from leadlift.learning.encoding import rows_of

    kept = np.asarray(teaches, dtype=bool)

    def of(values: ArrayLike | None) -> NDArray | None:
        return None if values is None else np.asarray(values)[kept]

    return (
        clone(scorer)
        .set_params(cutoff=None, sql_cutoff=None)
        .fit(
            rows_of(X, np.flatnonzero(kept)),
            of(became_sql),
            of(sample_weight),
            as_of=of(as_of),
            label_known_at=of(label_known_at),
            groups=of(groups),
            accounts=of(accounts),
            contact_weight=of(contact_weight),
            plan=scorer.plan_.among(kept),
            least_score=of(_scores_of_deciding_rows(scorer)),
        )
    )


def _scores_of_deciding_rows(scorer: LeadScorer) -> NDArray[np.float64]:
    """P(won) of the rows on which cut-offs are decided, by learners not fitted on them; 0 for other rows."""
    rows, log_odds = scorer.plan_.decide, scorer.held_out_log_odds_
    score = np.zeros(len(log_odds))
    score[rows] = scorer.calibrator_.transform(log_odds[rows])
    return score


def choose_both_cutoffs(
    scorer: LeadScorer, second: LeadScorer, policy: CutoffPolicy, sql_policy: CutoffPolicy | None = None
) -> None:
    """Set the MQL cut-off on P(SQL) and the SQL cut-off on P(won).

    The two are probabilities of different events, so neither threshold has to be the higher one: a lead that
    reaches the SQL cut-off is SQL.

    Parameters
    ----------
    scorer, second : LeadScorer
        Of "won" and, from :func:`learn_second_label`, of "became SQL".
    policy : CutoffPolicy
        Decides ``second.cutoff_``, the MQL cut-off.
    sql_policy : CutoffPolicy, optional
        Decides ``scorer.sql_cutoff_``, which is then ``scorer.cutoff_`` too; None sets no SQL cut-off.

    Raises
    ------
    NoCutoffError
        No cut-off keeps the promise asked for.
    """
    choose_mql_cutoff(second, policy)
    if sql_policy is not None:
        scorer.choose_cutoff(sql_policy, sql_policy=sql_policy)


def choose_mql_cutoff(second: LeadScorer, policy: CutoffPolicy) -> None:
    """Set the MQL cut-off on P(SQL), with a promise that says what is promised of whom.

    Parameters
    ----------
    second : LeadScorer
        Of "became SQL", from :func:`learn_second_label`.
    policy : CutoffPolicy

    Raises
    ------
    NoCutoffError
        No cut-off keeps the promise asked for; the former one stays.
    """
    second.choose_cutoff(policy)
    second.cutoff_ = replace(second.cutoff_, promise=f"{second.cutoff_.promise}; {WON_MEANS_SQL}")
