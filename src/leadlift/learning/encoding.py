"""Columns to one float64 matrix, with a vocabulary frozen at fit.

Numbers pass through; categories become ordinal codes, ordered by how common they are, which trees split
as numbers. Missing is NaN; a level never seen, or too rare at fit to learn from, gets the code after the
last level (:mod:`leadlift.learning.fitted.vocabulary`). No label enters the codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted, validate_data

from leadlift.exceptions import SchemaError, shorten
from leadlift.learning.fitted.vocabulary import (
    EncodedColumn,
    encode,
    encode_column,
    is_number,
    is_text,
    unseen_in,
)
from leadlift.terms import Kind

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def is_table(X: object) -> bool:
    """Say whether `X` is a table of named columns: pandas, polars or Arrow."""
    return hasattr(X, "__arrow_c_stream__")


def as_inputs(X: Any) -> pa.Table | None:
    """View a table as Arrow; an array, which has no names, as none."""
    if not is_table(X):
        return None
    table = _as_arrow(X)
    # Arrow takes no rows of the text that polars hands over.
    plain = [
        field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(plain))


class TableEncoder(TransformerMixin, BaseEstimator):
    """Encode a table of numbers and categories as one float64 matrix.

    Parameters
    ----------
    min_support : int, default=5
        Levels of fewer leads at fit share the code of the unseen ones.

    Attributes
    ----------
    columns_ : tuple of EncodedColumn
        How each column is encoded, in the order of the matrix.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the input had names.

    Examples
    --------
    >>> import pandas as pd
    >>> encoder = TableEncoder(min_support=1).fit(pd.DataFrame({"source": ["ads", "fair", "ads"]}))
    >>> encoder.transform(pd.DataFrame({"source": ["fair", None, "radio"]})).ravel()
    array([ 1., nan,  2.])
    """

    def __init__(self, min_support: int = 5) -> None:
        self.min_support = min_support

    def fit(self, X: Any, y: ArrayLike | None = None, groups: ArrayLike | None = None) -> TableEncoder:
        """Learn the vocabulary.

        Parameters
        ----------
        X : table or array of shape (n_rows, n_columns)
            pandas, polars or Arrow table, or a numeric array.
        y : ignored
        groups : array of shape (n_rows,), optional
            Lead of each row, where leads have several; without it each row is its own.

        Returns
        -------
        self

        Raises
        ------
        SchemaError
            A column is neither numbers nor text, or holds infinite numbers.
        """
        if is_table(X):
            validate_data(self, X, skip_check_array=True)
            table = _as_arrow(X)
            lead = _lead_numbers(groups, table.num_rows)
            self.columns_ = tuple(self._learn(name, table[name], lead) for name in table.column_names)
            for column in self.columns_:
                encode_column(column, table[column.name])
        else:
            X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
            self.columns_ = tuple(EncodedColumn(f"x{j}", Kind.NUMERIC) for j in range(X.shape[1]))
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Encode a table with the vocabulary learnt.

        Parameters
        ----------
        X : table or array of shape (n_rows, n_columns)
            The same columns in the same order as at fit.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_columns)
            C-contiguous; NaN is missing.

        Raises
        ------
        SchemaError
            A column cannot be read as the kind it had at fit, or holds infinite numbers.
        """
        check_is_fitted(self)
        if not is_table(X):
            self._refuse_codes()
            return np.ascontiguousarray(
                validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
            )
        validate_data(self, X, reset=False, skip_check_array=True)
        return encode(self.columns_, _as_arrow(X))

    def count_unseen(self, X: Any) -> dict[str, int]:
        """Count the cells whose level was not in the vocabulary, by column; columns without any are left out.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)

        Returns
        -------
        dict of str to int
        """
        return self.unseen_in(self.transform(X))

    def unseen_in(self, matrix: NDArray[np.float64]) -> dict[str, int]:
        """Count as :meth:`count_unseen` does, in a matrix already encoded."""
        return unseen_in(self.columns_, matrix)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Return the names of the columns of the matrix."""
        check_is_fitted(self)
        return np.array([column.name for column in self.columns_], dtype=object)

    def _refuse_codes(self) -> None:
        """An array has no levels; codes made elsewhere would be taken for ours and score wrongly."""
        categorical = [column.name for column in self.columns_ if column.kind is Kind.CATEGORICAL]
        if categorical:
            msg = (
                f"{len(categorical)} columns were text at fit ({shorten(categorical)}), and an array came; "
                "give a table with the same columns"
            )
            raise SchemaError(msg)

    def _learn(self, name: str, values: pa.ChunkedArray, lead: pa.Array | None) -> EncodedColumn:
        if is_number(values.type):
            return EncodedColumn(name, Kind.NUMERIC)
        if not is_text(values.type):
            msg = (
                f"column {name!r} has type {values.type}; inputs are numbers or text: convert or leave it out"
            )
            raise SchemaError(msg)
        support = _leads_by_level(_as_text(values), lead)
        common = [(-count, level) for level, count in support.items() if count >= self.min_support]
        return EncodedColumn(name, Kind.CATEGORICAL, tuple(level for _, level in sorted(common)))

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _as_arrow(X: Any) -> pa.Table:
    """View a table as Arrow; an index of pandas is no column."""
    from leadlift.data.tables import table_from

    return table_from(X)


def _as_text(values: pa.ChunkedArray) -> pa.Array:
    """Decode to plain text in one chunk."""
    if pa.types.is_dictionary(values.type):
        # polars' categories are string views, which Arrow cannot decode before they are plain strings.
        values = pc.cast(values, pa.dictionary(values.type.index_type, pa.large_string()))
    return pc.cast(values, pa.large_string()).combine_chunks()


def _lead_numbers(groups: ArrayLike | None, n_rows: int) -> pa.Array | None:
    """Number the leads; None where each row is its own."""
    if groups is None:
        return None
    numbers = np.unique(np.asarray(groups), return_inverse=True)[1]
    return pa.array(numbers) if numbers.max(initial=-1) + 1 < n_rows else None


def _leads_by_level(values: pa.Array, lead: pa.Array | None) -> dict[str, int]:
    """Count the leads that ever had a level."""
    if lead is not None:
        table = pa.table({"level": values, "lead": lead})
        values = table.group_by(["level", "lead"]).aggregate([])["level"].combine_chunks()
    counts = pc.value_counts(values.drop_null())
    pairs = zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)
    return dict(pairs)


def rows_of(X: Any, rows: NDArray[np.int64]) -> Any:
    """Return some rows of a table or an array, as one of its kind."""
    return X.take(rows) if hasattr(X, "combine_chunks") else _safe_indexing(X, rows)
