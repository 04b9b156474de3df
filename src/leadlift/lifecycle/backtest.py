"""Rolling-origin backtests: what the model would have said of each block of time, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from scipy.special import logit

from leadlift.exceptions import InputError, NoCutoffError
from leadlift.learning.rolling_origin import RollingOrigin
from leadlift.learning.splitting import as_moments, grouped_folds
from leadlift.lifecycle.backtest_block import PlayedBlock, block_table, measure_block, pooled_table, say
from leadlift.lifecycle.forward_gap import ForwardGap, compare_forward
from leadlift.lifecycle.model_updates import KnownLeads, ModelUpdate, Refit, without_promise

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from leadlift.learning.cutoff import CutoffPolicy
    from leadlift.learning.promise_check import PromiseCheck
    from leadlift.learning.scorer import LeadScorer
    from leadlift.terms import Cutoff, Finding

# Fewer leads of either outcome teach nothing, and measure nothing.
LEAST_OF_EITHER = 10


@dataclass(frozen=True)
class BacktestResult:
    """How a way of learning did, block by block, on leads that came later.

    Parameters
    ----------
    blocks : pyarrow.Table
        One row a block, see :func:`backtest`.
    pooled : pyarrow.Table
        One row, over the leads of all blocks: ``n``, ``n_won`` (int64), ``auc``, ``auc_low``, ``auc_high``,
        ``log_loss``, ``log_loss_of_base_rate``, ``calibration_error`` (float64), ``n_promises``, ``n_kept``,
        ``n_void`` and ``n_kept_or_void`` (int64, blocks).
    update : str
        What was done to the model between blocks.
    gap : ForwardGap
        The same leads, cross-fitted at random by models that were shown no time and learnt from about as many
        leads as those of the blocks.
    checks : tuple of PromiseCheck or None
        For each block what was said of its promise before its outcomes were known.
    """

    blocks: pa.Table
    pooled: pa.Table
    update: str
    gap: ForwardGap
    checks: tuple[PromiseCheck | None, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """LL161, which says how much the past flatters."""
        return (self.gap.finding(),)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; moments as ISO 8601 or row numbers."""
        rows = [
            {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}
            for row in self.blocks.to_pylist()
        ]
        pooled = self.pooled.to_pylist()[0]
        return {"update": self.update, "blocks": rows, "pooled": pooled, "gap": self.gap.to_dict()}


def backtest(
    scorer: LeadScorer,
    X: Any,
    y: ArrayLike,
    *,
    as_of: ArrayLike,
    label_known_at: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    accounts: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    contact_weight: ArrayLike | None = None,
    policy: CutoffPolicy | None = None,
    update: ModelUpdate | None = None,
    n_blocks: int = 5,
    first_share: float = 0.4,
    on_block: Callable[[int], None] | None = None,
) -> BacktestResult:
    """Play the past forward: for each block of time the model knows only what was known when it began.

    The blocks are those of :class:`leadlift.learning.rolling_origin.RollingOrigin`: the first begins when
    `first_share` of the labels were known; a label that was not known when a block began takes no part in
    what scores it; leads stay whole. Of a lead with several rows in a block one, drawn at random, is
    measured. Before the outcomes of a block are looked at, its promise is checked by
    :func:`leadlift.learning.promise_check.check_promise`.

    Parameters
    ----------
    scorer : LeadScorer
        Describes how to learn; it is cloned.
    X : table or array of shape (n_rows, n_columns)
    y : array of shape (n_rows,)
        Labels 0 and 1.
    as_of : array of shape (n_rows,)
        Moment of each row: datetime64, or numbers in time order.
    label_known_at, groups, accounts, sample_weight : arrays of shape (n_rows,), optional
        As for :meth:`LeadScorer.fit`.
    contact_weight : array of shape (n_rows,), optional
        How many leads each row stands for, >= 1, where those that nobody worked are absent. Blocks are then
        measured on a plain sample of the leads stood for
        (:func:`leadlift.learning.propensity.kept_by_weight`), and leads a week count the absent ones.
    policy : CutoffPolicy, optional
        Sets the cut-off of each block; None takes that of `scorer`, else a threshold of 0.5.
    update : ModelUpdate, optional
        What is done to the model between blocks; None takes :class:`Refit`.
    n_blocks : int, default=5
    first_share : float, default=0.4
        In (0, 1).
    on_block : callable, optional
        Called with the number of blocks done.

    Returns
    -------
    BacktestResult
        ``blocks`` has a row a block: ``block`` (int64), ``begin`` and ``end`` (moments of the first and the
        last row), ``n_known`` (int64: rows whose outcome was known when it began), ``n``, ``n_won`` (int64:
        leads measured), ``base_rate``, ``base_rate_known``, ``mean_score``, ``auc``, ``auc_low``,
        ``auc_high``, ``log_loss``, ``log_loss_of_base_rate`` (of the base rate known), ``calibration_error``,
        ``threshold``, ``promised_precision``, ``precision``, ``precision_low``, ``precision_high`` (float64;
        exact 95 % interval), ``n_qualified`` (int64), ``per_week``, ``recall`` (float64), ``is_kept`` and
        ``is_void`` (bool). A block that holds one outcome has no AUC; the columns of the cut-off are null
        where no honest one was found; ``is_kept`` (observed precision at least the promised one) is null
        where nothing was promised or nobody qualified, ``is_void`` where nothing was promised.

    Raises
    ------
    InputError
        The history is too short, or too poor in won or lost leads.

    Examples
    --------
    >>> from leadlift.learning.candidates import BaggedTrees
    >>> from leadlift.learning.scorer import LeadScorer
    >>> rng = np.random.default_rng(0)
    >>> X, as_of = rng.normal(size=(1000, 1)), np.arange(1000)
    >>> y = (rng.random(1000) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    >>> quick = LeadScorer(learner=BaggedTrees(n_folds=2, max_rounds=20, n_jobs=1))
    >>> result = backtest(quick, X, y, as_of=as_of, n_blocks=2)
    >>> result.blocks.select(["block", "begin", "end", "n"]).to_pylist()[0]
    {'block': 1, 'begin': 399, 'end': 699, 'n': 301}
    """
    leads = _leads(X, y, as_of, label_known_at, groups, accounts, sample_weight, contact_weight)
    blocks = rolling_blocks(leads.y, leads.as_of, leads.label_known_at, leads.groups, n_blocks, first_share)
    update = update or Refit()
    played = _play(leads, blocks, scorer, policy or scorer.cutoff, update, on_block)
    return BacktestResult(
        blocks=block_table(played, leads.as_of),
        pooled=pooled_table(played, leads.y),
        update=update.name,
        gap=_gap(leads, scorer, played),
        checks=tuple(block.check for block in played),
    )


def _leads(
    X: Any,
    y: ArrayLike,
    as_of: ArrayLike,
    label_known_at: ArrayLike | None,
    groups: ArrayLike | None,
    accounts: ArrayLike | None,
    sample_weight: ArrayLike | None,
    contact_weight: ArrayLike | None,
) -> KnownLeads:
    y = np.asarray(y)
    return KnownLeads(
        X,
        y,
        as_moments(as_of),
        None if label_known_at is None else as_moments(label_known_at),
        None if groups is None else np.asarray(groups),
        None if accounts is None else np.asarray(accounts),
        np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64),
        np.full(len(y), np.nan),
        None if contact_weight is None else np.asarray(contact_weight, dtype=np.float64),
    )


def rolling_blocks(
    y: NDArray,
    as_of: NDArray,
    label_known_at: NDArray | None,
    groups: NDArray | None,
    n_blocks: int,
    first_share: float = 0.4,
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the rows known when each block begins and those of the block, both with won and lost leads.

    Parameters
    ----------
    y, as_of, label_known_at, groups, n_blocks, first_share
        As for :func:`backtest`.

    Returns
    -------
    list of pairs of ndarray of int64

    Raises
    ------
    InputError
        The history is too short, or too poor in won or lost leads.
    """
    blocks = list(RollingOrigin(as_of, n_blocks, first_share, label_known_at, groups).split())
    if not blocks:
        msg = f"none of {n_blocks} blocks holds a lead of its own; take fewer blocks"
        raise InputError(msg)
    _require_both_outcomes(y[blocks[0][0]], "the leads known before the first block")
    _require_both_outcomes(y[np.concatenate([held for _, held in blocks])], "the blocks together")
    return blocks


def _require_both_outcomes(y: NDArray, what: str) -> None:
    n_won = int((y > 0).sum())
    if min(n_won, len(y) - n_won) < LEAST_OF_EITHER:
        msg = (
            f"{what} hold {n_won} won and {len(y) - n_won} lost, and a backtest needs {LEAST_OF_EITHER} of "
            "either; take fewer blocks, a shorter horizon_days, or bring older leads"
        )
        raise InputError(msg)


def _play(
    leads: KnownLeads,
    blocks: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    scorer: LeadScorer,
    policy: CutoffPolicy | None,
    update: ModelUpdate,
    on_block: Callable[[int], None] | None,
) -> list[PlayedBlock]:
    """Walk through the blocks: update the model, score, check the promise, then look at the outcomes."""
    model, played = None, []
    for number, (seen, held) in enumerate(blocks, start=1):
        known = leads.take(seen)
        model = update.update(scorer, model, known)
        cutoff = _cutoff(model, policy)
        said = say(model, cutoff, known, leads.take(held), random_state=scorer.random_state)
        played.append(measure_block(number, held, said, leads, known))
        leads.scored_before[held] = said.log_odds
        if on_block is not None:
            on_block(number)
    return played


def _cutoff(model: LeadScorer, policy: CutoffPolicy | None) -> Cutoff | None:
    """Decide on the model's own evidence; None where no cut-off is honest."""
    if policy is None:
        return model.cutoff_
    try:
        return model.choose_cutoff(policy).cutoff_
    except NoCutoffError:
        return None


def _gap(leads: KnownLeads, scorer: LeadScorer, played: list[PlayedBlock]) -> ForwardGap:
    """Score the same leads by models that were shown no time and learnt from about as many leads."""
    tested = np.concatenate([block.tested for block in played])
    score = np.concatenate([block.score for block in played])
    y = leads.y[tested]
    share_known = float(np.mean([block.row["n_known"] for block in played])) / len(leads.y)
    log_odds = _random_split_log_odds(leads, scorer, n_folds=max(2, round(1 / (1 - share_known))))
    return compare_forward(y, log_odds[tested], y, score, is_paired=True)


def _random_split_log_odds(leads: KnownLeads, scorer: LeadScorer, *, n_folds: int) -> NDArray[np.float64]:
    """Return the log-odds of each row by a model fitted on the other folds of whole leads."""
    lead = np.arange(len(leads.y)) if leads.groups is None else leads.groups
    order = np.lexsort((lead, leads.y, leads.as_of))
    together = lead if leads.accounts is None else leads.accounts
    folds = np.empty(len(leads.y), dtype=np.int64)
    folds[order] = grouped_folds(
        leads.y[order], n_folds, groups=together[order], random_state=scorer.random_state
    )
    timeless = replace(leads, as_of=None, label_known_at=None)
    log_odds = np.empty(len(leads.y))
    for fold in range(n_folds):
        seen, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        model = timeless.take(seen).fit(without_promise(scorer))
        score, _ = model.score_matrix(model.encoder_.transform(timeless.take(held).X))
        log_odds[held] = logit(np.clip(score, 1e-15, 1 - 1e-15))
    return log_odds
