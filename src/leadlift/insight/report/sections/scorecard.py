"""The section on the scorecard: points that can be typed into another tool, and what they lose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadlift.insight.report.blocks import Block, Column, FactsBlock, Format, Section, TableBlock, TextBlock
from leadlift.insight.scorecard.loss import AUC, LOG_LOSS, SAME_DECISION, loss_warning

if TYPE_CHECKING:
    from leadlift.insight.scorecard.points_scorecard import PointsScorecard

MADE_BY = "ll.PointsScorecard().fit(inputs, scorer, specs=specs)"

_CARD_COLUMNS = (
    Column("label", "Attribute"),
    Column("condition", "Value"),
    Column("points", "Points", Format.COUNT, bar=True),
    Column("share", "Of all leads", Format.SHARE),
)


def scorecard_section(card: PointsScorecard) -> Section:
    """Word how the card is used and what it loses.

    Parameters
    ----------
    card : PointsScorecard
        Fitted and, so that its loss can be told, measured.

    Returns
    -------
    Section
    """
    if not card.attributes_:
        return Section(
            key="scorecard",
            label="Scorecard",
            title="There is no scorecard: the model tells no leads apart",
            summary="No input moves the model's score, so there is nothing to give points for.",
            blocks=(),
        )
    loss = {} if card.loss_ is None else {row["measure"]: row for row in card.loss_.to_pylist()}
    return Section(
        key="scorecard",
        label="Scorecard",
        title=f"{len(card.attributes_)} attributes and 0 to {card.points} points stand in for the model",
        summary=_summary(card, loss),
        blocks=(*_facts(card, loss), _card_block(card), TextBlock((_how(card),))),
    )


def _summary(card: PointsScorecard, loss: dict[str, dict[str, Any]]) -> str:
    cutoffs = [
        f"{stage} from {cutoff} points" for stage, cutoff in card.cutoffs_.items() if cutoff <= card.points
    ]
    said = f"Add up the points: {', '.join(cutoffs)}." if cutoffs else "Add up the points."
    if not loss:
        return f"{said} What the card loses against the model has not been measured."
    chance = 100 * loss[AUC]["scorecard"]
    told = (
        f"{said} Of a won and a lost lead the card puts the won one higher in {chance:.0f}% of the cases, "
        f"the model in {100 * loss[AUC]['model']:.0f}%."
    )
    return f"{told} {loss_warning(card.loss_)}".rstrip()


def _facts(card: PointsScorecard, loss: dict[str, dict[str, Any]]) -> tuple[Block, ...]:
    if not loss:
        return ()
    first = loss[AUC]
    facts = [_compared(name, loss[name]) for name in (AUC, LOG_LOSS)]
    for measure, row in loss.items():
        if measure.startswith(SAME_DECISION):
            stage = measure.removeprefix(f"{SAME_DECISION}, ")
            low, high = 100 * row["scorecard_low"], 100 * row["scorecard_high"]
            told = f"{100 * row['scorecard']:.1f}% [{low:.1f}, {high:.1f}] of the leads"
            facts.append((f"Card and model decide alike, {stage} from {card.cutoffs_[stage]} points", told))
    caption = (
        f"What the card loses, measured on {first['n']:,} leads that neither model nor card has seen "
        f"({first['n_won']:,} won)"
    )
    return (FactsBlock(caption, tuple(facts), made_by="card.measure(test_inputs, won, scorer)"),)


def _compared(name: str, row: dict[str, Any]) -> tuple[str, str]:
    ends = "" if row["lost_low"] is None else f" [{row['lost_low']:+.4f}, {row['lost_high']:+.4f}]"
    told = f"model {row['model']:.4f}, card {row['scorecard']:.4f}; lost {row['lost']:+.4f}{ends}"
    return name, told


def _card_block(card: PointsScorecard) -> TableBlock:
    table = card.to_table()
    return TableBlock(
        caption="The scorecard: exactly one row of each attribute fits a lead",
        table=table,
        columns=_CARD_COLUMNS,
        made_by=f"{MADE_BY}.to_table()",
        note="“Any other” is a level not named above it, “not recorded” an empty field.",
        most_rows=table.num_rows,
    )


def _how(card: PointsScorecard) -> str:
    return (
        "The points are whole numbers that come nearest to the model's own score. A card adds up, so what "
        "the model knows of attributes taken together is lost. A lead with p points converts with a chance "
        f"of 1 / (1 + exp({-card.intercept_:.3f} - {card.slope_:.4f} p))."
    )
