"""How much the past counts: the half-life and window of the learner's rows, chosen by looking forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from scipy.special import logit
from scipy.stats import norm
from sklearn.base import BaseEstimator, clone

from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.calibration import SigmoidCalibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.log_odds import LogOddsClassifier, log_loss_each
from leadlift.learning.rolling_origin import RollingOrigin
from leadlift.learning.splitting import as_moments, content_order
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Rows of either outcome that a fold needs on each side to say anything.
LEAST_OF_EITHER = 30
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class _Memory:
    """One way to count the past; ages are shares of the history's length."""

    half_life: float = np.inf
    window: float = np.inf

    def weights(self, age: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(age <= self.window, 0.5 ** (age / self.half_life), 0.0)


@dataclass(frozen=True)
class _Rows:
    """The rows of the comparison, one element a row."""

    X: NDArray[np.float64]
    y: NDArray
    weight: NDArray[np.float64]
    as_of: NDArray
    label_known_at: NDArray | None
    groups: NDArray | None

    def in_order_of_content(self) -> _Rows:
        """Return them in an order that does not depend on how they came."""
        moments = self.as_of.astype(np.int64 if self.as_of.dtype.kind == "M" else np.float64)
        order = content_order(self.X, self.y, self.weight, moments)
        parts = (self.X, self.y, self.weight, self.as_of, self.label_known_at, self.groups)
        return _Rows(*[None if part is None else part[order] for part in parts])

    def lead_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the lead of each of some rows."""
        return np.unique(rows if self.groups is None else self.groups[rows], return_inverse=True)[1]


EVERYTHING = _Memory()


class RecencyChoice(BaseEstimator):
    """Choose by forward validation how fast old rows lose weight, or from which age on they are left out.

    A row of age `a` weighs ``0.5 ** (a / half_life)``; with a window, rows older than it weigh nothing. Each
    candidate teaches a quick learner on what was known when a block began and is judged on the block. The log
    loss is taken after the log-odds of every candidate were calibrated on the block itself (intercept and
    slope): level and sharpness are the calibrator's task, which follows the latest leads anyway, and what is
    asked here is whether the old leads still tell good from bad.

    Keeping all history unweighted is left only for a candidate that does better over all blocks by more than
    chance allows (paired, one-sided, `confidence` shared among the candidates as by Bonferroni) and that no
    block contradicts (in none is it worse beyond chance). Otherwise the choice cannot be made, and everything
    counts alike.

    Source: forward validation as in Tashman 2000, doi:10.1016/S0169-2070(00)00065-0; sliding windows and
    gradual forgetting under drift, Gama et al. 2014, doi:10.1145/2523813.

    Parameters
    ----------
    half_lives : tuple of float, default=(0.05, 0.15, 0.4)
        Half-lives to try, as shares of the time from the first to the last row.
    windows : tuple of float, default=(0.15, 0.4)
        Windows to try, as shares of that time.
    n_splits : int, default=3
        Blocks in the later part of the history; at least 2.
    confidence : float, default=0.95
        In (0.5, 1).
    learner : LogOddsClassifier, optional
        None takes two early-stopped LightGBM members, which are quick.
    random_state : int, default=0

    Attributes
    ----------
    half_life_ : float
        In days where `as_of` holds dates, else in its own unit, such as rows; inf where old rows lose no
        weight.
    window_ : float
        Likewise; inf where no row is left out.
    unit_ : str
        ``"days"`` or ``"rows"``.
    decided_ : bool
        Whether a candidate beat keeping everything.
    reason_ : str
        Why, in words.
    table_ : pyarrow.Table
        A row a candidate and block: ``half_life``, ``window`` (float64, null for none), ``block`` (int64),
        ``n`` (int64, leads), ``log_loss``, ``gain`` over keeping everything and ``standard_error`` of the
        gain (float64).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, as_of = rng.normal(size=(600, 1)), np.arange(600)
    >>> y = rng.random(600) < 1 / (1 + np.exp(-X[:, 0]))
    >>> choice = RecencyChoice(half_lives=(0.2,), windows=()).fit(X, y, as_of=as_of)
    >>> choice.decided_, choice.weights(as_of).min()
    (False, np.float64(1.0))
    """

    def __init__(
        self,
        half_lives: tuple[float, ...] = (0.05, 0.15, 0.4),
        windows: tuple[float, ...] = (0.15, 0.4),
        n_splits: int = 3,
        confidence: float = 0.95,
        learner: LogOddsClassifier | None = None,
        random_state: int = 0,
    ) -> None:
        self.half_lives = half_lives
        self.windows = windows
        self.n_splits = n_splits
        self.confidence = confidence
        self.learner = learner
        self.random_state = random_state

    def fit(
        self,
        X: NDArray[np.float64],
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        as_of: ArrayLike,
        label_known_at: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> RecencyChoice:
        """Try every candidate forward in time and keep the one that clearly wins, if one does.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)
            Encoded; NaN is missing.
        y : array of shape (n_rows,)
            Labels 0 and 1.
        sample_weight : array of shape (n_rows,), optional
            Multiplied by the weight of the age.
        as_of : array of shape (n_rows,)
            Moment of each row: datetime64, or numbers in time order.
        label_known_at, groups : arrays of shape (n_rows,), optional
            As for :class:`LeadScorer`.

        Returns
        -------
        self

        Raises
        ------
        ConfigError
            A half-life or window is no share, or there are fewer than two blocks.
        """
        self._check()
        y, as_of = np.asarray(y), as_moments(as_of)
        rows = _Rows(
            np.asarray(X, dtype=np.float64),
            y,
            np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64),
            as_of,
            None if label_known_at is None else as_moments(label_known_at),
            None if groups is None else np.asarray(groups),
        ).in_order_of_content()
        self._clock(as_of)
        self._decide([self._losses(rows, seen, held) for seen, held in self._blocks(rows)])
        return self

    def weights(self, as_of: ArrayLike, now: object = None) -> NDArray[np.float64]:
        """Return the weight of rows by their age.

        Parameters
        ----------
        as_of : array of shape (n_rows,)
            On the clock of :meth:`fit`.
        now : moment, optional
            From when on ages count; the latest row where not given.

        Returns
        -------
        ndarray of float64, shape (n_rows,)
            In [0, 1]; all 1 where no choice could be made.
        """
        as_of = as_moments(as_of)
        return self.memory_.weights(self._age(as_of, as_of.max() if now is None else now))

    def fade(
        self,
        rows: NDArray[np.int64],
        X: NDArray[np.float64],
        y: NDArray,
        weight: NDArray[np.float64],
        as_of: NDArray,
        label_known_at: ArrayLike | None,
        groups: NDArray | None,
    ) -> NDArray[np.float64]:
        """Choose on some rows; return `weight` with theirs multiplied by the weight of their age.

        Parameters
        ----------
        rows : ndarray of int64
            Those that fit the learner.
        X, y, weight, as_of, label_known_at, groups
            Of all rows, as for :meth:`fit`.

        Returns
        -------
        ndarray of float64, shape (n_rows,)
        """
        known = None if label_known_at is None else as_moments(label_known_at)[rows]
        leads = None if groups is None else groups[rows]
        self.fit(X[rows], y[rows], weight[rows], as_of=as_of[rows], label_known_at=known, groups=leads)
        faded = weight.copy()
        faded[rows] *= self.weights(as_of[rows])
        return faded

    def finding(self) -> Finding:
        """Return the finding LL164, which says what was chosen or why nothing was."""
        return Finding(
            code="LL164",
            severity=Severity.INFO,
            title="how much the past counts",
            message=f"Forward validation of recency weighting: {self.reason_}.",
            remedy="" if self.decided_ else "All history was kept unweighted; nothing needs doing.",
        )

    def _check(self) -> None:
        for name, shares in (("half_lives", self.half_lives), ("windows", self.windows)):
            if not all(0 < share < 1 for share in shares):
                msg = f"{name} are shares of the history in (0, 1), got {shares}"
                raise ConfigError(msg)
        if self.n_splits < 2:
            msg = f"n_splits must be at least 2 for a choice to show itself twice, got {self.n_splits}"
            raise ConfigError(msg)

    def _clock(self, as_of: NDArray) -> None:
        self.unit_ = "days" if as_of.dtype.kind == "M" else "rows"
        span = as_of.max() - as_of.min()
        self.length_ = float(span / DAY) if self.unit_ == "days" else float(span)

    def _age(self, as_of: NDArray, now: object) -> NDArray[np.float64]:
        """Return ages as shares of the history's length; what is later than `now` has none."""
        elapsed = now - as_of
        units = elapsed / DAY if self.unit_ == "days" else elapsed
        return np.maximum(units / max(self.length_, 1e-9), 0.0)

    def _blocks(self, rows: _Rows) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Return the blocks, or none where the history is too short or too poor for all of them."""
        known, groups = rows.label_known_at, rows.groups
        origin = RollingOrigin(rows.as_of, self.n_splits, label_known_at=known, groups=groups)
        try:
            blocks = list(origin.split())
        except InputError:
            return []
        enough = all(_holds_both(rows.y[seen]) and _holds_both(rows.y[held]) for seen, held in blocks)
        return blocks if enough and len(blocks) == self.n_splits else []

    def _candidates(self) -> list[_Memory]:
        half_lives = [_Memory(half_life=share) for share in self.half_lives]
        return [EVERYTHING, *half_lives, *[_Memory(window=share) for share in self.windows]]

    def _losses(self, rows: _Rows, seen: NDArray[np.int64], held: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mean loss of each held-out lead under each candidate, shape (n_candidates, n_leads)."""
        age = self._age(rows.as_of[seen], rows.as_of[held].min())
        lead = rows.lead_of(held)
        losses = []
        for memory in self._candidates():
            log_odds = self._scored(rows, seen, memory.weights(age), held)
            score = SigmoidCalibrator().fit(log_odds, rows.y[held]).transform(log_odds)
            loss = log_loss_each(rows.y[held], logit(score))
            losses.append(np.bincount(lead, weights=loss) / np.bincount(lead))
        return np.array(losses)

    def _scored(
        self, rows: _Rows, seen: NDArray[np.int64], fading: NDArray[np.float64], held: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the log-odds of the block, all equal where too few rows are left to learn from."""
        taught, weight = seen[fading > 0], (fading * rows.weight[seen])[fading > 0]
        if not _holds_both(rows.y[taught]):
            return np.zeros(len(held))
        leads = None if rows.groups is None else rows.groups[taught]
        learner = self._learner().fit(rows.X[taught], rows.y[taught], weight, groups=leads)
        return learner.decision_function(rows.X[held])

    def _learner(self) -> LogOddsClassifier:
        if self.learner is not None:
            return clone(self.learner)
        return BaggedTrees(
            n_folds=2, learning_rate=0.1, max_statistics=0, n_jobs=1, random_state=self.random_state
        )

    def _decide(self, losses: list[NDArray[np.float64]]) -> None:
        """Keep the candidate that clearly wins over all blocks and that no block contradicts."""
        candidates = self._candidates()
        self.table_ = self._table(candidates, losses)
        self.memory_, self.decided_ = EVERYTHING, False
        self.half_life_ = self.window_ = np.inf
        if not losses:
            self.reason_ = (
                f"the history does not hold {self.n_splits} blocks with {LEAST_OF_EITHER} won and lost leads "
                "each, as many having taught before"
            )
            return
        gains = [loss[0] - loss for loss in losses]
        mean, error = _mean_and_error(np.concatenate(gains, axis=1))
        best = int(np.argmax(mean[1:])) + 1
        enough = float(norm.ppf(1 - (1 - self.confidence) / (len(candidates) - 1)) * error[best])
        of_blocks = [_mean_and_error(gain[best]) for gain in gains]
        against = sum(bool(gain < -norm.ppf(self.confidence) * noise) for gain, noise in of_blocks)
        if mean[best] > enough and not against:
            self._keep(candidates[best])
        self.reason_ = (
            f"{self._name(candidates[best])}, the best of {len(candidates) - 1} ways to forget, changed the "
            f"log loss of later leads by {-mean[best]:+.4f} (clear from {-enough:.4f} on), and {against} of "
            f"{len(gains)} blocks speak against it"
        )

    def _keep(self, memory: _Memory) -> None:
        self.memory_, self.decided_ = memory, True
        self.half_life_, self.window_ = memory.half_life * self.length_, memory.window * self.length_

    def _name(self, memory: _Memory) -> str:
        share = memory.half_life if np.isfinite(memory.half_life) else memory.window
        kind = "a half-life" if np.isfinite(memory.half_life) else "a window"
        return f"{kind} of {share * self.length_:,.0f} {self.unit_}"

    def _table(self, candidates: list[_Memory], losses: list[NDArray[np.float64]]) -> pa.Table:
        rows = [
            {
                "half_life": _finite(memory.half_life * self.length_),
                "window": _finite(memory.window * self.length_),
                "block": block,
                "n": loss.shape[1],
                "log_loss": float(loss[i].mean()),
                "gain": float((loss[0] - loss[i]).mean()),
                "standard_error": float((loss[0] - loss[i]).std() / np.sqrt(loss.shape[1])),
            }
            for block, loss in enumerate(losses, start=1)
            for i, memory in enumerate(candidates)
        ]
        return pa.Table.from_pylist(rows, schema=_TABLE)


_TABLE = pa.schema(
    [
        ("half_life", pa.float64()),
        ("window", pa.float64()),
        ("block", pa.int64()),
        ("n", pa.int64()),
        ("log_loss", pa.float64()),
        ("gain", pa.float64()),
        ("standard_error", pa.float64()),
    ]
)


# Name in leadlift.toml -> what chooses; None keeps all history unweighted.
RECENCIES = {"all": None, "choose": RecencyChoice}


def get_recency(name: str, *, random_state: int = 0) -> RecencyChoice | None:
    """Return what chooses how much the past counts, by its name in leadlift.toml; None for all history.

    Parameters
    ----------
    name : str
        ``"all"`` or ``"choose"``.
    random_state : int, default=0

    Returns
    -------
    RecencyChoice or None

    Raises
    ------
    ConfigError
        There is no such name.
    """
    if name not in RECENCIES:
        msg = f"recency must be one of {', '.join(RECENCIES)}, got {name!r}"
        raise ConfigError(msg)
    chooser = RECENCIES[name]
    return None if chooser is None else chooser(random_state=random_state)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _mean_and_error(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean along the last axis and its standard error."""
    return values.mean(axis=-1), values.std(axis=-1) / np.sqrt(values.shape[-1])


def _holds_both(y: NDArray) -> bool:
    won = int((y > 0).sum())
    return min(won, len(y) - won) >= LEAST_OF_EITHER
