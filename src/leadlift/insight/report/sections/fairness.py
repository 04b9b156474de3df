"""The section on fairness: who passes the cut-off by group, and whether the inputs stand for an attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.fairness import AT_LEAST, BELOW, TOO_FEW
from leadlift.insight.figure_style import share_text
from leadlift.insight.report.blocks import Column, Format, Section, TableBlock, TextBlock
from leadlift.insight.segments.wording import counted, listed

if TYPE_CHECKING:
    from leadlift.insight.fairness import FairnessAudit
    from leadlift.insight.proxies import ProxyScan

AUDIT = "ll.fairness_audit(score, passed, won, groups)"
SCAN = "ll.proxy_scan(inputs, groups)"
MOST_NAMED = 3

_BY_ATTRIBUTE = (
    Column("attribute", "Attribute"),
    Column("least_selected", "Least selected"),
    Column("most_selected", "Most selected"),
    Column("selection_ratio", "Ratio", Format.NUMBER, low="selection_ratio_low", high="selection_ratio_high"),
    Column("verdict", "Four-fifths rule"),
    Column(
        "equalized_odds_difference",
        "Equalised odds difference",
        Format.SHARE,
        low="equalized_odds_difference_low",
        high="equalized_odds_difference_high",
    ),
)


def _rate(name: str, title: str, too_few: str) -> Column:
    return Column(name, title, Format.SHARE, low=f"{name}_low", high=f"{name}_high", hide_where=too_few)


_BY_GROUP = (
    Column("attribute", "Attribute"),
    Column("group", "Group"),
    Column("n", "Leads", Format.COUNT),
    _rate("selection_rate", "Selected", "too_few"),
    _rate("precision", "Won, of the selected", "precision_too_few"),
    _rate("recall", "Selected, of the won", "recall_too_few"),
    _rate("false_positive_rate", "Selected, of the lost", "false_positive_rate_too_few"),
    _rate("calibration_gap", "Score less share won", "too_few"),
)
_PROXIES = (
    Column("attribute", "Attribute"),
    Column("n", "Leads", Format.COUNT),
    Column("auc", "AUC of all inputs", Format.NUMBER, low="low", high="high"),
    Column("can_be_guessed", "Can be guessed", Format.YES),
    Column("n_removed", "Inputs left out", Format.COUNT),
    Column("auc_without", "AUC without them", Format.NUMBER, low="low_without", high="high_without"),
)
_INPUTS = (
    Column("attribute", "Attribute"),
    Column("input", "Input"),
    Column("auc", "AUC of it alone", Format.NUMBER, low="low", high="high"),
)


def fairness_section(audit: FairnessAudit, proxies: ProxyScan | None = None) -> Section:
    """Word how the cut-off treats the groups of the protected attributes.

    Parameters
    ----------
    audit : FairnessAudit
        From :func:`leadlift.insight.fairness.fairness_audit`.
    proxies : ProxyScan, optional
        From :func:`leadlift.insight.proxies.proxy_scan`.

    Returns
    -------
    Section
    """
    attributes = audit.by_attribute.to_pylist()
    blocks = [_attributes_block(audit), _groups_block(audit)]
    blocks += [] if proxies is None else _proxy_blocks(proxies)
    return Section(
        key="fairness",
        title=_title(attributes),
        summary=" ".join([*map(_verdict, attributes), *([] if proxies is None else _guesses(proxies))]),
        blocks=(*blocks, TextBlock((_CAVEAT,))),
        label="Fairness",
    )


_CAVEAT = (
    "The four-fifths rule asks whether the group selected least is selected at least 0.8 times as often as "
    "the group selected most. It says nothing of why: groups may differ in how often they are won, which the "
    "other columns show. Each attribute is one look; of twenty looks, one may mislead by chance."
)


def _title(attributes: list[dict[str, Any]]) -> str:
    below = [row["attribute"] for row in attributes if row["verdict"] == BELOW]
    if below:
        return f"Selection falls below four fifths between groups of {listed(below)}"
    if all(row["verdict"] == AT_LEAST for row in attributes):
        return f"No group of {listed([row['attribute'] for row in attributes])} falls below four fifths"
    open_ = [row["attribute"] for row in attributes if row["verdict"] != AT_LEAST]
    return f"These leads do not show whether all groups of {listed(open_)} reach four fifths"


def _verdict(row: dict[str, Any]) -> str:
    name = row["attribute"]
    if row["verdict"] == TOO_FEW:
        return f"Too few leads to compare groups of {name}."
    if row["selection_ratio"] is None:
        return f"Nobody is selected in any group of {name}."
    least, most = row["least_selected"], row["most_selected"]
    compared = f"Leads with {name} {least!r} are selected {row['selection_ratio']:.2f} times as often as "
    compared += f"those with {most!r}"
    said = {BELOW: "below four fifths", AT_LEAST: "at least four fifths"}
    return f"{compared}: {said.get(row['verdict'], 'whether four fifths is kept, these leads do not show')}."


def _guesses(proxies: ProxyScan) -> list[str]:
    telling = proxies.by_input.filter(proxies.by_input["gives_away"])
    return [_guess(row, telling) for row in proxies.by_attribute.to_pylist() if row["auc"] is not None]


def _guess(row: dict[str, Any], telling: pa.Table) -> str:
    name = row["attribute"]
    if not row["can_be_guessed"]:
        return f"The inputs do not visibly give {name} away."
    inputs = telling.filter(pc.equal(telling["attribute"], name))["input"].to_pylist()
    most = f", {listed(inputs[:MOST_NAMED])} most" if inputs else ""
    return f"The inputs give {name} away (AUC {row['auc']:.2f}, where 0.5 is chance){most}."


def _attributes_block(audit: FairnessAudit) -> TableBlock:
    n_attributes = counted(audit.by_attribute.num_rows, "attribute")
    return TableBlock(
        caption="The group selected least beside the one selected most",
        table=audit.by_attribute,
        columns=_BY_ATTRIBUTE,
        made_by=f"{AUDIT}.by_attribute",
        note=f"{n_attributes} looked at. The interval allows for picking the extremes among the groups.",
    )


def _groups_block(audit: FairnessAudit) -> TableBlock:
    base = pc.sum(audit.by_group["selected"]).as_py() / pc.sum(audit.by_group["n"]).as_py()
    return TableBlock(
        caption="What becomes of the leads of each group",
        table=audit.by_group,
        columns=_BY_GROUP,
        made_by=f"{AUDIT}.by_group",
        note=f"Of all leads {share_text(base)} are selected.",
    )


def _proxy_blocks(proxies: ProxyScan) -> list[TableBlock]:
    whole = TableBlock(
        caption="How well the inputs tell the groups of an attribute apart",
        table=proxies.by_attribute,
        columns=_PROXIES,
        made_by=f"{SCAN}.by_attribute",
        note="An AUC of 0.5 is chance, 1 is certainty. Left out are the inputs that tell most alone.",
    )
    telling = proxies.by_input.filter(proxies.by_input["gives_away"])
    if not telling.num_rows:
        return [whole]
    one_by_one = TableBlock(
        caption="The inputs that give an attribute away",
        table=telling,
        columns=_INPUTS,
        made_by=f"{SCAN}.by_input",
        note="That an input gives an attribute away does not make it unfair; it says where to look.",
        most_rows=20,
    )
    return [whole, one_by_one]
