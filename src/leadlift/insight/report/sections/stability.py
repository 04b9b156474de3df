"""The section on the stability of reasons: do they hold when the model is learnt from other leads?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlift.insight.report.blocks import FactsBlock, Section, TextBlock
from leadlift.insight.stability import COSINE, SAME_DIRECTION, SAME_FIRST, SHARED, stability_sentence

if TYPE_CHECKING:
    import pyarrow as pa

MADE_BY = "ll.reason_stability(inputs, won, specs=specs)"


def stability_section(stability: pa.Table) -> Section:
    """Word how steady the reasons are.

    Parameters
    ----------
    stability : pyarrow.Table
        From :func:`leadlift.reason_stability`.

    Returns
    -------
    Section
    """
    rows = {row["measure"]: row for row in stability.to_pylist()}
    first = rows[SAME_FIRST]
    if first["too_few"]:
        title, blocks = "Too few leads to say how steady the reasons are", ()
    else:
        title = f"The strongest reason holds for {100 * first['estimate']:.0f}% of the leads"
        blocks = (FactsBlock("What stays when the model is learnt twice", _facts(rows), MADE_BY),)
    return Section(
        key="stability",
        label="Steady reasons",
        title=title,
        summary=stability_sentence(stability),
        blocks=(*blocks, TextBlock((_how(first),))),
    )


def _facts(rows: dict[str, dict[str, float]]) -> tuple[tuple[str, str], ...]:
    first = rows[SAME_FIRST]
    return (
        ("Same strongest reason", _percent(first)),
        ("Strongest reason counts in the same direction", _percent(rows[SAME_DIRECTION])),
        (
            f"Shared among the {first['n_reasons']} strongest reasons",
            f"{rows[SHARED]['estimate']:.1f} on average",
        ),
        ("Likeness of all contributions (1 is the same)", f"{rows[COSINE]['estimate']:.2f}"),
    )


def _percent(row: dict[str, float]) -> str:
    low, high = 100 * row["low"], 100 * row["high"]
    return f"{100 * row['estimate']:.1f}% [{low:.1f}, {high:.1f}] of the leads"


def _how(first: dict[str, float]) -> str:
    return (
        f"Two smaller models were learnt from {first['n_taught']:,} leads each, none of them in common, and "
        f"explained the same {first['n']:,} other leads. A model that learns from more leads should be "
        "steadier. Where two inputs say the same, it is a matter of chance which of them is named first."
    )
