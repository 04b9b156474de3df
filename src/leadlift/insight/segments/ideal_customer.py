"""IdealCustomerProfile: rules that say which leads are won most often, checked on later leads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from leadlift.data.tables import require_columns, table_from
from leadlift.exceptions import InputError
from leadlift.insight.segments.comparison import more_often_p_values, q_values
from leadlift.insight.segments.conditions import candidate_conditions, require_conditions
from leadlift.insight.segments.inputs import known, leads_and_wins
from leadlift.insight.segments.rates import MOST_LEVELS, rate_columns
from leadlift.insight.segments.rule_search import RuleSearch

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ANY_RULE = "any of the rules"


class IdealCustomerProfile(BaseEstimator):
    """Find a few readable rules that pick out leads won more often than others.

    Rules such as ``industry is software or fintech, and employees is 51 to 200`` are searched one after
    another (:class:`leadlift.insight.segments.rule_search.RuleSearch`). Because they are chosen for their
    rates, those rates are too good to be true: what counts is :meth:`check` on later leads.

    Parameters
    ----------
    max_rules : int, default=5
    max_conditions : int, default=3
        Conditions of a rule, each on another column.
    least_leads : int, default=30
        Leads that a rule must pick out beyond the rules before it.
    least_share : float, default=0.02
        The same as a share of all leads, in [0, 1]; the larger one counts.
    least_lift : float, default=1.2
        Times as often as the average that the leads of a rule must be won at fit.
    most_levels : int, default=20
        Levels of a category that may stand in a rule.
    confidence : float, default=0.95
        Of the exact intervals of rates.

    Attributes
    ----------
    rules_ : tuple of Rule
        In the order in which they were found; none where nothing is won more often than the average.
    table_ : pyarrow.Table
        One row a rule, and a last one for the leads that meet any: ``rule`` (int64, from 1; null for any);
        ``text`` (string); ``n``, ``won`` (int64); ``rate``, ``low``, ``high``, ``lift``, ``share_of_leads``
        (the support), ``share_of_wins`` (float64); ``too_few`` (bool). On the leads of `fit`, and therefore
        optimistic.
    columns_ : tuple of str
        Columns looked at.
    n_leads_ : int
    base_rate_ : float
        Share of won leads at fit.

    Examples
    --------
    >>> leads = pa.table({"industry": ["software", "retail"] * 100, "employees": list(range(200))})
    >>> won = [i % 2 == 0 and i >= 100 for i in range(200)]
    >>> profile = IdealCustomerProfile(max_rules=1).fit(leads, won)
    >>> profile.rules_[0].text
    'industry is software, and employees is over 99'
    """

    def __init__(
        self,
        max_rules: int = 5,
        max_conditions: int = 3,
        *,
        least_leads: int = 30,
        least_share: float = 0.02,
        least_lift: float = 1.2,
        most_levels: int = MOST_LEVELS,
        confidence: float = 0.95,
    ) -> None:
        self.max_rules = max_rules
        self.max_conditions = max_conditions
        self.least_leads = least_leads
        self.least_share = least_share
        self.least_lift = least_lift
        self.most_levels = most_levels
        self.confidence = confidence

    def fit(self, values: Any, won: ArrayLike) -> Self:
        """Find the rules.

        Parameters
        ----------
        values : table
            pyarrow, pandas or polars, one row a lead: columns that say who the lead is (family fit). Those
            that are not text, numbers or booleans are left out.
        won : array of bool, shape (n_leads,)
            Only leads whose outcome is known; both outcomes.

        Returns
        -------
        self

        Raises
        ------
        InputError
            All leads are won or all are lost, there is none, an outcome is not known, or lengths differ.
        SchemaError
            No column has two levels with enough leads.
        """
        values, won = leads_and_wins(values, won)
        if won.all() or not won.any():
            msg = f"a profile tells won from lost leads; got {won.sum():,} won of {len(won):,}"
            raise InputError(msg)
        least_leads = max(self.least_leads, math.ceil(self.least_share * len(won)))
        settings = {"least_leads": least_leads, "most_levels": self.most_levels}
        conditions = candidate_conditions(values, won, **settings)
        require_conditions(conditions)
        limits = {"least_lift": self.least_lift, "max_conditions": self.max_conditions}
        search = RuleSearch(conditions, values, won, least_leads=least_leads, **limits)
        found = (search.next_rule() for _ in range(self.max_rules))
        self.rules_ = tuple(rule for rule in found if rule is not None)
        self.columns_ = tuple(values.column_names)
        self.n_leads_, self.base_rate_ = len(won), float(won.mean())
        self.table_ = self._rates(values, won)
        return self

    def matches(self, values: Any) -> NDArray[np.bool_]:
        """Return which leads meet any of the rules.

        Parameters
        ----------
        values : table
            With the columns of the rules; levels not seen at fit meet no rule.

        Returns
        -------
        ndarray of bool, shape (n_leads,)

        Raises
        ------
        SchemaError
            A column of the rules is not there.
        """
        return self._matched(table_from(values))[-1]

    def check(self, values: Any, won: ArrayLike, *, false_discovery_rate: float = 0.05) -> pa.Table:
        """Say whether the rules hold on later leads, which took no part in finding them.

        A rule *held* where the leads that meet it were won more often than the others by more than chance:
        Fisher's exact test on one side, corrected for the number of rules (Benjamini and Hochberg 1995).

        Parameters
        ----------
        values : table
            Leads observed after those of `fit`.
        won : array of bool, shape (n_leads,)
            Only leads whose outcome is known.
        false_discovery_rate : float, default=0.05

        Returns
        -------
        pyarrow.Table
            The columns of ``table_``, of the later leads; ``rate_at_fit``, ``lift_at_fit``; ``p_value`` and
            ``q_value`` (float64, null where there are too few leads); ``held`` (bool); ``verdict``
            (string): ``"held"``, ``"not shown"`` or ``"too few"``.

        Raises
        ------
        InputError
            There is no lead, an outcome is not known, or lengths differ.
        SchemaError
            A column of the rules is not there.
        """
        values, won = leads_and_wins(values, won)
        later = self._rates(values, won)
        n, n_won, too_few = (later[name].to_numpy() for name in ("n", "won", "too_few"))
        is_look = ~too_few & (n < len(won))
        p_values = more_often_p_values(n_won, n, won.sum() - n_won, len(won) - n)
        q = q_values(p_values, is_look)
        held = is_look & (np.nan_to_num(q, nan=1.0) <= false_discovery_rate)
        verdict = np.select([too_few, held], ["too few", "held"], "not shown")
        more = {"rate_at_fit": self.table_["rate"], "lift_at_fit": self.table_["lift"]}
        more |= {"p_value": known(p_values, is_look), "q_value": known(q), "held": held, "verdict": verdict}
        for name, column in more.items():
            later = later.append_column(name, column if isinstance(column, pa.ChunkedArray) else [column])
        return later

    def _rates(self, values: pa.Table, won: NDArray[np.bool_]) -> pa.Table:
        """Count leads and wins by rule, and for any of them."""
        matched = self._matched(values)
        n, n_won = matched.sum(axis=1), matched[:, won].sum(axis=1)
        numbers = pa.array([*range(1, len(self.rules_) + 1), None], pa.int64())
        texts = [*(rule.text for rule in self.rules_), ANY_RULE]
        limits = {"confidence": self.confidence, "least_leads": self.least_leads}
        rates = rate_columns(n, n_won, len(won), int(won.sum()), **limits)
        return pa.table({"rule": numbers, "text": texts, "n": n, "won": n_won, **rates})

    def _matched(self, values: pa.Table) -> NDArray[np.bool_]:
        """Return which leads meet each rule, and in the last row any; shape (n_rules + 1, n_leads)."""
        check_is_fitted(self)
        needed = {condition.column for rule in self.rules_ for condition in rule.conditions}
        require_columns(sorted(needed), values.column_names, "ideal customer profile")
        matched = np.zeros((len(self.rules_) + 1, values.num_rows), dtype=bool)
        for number, rule in enumerate(self.rules_):
            matched[number] = rule.matches(values)
        matched[-1] = matched.any(axis=0)
        return matched
