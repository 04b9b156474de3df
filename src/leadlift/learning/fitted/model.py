"""The model of one label as it scores: vocabulary, blend and curve, on NumPy and Arrow alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from leadlift.learning.fitted.vocabulary import encode, unseen_in
from leadlift.learning.uncertainty import jackknife_error

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from leadlift.learning.fitted.blend import Blend
    from leadlift.learning.fitted.curves import Curve
    from leadlift.learning.fitted.explained import Explained
    from leadlift.learning.fitted.vocabulary import EncodedColumn
    from leadlift.learning.target_statistics import TargetStatistics


@dataclass(frozen=True, eq=False)
class FittedModel:
    """What was learnt of one label: a table to a matrix, a matrix to log-odds, log-odds to probabilities.

    Parameters
    ----------
    columns : tuple of EncodedColumn
        The inputs, in the order of the matrix.
    blend : Blend
    curve : Curve
    """

    columns: tuple[EncodedColumn, ...] = field(repr=False)
    blend: Blend
    curve: Curve

    @property
    def statistics(self) -> TargetStatistics:
        """What the trees split beside the columns; nothing where trees have no say."""
        return self.blend.statistics

    def using(self, engine: str) -> FittedModel:
        """Return the same model with another engine.

        Parameters
        ----------
        engine : {"auto", "fast", "plain"}
            As for :class:`leadlift.learning.fitted.forest.Forest`.
        """
        return replace(self, blend=self.blend.using(engine))

    def table_fault(self, matrix: NDArray[np.float64]) -> str:
        """Say what speaks against scoring by tables; empty where all is well.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n_rows, n_columns)
            Rows on which tables and LightGBM are compared.
        """
        return self.blend.table_fault(matrix)

    def encode(self, table: pa.Table) -> NDArray[np.float64]:
        """Return a table of inputs as a matrix; see :func:`leadlift.learning.fitted.vocabulary.encode`."""
        return encode(self.columns, table)

    def unseen_in(self, matrix: NDArray[np.float64]) -> dict[str, int]:
        """Count the cells whose level the model has never seen, by column; columns without any stay out."""
        return unseen_in(self.columns, matrix)

    def score(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score encoded rows.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n_rows, n_columns)
            From :meth:`encode`.

        Returns
        -------
        score : ndarray of float64, shape (n_rows,)
            Calibrated probability of the label.
        log_odds : ndarray of float64, shape (n_rows,)
            Uncalibrated.
        """
        log_odds = self.blend.log_odds(matrix)
        return self.curve.transform(log_odds), log_odds

    def score_with_uncertainty(
        self, matrix: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Score encoded rows and say how far each score may be off.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n_rows, n_columns)

        Returns
        -------
        score, log_odds : ndarray of float64, shape (n_rows,)
            As :meth:`score` gives them, bit for bit.
        uncertainty : ndarray of float64, shape (n_rows,)
            :func:`leadlift.learning.uncertainty.jackknife_error` of the score.
        """
        log_odds, members = self.blend.with_members(matrix)
        return (
            self.curve.transform(log_odds),
            log_odds,
            jackknife_error(self.curve.transform(members)),
        )

    def explain(self, matrix: NDArray[np.float64]) -> Explained:
        """Return the log-odds of encoded rows and the exact contributions they are the sum of.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n_rows, n_columns)

        Returns
        -------
        Explained
        """
        return self.blend.explain(matrix)
