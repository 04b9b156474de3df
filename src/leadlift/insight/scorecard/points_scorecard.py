"""PointsScorecard: a fitted scorer distilled to points that can be typed into a marketing tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from leadlift.data.tables import require_columns
from leadlift.exceptions import ConfigError
from leadlift.insight.scorecard.attributes import attribute_of, condition_text
from leadlift.insight.scorecard.binning import BinLimits, ColumnBins, merge_equal
from leadlift.insight.scorecard.cutoffs import best_cutoff, stage_decisions
from leadlift.insight.scorecard.distilling import distil, target_of
from leadlift.insight.scorecard.loss import measured_loss
from leadlift.insight.scorecard.rounding import whole_points
from leadlift.learning.calibration import SigmoidCalibrator
from leadlift.learning.encoding import TableEncoder, as_inputs, is_table, rows_of
from leadlift.learning.monotone import monotone_columns
from leadlift.learning.splitting import content_order
from leadlift.terms import FeatureSpec, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from leadlift.insight.scorecard.distilling import Term
    from leadlift.learning.encoding import EncodedColumn
    from leadlift.learning.scorer import LeadScorer

# More rows do not move the cuts of a few bins.
ENOUGH_ROWS = 20_000
# A bin never needs more than one in so many rows.
LARGEST_SHARE_OF_A_BIN = 20


class PointsScorecard(BaseEstimator):
    """A fitted scorer as a points table: points by attribute and value that add up to 0 to 100.

    The card learns from the scorer, not from outcomes: what it comes near to are the scorer's log-odds
    (:mod:`leadlift.insight.scorecard.distilling`), cut into bins by regression trees
    (:mod:`leadlift.insight.scorecard.binning`) and rounded to whole points
    (:mod:`leadlift.insight.scorecard.rounding`). What is lost is measured by :meth:`measure` on leads that
    neither has seen. A card is a sum, so what the scorer knows of columns taken together is lost.

    Parameters
    ----------
    max_attributes : int, default=15
        Most columns on the card.
    points : int, default=100
        Points of the best lead there can be; the worst has 0.
    max_bins : int, default=12
        Most bins of known values of a column.
    min_leads : int, default=50
        Leads in each bin, or a twentieth of all where that is fewer.
    max_levels : int, default=30
        Levels of a category that are named; the others share a bin.
    monotone : mapping of str to {"up", "down"}, optional
        By numeric column: more of it never takes points away ("up"), or never adds any ("down"). None takes
        what the scorer was told.
    derived : bool, default=False
        Whether statistics that nobody can look up, such as a decayed count, may be on the card. They are told
        by the specs given to :meth:`fit`.
    random_state : int, default=0
        Draws the rows that are looked at where there are more than 20,000.

    Attributes
    ----------
    attributes_ : tuple of Attribute
        Those that can give most points first; none where the scorer tells no leads apart.
    cutoffs_ : dict of str to int
        By stage, ``"MQL"`` and where there is one ``"SQL"``: the points from which a lead qualifies; one
        more than `points` where no lead does.
    slope_, intercept_ : float
        ``1 / (1 + exp(-(slope * points + intercept)))`` is the probability of a win.
    loss_ : pyarrow.Table or None
        From :meth:`measure`; None before.

    Examples
    --------
    >>> from leadlift.learning.scorer import LeadScorer
    >>> rng = np.random.default_rng(0)
    >>> X = pa.table({"visits": rng.poisson(3, 800), "source": rng.choice(["ads", "fair"], 800)})
    >>> won = rng.random(800) < np.where(X["source"].to_numpy() == "fair", 0.6, 0.2)
    >>> scorer = LeadScorer().fit(X, won)
    >>> card = PointsScorecard(max_attributes=1).fit(X, scorer)
    >>> card.to_table().select(["attribute", "condition", "points"]).slice(0, 2).to_pylist()[0]["attribute"]
    'source'
    >>> sorted(set(card.predict_points(X).tolist()))
    [0, 100]
    """

    def __init__(
        self,
        max_attributes: int = 15,
        points: int = 100,
        max_bins: int = 12,
        min_leads: int = 50,
        max_levels: int = 30,
        monotone: Mapping[str, str] | None = None,
        derived: bool = False,
        random_state: int = 0,
    ) -> None:
        self.max_attributes = max_attributes
        self.points = points
        self.max_bins = max_bins
        self.min_leads = min_leads
        self.max_levels = max_levels
        self.monotone = monotone
        self.derived = derived
        self.random_state = random_state

    def fit(self, X: Any, scorer: LeadScorer, *, specs: Sequence[FeatureSpec] = ()) -> PointsScorecard:
        """Distil a scorer.

        Parameters
        ----------
        X : table or array of shape (n_rows, n_columns)
            Leads as the scorer was fitted on; their outcomes are not needed. Empty text counts as missing.
        scorer : LeadScorer
            Fitted.
        specs : sequence of FeatureSpec, optional
            What the columns mean; without them a column is known by its name.

        Returns
        -------
        self

        Raises
        ------
        ConfigError
            A parameter is below what makes a card, or `monotone` names a column that is no numeric input.
        """
        self._check_parameters()
        X = self._sample(X, scorer)
        score, log_odds = scorer.score_matrix(scorer.encoder_.transform(X))
        matrix = scorer.encoder_.transform(_blanks_as_missing(X))
        columns, by_name = scorer.encoder_.columns_, {spec.name: spec for spec in specs}
        target = target_of(log_odds)
        terms = distil(
            matrix,
            self._candidates(matrix, columns, by_name),
            target,
            limits=BinLimits(self.max_bins, self._least_leads(len(matrix)), self.max_levels),
            max_attributes=self.max_attributes,
            directions=monotone_columns(self._directions(scorer), columns),
        )
        self._keep(terms, whole_points(terms, target, self.points))
        self._describe(matrix, by_name)
        self._whole_encoder = scorer.encoder_
        total = self._points_of(matrix[:, self._places])
        self._calibrate(total, score)
        decisions = stage_decisions(scorer, X, score, log_odds)
        self.cutoffs_ = {stage: best_cutoff(total, said, self.points) for stage, said in decisions.items()}
        self.loss_ = None
        return self

    def predict_points(self, X: Any) -> NDArray[np.int64]:
        """Return the points of each lead, shape (n_rows,).

        Parameters
        ----------
        X : table or array of shape (n_rows, n_columns)
            A table needs the columns on the card only, in any order; an array has all, as at fit.

        Raises
        ------
        SchemaError
            A column on the card is not there, or is not of the kind it had at fit.
        """
        check_is_fitted(self)
        if is_table(X):
            table, names = _blanks_as_missing(X), [column.name for column in self._encoder.columns_]
            require_columns(names, table.column_names, "the leads")
            table = table.select(names)
            return self._points_of(self._encoder.transform(table)) if names else np.zeros(len(table), int)
        return self._points_of(self._whole_encoder.transform(X)[:, self._places])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities of lost and won, shape (n_rows, 2); they depend on the points alone."""
        score = self._probability(self.predict_points(X))
        return np.column_stack([1 - score, score])

    def measure(self, X: Any, y: ArrayLike, scorer: LeadScorer, *, confidence: float = 0.95) -> pa.Table:
        """Measure what is lost on leads that neither scorer nor card has seen, and keep it in `loss_`.

        Parameters
        ----------
        X : table or array of shape (n_rows, n_columns)
        y : array of shape (n_rows,)
            Their outcomes, both present.
        scorer : LeadScorer
        confidence : float, default=0.95

        Returns
        -------
        pyarrow.Table
            As :func:`leadlift.insight.scorecard.loss.measured_loss` returns it.

        Raises
        ------
        InputError
            Only one outcome is present.
        """
        total = self.predict_points(X)
        score, log_odds = scorer.score_matrix(scorer.encoder_.transform(X))
        self.loss_ = measured_loss(
            np.asarray(y) == scorer.classes_[1],
            score,
            total,
            self._probability(total),
            stage_decisions(scorer, X, score, log_odds),
            self.cutoffs_,
            confidence=confidence,
        )
        return self.loss_

    def to_table(self) -> pa.Table:
        """Return the card, a row a rule.

        Returns
        -------
        pyarrow.Table
            ``attribute`` (its column), ``label``, ``condition`` (string), ``points`` (int64) and ``share``
            (float64; of the leads at fit), attributes that can give most points first.
        """
        check_is_fitted(self)
        pairs = [(attribute, rule) for attribute in self.attributes_ for rule in attribute.rules]
        conditions = [condition_text(rule, whole=attribute.whole) for attribute, rule in pairs]
        return pa.table(
            {
                "attribute": pa.array([attribute.name for attribute, _ in pairs], pa.string()),
                "label": pa.array([attribute.label for attribute, _ in pairs], pa.string()),
                "condition": pa.array(conditions, pa.string()),
                "points": pa.array([rule.points for _, rule in pairs], pa.int64()),
                "share": pa.array([rule.share for _, rule in pairs], pa.float64()),
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """Return :meth:`to_table` as a pandas frame."""
        return self.to_table().to_pandas()

    def _check_parameters(self) -> None:
        least = {"max_attributes": 1, "points": 1, "max_bins": 2, "min_leads": 1, "max_levels": 1}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                msg = f"{name} must be at least {bound}, got {getattr(self, name)}"
                raise ConfigError(msg)

    def _least_leads(self, n_rows: int) -> int:
        return max(1, min(self.min_leads, n_rows // LARGEST_SHARE_OF_A_BIN))

    def _sample(self, X: Any, scorer: LeadScorer) -> Any:
        """Draw the rows to look at, whatever order they came in."""
        order = content_order(scorer.encoder_.transform(X))
        if len(order) > ENOUGH_ROWS:
            order = order[np.random.default_rng(self.random_state).permutation(len(order))[:ENOUGH_ROWS]]
        return rows_of(X, order)

    def _directions(self, scorer: LeadScorer) -> Mapping[str, str]:
        return (scorer.monotone if self.monotone is None else self.monotone) or {}

    def _candidates(
        self,
        matrix: NDArray[np.float64],
        columns: Sequence[EncodedColumn],
        specs: Mapping[str, FeatureSpec],
    ) -> dict[int, EncodedColumn]:
        """Columns that may be on the card, by their place in the matrix."""
        return {
            j: column
            for j, column in enumerate(columns)
            if self.derived or not _is_derived(specs.get(column.name), matrix[:, j])
        }

    def _keep(self, terms: Sequence[Term], points: Sequence[NDArray[np.int64]]) -> None:
        """Keep the columns that give points, those that can give most first."""
        kept = [(term, part) for term, part in zip(terms, points, strict=True) if part.any()]
        kept.sort(key=lambda pair: (-pair[1].max(), pair[0].place))
        merged = [merge_equal(term.bins, part) for term, part in kept]
        self._places = [term.place for term, _ in kept]
        self._bins = [bins for bins, _ in merged]
        self._points = [part for _, part in merged]
        self._encoder = _encoder_of([bins.column for bins in self._bins])

    def _describe(self, matrix: NDArray[np.float64], specs: Mapping[str, FeatureSpec]) -> None:
        """Write the card, with the share of the leads that each rule fits."""
        parts = zip(self._places, self._bins, self._points, strict=True)
        self.attributes_ = tuple(
            attribute_of(bins, points, _shares(bins, matrix[:, place]), specs.get(bins.column.name))
            for place, bins, points in parts
        )

    def _points_of(self, matrix: NDArray[np.float64]) -> NDArray[np.int64]:
        total = np.zeros(len(matrix), dtype=np.int64)
        for x, bins, points in zip(matrix.T, self._bins, self._points, strict=True):
            total += points[bins.place(x)]
        return total

    def _calibrate(self, total: NDArray[np.int64], score: NDArray[np.float64]) -> None:
        """Fit probabilities to points on the scorer's own: a lead counts as won with its score."""
        n = np.bincount(total, minlength=self.points + 1)
        won = np.bincount(total, score, minlength=self.points + 1)
        seen = np.flatnonzero(n)
        outcome = np.repeat([1, 0], len(seen))
        weight = np.r_[won[seen], (n - won)[seen]]
        # On a scale of about 1, on which the calibrator's search is at home.
        found = SigmoidCalibrator().fit(np.tile(seen / self.points, 2), outcome, weight)
        self.slope_, self.intercept_ = found.slope_ / self.points, found.intercept_

    def _probability(self, total: NDArray[np.int64]) -> NDArray[np.float64]:
        from scipy.special import expit

        return expit(self.slope_ * total + self.intercept_)


def _is_derived(spec: FeatureSpec | None, values: NDArray[np.float64]) -> bool:
    """Say whether a column is a computed measure that is neither a count, a flag nor a time."""
    if spec is None or not spec.group or spec.kind is Kind.CATEGORICAL or spec.unit in ("", "days"):
        return False
    known = values[~np.isnan(values)]
    return bool((known != np.floor(known)).any())


def _shares(bins: ColumnBins, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.bincount(bins.place(x), minlength=bins.n_bins) / len(x)


def _encoder_of(columns: Sequence[EncodedColumn]) -> TableEncoder:
    """Return a fitted encoder of some columns."""
    encoder = TableEncoder()
    encoder.columns_ = tuple(columns)
    encoder.n_features_in_ = len(columns)
    encoder.feature_names_in_ = np.array([column.name for column in columns], dtype=object)
    return encoder


def _blanks_as_missing(X: Any) -> Any:
    """Return a table without empty texts; an array has none."""
    table = as_inputs(X)
    if table is None:
        return X
    for j, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            text = table.column(j)
            table = table.set_column(j, field, pc.if_else(pc.equal(text, ""), None, text))
    return table
