"""The sections of the report that say how far to trust: the points table, steadiness of reasons, fairness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlift.insight.fairness import fairness_audit
from leadlift.insight.proxies import proxy_scan
from leadlift.insight.report.sections.fairness import fairness_section
from leadlift.insight.report.sections.scorecard import scorecard_section
from leadlift.insight.report.sections.stability import stability_section
from leadlift.insight.stability import reason_stability
from leadlift.lifecycle.measuring import passed_on_test

if TYPE_CHECKING:
    from leadlift.insight.report.blocks import Section
    from leadlift.lifecycle.looking_back import Hindsight

# What can be guessed from so many leads can be guessed.
GUESSED_ROWS = 5_000
# Two learners are taught for the report; more leads would make their reasons a little steadier.
TAUGHT_LEADS = 5_000


def scorecard_part(hindsight: Hindsight) -> Section:
    """The model as a points table, and what is lost by it."""
    return scorecard_section(hindsight.scorecard)


def stability_part(hindsight: Hindsight) -> Section:
    """Whether the strongest reasons survive learning from other leads."""
    # Two parts are taught and one is explained.
    rows, problem = hindsight.sample(hindsight.learnt, 3 * TAUGHT_LEADS), hindsight.problem
    return stability_section(
        reason_stability(
            hindsight.inputs(rows),
            problem.y[rows],
            specs=hindsight.bundle.specs,
            max_taught=TAUGHT_LEADS,
            random_state=hindsight.config.model.random_state,
        )
    )


def fairness_part(hindsight: Hindsight) -> Section | None:
    """How the cut-off treats the groups of the attributes that the configuration names; None without any."""
    named = list(hindsight.config.insight.protected)
    bundle, test = hindsight.bundle, hindsight.split.test
    # A model of its own says who is MQL: then the SQL line is the one that is drawn on P(won).
    cutoff = bundle.mql_cutoff if bundle.became_sql is None else bundle.sql_cutoff
    if not named or cutoff is None:
        return None
    passed = passed_on_test(hindsight.problem, hindsight.split, *hindsight.test_scores, cutoff)
    won = hindsight.problem.y[test] > 0
    audit = fairness_audit(hindsight.test_scores[0], passed, won, hindsight.told(test).select(named))
    guessed = hindsight.sample(hindsight.learnt, GUESSED_ROWS)
    inputs = hindsight.inputs(guessed)
    proxies = proxy_scan(
        inputs.drop_columns([name for name in named if name in inputs.column_names]),
        hindsight.told(guessed).select(named),
        random_state=hindsight.config.model.random_state,
    )
    return fairness_section(audit, proxies)


PARTS = (scorecard_part, stability_part, fairness_part)
