"""Boosters by LightGBM's own shared library, without its Python package.

Importing the package costs seconds, because it imports scikit-learn and pandas where they are installed; the
library beside it needs neither. What is called here is its public C API, ``LightGBM/c_api.h``.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
import weakref
from pathlib import Path

import numpy as np

from leadlift.exceptions import InputError, LeadliftError, MissingDependencyError

_FILE_NAMES = {"win32": "lib_lightgbm.dll", "darwin": "lib_lightgbm.dylib"}
_FOLDERS = ("lib", "bin", ".")

# Constants of c_api.h.
_FLOAT64 = 1
_ROW_MAJOR = 1
_RAW_SCORE = 1
_CONTRIBUTIONS = 3
# OpenMP's threads wait for each other on a busy machine; whoever has several cores scores several batches.
_PARAMETERS = b"num_threads=1"


class NativeBooster:
    """A booster that predicts; several threads may ask it at a time.

    Parameters
    ----------
    model_text : str
        LightGBM's text format; no code in it is executed.

    Raises
    ------
    MissingDependencyError
        LightGBM is not installed.
    InputError
        LightGBM cannot read the text.

    Examples
    --------
    >>> text = '''tree
    ... version=v4
    ... num_class=1
    ... num_tree_per_iteration=1
    ... label_index=0
    ... max_feature_idx=0
    ... objective=binary sigmoid:1
    ... feature_names=visits
    ... feature_infos=[0:9]
    ... tree_sizes=
    ...
    ... end of trees
    ... '''
    >>> booster = NativeBooster(text)
    >>> booster.n_features, booster.n_trees, booster.raw(np.zeros((2, 1)))
    (1, 0, array([0., 0.]))
    """

    def __init__(self, model_text: str) -> None:
        library = _library()
        handle, n_trees, n_features = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int()
        text = model_text.encode()
        if library.LGBM_BoosterLoadModelFromString(text, ctypes.byref(n_trees), ctypes.byref(handle)):
            msg = (
                f"expected a LightGBM model text, but LightGBM says: {_last_error(library)}; pass "
                "Booster.model_to_string()"
            )
            raise InputError(msg)
        self._handle = handle
        weakref.finalize(self, library.LGBM_BoosterFree, handle)
        _check(library, library.LGBM_BoosterGetNumFeature(handle, ctypes.byref(n_features)))
        self.n_trees = n_trees.value
        self.n_features = n_features.value

    def raw(self, X: np.ndarray, first_tree: int = 0, n_trees: int = -1) -> np.ndarray:
        """Return the raw score of each row.

        Parameters
        ----------
        X : ndarray of float64, shape (n, n_features)
            NaN for missing.
        first_tree, n_trees : int
            Which trees to add up, of a model of one tree an iteration; -1 takes all that follow.

        Returns
        -------
        ndarray of float64, shape (n,)
            What ``Booster.predict(X, raw_score=True)`` gives, bit for bit.

        Raises
        ------
        InputError
            `X` is not a matrix of ``n_features`` columns.
        """
        return self._predict(X, _RAW_SCORE, 1, first_tree, n_trees)[:, 0]

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Return the exact path-dependent SHAP values of each row, and the expected raw score behind them.

        Parameters
        ----------
        X : ndarray of float64, shape (n, n_features)
            NaN for missing.

        Returns
        -------
        ndarray of float64, shape (n, n_features + 1)
            What ``Booster.predict(X, pred_contrib=True)`` gives, bit for bit.

        Raises
        ------
        InputError
            `X` is not a matrix of ``n_features`` columns.
        """
        return self._predict(X, _CONTRIBUTIONS, self.n_features + 1, 0, -1)

    def _predict(self, X: np.ndarray, kind: int, n_values: int, first_tree: int, n_trees: int) -> np.ndarray:
        if X.ndim != 2 or X.shape[1] != self.n_features:
            msg = f"expected a matrix of {self.n_features} columns, but got shape {X.shape}"
            raise InputError(msg)
        X = np.ascontiguousarray(X, dtype=np.float64)
        values, n_written = np.zeros((len(X), n_values)), ctypes.c_int64()
        if not len(X):
            return values
        library = _library()
        status = library.LGBM_BoosterPredictForMat(
            self._handle,
            X.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int(_FLOAT64),
            ctypes.c_int32(X.shape[0]),
            ctypes.c_int32(X.shape[1]),
            ctypes.c_int(_ROW_MAJOR),
            ctypes.c_int(kind),
            ctypes.c_int(first_tree),
            ctypes.c_int(n_trees),
            ctypes.c_char_p(_PARAMETERS),
            ctypes.byref(n_written),
            values.ctypes.data_as(ctypes.c_void_p),
        )
        _check(library, status)
        if n_written.value != values.size:
            msg = f"expected {values.size} numbers of LightGBM, but it wrote {n_written.value}; report this"
            raise LeadliftError(msg)
        return values


def _check(library: ctypes.CDLL, status: int) -> None:
    """Raise what LightGBM says went wrong."""
    if status:
        msg = f"LightGBM failed: {_last_error(library)}"
        raise LeadliftError(msg)


def _last_error(library: ctypes.CDLL) -> str:
    return library.LGBM_GetLastError().decode(errors="replace")


@functools.cache
def _library() -> ctypes.CDLL:
    """Load the shared library of the installed package, without importing the package."""
    spec = importlib.util.find_spec("lightgbm")
    folders = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    name = _FILE_NAMES.get(sys.platform, "lib_lightgbm.so")
    paths = [package / folder / name for package in folders for folder in _FOLDERS]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        msg = f"expected LightGBM's library {name} beside its Python package; run: pip install lightgbm"
        raise MissingDependencyError(msg)
    library = ctypes.CDLL(str(found))
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    return library
