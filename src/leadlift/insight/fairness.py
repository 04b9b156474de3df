"""How a cut-off treats the groups of a protected attribute."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.data.tables import table_from
from leadlift.exceptions import InputError
from leadlift.insight.groups import Groups, groups_of
from leadlift.insight.segments.comparison import difference_bounds
from leadlift.insight.segments.inputs import known, outcomes
from leadlift.insight.share_ratio import ratio_bounds, ratio_of, share_of
from leadlift.learning.intervals import share_bounds

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FOUR_FIFTHS = 0.8

BELOW = "below four fifths"
AT_LEAST = "at least four fifths"
NOT_SHOWN = "not shown"
TOO_FEW = "too few"

# Metric -> what it is a share of.
_RATES = ("selection_rate", "precision", "recall", "false_positive_rate")


@dataclass(frozen=True)
class FairnessAudit:
    """How the leads that pass are spread over the groups of each protected attribute.

    Parameters
    ----------
    by_group : pyarrow.Table
        One row an attribute and group: ``attribute``, ``group`` (string); ``n``, ``won``, ``selected``
        (int64); ``selection_rate``, share of the group that passes; ``precision``, share of those that is
        won; ``recall``, share of the won that passes; ``false_positive_rate``, share of the lost that
        passes; ``mean_score`` and ``calibration_gap``, mean score less the share won (float64, each but
        ``mean_score`` with ``..._low`` and ``..._high``, exact); ``selection_ratio``, to the rate of the
        group selected most (float64, null for groups not compared); ``too_few``, ``precision_too_few``,
        ``recall_too_few`` and ``false_positive_rate_too_few`` (bool).
    by_attribute : pyarrow.Table
        One row an attribute: ``attribute`` (string); ``n``, ``n_groups`` (int64), groups compared and their
        leads; ``least_selected``, ``most_selected`` (string); ``selection_ratio`` of these two and
        ``equalized_odds_difference``, the largest difference between two groups in recall or in
        false-positive rate (float64, with ``..._low`` and ``..._high``); ``verdict`` (string): "below four
        fifths", "at least four fifths", "not shown" where the interval holds both, "too few" where no two
        groups can be compared.
    """

    by_group: pa.Table
    by_attribute: pa.Table


def fairness_audit(
    score: ArrayLike,
    passed: ArrayLike,
    won: ArrayLike,
    groups: object,
    *,
    least_leads: int = 30,
    confidence: float = 0.95,
) -> FairnessAudit:
    """Count who passes, who is won and who is missed, by group of each protected attribute.

    Text is grouped by level, numbers by band; leads whose value is not recorded are shown as a group and not
    compared, nor are groups too small. The rates are fairlearn's. The four-fifths rule (Uniform Guidelines on
    Employee Selection Procedures 1978, 29 CFR 1607.4 D) compares the smallest selection rate with the
    largest; equalised odds are those of Hardt, Price and Srebro 2016, arXiv:1610.02413.

    The interval of the ratio (and of the difference) holds for the extremes among the groups, which were
    found by looking: it joins the intervals of all pairs of groups, each at confidence
    ``1 - (1 - confidence) / n_pairs`` (Bonferroni). Each attribute is a look of its own; one in
    twenty verdicts may be chance at 95 %.

    A verdict is about selection, not about its reasons: groups may differ in what is won. Give leads that the
    model has not learnt from, one row each, all of them mature.

    Parameters
    ----------
    score : array of float64, shape (n_rows,)
        Calibrated probabilities.
    passed : array of bool, shape (n_rows,)
        Whether each lead passes the cut-off.
    won : array of bool, shape (n_rows,)
    groups : pyarrow, pandas or polars table with n_rows rows
        The protected attributes, a column each.
    least_leads : int, default=30
        Leads below which a share of them says too little.
    confidence : float, default=0.95

    Returns
    -------
    FairnessAudit

    Raises
    ------
    InputError
        Lengths differ, there is no lead, or a score is not in [0, 1].
    SchemaError
        An attribute is neither numbers nor text nor truth values.

    Examples
    --------
    >>> groups = pa.table({"gender": ["female"] * 100 + ["male"] * 100})
    >>> passed = [True] * 20 + [False] * 80 + [True] * 60 + [False] * 40
    >>> audit = fairness_audit([0.4] * 200, passed, [True, False] * 100, groups)
    >>> audit.by_attribute.select(["least_selected", "most_selected", "verdict"]).to_pylist()
    [{'least_selected': 'female', 'most_selected': 'male', 'verdict': 'below four fifths'}]
    """
    table = table_from(groups)
    if not (table.num_rows and table.num_columns):
        shape = f"{table.num_rows} rows and {table.num_columns} columns"
        msg = f"expected leads with at least one protected attribute, got {shape}"
        raise InputError(msg)
    score, passed, won = _checked(score, passed, won, table.num_rows)
    audits = [
        _audit(groups_of(name, table[name]), score, passed, won, least_leads, confidence)
        for name in table.column_names
    ]
    by_attribute = pa.Table.from_pylist([row for _, row in audits], _ATTRIBUTE_SCHEMA)
    return FairnessAudit(pa.concat_tables([by_group for by_group, _ in audits]), by_attribute)


_ATTRIBUTE_SCHEMA = pa.schema(
    [
        ("attribute", pa.string()),
        ("n", pa.int64()),
        ("n_groups", pa.int64()),
        ("least_selected", pa.string()),
        ("most_selected", pa.string()),
        ("selection_ratio", pa.float64()),
        ("selection_ratio_low", pa.float64()),
        ("selection_ratio_high", pa.float64()),
        ("equalized_odds_difference", pa.float64()),
        ("equalized_odds_difference_low", pa.float64()),
        ("equalized_odds_difference_high", pa.float64()),
        ("verdict", pa.string()),
    ]
)


@dataclass(frozen=True)
class _Cells:
    """Leads by group, outcome and decision: ``counts[group, won, passed]``."""

    counts: NDArray[np.int64]

    def rows(self, of: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
        """The cells of some groups as weighted rows, the form in which fairlearn takes them."""
        group, won, passed = (axis.ravel() for axis in np.indices(self.counts[of].shape))
        weight = self.counts[of].ravel()
        is_filled = weight > 0
        names = ("sensitive_features", "y_true", "y_pred", "sample_weight")
        return {
            name: values[is_filled] for name, values in zip(names, (group, won, passed, weight), strict=True)
        }

    @property
    def out_of(self) -> dict[str, NDArray[np.int64]]:
        """What each rate is a share of, by group."""
        by_outcome, by_decision = self.counts.sum(axis=2), self.counts.sum(axis=1)
        whole = by_outcome.sum(axis=1), by_decision[:, 1], by_outcome[:, 1], by_outcome[:, 0]
        return dict(zip(_RATES, whole, strict=True))


def _checked(
    score: ArrayLike, passed: ArrayLike, won: ArrayLike, n_rows: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    score = np.asarray(score, dtype=np.float64)
    if score.shape != (n_rows,) or not ((score >= 0) & (score <= 1)).all():
        msg = f"expected a score in [0, 1] for each of {n_rows:,} leads, got an array of shape {score.shape}"
        if score.size:
            msg += f" from {score.min():g} to {score.max():g}"
        raise InputError(msg)
    return score, outcomes(passed, n_rows), outcomes(won, n_rows)


def _audit(
    groups: Groups,
    score: NDArray[np.float64],
    passed: NDArray[np.bool_],
    won: NDArray[np.bool_],
    least_leads: int,
    confidence: float,
) -> tuple[pa.Table, dict[str, Any]]:
    shape = (len(groups.names), 2, 2)
    cell = np.ravel_multi_index((groups.codes, won.astype(np.int64), passed.astype(np.int64)), shape)
    cells = _Cells(np.bincount(cell, minlength=4 * len(groups.names)).reshape(shape))
    rates, out_of = _rates(cells), cells.out_of
    counts = {name: np.rint(np.nan_to_num(rates[name]) * out_of[name]) for name in _RATES}
    is_compared = groups.is_recorded & (groups.sizes >= max(least_leads, 1))
    by_group = {
        "attribute": [groups.name] * len(groups.names),
        "group": groups.names,
        "n": groups.sizes,
        "won": out_of["recall"],
        "selected": out_of["precision"],
        **_rate_columns(rates, counts, out_of, confidence),
        **_calibration_columns(groups, score, out_of["recall"], confidence),
        "selection_ratio": known(_selection_ratio(rates["selection_rate"], is_compared)),
        **{_too_few_name(name): out_of[name] < least_leads for name in _RATES},
    }
    row = {
        "attribute": groups.name,
        "n": int(groups.sizes[is_compared].sum()),
        "n_groups": int(is_compared.sum()),
        **_four_fifths(groups, cells, is_compared, rates["selection_rate"], confidence),
        **_equalized_odds(cells, is_compared, least_leads, confidence),
    }
    return pa.table(by_group), row


def _too_few_name(rate: str) -> str:
    return "too_few" if rate == "selection_rate" else f"{rate}_too_few"


def _rates(cells: _Cells) -> dict[str, NDArray[np.float64]]:
    """Fairlearn's rates by group, NaN where there is nothing that they could be a share of."""
    from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate

    metrics = dict(
        zip(_RATES, (selection_rate, _precision, true_positive_rate, false_positive_rate), strict=True)
    )
    rows = cells.rows(np.ones(len(cells.counts), dtype=bool))
    weight = {"sample_weight": rows.pop("sample_weight")}
    frame = MetricFrame(metrics=metrics, **rows, sample_params=dict.fromkeys(_RATES, weight))
    return {
        name: np.where(cells.out_of[name] > 0, frame.by_group[name].to_numpy(dtype=np.float64), np.nan)
        for name in _RATES
    }


def _precision(y_true: NDArray, y_pred: NDArray, sample_weight: NDArray) -> float:
    """Precision; of none selected 0, which is taken out after."""
    from sklearn.metrics import precision_score

    return float(precision_score(y_true, y_pred, sample_weight=sample_weight, zero_division=0))


def _rate_columns(
    rates: dict[str, NDArray[np.float64]],
    counts: dict[str, NDArray[np.float64]],
    out_of: dict[str, NDArray[np.int64]],
    confidence: float,
) -> dict[str, pa.Array]:
    columns = {}
    for name in _RATES:
        low, high = share_bounds(counts[name], out_of[name], confidence)
        columns[name] = known(rates[name])
        columns[f"{name}_low"] = known(low, out_of[name] > 0)
        columns[f"{name}_high"] = known(high, out_of[name] > 0)
    return columns


def _calibration_columns(
    groups: Groups, score: NDArray[np.float64], won: NDArray[np.int64], confidence: float
) -> dict[str, pa.Array]:
    """Mean score less the share won; given the scores, the bounds of that share bound it."""
    mean = np.bincount(groups.codes, score, minlength=len(groups.names)) / groups.sizes
    low, high = share_bounds(won, groups.sizes, confidence)
    return {
        "mean_score": known(mean),
        "calibration_gap": known(mean - share_of(won, groups.sizes)),
        "calibration_gap_low": known(mean - high),
        "calibration_gap_high": known(mean - low),
    }


def _selection_ratio(rate: NDArray[np.float64], is_compared: NDArray[np.bool_]) -> NDArray[np.float64]:
    highest = rate[is_compared].max(initial=0.0)
    return np.where(is_compared, ratio_of(rate, np.full(len(rate), highest)), np.nan)


def _four_fifths(
    groups: Groups,
    cells: _Cells,
    is_compared: NDArray[np.bool_],
    rate: NDArray[np.float64],
    confidence: float,
) -> dict[str, Any]:
    """The smallest selection rate by the largest, with the interval of the smallest ratio of all pairs."""
    compared = np.flatnonzero(is_compared)
    if len(compared) < 2 or not rate[compared].any():
        return {"verdict": TOO_FEW if len(compared) < 2 else NOT_SHOWN}
    from fairlearn.metrics import demographic_parity_ratio

    k, n = cells.counts[:, :, 1].sum(axis=1), groups.sizes
    one, other = _pairs(compared)
    bounds = ratio_bounds(k[one], n[one], k[other], n[other], _of_each(confidence, len(one) // 2))
    low, high = (float(np.nanmin(bound)) for bound in bounds)
    return {
        "least_selected": groups.names[compared[rate[compared].argmin()]],
        "most_selected": groups.names[compared[rate[compared].argmax()]],
        "selection_ratio": float(demographic_parity_ratio(**cells.rows(is_compared))),
        "selection_ratio_low": low,
        "selection_ratio_high": min(high, 1.0),
        "verdict": BELOW if high < FOUR_FIFTHS else AT_LEAST if low >= FOUR_FIFTHS else NOT_SHOWN,
    }


def _equalized_odds(
    cells: _Cells, is_compared: NDArray[np.bool_], least_leads: int, confidence: float
) -> dict[str, float]:
    """The largest difference in recall or false-positive rate, with the interval of that of all pairs."""
    out_of = cells.out_of
    least = np.minimum(out_of["recall"], out_of["false_positive_rate"])
    is_compared = is_compared & (least >= max(least_leads, 1))
    compared = np.flatnonzero(is_compared)
    if len(compared) < 2:
        return {}
    from fairlearn.metrics import equalized_odds_difference

    one, other = _pairs(compared)
    each = _of_each(confidence, len(one))
    lows, highs = [], []
    for won in (0, 1):
        k, n = cells.counts[:, won, 1], cells.counts[:, won].sum(axis=1)
        low, high = difference_bounds(k[one], n[one], k[other], n[other], each)
        lows.append(low.max())
        highs.append(high.max())
    return {
        "equalized_odds_difference": float(equalized_odds_difference(**cells.rows(is_compared))),
        "equalized_odds_difference_low": max(float(max(lows)), 0.0),
        "equalized_odds_difference_high": float(max(highs)),
    }


def _pairs(places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All ordered pairs of different groups."""
    pairs = np.array(list(combinations(places.tolist(), 2)))
    return np.r_[pairs[:, 0], pairs[:, 1]], np.r_[pairs[:, 1], pairs[:, 0]]


def _of_each(confidence: float, n_intervals: int) -> float:
    """Confidence of each of several intervals that hold together with `confidence`."""
    return 1 - (1 - confidence) / n_intervals
