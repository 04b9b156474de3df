"""Two models on the same leads: what chance does to the difference between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Resampler:
    """Draws leads with replacement, whole clusters at a time, the same ones for every figure.

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 8 and 13; clusters as in
    Davison and Hinkley 1997, "Bootstrap Methods and their Application", section 3.8.

    Parameters
    ----------
    cluster : ndarray of int64, shape (n_rows,)
        From 0, each row's place among the clusters.
    n_resamples : int
    random_state : int
    """

    cluster: NDArray[np.int64]
    n_resamples: int
    random_state: int

    @classmethod
    def of(
        cls, content: NDArray, groups: ArrayLike | None, *, n_resamples: int, random_state: int
    ) -> Resampler:
        """Number the clusters by what the rows hold or by name, so that the order of rows does not matter.

        Parameters
        ----------
        content : ndarray of float64, shape (n_columns, n_rows)
            Tells rows apart where there are no groups; rows alike in it are interchangeable.
        groups : array of shape (n_rows,) or None
            Lead or account of each row; None where every row is a draw of its own.
        n_resamples, random_state : int
        """
        if groups is None:
            cluster = np.empty(content.shape[1], dtype=np.int64)
            cluster[np.lexsort(content)] = np.arange(content.shape[1])
        else:
            cluster = np.unique(np.asarray(groups), return_inverse=True)[1]
        return cls(cluster, n_resamples, random_state)

    def values(self, figures: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the figures of each resample.

        Parameters
        ----------
        figures : callable
            From how often each row was drawn, float64 of shape (n_rows,), to figures of shape (n_figures,).

        Returns
        -------
        ndarray of float64, shape (n_resamples, n_figures)
        """
        rng = np.random.default_rng(self.random_state)
        n = int(self.cluster.max()) + 1
        draws = (
            np.bincount(rng.integers(n, size=n), minlength=n).astype(np.float64)
            for _ in range(self.n_resamples)
        )
        return np.array([figures(drawn[self.cluster]) for drawn in draws])
