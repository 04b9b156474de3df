"""How a fitted scorer follows the latest outcomes: new calibration and cut-offs, the same learner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from leadlift.exceptions import InputError
from leadlift.learning.cutoff import CutoffPolicy, FixedThreshold
from leadlift.learning.encoding import as_inputs
from leadlift.learning.recalibration import ScoredWindow, refresh_calibration
from leadlift.learning.splitting import as_moments

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import ArrayLike, NDArray


class RefreshMixin:
    """What lets a fitted :class:`LeadScorer` follow the latest outcomes without learning anew."""

    def refresh(
        self,
        X: Any,
        y: ArrayLike,
        *,
        as_of: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        policy: CutoffPolicy | None = None,
        sql_policy: CutoffPolicy | None = None,
    ) -> Self:
        """Calibrate anew and set the cut-offs anew on the latest leads whose outcome is known.

        Encoder and learner stay. See
        :func:`leadlift.learning.recalibration.refresh_calibration` for what a window of some size can bear.

        Parameters
        ----------
        X, y : table of shape (n_rows, n_columns) and array of shape (n_rows,)
            Leads that neither learner nor calibrator has seen: those that came after the training rows.
        as_of : array of shape (n_rows,), optional
            Moment of each row; with it calibrators are judged forward in time.
        groups : array of shape (n_rows,), optional
            Lead of each row, where leads have several.
        policy, sql_policy : CutoffPolicy, optional
            None takes those that the scorer was made with.

        Returns
        -------
        self
            With `calibrator_`, `evidence_`, `cutoff_` and `sql_cutoff_` replaced.

        Raises
        ------
        InputError
            The window holds one outcome only, or a label that the model does not know.
        NoCutoffError
            No cut-off keeps the promise on the window; the scorer stays as it was.
        """
        check_is_fitted(self)
        log_odds = self.learner_.decision_function(self.encoder_.transform(X))
        window = self._window(log_odds, y, as_of, groups, as_inputs(X))
        return self._refresh_on(window, policy, sql_policy)

    def refresh_scored(
        self,
        log_odds: ArrayLike,
        y: ArrayLike,
        *,
        as_of: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        policy: CutoffPolicy | None = None,
        sql_policy: CutoffPolicy | None = None,
    ) -> Self:
        """Refresh as :meth:`refresh` does, on log-odds that the leads got on their day.

        This is for a learner refitted regularly on all rows known: it has seen the latest leads, so its own
        scores of them say nothing, but the scores that its predecessors gave them do (prequential evidence:
        Dawid 1984, doi:10.2307/2981683). It assumes that the new learner ranks and spreads later leads as its
        predecessors did.

        Parameters
        ----------
        log_odds : array of float64, shape (n_rows,)
            Uncalibrated, from learners made in the same way and fitted on earlier leads only.
        y, as_of, groups, policy, sql_policy
            As for :meth:`refresh`.

        Returns
        -------
        self

        Raises
        ------
        InputError, NoCutoffError
            As for :meth:`refresh`.
        """
        check_is_fitted(self)
        window = self._window(np.asarray(log_odds, dtype=np.float64), y, as_of, groups, None)
        return self._refresh_on(window, policy, sql_policy)

    def _window(
        self,
        log_odds: NDArray[np.float64],
        y: ArrayLike,
        as_of: ArrayLike | None,
        groups: ArrayLike | None,
        inputs: pa.Table | None,
    ) -> ScoredWindow:
        y = np.asarray(y)
        check_consistent_length(log_odds, y, as_of, groups)
        unknown = ~np.isin(y, self.classes_)
        if unknown.any():
            msg = f"y holds {int(unknown.sum())} labels other than {self.classes_.tolist()}; map them first"
            raise InputError(msg)
        as_of = None if as_of is None else as_moments(as_of)
        groups = None if groups is None else np.asarray(groups)
        return ScoredWindow(log_odds, y == self.classes_[1], as_of, groups, inputs)

    def _refresh_on(
        self, window: ScoredWindow, policy: CutoffPolicy | None, sql_policy: CutoffPolicy | None
    ) -> Self:
        """Decide first and keep afterwards, so that a refusal leaves everything as it was."""
        calibrator, evidence = refresh_calibration(self.calibrator_, window, random_state=self.random_state)
        sql_policy = sql_policy or self.sql_cutoff
        cutoff = (policy or self.cutoff or FixedThreshold(0.5)).choose(evidence)
        sql_cutoff = None if sql_policy is None else sql_policy.choose(evidence)
        self.calibrator_, self.evidence_ = calibrator, evidence
        self._keep(cutoff, sql_cutoff)
        return self
