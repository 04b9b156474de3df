"""The section on the ideal customer: rules found on earlier leads, with what they did on later ones."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.figure_style import share_text
from leadlift.insight.report.blocks import Column, Format, Section, TableBlock
from leadlift.insight.segments.wording import counted, times

_COLUMNS = (
    Column("text", "Rule"),
    Column("n", "Leads", Format.COUNT),
    Column("rate", "Share won", Format.SHARE, low="low", high="high", hide_where="too_few"),
    Column("lift", "Times the average", Format.NUMBER, hide_where="too_few"),
    Column("share_of_wins", "Of all wins", Format.SHARE, bar=True),
    Column("verdict", "On these leads"),
    Column("lift_at_fit", "When found", Format.NUMBER),
)
_NOTE = (
    "Rules are chosen because they did well, so what they did when they were found is too good to be true; "
    "the leads shown took no part in that. “Held”: won more often than the others of them by more than "
    "chance. “Not shown”: these leads do not bear the rule out."
)


def ideal_customer_section(checked: pa.Table, *, is_forward: bool = True) -> Section:
    """Word which customers are worth looking for, by leads that took no part in finding the rules.

    Parameters
    ----------
    checked : pyarrow.Table
        From :meth:`leadlift.insight.segments.ideal_customer.IdealCustomerProfile.check`.
    is_forward : bool, default=True
        Whether these leads came later; else they are other leads of the same time.

    Returns
    -------
    Section
    """
    rules = checked.filter(checked["rule"].is_valid())
    together = checked.filter(checked["rule"].is_null()).to_pylist()[0]
    whom = "later leads" if is_forward else "other leads"
    table = TableBlock(
        caption=f"Rules of the ideal customer, on {whom}",
        table=checked,
        columns=_COLUMNS,
        made_by="ll.IdealCustomerProfile().fit(values, won).check(later_values, later_won)",
        note=_NOTE,
    )
    return Section(
        key="ideal-customer",
        title=_title(rules.num_rows, together, whom),
        summary=_summary(rules, together, whom),
        blocks=(table,) if rules.num_rows else (),
        label="Ideal customer",
    )


def _title(n_rules: int, together: dict[str, Any], whom: str) -> str:
    if not n_rules:
        return "No kind of customer stands out"
    if together["too_few"]:
        return f"Too few {whom} fit the profile to check it"
    if not together["held"]:
        return f"The profile found is not shown to hold on {whom}: do not rely on it"
    return f"Leads that fit the profile are won {times(together['lift'])} the average lead"


def _summary(rules: pa.Table, together: dict[str, Any], whom: str) -> str:
    if not rules.num_rows:
        return "No rule on who the lead is picks out leads that are clearly won more often."
    n_held = pc.sum(rules["held"]).as_py()
    told = f"{n_held} of {counted(rules.num_rows, 'rule')} held on {whom}."
    best = rules.filter(rules["held"]).sort_by([("lift", "descending")]).slice(0, 1).to_pylist()
    if together["held"]:
        shares = [share_text(together[name]) for name in ("share_of_leads", "share_of_wins")]
        told += f" Together they pick out {shares[0]} of the {whom} and {shares[1]} of their wins."
    if best:
        told += f" The best: {best[0]['text']}; {share_text(best[0]['rate'])} of these were won."
    return told
