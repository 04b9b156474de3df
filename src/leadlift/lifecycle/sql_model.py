"""The model of the second label in a training run: learnt and tested beside that of the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.learning import metrics
from leadlift.learning.cutoff.evidence import passes
from leadlift.learning.cutoff.lead_value import thresholds
from leadlift.learning.intervals import clopper_pearson
from leadlift.learning.two_labels import learn_second_label, published_score_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.scorer import LeadScorer
    from leadlift.lifecycle.holdout import Holdout
    from leadlift.lifecycle.preparing import Problem
    from leadlift.terms import Interval


@dataclass(frozen=True)
class SqlQuality:
    """How well P(SQL) did on the test leads that were not SQL yet.

    Parameters
    ----------
    n_test, n_sql : int
        Those leads, and how many of them became SQL.
    quality : pyarrow.Table or None
        :func:`leadlift.learning.metrics.quality_table` of the published P(SQL) and of the base rate; None
        where all became SQL, so that nothing can be told apart.
    kept : Interval or None
        Share of those from the MQL cut-off on that became SQL; None where no test lead reaches it.
    """

    n_test: int
    n_sql: int
    quality: pa.Table | None
    kept: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "n_test": self.n_test,
            "n_sql": self.n_sql,
            "quality": None if self.quality is None else self.quality.to_pylist(),
        }


def learn_sql(problem: Problem, split: Holdout, scorer: LeadScorer) -> LeadScorer | None:
    """Learn which leads become SQL, on the rows and slices on which `scorer` was learnt.

    Parameters
    ----------
    problem : Problem
    split : Holdout
    scorer : LeadScorer
        Fitted on "won".

    Returns
    -------
    LeadScorer or None
        None where the leads have one label.
    """
    if problem.second is None:
        return None
    rows = split.train

    def of(values: NDArray | None) -> NDArray | None:
        return None if values is None else values[rows]

    return learn_second_label(
        scorer,
        problem.inputs.take(pa.array(rows)),
        of(problem.second.became_sql),
        of(problem.observations.weight),
        teaches=of(problem.second.teaches),
        as_of=of(problem.as_of) if split.is_forward else None,
        label_known_at=of(problem.label_known_at) if split.is_forward else None,
        groups=of(problem.groups),
        accounts=of(problem.accounts),
        contact_weight=of(problem.observations.contact_weight),
    )


def measure_sql(
    problem: Problem, split: Holdout, scorer: LeadScorer, second: LeadScorer | None
) -> SqlQuality | None:
    """Open the test set of the second label once, after the cut-offs were set.

    Parameters
    ----------
    problem : Problem
    split : Holdout
    scorer : LeadScorer
        Of "won".
    second : LeadScorer or None
        Of "became SQL".

    Returns
    -------
    SqlQuality or None
        None where the leads have one label.
    """
    if second is None:
        return None
    test = split.test[problem.second.teaches[split.test]]
    label, inputs = problem.second.became_sql[test], problem.inputs.take(pa.array(test))
    own, log_odds = second.score_matrix(second.encoder_.transform(inputs))
    score = published_score_sql(own, scorer.predict_proba(inputs)[:, 1])
    cutoff = second.cutoff_
    passed = passes(score, thresholds(cutoff, inputs), log_odds=log_odds, tie_break=cutoff.tie_break)
    n_passed = int(passed.sum())
    scores = {"leadlift": score, "base rate": np.full(len(test), second.evidence_.won.mean())}
    return SqlQuality(
        n_test=len(test),
        n_sql=int(label.sum()),
        quality=None if label.all() else metrics.quality_table(label, scores),
        kept=clopper_pearson(int((passed & label).sum()), n_passed) if n_passed else None,
    )
