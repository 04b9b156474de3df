"""Do the reasons of a lead survive learning from other leads?

A reason that changes with the sample it was learnt from is a fact about the sample, not about the lead. Two
learners that differ in nothing but the seed are fitted on two samples that share no lead, and explain the
same third leads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from scipy.stats import norm
from sklearn.utils.validation import check_consistent_length

from leadlift.exceptions import ConfigError, InputError
from leadlift.insight.grouping import group_specs, grouped_contributions
from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.encoding import TableEncoder, rows_of
from leadlift.learning.intervals import clopper_pearson
from leadlift.learning.splitting import content_order, one_row_a_lead
from leadlift.terms import FeatureSpec, Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

SAME_FIRST = "same first reason"
SAME_DIRECTION = "same direction of the first reason"
SHARED = "shared reasons"
COSINE = "cosine of contributions"

STABILITY_SCHEMA = pa.schema(
    [
        ("measure", pa.string()),
        ("estimate", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("n", pa.int64()),
        ("n_taught", pa.int64()),
        ("n_reasons", pa.int64()),
        ("confidence", pa.float64()),
        ("too_few", pa.bool_()),
    ]
)

# A learner of fewer leads of either outcome explains noise.
FEWEST_OF_EITHER = 20
# Share of the leads that are explained; the two samples take half of the rest each.
EXPLAINED_SHARE = 0.2
# Smaller bags, larger steps, less patience and one ridge cost a fifth of what the defaults do and find much
# the same: on four sets the share of unchanged first reasons was at most 0.05 away (docs/scorecard.md).
N_FOLDS = 4
LEARNING_RATE = 0.15
PATIENCE_ROUNDS = 15
RIDGE_STRENGTHS = (0.1,)


class _Samples(NamedTuple):
    """Rows of two samples to learn from, and of the leads that both explain."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    explained: NDArray[np.int64]


def reason_stability(
    X: Any,
    y: ArrayLike,
    *,
    specs: Sequence[FeatureSpec] = (),
    groups: ArrayLike | None = None,
    n_reasons: int = 3,
    max_taught: int = 10_000,
    max_explained: int = 2_000,
    confidence: float = 0.95,
    random_state: int = 0,
) -> pa.Table:
    """Measure whether the strongest reasons of a lead stay the same when the model learns from other leads.

    The learners are blends of small bags (four members, larger steps, no pairs of columns), and learn from
    fewer leads than most models in service, whose reasons should be steadier for that.

    Parameters
    ----------
    X : table or array of shape (n_rows, n_columns)
        Inputs, as for :class:`leadlift.LeadScorer`.
    y : array of shape (n_rows,)
        Outcomes: two classes, the larger one is "won".
    specs : sequence of FeatureSpec, optional
        Of all columns in their order: columns that say the same of a lead count as one reason
        (:func:`leadlift.insight.grouping.group_specs`). Without them each column is its own.
    groups : array of shape (n_rows,), optional
        Lead of each row, where leads have several; one row of each takes part, drawn at random.
    n_reasons : int, default=3
        How many of the strongest reasons are compared.
    max_taught, max_explained : int, default=10_000 and 2_000
        Most leads of each of the two samples, and of those that are explained.
    confidence : float, default=0.95
    random_state : int, default=0
        Deals the leads out.

    Returns
    -------
    pyarrow.Table
        ``measure``, ``estimate``, ``low``, ``high``, ``n`` (leads explained), ``n_taught`` (leads of each
        sample), ``n_reasons``, ``confidence``, ``too_few``; a row each for

        - :data:`SAME_FIRST`: share of the leads whose strongest reason is the same in both;
        - :data:`SAME_DIRECTION`: share of the leads whose strongest reason in one counts in the same
          direction in the other;
        - :data:`SHARED`: mean number of reasons that are among the `n_reasons` strongest in both;
        - :data:`COSINE`: mean cosine between the contributions to the log-odds.

        Intervals are over the leads explained (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404, for
        shares, normal for means); they do not cover the draw of the two samples. Where a sample has fewer
        than 20 leads of either outcome, `too_few` is true and the figures are null.

    Raises
    ------
    ConfigError
        `n_reasons`, `max_taught` or `max_explained` is not positive.
    InputError
        `y` has not two classes, or `specs` are not those of the columns.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 3))
    >>> won = rng.random(2000) < 1 / (1 + np.exp(-3 * X[:, 0]))
    >>> found = reason_stability(X, won)
    >>> bool(found["estimate"][0].as_py() > 0.8)
    True
    """
    _require_positive(n_reasons=n_reasons, max_taught=max_taught, max_explained=max_explained)
    check_consistent_length(X, y, groups)
    encoder = TableEncoder().fit(X)
    specs = _checked(specs, encoder)
    won = _won(y)
    samples = _deal_out(encoder.transform(X), won, groups, max_taught, max_explained, random_state)
    matrix = encoder.transform(rows_of(X, np.concatenate(samples)))
    won = won[np.concatenate(samples)]
    ends = np.cumsum([len(rows) for rows in samples])
    told = {
        "n": len(samples.explained),
        "n_taught": min(len(samples.one), len(samples.other)),
        "n_reasons": n_reasons,
        "confidence": confidence,
        "too_few": False,
    }
    taught = np.split(np.arange(ends[-1]), ends[:-1])[:2]
    if not len(samples.explained) or any(_too_few(won[rows]) for rows in taught):
        measures = (SAME_FIRST, SAME_DIRECTION, SHARED, COSINE)
        return _table([{"measure": measure} | told | {"too_few": True} for measure in measures])
    subjects = group_specs(specs)
    one, other = (
        grouped_contributions(subjects, _explain(matrix, won, rows, ends[1], random_state + k))
        for k, rows in enumerate(taught)
    )
    found = _compare(one, other, n_reasons, confidence)
    return _table([{"measure": measure, **_ends(interval)} | told for measure, interval in found.items()])


def stability_sentence(stability: pa.Table) -> str:
    """Say in a sentence how steady the strongest reason is.

    Parameters
    ----------
    stability : pyarrow.Table
        From :func:`reason_stability`.

    Returns
    -------
    str
    """
    first = stability.slice(0, 1).to_pylist()[0]
    if first["too_few"]:
        return (
            "There are too few leads to say whether reasons stay the same when the model learns from others."
        )
    return (
        f"For {100 * first['estimate']:.0f}% of the leads the strongest reason stays the same when the model "
        "is learnt from other leads."
    )


def _require_positive(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            msg = f"{name} must be at least 1, got {count}"
            raise ConfigError(msg)


def _checked(specs: Sequence[FeatureSpec], encoder: TableEncoder) -> Sequence[FeatureSpec]:
    names = [column.name for column in encoder.columns_]
    if specs and [spec.name for spec in specs] != names:
        msg = f"specs must be those of the {len(names)} columns in their order, got {len(specs)} others"
        raise InputError(msg)
    return specs or [FeatureSpec(column.name, column.kind) for column in encoder.columns_]


def _won(y: ArrayLike) -> NDArray[np.bool_]:
    y = np.asarray(y)
    classes = np.unique(y)
    if len(classes) != 2:
        msg = f"y must hold two outcomes, won and lost, got {len(classes)}"
        raise InputError(msg)
    return y == classes[1]


def _deal_out(
    matrix: NDArray[np.float64],
    won: NDArray[np.bool_],
    groups: ArrayLike | None,
    max_taught: int,
    max_explained: int,
    random_state: int,
) -> _Samples:
    """Deal whole leads out, whatever order they came in; won and lost ones apart, in equal shares."""
    rows = content_order(matrix, won)
    if groups is not None:
        rows = one_row_a_lead(rows, np.asarray(groups), random_state=random_state)
    rows = rows[np.random.default_rng(random_state).permutation(len(rows))]
    share = min(1.0, (2 * max_taught + max_explained) / max(len(rows), 1))
    parts: list[list[NDArray[np.int64]]] = [[], [], []]
    for outcome in (False, True):
        own = rows[won[rows] == outcome]
        own = own[: round(share * len(own))]
        n_explained = round(min(EXPLAINED_SHARE, max_explained / max(share * len(rows), 1)) * len(own))
        half = (len(own) - n_explained) // 2
        cuts = np.split(own, [half, 2 * half])
        for part, cut in zip(parts, cuts, strict=True):
            part.append(cut)
    return _Samples(*(np.concatenate(part) for part in parts))


def _too_few(won: NDArray[np.bool_]) -> bool:
    return min(int(won.sum()), int((~won).sum())) < FEWEST_OF_EITHER


def _explain(
    matrix: NDArray[np.float64],
    won: NDArray[np.bool_],
    taught: NDArray[np.int64],
    first_explained: int,
    random_state: int,
) -> NDArray[np.float64]:
    """Learn from some rows and explain the last ones, on the scale of the log-odds."""
    trees = BaggedTrees(
        n_folds=N_FOLDS,
        learning_rate=LEARNING_RATE,
        max_statistics=0,
        patience_rounds=PATIENCE_ROUNDS,
        n_jobs=1,
        random_state=random_state,
    )
    logistic = BinnedLogistic(strengths=RIDGE_STRENGTHS)
    learner = BlendedLearner(trees, logistic, n_folds=N_FOLDS, random_state=random_state)
    return learner.fit(matrix[taught], won[taught]).explain(matrix[first_explained:]).contributions


def _compare(
    one: NDArray[np.float64], other: NDArray[np.float64], n_reasons: int, confidence: float
) -> dict[str, Interval]:
    rows = np.arange(len(one))
    first, first_of_other = np.abs(one).argmax(axis=1), np.abs(other).argmax(axis=1)
    said = one[rows, first] * other[rows, first]
    shared = (_strongest(one, n_reasons) & _strongest(other, n_reasons)).sum(axis=1)
    size = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosine = np.divide((one * other).sum(axis=1), size, out=np.zeros(len(one)), where=size > 0)
    return {
        SAME_FIRST: _share((first == first_of_other) & (said != 0), confidence),
        SAME_DIRECTION: _share(said > 0, confidence),
        SHARED: _mean(shared.astype(np.float64), confidence),
        COSINE: _mean(cosine, confidence),
    }


def _strongest(contributions: NDArray[np.float64], n_reasons: int) -> NDArray[np.bool_]:
    """Mark the strongest contributions of each row; what adds nothing is no reason."""
    sizes = np.abs(contributions)
    ranked = np.argsort(-sizes, axis=1, kind="stable")[:, :n_reasons]
    marked = np.zeros(sizes.shape, dtype=bool)
    np.put_along_axis(marked, ranked, values=True, axis=1)
    return marked & (sizes > 0)


def _share(which: NDArray[np.bool_], confidence: float) -> Interval:
    return clopper_pearson(int(which.sum()), len(which), confidence)


def _mean(values: NDArray[np.float64], confidence: float) -> Interval:
    spread = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
    half = float(norm.ppf(0.5 + confidence / 2)) * spread / len(values) ** 0.5
    mean = float(values.mean())
    return Interval(mean, mean - half, mean + half, confidence)


def _ends(interval: Interval) -> dict[str, float]:
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high}


def _table(rows: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=STABILITY_SCHEMA)
