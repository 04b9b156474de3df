"""The section on fairness words what the audit and the scan found."""

import numpy as np
import pyarrow as pa

import leadlift as ll
from leadlift.insight.report.sections.fairness import fairness_section


def audit_of(passed, **groups):
    n = len(passed)
    return ll.fairness_audit(np.full(n, 0.4), passed, np.arange(n) % 3 == 0, pa.table(groups))


def named_columns(section):
    for block in section.blocks:
        for column in getattr(block, "columns", ()):
            names = (column.name, column.low, column.high, column.hide_where)
            yield from ((block.table, name) for name in names if name)


def test_an_unequal_selection_is_said_in_the_title_and_with_its_size():
    audit = audit_of(np.r_[np.arange(300) < 60, np.arange(300) < 180], gender=["f"] * 300 + ["m"] * 300)
    section = fairness_section(audit)
    assert section.title == "Selection falls below four fifths between groups of gender"
    assert "Leads with gender 'f' are selected 0.33 times as often as those with 'm': below four fifths." in (
        section.summary
    )


def test_an_equal_selection_is_said():
    section = fairness_section(audit_of([True, True, False] * 1000, group=["a", "b"] * 1500))
    assert section.title == "No group of group falls below four fifths"


def test_groups_too_small_and_nobody_selected_are_said():
    assert (
        "Too few leads to compare groups of g."
        in fairness_section(audit_of([True] * 4, g=["a", "b"] * 2)).summary
    )
    section = fairness_section(audit_of([False] * 80, g=["a", "b"] * 40))
    assert section.title == "These leads do not show whether all groups of g reach four fifths"
    assert "Nobody is selected" in section.summary


def test_proxies_are_named_and_every_column_shown_is_there():
    rng = np.random.default_rng(0)
    gender = rng.choice(["f", "m"], 600)
    inputs = pa.table({"salutation": np.where(gender == "f", "Ms", "Mr"), "visits": rng.poisson(3, 600)})
    audit = audit_of(rng.random(600) < 0.3, gender=gender)
    section = fairness_section(audit, ll.proxy_scan(inputs, pa.table({"gender": gender})))
    assert "The inputs give gender away (AUC 1.00, where 0.5 is chance), salutation most." in (
        section.summary
    )
    assert all(name in table.column_names for table, name in named_columns(section))


def test_inputs_that_say_nothing_are_said_to():
    rng = np.random.default_rng(1)
    groups = {"g": rng.choice(["a", "b"], 300)}
    scan = ll.proxy_scan(pa.table({"visits": rng.poisson(3, 300)}), pa.table(groups))
    summary = fairness_section(audit_of(rng.random(300) < 0.5, **groups), scan).summary
    assert "The inputs do not visibly give g away." in summary
