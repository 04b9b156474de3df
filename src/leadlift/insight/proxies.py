"""How well a protected attribute can be guessed from the inputs of a model, and which of them give it away.

Leaving an attribute out of the inputs does not keep a model from knowing it, where other inputs stand for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import ndtr, ndtri

from leadlift.data.tables import table_from
from leadlift.data.values import plain
from leadlift.exceptions import InputError
from leadlift.insight.groups import Groups, groups_of
from leadlift.insight.segments.comparison import q_values
from leadlift.insight.segments.inputs import known
from leadlift.insight.segments.levels import can_be_cut
from leadlift.learning.leak_folds import order_by_content
from leadlift.learning.leak_levels import LevelColumn, level_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_ROWS = 5000
MOST_GROUPS = 8
LEAST_LEADS = 10
CHANCE = 0.5
N_FOLDS = 3
MOST_REMOVED = 5
_N_BINS = 20
_SMOOTHING_ROWS = 10.0


@dataclass(frozen=True)
class ProxyScan:
    """What the inputs know of protected attributes.

    Parameters
    ----------
    by_attribute : pyarrow.Table
        ``attribute`` (string); ``n``, ``n_groups`` (int64), leads and groups looked at; ``auc``, ``low``,
        ``high`` (float64, null where fewer than two groups are large enough), how well all inputs together
        tell the groups apart; ``can_be_guessed`` (bool), whether the interval lies above 0.5; ``n_removed``
        (int64), the inputs, at most five, that tell most by themselves, and ``auc_without``, ``low_without``,
        ``high_without`` (float64), what is left without these; ``is_input`` (bool), whether an input of the
        attribute's name was there and left aside.
    by_input : pyarrow.Table
        ``attribute``, ``input`` (string); ``auc``, ``low``, ``high`` (float64) of that input alone;
        ``q_value`` (float64; of no better than chance, corrected for all inputs and attributes) and
        ``gives_away`` (bool). The most telling first, attribute by attribute.
    """

    by_attribute: pa.Table
    by_input: pa.Table


def proxy_scan(
    inputs: object,
    groups: object,
    *,
    least_leads: int = 30,
    confidence: float = 0.95,
    false_discovery_rate: float = 0.05,
    max_rows: int = MAX_ROWS,
    random_state: int = 0,
) -> ProxyScan:
    """Guess protected attributes from the inputs, all together and one by one.

    A quick learner (scikit-learn's histogram gradient boosting, few and small trees) guesses the group of
    leads that it has not seen, in three folds; each input alone guesses by the smoothed shares of the groups
    at each of its levels. Either is judged by its AUC, one group against the others, averaged over groups
    and folds: 0.5 is chance, 1 is certainty. Intervals are normal, by the influence of each lead on the AUC
    (DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595). Folds learn from the same leads, so their
    mean is taken to be no surer than one of them; how much surer it is cannot be known without bias (Bengio
    and Grandvalet 2004, JMLR 5, 1089).

    That an input gives an attribute away does not make it unfair; it says where to look.

    Parameters
    ----------
    inputs : pyarrow, pandas or polars table with n_rows rows
        Inputs of the model, one row a lead: with several rows a lead, its group would be remembered. Columns
        other than numbers, text and truth values are left aside.
    groups : table with n_rows rows
        The protected attributes, a column each. Leads whose value is not recorded, and groups of fewer than
        `least_leads` leads, take no part.
    least_leads : int, default=30
        At least 10.
    confidence : float, default=0.95
    false_discovery_rate : float, default=0.05
        Share of the inputs named that may be chance (Benjamini and Hochberg 1995).
    max_rows : int, default=5,000
        About so many leads are looked at, drawn by group.
    random_state : int, default=0
        Draws leads and folds.

    Returns
    -------
    ProxyScan

    Raises
    ------
    InputError
        The tables differ in rows, `least_leads` is below 10, or no input can be looked at.
    SchemaError
        An attribute is neither numbers nor text nor truth values.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> gender = rng.choice(["female", "male"], 600)
    >>> title = np.where(rng.random(600) < 0.8, np.where(gender == "female", "Ms", "Mr"), "none")
    >>> inputs = pa.table({"salutation": title, "visits": rng.poisson(3.0, 600)})
    >>> scan = proxy_scan(inputs, pa.table({"gender": gender}))
    >>> scan.by_input.select(["input", "gives_away"]).to_pylist()
    [{'input': 'salutation', 'gives_away': True}, {'input': 'visits', 'gives_away': False}]
    """
    inputs, groups = table_from(inputs), table_from(groups)
    _check(inputs, groups, least_leads)
    columns = [_levels(field.name, inputs[field.name]) for field in inputs.schema if can_be_cut(field.type)]
    attributes, scans = [], [_NO_INPUTS]
    for name in groups.column_names:
        used = [column for column in columns if column.name != name]
        of = groups_of(name, groups[name], most_groups=MOST_GROUPS)
        sample = _sample(used, of, least_leads, max_rows, random_state)
        scans.append(_one_by_one(name, sample, confidence))
        row = {"attribute": name, "is_input": len(used) < len(columns)}
        attributes.append(row | _all_together(sample, scans[-1], confidence))
    by_input = _corrected(pa.concat_tables(scans), false_discovery_rate)
    return ProxyScan(pa.Table.from_pylist(attributes, _ATTRIBUTE_SCHEMA), by_input)


_ATTRIBUTE_SCHEMA = pa.schema(
    [
        ("attribute", pa.string()),
        ("n", pa.int64()),
        ("n_groups", pa.int64()),
        ("auc", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("can_be_guessed", pa.bool_()),
        ("n_removed", pa.int64()),
        ("auc_without", pa.float64()),
        ("low_without", pa.float64()),
        ("high_without", pa.float64()),
        ("is_input", pa.bool_()),
    ]
)
_NO_INPUTS = pa.schema(
    [
        ("attribute", pa.string()),
        ("input", pa.string()),
        ("auc", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("p_value", pa.float64()),
    ]
).empty_table()


@dataclass(frozen=True)
class _Sample:
    """Leads looked at: the level of each in each input, its group from 0 upwards, and its fold."""

    inputs: tuple[str, ...]
    levels: NDArray[np.int64]
    group: NDArray[np.int64]
    fold: NDArray[np.int64]

    @property
    def n_groups(self) -> int:
        return int(self.group.max(initial=-1)) + 1

    @property
    def can_be_split(self) -> bool:
        """Whether there is anything to tell apart, and to tell it by."""
        return self.n_groups > 1 and len(self.inputs) > 0


@dataclass(frozen=True)
class _Guess:
    """Guesses of one fold: leads of each group (second axis) that share a guess (first axis), and it."""

    counts: NDArray[np.float64]
    guesses: NDArray[np.float64]


def _check(inputs: pa.Table, groups: pa.Table, least_leads: int) -> None:
    if inputs.num_rows != groups.num_rows:
        msg = f"inputs and groups must have the same rows, got {inputs.num_rows:,} and {groups.num_rows:,}"
        raise InputError(msg)
    if least_leads < LEAST_LEADS:
        msg = (
            f"least_leads must be at least {LEAST_LEADS}, for three folds to hold a group, got {least_leads}"
        )
        raise InputError(msg)
    if not any(can_be_cut(field.type) for field in inputs.schema):
        msg = "no input holds numbers, text or truth values; give the inputs of the model"
        raise InputError(msg)


def _levels(name: str, values: pa.ChunkedArray) -> LevelColumn:
    column = plain(values)
    column = column.cast(pa.string()) if pa.types.is_boolean(column.type) else column
    return level_column(name, column, n_bins=_N_BINS)


def _sample(
    columns: list[LevelColumn], groups: Groups, least_leads: int, max_rows: int, random_state: int
) -> _Sample:
    """Draw leads evenly from all groups large enough, in an order that their content alone decides."""
    is_large = groups.is_recorded & (groups.sizes >= least_leads)
    rows = np.flatnonzero(is_large[groups.codes])
    if columns and len(rows):
        drawn = [replace(column, codes=column.codes[rows]) for column in columns]
        rows = rows[order_by_content(drawn, groups.codes[rows], None, seed=random_state)]
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), max_rows)).astype(np.int64)]
    sizes = np.bincount(groups.codes[rows], minlength=len(groups.names))
    # Of a rare group too few may be drawn: its guesses would blur the mean over groups.
    rows = rows[sizes[groups.codes[rows]] >= least_leads]
    levels = np.array([column.codes[rows] for column in columns], dtype=np.int64).reshape(len(columns), -1).T
    # Leads of a group stand together, so dealing them in turn spreads each group over the folds.
    fold = np.arange(len(rows)) % N_FOLDS
    group = np.unique(groups.codes[rows], return_inverse=True)[1]
    return _Sample(tuple(column.name for column in columns), levels, group, fold)


def _all_together(sample: _Sample, by_input: pa.Table, confidence: float) -> dict[str, Any]:
    """What all inputs give away, and what is left without those that tell most by themselves."""
    found = {"n": len(sample.group), "n_groups": sample.n_groups}
    if not sample.can_be_split:
        return found | {"can_be_guessed": False, "n_removed": 0}
    auc, low, high = _auc_of_learner(sample, sample.inputs, confidence)
    telling = by_input.filter(pc.greater(by_input["low"], CHANCE))["input"].to_pylist()[:MOST_REMOVED]
    found |= {"auc": auc, "low": low, "high": high, "can_be_guessed": low > CHANCE, "n_removed": len(telling)}
    others = [name for name in sample.inputs if name not in telling]
    if telling and others:
        left = _auc_of_learner(sample, others, confidence)
        found |= dict(zip(("auc_without", "low_without", "high_without"), left, strict=True))
    return found


def _auc_of_learner(sample: _Sample, inputs: Sequence[str], confidence: float) -> tuple[float, float, float]:
    auc, error = _macro_auc(_learnt_guesses(sample, [sample.inputs.index(name) for name in inputs]))
    low, high = _bounds(auc, error, confidence)
    return auc, float(low), float(high)


def _one_by_one(attribute: str, sample: _Sample, confidence: float) -> pa.Table:
    """What each input gives away by itself, the most telling first."""
    if not sample.can_be_split:
        return _NO_INPUTS
    auc, error = np.array([_macro_auc(_guesses_of_one(sample, i)) for i in range(len(sample.inputs))]).T
    low, high = _bounds(auc, error, confidence)
    table = pa.table(
        {
            "attribute": pa.array([attribute] * len(auc), pa.string()),
            "input": pa.array(sample.inputs, pa.string()),
            "auc": auc,
            "low": low,
            "high": high,
            # An input that tells all groups apart has an AUC of 1 without any error.
            "p_value": ndtr((CHANCE - auc) / np.maximum(error, np.finfo(float).tiny)),
        }
    )
    return table.take(np.lexsort((sample.inputs, -auc)))


def _corrected(by_input: pa.Table, false_discovery_rate: float) -> pa.Table:
    p_values = by_input["p_value"].to_numpy()
    q = q_values(p_values, np.ones(len(p_values), dtype=bool))
    table = by_input.drop_columns("p_value").append_column("q_value", known(q))
    return table.append_column("gives_away", pa.array(q <= false_discovery_rate))


def _guesses_of_one(sample: _Sample, place: int) -> list[_Guess]:
    """Guess by the shares of the groups at each level of one input in the other folds.

    Shares are smoothed by ten rows of the whole (Micci-Barreca 2001, doi:10.1145/507533.507538).
    """
    n_levels = int(sample.levels[:, place].max()) + 1
    shape = (N_FOLDS, n_levels, sample.n_groups)
    cell = np.ravel_multi_index((sample.fold, sample.levels[:, place], sample.group), shape)
    counts = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    others = counts.sum(axis=0) - counts
    base = others.sum(axis=1, keepdims=True) / others.sum(axis=(1, 2), keepdims=True)
    shares = (others + _SMOOTHING_ROWS * base) / (others.sum(axis=2, keepdims=True) + _SMOOTHING_ROWS)
    return [_Guess(*each) for each in zip(counts, shares, strict=True)]


def _learnt_guesses(sample: _Sample, places: list[int]) -> list[_Guess]:
    """Guess by a small boosted forest over some inputs, learnt from the other folds."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    levels, member = sample.levels[:, places].astype(np.float64), np.eye(sample.n_groups)[sample.group]
    found = []
    # On so few rows OpenMP's threads cost more waiting for each other than they save.
    with threadpool_limits(limits=1):
        for fold in range(N_FOLDS):
            held = sample.fold == fold
            forest = HistGradientBoostingClassifier(
                max_iter=20, learning_rate=0.25, max_leaf_nodes=12, early_stopping=False, random_state=0
            )
            forest.fit(levels[~held], sample.group[~held])
            found.append(_Guess(member[held], forest.predict_proba(levels[held])))
    return found


def _macro_auc(folds: list[_Guess]) -> tuple[float, float]:
    """Mean over folds and groups of the AUC of each group against the others, and its standard error.

    The variance of a mean is at most the mean of the variances, however the folds depend on each other.
    """
    aucs, variances = [], []
    for fold in folds:
        n_groups = fold.counts.shape[1]
        influence = np.zeros_like(fold.counts)
        for group in range(n_groups):
            auc, of_group = _auc_and_influence(fold.counts, fold.guesses[:, group], group)
            aucs.append(auc)
            influence += of_group / n_groups
        variances.append((fold.counts * influence**2).sum())
    return float(np.mean(aucs)), float(np.sqrt(np.mean(variances)))


def _auc_and_influence(
    counts: NDArray[np.float64], guess: NDArray[np.float64], group: int
) -> tuple[float, NDArray[np.float64]]:
    """AUC of one group against the others, and what one lead more of each kind would add to it.

    The influence of a lead is the share of the other side that it is ranked rightly against, less the AUC, by
    the leads on its own side (DeLong et al. 1988, equations 4 to 6). Ties count half.
    """
    inside, outside = counts[:, group], counts.sum(axis=1) - counts[:, group]
    place = np.unique(guess, return_inverse=True)[1]
    in_at, out_at = np.bincount(place, inside), np.bincount(place, outside)
    n_in, n_out = inside.sum(), outside.sum()
    beaten = ((np.cumsum(out_at) - out_at / 2) / n_out)[place]
    beating = (1 - (np.cumsum(in_at) - in_at / 2) / n_in)[place]
    auc = float(inside @ beaten / n_in)
    influence = np.repeat(((beating - auc) / n_out)[:, None], counts.shape[1], axis=1)
    influence[:, group] = (beaten - auc) / n_in
    return auc, influence


def _bounds(auc: Any, error: Any, confidence: float) -> tuple[Any, Any]:
    reach = ndtri((1 + confidence) / 2) * error
    return np.maximum(auc - reach, 0.0), np.minimum(auc + reach, 1.0)
