"""Leads with a known score, for tests of what is distilled from one."""

import numpy as np
import pyarrow as pa

from leadlift.learning.calibration import NoCalibrator
from leadlift.learning.cutoff import Evidence, FixedThreshold
from leadlift.learning.encoding import TableEncoder


def some_inputs(n, seed=0):
    rng = np.random.default_rng(seed)
    visits = rng.poisson(3, n).astype(float)
    visits[rng.random(n) < 0.1] = np.nan
    return pa.table(
        {
            "source": rng.choice(["ads", "fair", "web", "mail"], n),
            "visits": pa.array(visits, from_pandas=True),
            "size": rng.normal(size=n),
            "noise": rng.normal(size=n),
        }
    )


def true_log_odds(table):
    source, visits = table["source"].to_numpy(), table["visits"].to_numpy()
    of_source = np.select([source == "fair", source == "mail"], [2.0, -1.0], 0.0)
    return of_source + 0.6 * np.nan_to_num(visits, nan=1.0) - 2 + 0.5 * table["size"].to_numpy()


class LoneScorer:
    """Looks like a fitted scorer, but its log-odds are a function of the inputs that the test knows."""

    def __init__(self, log_odds, cutoff=0.5, sql_cutoff=None, monotone=None):
        self.log_odds, self.cutoff, self.sql_cutoff, self.monotone = log_odds, cutoff, sql_cutoff, monotone

    def fit(self, X):
        self.encoder_ = TableEncoder().fit(X)
        self.classes_ = np.array([0, 1])
        evidence = Evidence(np.array([0.2, 0.8]), np.zeros(2), np.array([False, True]))
        self.cutoff_ = FixedThreshold(self.cutoff).choose(evidence)
        self.sql_cutoff_ = (
            None if self.sql_cutoff is None else FixedThreshold(self.sql_cutoff).choose(evidence)
        )
        return self

    def score_matrix(self, matrix):
        z = self.log_odds(self._decoded(matrix))
        return NoCalibrator().fit([-1, 1], [0, 1]).transform(z), z

    def predict_proba(self, X):
        score, _ = self.score_matrix(self.encoder_.transform(X))
        return np.column_stack([1 - score, score])

    def _decoded(self, matrix):
        """The inputs again; a level that was never seen is 'unseen'."""
        columns = {}
        for x, column in zip(matrix.T, self.encoder_.columns_, strict=True):
            if column.levels:
                levels = np.array([*column.levels, "unseen"], dtype=object)
                text = levels[np.nan_to_num(x, nan=len(column.levels)).astype(int)]
                columns[column.name] = pa.array(text, pa.string())
            else:
                columns[column.name] = x
        return pa.table(columns)
