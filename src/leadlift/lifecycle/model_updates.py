"""What is done to the model between two blocks of a backtest: objects, one a way of keeping it up to date."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff import FixedThreshold
from leadlift.learning.encoding import rows_of
from leadlift.learning.plan import ENOUGH_OF_EITHER, LEAST_OF_EITHER
from leadlift.learning.propensity import kept_by_weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.scorer import LeadScorer

# Fewer labels of either outcome than this tell more of chance than of the last weeks.
LEAST_REFRESHED_ON = 30

# Name -> "module:Class"; a new way is one line here and one class anywhere.
MODEL_UPDATES = {
    "refit": "leadlift.lifecycle.model_updates:Refit",
    "refit_on_all": "leadlift.lifecycle.model_updates:RefitOnAll",
    "recalibrate": "leadlift.lifecycle.model_updates:Recalibrate",
    "none": "leadlift.lifecycle.model_updates:NoUpdate",
}


def get_model_update(name: str) -> ModelUpdate:
    """Return a way of updating by its registered name.

    Raises
    ------
    ConfigError
        No way has that name.
    """
    if name not in MODEL_UPDATES:
        msg = f"no way of updating a model is called {name!r}; there are {', '.join(MODEL_UPDATES)}"
        raise ConfigError(msg)
    module, attribute = MODEL_UPDATES[name].split(":")
    return getattr(import_module(module), attribute)()


@dataclass(frozen=True)
class KnownLeads:
    """Leads whose outcome is known on some day, with what was scored of them before that day.

    Parameters
    ----------
    X : table or array of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    as_of : ndarray of shape (n_rows,)
    label_known_at, groups, accounts : ndarray of shape (n_rows,) or None
        As for :meth:`LeadScorer.fit`.
    weight : ndarray of float64, shape (n_rows,)
    scored_before : ndarray of float64, shape (n_rows,)
        Uncalibrated log-odds that a row got in an earlier block, when its outcome was not known; NaN where it
        was in none.
    contact_weight : ndarray of float64, shape (n_rows,), or None
        How many leads each row stands for, >= 1; None: itself.
    """

    X: Any
    y: NDArray
    as_of: NDArray
    label_known_at: NDArray | None
    groups: NDArray | None
    accounts: NDArray | None
    weight: NDArray[np.float64]
    scored_before: NDArray[np.float64]
    contact_weight: NDArray[np.float64] | None = None

    def take(self, rows: NDArray[np.int64]) -> KnownLeads:
        """Return some of the rows."""
        columns = (self.y, self.as_of, self.label_known_at, self.groups, self.accounts, self.weight)
        taken = [None if column is None else column[rows] for column in columns]
        absent = None if self.contact_weight is None else self.contact_weight[rows]
        return KnownLeads(rows_of(self.X, rows), *taken, self.scored_before[rows], absent)

    def fit(self, scorer: LeadScorer) -> LeadScorer:
        """Fit an unfitted scorer on these rows."""
        return scorer.fit(
            self.X,
            self.y,
            self.weight,
            as_of=self.as_of,
            label_known_at=self.label_known_at,
            groups=self.groups,
            accounts=self.accounts,
            contact_weight=self.contact_weight,
        )

    def representative(self, order: NDArray[np.int64], random_state: int) -> NDArray[np.int64]:
        """Return those of some rows that are a plain sample of the leads they stand for."""
        if self.contact_weight is None:
            return order
        return order[kept_by_weight(self.contact_weight[order], random_state)]

    def latest_scored(self) -> KnownLeads:
        """Return the latest rows that were scored before: as few as hold 600 of either outcome, else all."""
        rows = np.flatnonzero(~np.isnan(self.scored_before))
        rows = rows[np.argsort(self.as_of[rows], kind="stable")[::-1]]
        of_rarer = np.minimum(np.cumsum(self.y[rows] > 0), np.cumsum(self.y[rows] <= 0))
        enough = int(np.searchsorted(of_rarer, ENOUGH_OF_EITHER))
        if enough < len(rows):
            # Rows of one moment stay together, so that nothing depends on the order they came in.
            rows = rows[self.as_of[rows] >= self.as_of[rows[enough]]]
        return self.take(np.sort(rows))


class ModelUpdate(ABC):
    """Base of the ways of updating.

    A subclass states in ``update`` what becomes of the model when a block begins. Cut-offs are set by the
    caller, on the evidence of the model that comes back.
    """

    name: str

    @abstractmethod
    def update(self, unfitted: LeadScorer, present: LeadScorer | None, known: KnownLeads) -> LeadScorer:
        """Return the model for the next block.

        Parameters
        ----------
        unfitted : LeadScorer
            Describes how to learn; not changed.
        present : LeadScorer or None
            The model in use; None before the first block.
        known : KnownLeads
            All leads whose outcome is known when the block begins.

        Returns
        -------
        LeadScorer
            Fitted.
        """


class Refit(ModelUpdate):
    """Learn anew from all that is known, the late leads calibrating and deciding as in any training."""

    name = "refit"

    def update(self, unfitted: LeadScorer, present: LeadScorer | None, known: KnownLeads) -> LeadScorer:
        """Return a new model of all known leads."""
        return known.fit(without_promise(unfitted))


class RefitOnAll(ModelUpdate):
    """Learn anew from all that is known, the latest leads included; let earlier scores calibrate and decide.

    No late leads are kept back from the learner: calibrator and cut-off are set on the scores that the models
    before gave to the latest leads on their day (:meth:`LeadScorer.refresh_scored`). Until enough of those
    have an outcome it works as :class:`Refit`. The learner sees no time, so it weighs no row by its age.
    """

    name = "refit_on_all"

    def update(self, unfitted: LeadScorer, present: LeadScorer | None, known: KnownLeads) -> LeadScorer:
        """Return a new model of all known leads, refreshed on those scored before."""
        window = known.latest_scored()
        if _n_of_rarer(window.y) < LEAST_OF_EITHER:
            return known.fit(without_promise(unfitted))
        model = replace(known, as_of=None, label_known_at=None).fit(without_promise(unfitted))
        return _refreshed(model, window)


class Recalibrate(ModelUpdate):
    """Keep what was learnt for the first block; calibrate it anew on the latest outcomes."""

    name = "recalibrate"

    def update(self, unfitted: LeadScorer, present: LeadScorer | None, known: KnownLeads) -> LeadScorer:
        """Return the first model, refreshed on the leads of the blocks since."""
        if present is None:
            return known.fit(without_promise(unfitted))
        window = known.latest_scored()
        return present if _n_of_rarer(window.y) < LEAST_REFRESHED_ON else _refreshed(present, window)


class NoUpdate(ModelUpdate):
    """Keep the model of the first block as it is: what happens to a model that nobody looks after."""

    name = "none"

    def update(self, unfitted: LeadScorer, present: LeadScorer | None, known: KnownLeads) -> LeadScorer:
        """Return the model in use."""
        return known.fit(without_promise(unfitted)) if present is None else present


def _n_of_rarer(y: NDArray) -> int:
    n_won = int((y > 0).sum())
    return min(n_won, len(y) - n_won)


def _refreshed(model: LeadScorer, window: KnownLeads) -> LeadScorer:
    """Where not every lead was worked, on a plain sample of the leads that those worked stand for."""
    stands_for = window.contact_weight
    if stands_for is not None:
        order = np.lexsort((window.y, window.scored_before, window.as_of))
        window = window.take(np.sort(window.representative(order, model.random_state)))
    model.refresh_scored(window.scored_before, window.y, as_of=window.as_of, groups=window.groups)
    if stands_for is not None:
        share = model.evidence_.share_of_arrivals * len(window.y) / float(stands_for.sum())
        model.evidence_ = replace(model.evidence_, share_of_arrivals=share)
    return model


def without_promise(scorer: LeadScorer) -> LeadScorer:
    """Return an unfitted copy with a cut-off that any evidence can set; the one asked for is set later."""
    return clone(scorer).set_params(cutoff=FixedThreshold(0.5), sql_cutoff=None)
