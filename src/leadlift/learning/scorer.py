"""LeadScorer: encoder, learner, calibrator and cut-off as one scikit-learn classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    _num_samples,
    check_array,
    check_consistent_length,
    check_is_fitted,
)

from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.calibration import Calibrator, CalibratorChoice
from leadlift.learning.cutoff import (
    CutoffPolicy,
    Evidence,
    FixedThreshold,
    both_stages,
    gather_evidence,
    passes,
    thresholds,
)
from leadlift.learning.encoding import TableEncoder, as_inputs, is_table, rows_of
from leadlift.learning.fitted.model import FittedModel
from leadlift.learning.learner_choice import default_learner, informed
from leadlift.learning.log_odds import LogOddsClassifier, binary_target
from leadlift.learning.plan import TrainingPlan, deal_out, early_and_late
from leadlift.learning.recency import RecencyChoice
from leadlift.learning.refresh import RefreshMixin
from leadlift.learning.splitting import as_moments, content_order
from leadlift.learning.uncertainty import jackknife_error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from leadlift.learning.splitting import Fold
    from leadlift.terms import Cutoff


class LeadScorer(RefreshMixin, ClassifierMixin, BaseEstimator):
    """Learn the probability that a lead converts, calibrate it and set the cut-off.

    With `as_of` the rows are cut in time. The late ones, 10 to 25 % of all and as few as hold 600 of either
    outcome, decide; the early ones fit the learner, less those whose label was not yet known when the late
    ones began. Of the late leads a third, drawn by seed, fits the calibrator and the others decide the
    cut-off, so that both speak of the latest weeks known. Without `as_of`, or where the late leads hold fewer
    than 150 of either outcome, calibrator and cut-off are learnt on out-of-fold scores, and
    ``cutoff_.evidence`` says so.

    Parameters
    ----------
    encoder : TableEncoder, optional
        Table to matrix; None takes ``TableEncoder()``.
    learner : LogOddsClassifier, optional
        Matrix to log-odds; None takes ``BlendedLearner(random_state=random_state)``, or a
        :class:`ColdStartLearner` where fewer than 200 leads, or 40 of either outcome, are known.
    calibrator : Calibrator, optional
        Log-odds to probability; None takes ``CalibratorChoice(random_state=random_state)``.
    cutoff : CutoffPolicy, optional
        Where a lead is marketing-qualified; None takes ``FixedThreshold(0.5)``.
    sql_cutoff : CutoffPolicy, optional
        Where a lead is sales-qualified; None sets none.
    monotone : dict of str to {"up", "down"}, optional
        By numeric column: a larger value never lowers ("up") or never raises ("down") the score, everything
        else as it is. The learner must have a parameter `monotone`.
    segment : str, optional
        Categorical column whose levels may have models of their own, see :class:`SegmentedLearner`.
    recency : RecencyChoice, optional
        Where there is time, chooses how much the old rows teach the learner; None teaches all alike.
    random_state : int, default=0

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Lost, won.
    encoder_, learner_, calibrator_ : the fitted parts
    cutoff_ : Cutoff
        The MQL decision with its evidence.
    sql_cutoff_ : Cutoff or None
    evidence_ : Evidence
        The scored leads on which the cut-offs were decided.
    plan_ : TrainingPlan
    recency_ : RecencyChoice
        Only where `recency` was given and there is time.
    held_out_log_odds_ : ndarray of float64, shape (n_rows,)
        Of the rows of :meth:`fit`, by learners not fitted on them; NaN where a row had no part.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the input had names.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2))
    >>> y = rng.random(400) < 1 / (1 + np.exp(-X[:, 0]))
    >>> scorer = LeadScorer(cutoff=FixedThreshold(0.6)).fit(X, y)
    >>> scorer.predict_proba(X).shape, scorer.cutoff_.evidence
    ((400, 2), 'out-of-fold')
    """

    def __init__(
        self,
        encoder: TableEncoder | None = None,
        learner: LogOddsClassifier | None = None,
        calibrator: Calibrator | None = None,
        cutoff: CutoffPolicy | None = None,
        sql_cutoff: CutoffPolicy | None = None,
        monotone: dict[str, str] | None = None,
        segment: str | None = None,
        recency: RecencyChoice | None = None,
        random_state: int = 0,
    ) -> None:
        self.encoder = encoder
        self.learner = learner
        self.calibrator = calibrator
        self.cutoff = cutoff
        self.sql_cutoff = sql_cutoff
        self.monotone = monotone
        self.segment = segment
        self.recency = recency
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        as_of: ArrayLike | None = None,
        label_known_at: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        accounts: ArrayLike | None = None,
        plan: TrainingPlan | None = None,
        least_score: ArrayLike | None = None,
        contact_weight: ArrayLike | None = None,
    ) -> LeadScorer:
        """Learn, calibrate and cut off.

        Parameters
        ----------
        X : table or array of shape (n_rows, n_columns)
            pandas, polars or Arrow table of numbers and text, or a numeric array. Missing values are welcome.
        y : array of shape (n_rows,)
            Two classes; the larger one is "won".
        sample_weight : array of shape (n_rows,), optional
            What each row counts for; one of weight 0 takes no part.
        as_of : array of shape (n_rows,), optional
            Moment each row describes: datetime64, or numbers in time order.
        label_known_at : array of shape (n_rows,), optional
            When each label was known, on the clock of `as_of`; rows whose label was unknown when the next
            slice began are left out.
        groups : array of shape (n_rows,), optional
            Lead of each row, where leads have several.
        accounts : array of shape (n_rows,), optional
            Account of each row, which holds whole leads: the leads of one account stay on one side of each
            fold and of the deal between calibrator and cut-off. In time a lead belongs to its own slice.
        plan : TrainingPlan, optional
            Which rows do what, for a second label of the same rows; None deals them out.
        least_score : array of shape (n_rows,), optional
            Scores of the evidence are raised to these; see :mod:`leadlift.learning.two_labels`.
        contact_weight : array of shape (n_rows,), optional
            How many leads each row stands for, >= 1, where those that nobody worked are absent. Calibrator
            and evidence count by it; the learner does not, see :mod:`leadlift.learning.propensity`.

        Returns
        -------
        self

        Raises
        ------
        ConfigError
            `monotone` names a column that is no numeric input, or `segment` one that is no categorical one.
        InputError
            The label does not hold exactly two classes, or `as_of` has gaps.
        SchemaError
            A column is neither numbers nor text, or holds infinite numbers.
        NoCutoffError
            No cut-off keeps the promise asked for.
        """
        if not is_table(X):
            X = check_array(X, dtype="numeric", ensure_all_finite="allow-nan", estimator=self)
        y = _check_y(y, estimator=self)
        check_consistent_length(X, y, as_of, label_known_at, groups, accounts)
        target = binary_target(self, y)
        as_of = None if as_of is None else as_moments(as_of)
        groups = None if groups is None else np.asarray(groups)
        together = groups if accounts is None else np.asarray(accounts)
        weight = _check_sample_weight(sample_weight, np.empty(len(y)), ensure_non_negative=True)
        stands_for = None if contact_weight is None else np.asarray(contact_weight, dtype=np.float64)
        early, late = (
            early_and_late(target, as_of, label_known_at, groups, weight, stands_for)
            if plan is None
            else (plan.fit, None)
        )
        matrix = self._encode(X, early, groups)
        self.plan_ = plan or deal_out(
            early, late, matrix, target, weight, together, random_state=self.random_state
        )
        self.learner_ = self._unfitted_learner(target, groups)
        taught = weight
        if self.recency is not None and as_of is not None:
            self.recency_ = clone(self.recency)
            rows = matrix, target, weight, as_of, label_known_at, groups
            taught = self.recency_.fade(self.plan_.fit, *rows)
        forward = self.plan_.forward(target, as_of, label_known_at, groups)
        log_odds = self._learn(matrix, target, taught, together, forward)
        self.held_out_log_odds_ = log_odds
        stands_for = np.ones(len(y)) if stands_for is None else stands_for
        self._calibrate(log_odds, target, weight * stands_for)
        self._gather_evidence(X, log_odds, target, weight, stands_for, as_of, groups, least_score)
        return self._decide()

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return calibrated probabilities of lost and won, shape (n_rows, 2)."""
        score, _ = self.score_matrix(self._matrix(X))
        return np.column_stack([1 - score, score])

    def predict(self, X: Any) -> NDArray:
        """Return the MQL decision: the won class where the score reaches the cut-off."""
        score, log_odds = self.score_matrix(self._matrix(X))
        edge = thresholds(self.cutoff_, as_inputs(X))
        passed = passes(score, edge, log_odds=log_odds, tie_break=self.cutoff_.tie_break)
        return self.classes_[passed.astype(int)]

    def score_matrix(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score an encoded matrix.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n_rows, n_columns)
            From ``encoder_.transform``.

        Returns
        -------
        score : ndarray of float64, shape (n_rows,)
            Calibrated probability of being won.
        log_odds : ndarray of float64, shape (n_rows,)
            Uncalibrated.
        """
        check_is_fitted(self)
        log_odds = self.learner_.decision_function(matrix)
        return self.calibrator_.transform(log_odds), log_odds

    def score_with_uncertainty(
        self, matrix: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Score an encoded matrix as :meth:`score_matrix` does, and say how far each score may be off.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n_rows, n_columns)

        Returns
        -------
        score, log_odds : ndarray of float64, shape (n_rows,)
            As :meth:`score_matrix` gives them, bit for bit.
        uncertainty : ndarray of float64, shape (n_rows,)
            :func:`leadlift.learning.uncertainty.jackknife_error` of the score.
        """
        check_is_fitted(self)
        log_odds, members = self.learner_.decision_with_members(matrix)
        calibrate = self.calibrator_.transform
        return calibrate(log_odds), log_odds, jackknife_error(calibrate(members))

    @property
    def fitted(self) -> FittedModel:
        """What was learnt, without the learning: it gives the same bits; see :class:`ShippedClassifier`."""
        check_is_fitted(self)
        return FittedModel(self.encoder_.columns_, self.learner_.fitted, self.calibrator_.curve)

    def choose_cutoff(
        self,
        policy: CutoffPolicy | None,
        X: Any = None,
        y: ArrayLike | None = None,
        *,
        as_of: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        sql_policy: CutoffPolicy | None = None,
    ) -> LeadScorer:
        """Set the cut-offs anew; an SQL cut-off below the MQL one is raised to it.

        Parameters
        ----------
        policy : CutoffPolicy or None
            Sets the MQL cut-off; None keeps the former one.
        X, y : table of shape (n_rows, n_columns) and array of shape (n_rows,), optional
            Leads with known outcome that the model has not seen; without them the evidence of
            :meth:`fit` serves.
        as_of : array of shape (n_rows,), optional
        groups : array of shape (n_rows,), optional
            Lead of each row; of the rows of a lead one counts, drawn at random.
        sql_policy : CutoffPolicy, optional
            Sets the SQL cut-off too; without it the former one stays.

        Returns
        -------
        self

        Raises
        ------
        ConfigError
            `X` came without `y`, the scorer was loaded from a bundle that keeps no evidence, or the evidence
            lacks what the policy needs.
        InputError
            The label holds a value that the model does not know.
        NoCutoffError
            No cut-off keeps the promise; the former cut-offs stay.
        """
        check_is_fitted(self)
        evidence = self._own_evidence() if X is None else self._given_evidence(X, y, as_of, groups)
        cutoff = self.cutoff_ if policy is None else policy.choose(evidence)
        self._keep(cutoff, self.sql_cutoff_ if sql_policy is None else sql_policy.choose(evidence))
        return self

    def _encode(self, X: Any, early: NDArray[np.int64], groups: NDArray | None) -> NDArray[np.float64]:
        """Learn the vocabulary from the rows that are fitted, and encode all rows with it."""
        self.encoder_ = TableEncoder() if self.encoder is None else clone(self.encoder)
        whole = len(early) == _num_samples(X)
        self.encoder_.fit(
            X if whole else rows_of(X, early), groups=groups if whole or groups is None else groups[early]
        )
        self.n_features_in_ = self.encoder_.n_features_in_
        if hasattr(self.encoder_, "feature_names_in_"):
            self.feature_names_in_ = self.encoder_.feature_names_in_
        return self.encoder_.transform(X)

    def _learn(
        self,
        matrix: NDArray[np.float64],
        y: NDArray,
        weight: NDArray,
        groups: NDArray | None,
        forward: list[Fold],
    ) -> NDArray[np.float64]:
        """Fit the learner; return log-odds of all rows, out of fold where they were fitted."""
        rows = self.plan_.fit
        rows = rows[content_order(matrix[rows], y[rows], weight[rows])]
        place = np.empty(len(y), dtype=np.int64)
        place[rows] = np.arange(len(rows))
        self.learner_.fit(
            matrix[rows],
            y[rows],
            weight[rows],
            groups=None if groups is None else groups[rows],
            forward=[(np.sort(place[seen]), np.sort(place[held])) for seen, held in forward],
        )
        log_odds = np.full(len(y), np.nan)
        log_odds[rows] = self.learner_.oof_log_odds_
        if not self.plan_.is_out_of_fold:
            later = np.r_[self.plan_.calibrate, self.plan_.decide]
            log_odds[later] = self.learner_.decision_function(matrix[later])
        return log_odds

    def _unfitted_learner(self, y: NDArray, groups: NDArray | None) -> LogOddsClassifier:
        rows, learner = self.plan_.fit, self.learner
        if learner is None:
            leads = None if groups is None else groups[rows]
            segmented = self.segment is not None
            learner = default_learner(y[rows], leads, segmented=segmented, random_state=self.random_state)
        return informed(learner, self.encoder_.columns_, monotone=self.monotone, segment=self.segment)

    def _calibrate(self, log_odds: NDArray, y: NDArray, weight: NDArray) -> None:
        calibrator = self.calibrator
        if calibrator is None:
            calibrator = CalibratorChoice(random_state=self.random_state)
        rows = self.plan_.calibrate
        rows = rows[np.lexsort((weight[rows], y[rows], log_odds[rows]))]
        self.calibrator_ = clone(calibrator).fit(log_odds[rows], y[rows], weight[rows])

    def _gather_evidence(
        self,
        X: Any,
        log_odds: NDArray,
        y: NDArray,
        weight: NDArray,
        stands_for: NDArray,
        as_of: NDArray | None,
        groups: NDArray | None,
        least_score: NDArray | None,
    ) -> None:
        rows = self.plan_.decide
        score = self.calibrator_.transform(log_odds[rows])
        self.evidence_ = gather_evidence(
            score if least_score is None else np.maximum(score, least_score[rows]),
            log_odds[rows],
            y[rows] > 0,
            None if as_of is None else as_of[rows],
            None if groups is None else groups[rows],
            self.plan_.evidence,
            random_state=self.random_state,
            share_of_arrivals=self.plan_.share_deciding / float(stands_for[rows].mean()),
            weight=(weight * stands_for)[rows],
            inputs=as_inputs(rows_of(X, rows)),
        )

    def _own_evidence(self) -> Evidence:
        if not hasattr(self, "evidence_"):
            msg = "this scorer's bundle keeps no evidence; train again, or give X and y as evidence"
            raise ConfigError(msg)
        return self.evidence_

    def _given_evidence(
        self, X: Any, y: ArrayLike | None, as_of: ArrayLike | None, groups: ArrayLike | None
    ) -> Evidence:
        if y is None:
            msg = "choose_cutoff needs y together with X: a cut-off is decided on known outcomes"
            raise ConfigError(msg)
        y = np.asarray(y)
        check_consistent_length(X, y, as_of, groups)
        unknown = ~np.isin(y, self.classes_)
        if unknown.any():
            msg = f"y holds {int(unknown.sum())} labels other than {self.classes_.tolist()}; map them first"
            raise InputError(msg)
        score, log_odds = self.score_matrix(self._matrix(X))
        as_of = None if as_of is None else as_moments(as_of)
        groups = None if groups is None else np.asarray(groups)
        won = y == self.classes_[1]
        seed, inputs = self.random_state, as_inputs(X)
        return gather_evidence(score, log_odds, won, as_of, groups, "given", random_state=seed, inputs=inputs)

    def _decide(self) -> LeadScorer:
        cutoff = (self.cutoff or FixedThreshold(0.5)).choose(self.evidence_)
        self._keep(cutoff, None if self.sql_cutoff is None else self.sql_cutoff.choose(self.evidence_))
        return self

    def _keep(self, cutoff: Cutoff, sql_cutoff: Cutoff | None) -> None:
        """Keep both cut-offs, made coherent."""
        self.cutoff_, self.sql_cutoff_ = cutoff, sql_cutoff
        if sql_cutoff is not None:
            self.cutoff_, self.sql_cutoff_ = both_stages(cutoff, sql_cutoff)

    def _matrix(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        return self.encoder_.transform(X)

    def __sklearn_tags__(self) -> Any:
        """Say that the classifier is binary and missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags
