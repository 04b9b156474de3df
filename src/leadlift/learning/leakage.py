"""The leakage gate: columns written after the outcome are found, priced, and stop training until judged.

No test can know when a column is written; only its owner can. The gate therefore gathers evidence (see
:mod:`leadlift.learning.leak_evidence`), says what each suspect is worth, and asks: leave it out, or confirm
that it is known when the lead is created.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.data.values import is_number, is_text
from leadlift.exceptions import ImmatureLabelsError, SchemaError, shorten
from leadlift.learning import leak_evidence
from leadlift.learning.leak_evidence import BLOCKING_POINTS, ColumnFacts, Evidence
from leadlift.learning.leak_folds import deal_folds, order_by_content
from leadlift.learning.leak_levels import LevelColumn, level_column, number_of_bins
from leadlift.learning.leak_price import QuickLearner, Worth
from leadlift.learning.leak_report import LeakageReport, Suspect

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_FEWEST_OF_A_CLASS = 10
_N_FOLDS = 5
_WORTH_A_LOOK = 0.70  # AUC alone from which dominance is looked for
_RIVAL = 0.80  # AUC alone from which a column may hide another's dominance
_MOST_LOOKS = 5
_NEAR_BLOCKING = 0.6  # share of the blocking points from which a suspicious name is worth a warning


@dataclass(frozen=True)
class LeakageGate:
    """Finds columns that look written after the outcome.

    Parameters
    ----------
    blocking_points : float, default=1.0
        Points of evidence from which a column is a suspect; see :mod:`leadlift.learning.leak_evidence`.
    max_rows : int, default=20_000
        Rows on which prices are learnt; single columns are judged on all.
    random_state : int, default=0
        Deals rows to folds; at least 0.

    Notes
    -----
    One small forest is learnt for each suspect, each column that is strong alone and for the whole, so the
    cost grows with their number. The order of the rows has no influence.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> won = rng.integers(0, 2, 400)
    >>> leads = pa.table({
    ...     "visits": rng.poisson(3 + won).astype(float),
    ...     "deal_value": np.where(won == 1, rng.uniform(100, 900, 400), np.nan),
    ... })
    >>> report = LeakageGate().examine(leads, won)
    >>> [suspect.column for suspect in report.suspects]
    ['deal_value']
    """

    blocking_points: float = BLOCKING_POINTS
    max_rows: int = 20_000
    random_state: int = 0

    def examine(
        self,
        columns: pa.Table,
        y: ArrayLike,
        *,
        confirmed: Collection[str] = (),
        groups: ArrayLike | None = None,
        dates: Mapping[str, NDArray[np.datetime64]] | None = None,
        created_at: NDArray[np.datetime64] | None = None,
        built: Collection[str] = (),
    ) -> LeakageReport:
        """Look at every candidate input.

        Parameters
        ----------
        columns : pa.Table of n_rows
            Candidate inputs: numbers or strings (categories); null is missing.
        y : array-like of shape (n_rows,)
            1 for a won and 0 for a lost lead; at least ten of each.
        confirmed : collection of str
            Columns that the user confirms to be known at creation.
        groups : array-like of shape (n_rows,), optional
            Lead of each row, where a lead has several; rows of one lead stay in one fold.
        dates : mapping of str to datetime64 ndarray of shape (n_rows,), optional
            Date columns without a role. They are judged, but take no part in the price of the others.
        created_at : datetime64 ndarray of shape (n_rows,), optional
            Moment of each lead's creation.
        built : collection of str
            Columns that leadlift built from what was known before: their names are its own and no evidence.

        Returns
        -------
        LeakageReport

        Raises
        ------
        SchemaError
            Lengths differ, labels are other than 0 and 1, or a column is of another type.
        ImmatureLabelsError
            Fewer than ten leads of a class.
        """
        labels = _checked_labels(y, columns.num_rows if columns.num_columns else None)
        levels = _all_levels(columns, dates or {}, created_at, labels)
        if not levels:
            return LeakageReport((), (), (), (), Worth(0.5, 1.0), Worth(0.5, 1.0), len(labels))
        numbers = None if groups is None else _group_numbers(groups, len(labels))
        order = order_by_content(levels, labels, numbers, seed=self.random_state)
        levels, labels = [_reordered(column, order) for column in levels], labels[order]
        numbers = np.arange(len(order)) if numbers is None else numbers[order]
        later_shares = _later_shares(dates or {}, created_at)
        facts = self._measure(levels, labels, numbers, later_shares, frozenset(built))
        learner = QuickLearner(levels, labels, numbers, max_rows=self.max_rows, seed=self.random_state)
        return _Inquiry(facts, learner, frozenset(confirmed), self.blocking_points).report(len(labels))

    def _measure(
        self,
        levels: Sequence[LevelColumn],
        y: NDArray[np.int64],
        groups: NDArray[np.int64],
        later_shares: Mapping[str, float],
        built: frozenset[str],
    ) -> dict[str, ColumnFacts]:
        folds = deal_folds(y, groups, n_folds=_N_FOLDS, max_rows=len(y), seed=self.random_state)
        has_win = np.bincount(groups, y) > 0
        n_independent = (int(has_win.sum()), int((~has_win).sum()) or 1)
        return {
            column.name: leak_evidence.column_facts(
                column,
                y,
                folds,
                n_independent=n_independent,
                is_date=column.name in later_shares,
                later_share=later_shares.get(column.name, 0.0),
                is_built=column.name in built,
            )
            for column in levels
        }


class _Inquiry:
    """Facts and a learner, turned into suspects with prices."""

    def __init__(
        self,
        facts: Mapping[str, ColumnFacts],
        learner: QuickLearner,
        confirmed: frozenset[str],
        blocking_points: float,
    ) -> None:
        self._facts, self._learner = facts, learner
        self._confirmed, self._blocking_points = confirmed, blocking_points
        self._inputs = frozenset(name for name, fact in facts.items() if not fact.is_date)
        self._evidence = {name: leak_evidence.gather(fact) for name, fact in facts.items()}

    def report(self, n_rows: int) -> LeakageReport:
        for name, evidence in self._dominant().items():
            self._evidence[name].append(evidence)
        guilty = frozenset(self._facts) - self._clean()
        suspects = guilty - self._confirmed
        clean = self._inputs - suspects
        return LeakageReport(
            suspects=self._by_strength(self._priced(name, clean) for name in suspects),
            confirmed=self._by_strength(
                self._priced(name, clean - {name}) for name in guilty & self._confirmed
            ),
            doubtful=self._by_strength(
                self._priced(name, clean - {name}) for name in clean if self._is_doubtful(name)
            ),
            named_only=tuple(sorted(name for name in self._clean() if self._has_strong_name(name))),
            worth_with=self._learner.worth(clean | suspects),
            worth_without=self._learner.worth(clean),
            n_rows=n_rows,
        )

    def _clean(self) -> frozenset[str]:
        points = {name: leak_evidence.total_points(found) for name, found in self._evidence.items()}
        return frozenset(name for name in points if points[name] < self._blocking_points)

    def _dominant(self) -> dict[str, Evidence]:
        """Judge the columns that are strong alone against what the others know without any rival."""
        pool = self._inputs & (self._clean() | self._confirmed)
        rivals = {name for name in pool - self._confirmed if self._facts[name].auc_low >= _RIVAL}
        found = {}
        for name in self._worth_a_look(pool - self._confirmed):
            others = pool - rivals - {name}
            evidence = leak_evidence.dominance(
                self._learner.worth(others | {name}).auc, self._learner.worth(others).auc
            )
            if evidence is not None:
                found[name] = evidence
        return found

    def _worth_a_look(self, names: Collection[str]) -> list[str]:
        strong = [name for name in names if self._facts[name].auc_low >= _WORTH_A_LOOK]
        return sorted(strong, key=lambda name: (-self._facts[name].auc, name))[:_MOST_LOOKS]

    def _has_strong_name(self, name: str) -> bool:
        leak_name = self._facts[name].leak_name
        return leak_name is not None and leak_name.strength == "strong" and name not in self._confirmed

    def _is_doubtful(self, name: str) -> bool:
        points = leak_evidence.total_points(self._evidence[name])
        is_named = self._facts[name].leak_name is not None and not self._has_strong_name(name)
        return is_named and _NEAR_BLOCKING * self._blocking_points <= points < self._blocking_points

    def _priced(self, name: str, others: frozenset[str]) -> Suspect:
        without, with_it = self._learner.worth(others), self._learner.worth(others | {name})
        return Suspect(
            column=name,
            evidence=tuple(piece.sentence for piece in self._evidence[name]),
            strength=leak_evidence.total_points(self._evidence[name]),
            single_auc=self._facts[name].auc,
            auc_without=without.auc,
            auc_with=with_it.auc,
            lift_without=without.lift,
            lift_with=with_it.lift,
        )

    @staticmethod
    def _by_strength(suspects: Collection[Suspect]) -> tuple[Suspect, ...]:
        return tuple(sorted(suspects, key=lambda suspect: (-suspect.strength, suspect.column)))


def _checked_labels(y: ArrayLike, n_expected: int | None) -> NDArray[np.int64]:
    """Labels as 0 and 1; a table without columns does not know how many to expect."""
    labels = np.asarray(y)
    n_rows = labels.size if n_expected is None else n_expected
    if labels.shape != (n_rows,):
        msg = f"expected one label for each of {n_rows} rows, got an array of shape {labels.shape}"
        raise SchemaError(msg)
    other = ~np.isin(labels, (0, 1))
    if other.any():
        msg = f"labels must be 0 or 1; {other.sum()} are not: {shorten(labels[other])}"
        raise SchemaError(msg)
    n_won = int(np.sum(labels == 1))
    if min(n_won, n_rows - n_won) < _FEWEST_OF_A_CLASS:
        msg = (
            f"leakage cannot be judged on {n_won} won and {n_rows - n_won} lost leads; "
            f"at least {_FEWEST_OF_A_CLASS} of each are needed. Add leads whose outcome is known."
        )
        raise ImmatureLabelsError(msg)
    return labels.astype(np.int64)


def _group_numbers(groups: ArrayLike, n_rows: int) -> NDArray[np.int64]:
    names = np.asarray(groups)
    if names.shape != (n_rows,):
        msg = f"expected one group for each of {n_rows} rows, got an array of shape {names.shape}"
        raise SchemaError(msg)
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _all_levels(
    columns: pa.Table,
    dates: Mapping[str, NDArray[np.datetime64]],
    created_at: NDArray[np.datetime64] | None,
    y: NDArray[np.int64],
) -> list[LevelColumn]:
    wrong = [f.name for f in columns.schema if not (is_number(f.type) or is_text(f.type))]
    if wrong:
        msg = f"candidate inputs must be numbers or text; {len(wrong)} are not: {shorten(wrong)}"
        raise SchemaError(msg)
    n_bins = number_of_bins(y)
    levels = [level_column(name, columns[name], n_bins=n_bins) for name in columns.column_names]
    for name, moments in dates.items():
        days = pa.array(_days(moments, created_at))
        levels.append(level_column(name, days, n_bins=n_bins))
    return levels


def _days(moments: NDArray[np.datetime64], created_at: NDArray[np.datetime64] | None) -> NDArray[np.float64]:
    """Days after the creation, or after 1970 where that is unknown; NaN for no date."""
    since = np.datetime64(0, "us") if created_at is None else created_at.astype("datetime64[us]")
    return (moments.astype("datetime64[us]") - since) / np.timedelta64(1, "D")


def _later_shares(
    dates: Mapping[str, NDArray[np.datetime64]], created_at: NDArray[np.datetime64] | None
) -> dict[str, float]:
    """Share of leads dated more than a day later: a date without a time must not look later."""
    if created_at is None:
        return dict.fromkeys(dates, 0.0)
    return {name: float(np.mean(_days(moments, created_at) > 1.0)) for name, moments in dates.items()}


def _reordered(column: LevelColumn, order: NDArray[np.int64]) -> LevelColumn:
    return replace(column, codes=column.codes[order], noted=column.noted[order])
