"""The section about insight of a leadlift.toml that is drafted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlift.config import InsightConfig
from leadlift.data.naming import leak_words, matching_phrase
from leadlift.data.toml_text import array, setting
from leadlift.data.vocabulary.losses import FREE_TEXT, WHY_IT_ENDED

if TYPE_CHECKING:
    from leadlift.data.discovery import Discovery


def insight_section(discovery: Discovery) -> list[str]:
    """Write what reasons and report look at, as far as names tell it.

    Parameters
    ----------
    discovery : Discovery

    Returns
    -------
    list of str
        Lines.
    """
    reasons, texts = loss_columns(discovery)
    defaults = InsightConfig()
    return [
        "[insight]  # words of the reasons, and what the report looks at; see docs/report.md",
        setting("language", defaults.language, '"en" or "de"', is_off=True),
        setting("texts", "texts.toml", "words of your own in place of some of these", is_off=True),
        setting("segments", (), "columns to split results by; none given: categories", is_off=True),
        setting("actionable", (), "inputs that can be changed; none given: engagement", is_off=True),
        setting(
            "period_days", int(defaults.period_days), "latest period, beside the one before", is_off=True
        ),
        "# Groups for which the report says who is selected and how truly; no inputs for that.",
        *array("protected", list(discovery.protected.items())),
        setting("loss_reason", reasons[0] if reasons else "", "why leads were lost", is_off=not reasons),
        setting("loss_text", tuple(texts), "what lost leads said; personal data are masked"),
        setting("loss_language", defaults.loss_language, "mood is told of English alone", is_off=True),
    ]


def loss_columns(discovery: Discovery) -> tuple[list[str], list[str]]:
    """Return columns with reasons of losses and such with free text about them, by their names.

    Parameters
    ----------
    discovery : Discovery

    Returns
    -------
    reasons, texts : list of str
    """
    columns = (*discovery.suspects, *discovery.roles.ignore)
    found = {name: leak_words(name) for name in columns}
    named = [name for name, leak in found.items() if leak is not None and leak.meaning == WHY_IT_ENDED]
    texts = [name for name in named if matching_phrase(name, FREE_TEXT)]
    return [name for name in named if name not in texts], texts
