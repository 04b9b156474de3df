"""A discovery as the text of a leadlift.toml that a person can read and correct."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from leadlift.config import FamiliesConfig, ModelConfig, SchemaConfig, StagesConfig
from leadlift.data.toml_behaviour import behaviour_sections, source_lines
from leadlift.data.toml_insight import insight_section
from leadlift.data.toml_retrain import retrain_section
from leadlift.data.toml_text import array, quote, setting
from leadlift.terms import Family

if TYPE_CHECKING:
    from leadlift.data.discovery import Discovery

CONFIDENCE = 0.90

_HEAD = """\
# How leadlift reads {name}. Written by `leadlift init`; lines marked "check this" are guesses.
# Settings behind a "#" are switched off; their defaults hold."""
_FAMILY_MEANINGS = {
    Family.FIT: "who the lead is",
    Family.ENGAGEMENT: "what the lead did",
    Family.INTENT: "late-stage acts: demo, price, quote, contact me",
    Family.SOURCE: "where the lead came from",
    Family.OTHER: "no known word in the name; move what belongs elsewhere",
}
_MODEL_MEANINGS = {
    "random_state": "seed of everything random",
    "folds": "folds of the bag, 2 to 20",
    "trials": "Optuna trials; 0 takes the defaults",
    "test_share": "share of the leads, the latest where dates exist, held back as the test set",
    "recency": '"choose" lets forward validation say how fast old leads lose weight',
    "backtest_blocks": "blocks of time on which a backtest is played; 0 plays none",
}
_STAGES_MEANINGS = {
    "fall_back_share": "a lead keeps its stage from this share of the threshold on",
    "min_stay_days": "a lead keeps its stage for so many days",
    "hand_raise": 'input by which a lead asks for contact: a number above 0, or "yes"',
    "hand_raise_stage": "least stage of a lead that asks",
    "min_fit": "least sub-score to qualify by score; none by default",
    "min_engagement": "least sub-score to qualify by score; none by default",
    "explore_share": "share below the lines to contact at random, to learn from; see docs/feedback.md",
}
_STAGES_EXAMPLES = {"hand_raise": "", "min_fit": 0.0, "min_engagement": 0.0, "explore_share": 0.05}


def draft(discovery: Discovery, folder: Path) -> str:
    """Write a discovery as TOML, a comment on each line.

    Parameters
    ----------
    discovery : Discovery
        What was found.
    folder : Path
        Where leadlift.toml will stand.

    Returns
    -------
    str
        Text of a leadlift.toml.
    """
    sections = (
        [
            _HEAD.format(name=quote(discovery.path.name)),
            "",
            '# models = "models"  # folder of bundles and runs',
            '# tracking_uri = ""  # an MLflow server, http://…, instead of the file in that folder',
        ],
        _data_section(discovery, folder),
        _missing_numbers_section(discovery),
        _schema_section(discovery),
        *behaviour_sections(discovery),
        _families_section(discovery.families),
        _model_section(),
        _stages_section(),
        insight_section(discovery),
        retrain_section(),
        _cutoff_sections(discovery.target),
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _data_section(discovery: Discovery, folder: Path) -> list[str]:
    data, notes = discovery.data, discovery.notes
    leads = Path(os.path.relpath(discovery.path, folder)).as_posix()
    words = [(word, notes.get(f"word:{word}", "")) for word in data.missing_values]
    return [
        "[data]",
        setting("leads", leads, "relative to the folder of this file"),
        *source_lines(data, folder),
        *([] if "delimiter" not in notes else _csv_lines(discovery)),
        "# Words that mean 'not recorded', beside the empty cell; in brackets the rows.",
        *array("missing_values", words),
    ]


def _csv_lines(discovery: Discovery) -> list[str]:
    data, notes = discovery.data, discovery.notes
    ragged = notes.get(
        "ragged_rows", '"error" stops at rows with too few or too many cells, "skip" leaves them out'
    )
    return [
        setting("delimiter", data.delimiter, notes["delimiter"]),
        setting("encoding", data.encoding, notes["encoding"]),
        setting("decimal", data.decimal, "mark in numbers"),
        setting("thousands", data.thousands, "mark between groups of three digits"),
        setting("ragged_rows", data.ragged_rows, ragged),
    ]


def _missing_numbers_section(discovery: Discovery) -> list[str]:
    numbers = discovery.data.missing_numbers
    if not numbers:
        return []
    lines = [
        setting(quote(name), values, discovery.notes.get(f"number:{name}", ""))
        for name, values in numbers.items()
    ]
    return ["[data.missing_numbers]  # by column, the numbers that mean 'not recorded'", *lines]


def _schema_section(discovery: Discovery) -> list[str]:
    roles, notes = discovery.roles, discovery.notes
    return [
        "[schema]",
        _role_line("lead_id", roles.lead_id, notes),
        setting("outcome", roles.outcome, notes["outcome"]),
        setting("won", roles.won, notes["won"]),
        setting("lost", roles.lost, notes["lost"]),
        setting("open", roles.open, notes["open"]),
        _role_line("created_at", roles.created_at, notes),
        _role_line("closed_at", roles.closed_at, notes),
        *_qualified_line(roles),
        setting("account", "", "company of the lead: its leads stay together in random splits", is_off=True),
        setting("weight", "", "number above 0 that says what each lead counts for", is_off=True),
        *_time_lines(discovery),
        *_ignore_lines(discovery),
        *_protected_lines(discovery),
        *_kind_lines(),
    ]


def _role_line(key: str, column: str | None, notes: dict[str, str]) -> str:
    return setting(key, column or "", notes[key], is_off=column is None)


def _qualified_line(roles: SchemaConfig) -> list[str]:
    """A second label needs dates."""
    meaning = "moment at which sales accepted the lead, a second label; see docs/stages.md"
    return [] if roles.created_at is None else [setting("qualified_at", "", meaning, is_off=True)]


def _time_lines(discovery: Discovery) -> list[str]:
    roles, notes = discovery.roles, discovery.notes
    if roles.created_at is None:
        meaning = "no date of creation; set true if the rows stand in the order in which the leads came"
        return [setting("rows_in_time_order", value=False, comment=meaning)]
    lines = [
        setting(
            "date_format",
            roles.date_format or "%Y-%m-%d",
            notes["date_format"],
            is_off=roles.date_format is None,
        ),
        setting(
            "horizon_days", roles.horizon_days or 30, notes["horizon_days"], is_off=roles.horizon_days is None
        ),
    ]
    if "known_until" in notes:
        lines.append(
            f"# known_until = {notes['known_until']}  # moment of the extract; the last date in the file"
        )
    return lines


def _ignore_lines(discovery: Discovery) -> list[str]:
    ignored = [(name, discovery.notes.get(f"ignore:{name}", "")) for name in discovery.roles.ignore]
    suspects = [
        (name, f"suspect: {found}" if found.strength == "strong" else f"perhaps: {found}")
        for name, found in discovery.suspects.items()
    ]
    dates = [f"# Date columns without a role are left out: {', '.join(map(quote, discovery.dates))}."]
    return [
        *(dates if discovery.dates else []),
        "# Columns that are no inputs.",
        *array("ignore", ignored, suspects),
        "# Suspects that are known when a lead is scored after all. `leadlift check` measures each; training",
        "# waits until it stands here or under ignore.",
        *array("known_at_creation", [], [(name, "") for name, _ in suspects]),
    ]


def _protected_lines(discovery: Discovery) -> list[str]:
    found = list(discovery.protected.items())
    return [
        "# Protected attributes are left out; one named here is used all the same.",
        *array("allow_protected", [], found),
    ]


def _kind_lines() -> list[str]:
    return [
        setting("numeric", (), "columns to read as numbers, whatever they look like", is_off=True),
        setting("categorical", (), "columns to read as levels, such as numeric codes", is_off=True),
    ]


def _families_section(families: FamiliesConfig) -> list[str]:
    lines = ["[families]  # guessed from the names; contributions of a family add up to its sub-score"]
    for family in Family:
        names = getattr(families, family.value)
        lines += [f"# {_FAMILY_MEANINGS[family]}", *array(family.value, [(name, "") for name in names])]
    return lines


def _model_section() -> list[str]:
    defaults = ModelConfig()
    lines = [
        setting(key, getattr(defaults, key), meaning, is_off=True) for key, meaning in _MODEL_MEANINGS.items()
    ]
    limit = setting(
        "time_budget_seconds", 600, "stop the search after so many seconds; none by default", is_off=True
    )
    segment = setting("segment", "", "input whose levels may have models of their own", is_off=True)
    monotone = '# monotone = {demos = "up"}  # a larger value never lowers the score'
    return ["[model]", *lines, limit, segment, monotone]


def _stages_section() -> list[str]:
    examples = StagesConfig().model_dump(exclude_none=True) | _STAGES_EXAMPLES
    lines = [setting(key, examples[key], meaning, is_off=True) for key, meaning in _STAGES_MEANINGS.items()]
    return ["[stages]  # rules of MQL and SQL beside the cut-offs; see docs/stages.md", *lines]


def _cutoff_sections(target: float) -> list[str]:
    higher = round(min(2 * target, (1 + target) / 2), 2)
    return [
        "[cutoff.mql]  # from here on a lead is marketing-qualified",
        setting("policy", "precision_guarantee", "the share of won leads among the qualified is promised"),
        setting("target", target, "about twice the base rate, at most halfway between it and 1"),
        setting("confidence", CONFIDENCE, "of the promise"),
        "",
        "# [cutoff.sql]  # a second, higher cut-off: sales-qualified",
        setting("policy", "precision_guarantee", is_off=True),
        setting("target", higher, is_off=True),
        setting("confidence", CONFIDENCE, is_off=True),
    ]
