"""Odoo's predictive lead scoring: naive Bayes on categorical fields with 0.1 added to every count.

Written from the description in Odoo's documentation and source (module crm, "Predictive Lead Scoring",
versions 13 to 19); no line is theirs. For value v of field f::

    score(won)  = n_won / n  * prod_f (won_fv + 0.1) / sum_v' (won_fv' + 0.1)
    score(lost) = n_lost / n * prod_f (lost_fv + 0.1) / sum_v' (lost_fv' + 0.1)
    probability = score(won) / (score(won) + score(lost)), between 0.0001 and 0.9999

An empty field and a value never seen are left out of the product. Teams and stages are not modelled: the
sets have none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import expit

ADDED = 0.1
LEAST = 1e-4


class OdooNaiveBayes:
    """Naive Bayes as Odoo scores leads.

    Numbers are left out, as Odoo offers fields with a list of values only (relations, selections, yes or no).

    Parameters
    ----------
    columns : sequence of str, optional
        Fields to use; None takes those that hold text or yes and no.

    Attributes
    ----------
    fields_ : tuple of str
    prior_log_odds_ : float
    log_odds_ : dict of str to pandas.Series
        For each field, what each value adds to the log-odds.
    """

    def __init__(self, columns: Sequence[str] | None = None) -> None:
        self.columns = columns

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> OdooNaiveBayes:
        """Count the values of won and of lost leads; `y` is 1 where won."""
        y = np.asarray(y)
        text = X.select_dtypes(exclude="number").columns
        self.fields_ = tuple(text if self.columns is None else self.columns)
        self.prior_log_odds_ = float(np.log(y.sum() / (len(y) - y.sum())))
        self.log_odds_ = {field: _log_odds_of_values(X[field], y) for field in self.fields_}
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return the probabilities of being lost and won, shape (n_rows, 2)."""
        total = np.full(len(X), self.prior_log_odds_)
        for field in self.fields_:
            total += X[field].map(self.log_odds_[field]).fillna(0.0).to_numpy(dtype=np.float64)
        won = np.clip(expit(total), LEAST, 1 - LEAST)
        return np.column_stack([1 - won, won])


def _log_odds_of_values(values: pd.Series, y: np.ndarray) -> pd.Series:
    """Log of each value's share among the won leads over that among the lost, empty cells apart."""
    won = pd.Series(y, index=values.index).groupby(values).agg(["sum", "size"])
    counts = {"won": won["sum"] + ADDED, "lost": won["size"] - won["sum"] + ADDED}
    return np.log(counts["won"] / counts["won"].sum()) - np.log(counts["lost"] / counts["lost"].sum())
