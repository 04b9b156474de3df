"""One block of a backtest: what was said before its outcomes were known, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from scipy.special import logit

from leadlift.learning import metrics
from leadlift.learning.cutoff import Evidence, gather_evidence, passes
from leadlift.learning.cutoff.lead_value import thresholds
from leadlift.learning.encoding import as_inputs
from leadlift.learning.intervals import clopper_pearson
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.promise_check import PromiseCheck, check_promise
from leadlift.learning.splitting import one_row_a_lead

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.scorer import LeadScorer
    from leadlift.lifecycle.model_updates import KnownLeads
    from leadlift.terms import Cutoff

# Fewer leads of either outcome than this leave no room for an interval.
LEAST_RANKED = 2


@dataclass(frozen=True)
class Said:
    """What a model says of the leads of a block before any of their outcomes is known.

    Parameters
    ----------
    score, log_odds : ndarray of float64, shape (n_rows,)
        Calibrated probabilities and uncalibrated log-odds of all rows of the block.
    passed : ndarray of bool, shape (n_rows,), or None
        Who qualifies; None where no cut-off was honest.
    tested : ndarray of int64
        Places among the rows, one a lead, that are measured.
    cutoff : Cutoff or None
    check : PromiseCheck or None
        None where nothing was promised.
    leads_per_tested : float
        Leads of the block for each one that is measured; 1 where every lead was worked.
    """

    score: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    passed: NDArray[np.bool_] | None
    tested: NDArray[np.int64]
    cutoff: Cutoff | None
    check: PromiseCheck | None
    leads_per_tested: float = 1.0


@dataclass(frozen=True)
class PlayedBlock:
    """One block with what came of it.

    Parameters
    ----------
    row : dict
        Its row of the table.
    tested : ndarray of int64
        Row numbers, one a lead.
    score : ndarray of float64
        Probabilities of the tested rows.
    base_rate_known : float
        Share of won among the rows known when the block began.
    check : PromiseCheck or None
    """

    row: dict[str, Any]
    tested: NDArray[np.int64]
    score: NDArray[np.float64]
    base_rate_known: float
    check: PromiseCheck | None


def say(
    model: LeadScorer, cutoff: Cutoff | None, known: KnownLeads, new: KnownLeads, *, random_state: int
) -> Said:
    """Score the leads of a block and check the promise for them; their outcomes are not looked at.

    Parameters
    ----------
    model : LeadScorer
        Fitted.
    cutoff : Cutoff or None
    known : KnownLeads
        Leads whose outcome is known when the block begins.
    new : KnownLeads
        Leads of the block.
    random_state : int
        Seed of the row that is measured of a lead with several.

    Returns
    -------
    Said
    """
    score, log_odds = model.score_matrix(model.encoder_.transform(new.X))
    leads = _one_a_lead(new, log_odds, random_state)
    tested = new.representative(leads, random_state)
    passed, check = None, None
    if cutoff is not None:
        edge = thresholds(cutoff, as_inputs(new.X))
        passed = passes(score, edge, log_odds=log_odds, tie_break=cutoff.tie_break)
        check = _check(model, cutoff, known, score[tested], log_odds[tested])
    stands_for = new.contact_weight
    per_tested = 1.0 if stands_for is None else float(stands_for[leads].sum()) / len(tested)
    return Said(score, log_odds, passed, tested, cutoff, check, per_tested)


def _one_a_lead(new: KnownLeads, log_odds: NDArray[np.float64], random_state: int) -> NDArray[np.int64]:
    """Places of the rows measured, in an order that does not depend on how the rows came."""
    order = np.lexsort((log_odds, new.as_of))
    return order if new.groups is None else one_row_a_lead(order, new.groups, random_state=random_state)


def _check(
    model: LeadScorer,
    cutoff: Cutoff,
    known: KnownLeads,
    score: NDArray[np.float64],
    log_odds: NDArray[np.float64],
) -> PromiseCheck | None:
    if cutoff.promised_precision is None:
        return None
    recent = _recent(model, known)
    return check_promise(cutoff, model.evidence_, score, new_log_odds=log_odds, recent=recent)


def _recent(model: LeadScorer, known: KnownLeads) -> Evidence | None:
    """Leads later than the model's evidence whose outcome has become known, as the model scored them."""
    window = known.latest_scored()
    later = window.take(np.flatnonzero(window.as_of > model.evidence_.as_of.max()))
    if not 0 < later.y.sum() < len(later.y):
        return None
    score = model.calibrator_.transform(later.scored_before)
    return gather_evidence(
        score,
        later.scored_before,
        later.y > 0,
        later.as_of,
        later.groups,
        "given",
        random_state=0,
        weight=later.contact_weight,
    )


def measure_block(
    number: int, rows: NDArray[np.int64], said: Said, leads: KnownLeads, known: KnownLeads
) -> PlayedBlock:
    """Compare what was said of a block with what came of it.

    Parameters
    ----------
    number : int
        From 1.
    rows : ndarray of int64
        Row numbers of the block.
    said : Said
    leads : KnownLeads
        All rows.
    known : KnownLeads
        Those whose outcome was known when the block began.

    Returns
    -------
    PlayedBlock
    """
    tested, score = rows[said.tested], said.score[said.tested]
    y, moments = leads.y[tested], leads.as_of[tested]
    base_rate = float(np.average(known.y > 0, weights=known.contact_weight))
    row = {
        "block": number,
        "begin": leads.as_of[rows].min(),
        "end": leads.as_of[rows].max(),
        "n_known": len(known.y),
        **_quality(y, score, np.full(len(y), base_rate)),
        **({} if said.cutoff is None else _decision(y > 0, moments, said)),
    }
    return PlayedBlock(row, tested, score, base_rate, said.check)


def _quality(y: NDArray, score: NDArray[np.float64], base_rate: NDArray[np.float64]) -> dict[str, Any]:
    n_won = int((y > 0).sum())
    found = {
        "n": len(y),
        "n_won": n_won,
        "base_rate": n_won / len(y),
        "base_rate_known": float(base_rate.mean()),
        "mean_score": float(score.mean()),
        "log_loss": metrics.log_loss(y, score).estimate,
        "log_loss_of_base_rate": float(log_loss_each(y, logit(base_rate)).mean()),
        "calibration_error": metrics.calibration_error(y, score),
    }
    if min(n_won, len(y) - n_won) < LEAST_RANKED:
        return found
    auc = metrics.auc(y, score)
    return found | {"auc": auc.estimate, "auc_low": auc.low, "auc_high": auc.high}


def _decision(won: NDArray[np.bool_], moments: NDArray, said: Said) -> dict[str, Any]:
    """What the cut-off did: counted on the tested leads."""
    passed, promised = said.passed[said.tested], said.cutoff.promised_precision
    n, n_both, n_won = int(passed.sum()), int((passed & won).sum()), int(won.sum())
    found = {
        "threshold": said.cutoff.threshold,
        "promised_precision": promised,
        "n_qualified": n,
        "per_week": _per_week(n * said.leads_per_tested, moments),
        "recall": n_both / n_won if n_won else None,
        "is_void": None if said.check is None else said.check.is_void,
    }
    if n == 0:
        return found
    precision = clopper_pearson(n_both, n)
    kept = None if promised is None else precision.estimate >= promised
    interval = {"precision_low": precision.low, "precision_high": precision.high}
    return found | {"precision": precision.estimate, **interval, "is_kept": kept}


def _per_week(n: float, moments: NDArray) -> float | None:
    if moments.dtype.kind != "M":
        return None
    days = (moments.max() - moments.min()) / np.timedelta64(1, "D") + 1
    return n / (days / 7)


_NUMBERS = ("auc", "auc_low", "auc_high", "log_loss", "log_loss_of_base_rate", "calibration_error")
_CUTOFF_NUMBERS = ("threshold", "promised_precision", "precision", "precision_low", "precision_high")


def block_table(played: list[PlayedBlock], as_of: NDArray) -> pa.Table:
    """Return the rows of the blocks as the table that :func:`leadlift.lifecycle.backtest.backtest` describes.

    Parameters
    ----------
    played : list of PlayedBlock
    as_of : ndarray of datetime64 or numbers
        Decides the type of ``begin`` and ``end``.

    Returns
    -------
    pyarrow.Table
    """
    dated = as_of.dtype.kind == "M"
    moment = pa.timestamp("us") if dated else pa.from_numpy_dtype(as_of.dtype)
    fields = [
        ("block", pa.int64()),
        ("begin", moment),
        ("end", moment),
        *[(name, pa.int64()) for name in ("n_known", "n", "n_won")],
        *[(name, pa.float64()) for name in ("base_rate", "base_rate_known", "mean_score", *_NUMBERS)],
        *[(name, pa.float64()) for name in _CUTOFF_NUMBERS],
        ("n_qualified", pa.int64()),
        *[(name, pa.float64()) for name in ("per_week", "recall")],
        *[(name, pa.bool_()) for name in ("is_kept", "is_void")],
    ]
    return pa.Table.from_pylist([_as_python(block.row, dated=dated) for block in played], pa.schema(fields))


def _as_python(row: dict[str, Any], *, dated: bool) -> dict[str, Any]:
    """Moments as Arrow takes them from a row."""
    if not dated:
        return row | {name: row[name].item() for name in ("begin", "end")}
    return row | {name: row[name].astype("datetime64[us]").item() for name in ("begin", "end")}


def pooled_table(played: list[PlayedBlock], y: NDArray) -> pa.Table:
    """Return one row of figures over the leads of all blocks.

    Parameters
    ----------
    played : list of PlayedBlock
    y : ndarray of shape (n_rows,)
        Labels 0 and 1 of all rows.

    Returns
    -------
    pyarrow.Table
        As :class:`leadlift.lifecycle.backtest.BacktestResult` describes it.
    """
    known = np.concatenate([np.full(len(block.tested), block.base_rate_known) for block in played])
    score = np.concatenate([block.score for block in played])
    quality = _quality(y[np.concatenate([block.tested for block in played])], score, known)
    rows = [block.row for block in played]
    promises = [row for row in rows if row.get("is_kept") is not None]
    kept = sum(row["is_kept"] for row in promises)
    void = sum(bool(row["is_void"]) for row in promises)
    return pa.Table.from_pylist(
        [
            {
                **{name: quality[name] for name in ("n", "n_won", *_NUMBERS)},
                "n_promises": len(promises),
                "n_kept": kept,
                "n_void": void,
                "n_kept_or_void": sum(row["is_kept"] or bool(row["is_void"]) for row in promises),
            }
        ]
    )
