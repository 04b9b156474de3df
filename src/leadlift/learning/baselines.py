"""What people would use otherwise, on the same rows: the yardstick printed beside every model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.learning.candidates import default_lightgbm
from leadlift.terms import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.encoding import TableEncoder

# More rows cost minutes and move no baseline visibly.
MAX_ROWS = 200_000


def baseline_scores(
    encoder: TableEncoder,
    matrix: NDArray[np.float64],
    y: NDArray,
    new: NDArray[np.float64],
    *,
    random_state: int = 0,
) -> dict[str, NDArray[np.float64]]:
    """Fit three baselines and score new rows.

    The base rate gives everyone the same probability. Logistic regression sees one-hot categories and
    standardised numbers, missing ones set to the median. LightGBM runs with its defaults and native
    categories. At most 200,000 rows, drawn by seed, are used.

    Parameters
    ----------
    encoder : TableEncoder
        Fitted; says which columns are categories.
    matrix : ndarray of float64, shape (n_rows, n_columns)
        All rows before the test set.
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    new : ndarray of float64, shape (n_new, n_columns)
        Rows to score.
    random_state : int, default=0

    Returns
    -------
    dict of str to ndarray of float64, shape (n_new,)
        Probabilities under ``"base rate"``, ``"logistic regression"`` and ``"default LightGBM"``.
    """
    if len(y) > MAX_ROWS:
        rows = np.sort(np.random.default_rng(random_state).choice(len(y), MAX_ROWS, replace=False))
        matrix, y = matrix[rows], y[rows]
    categorical = [j for j, column in enumerate(encoder.columns_) if column.kind is Kind.CATEGORICAL]
    logistic = _logistic_regression(categorical, matrix.shape[1]).fit(matrix, y)
    return {
        "base rate": np.full(len(new), y.mean()),
        "logistic regression": logistic.predict_proba(new)[:, 1],
        "default LightGBM": default_lightgbm(matrix, y, categorical)(new),
    }


def _logistic_regression(categorical: list[int], n_columns: int) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numeric = [j for j in range(n_columns) if j not in categorical]
    columns = ColumnTransformer(
        [
            ("levels", OneHotEncoder(handle_unknown="ignore"), categorical),
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
        ]
    )
    return make_pipeline(columns, LogisticRegression(max_iter=2000))
