"""What a lead wrote: texts of acts counted, free text of the lead as topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.exceptions import ConfigError, shorten
from leadlift.features import FeatureGroup, Settings
from leadlift.features.activity import days_or_null
from leadlift.features.facts import Facts, Survey
from leadlift.features.journey import number_or_null
from leadlift.features.known import DAY_US, KnownActs
from leadlift.features.specs import Specs
from leadlift.features.statements import NONE
from leadlift.features.topics import TextTopics
from leadlift.terms import Family, FeatureSpec

MONTH_DAYS = 30.0
NO_TEXT_OF_ACTS = "no act with text yet"
NO_TEXT = "no text"

_SPECS = Specs("voice", Family.ENGAGEMENT)

_ACT_TEXTS = (
    _SPECS.number(
        "text_acts_30d",
        "acts with text in the last 30 days",
        unit="acts",
        window_days=MONTH_DAYS,
        wording="text.count",
    ),
    _SPECS.number("text_acts_all", "acts with text ever", unit="acts", wording="text.count"),
    _SPECS.number("text_words_all", "words in the texts of all acts", unit="words", wording="text.words"),
    _SPECS.number(
        "text_questions_all",
        "question marks in the texts of all acts",
        unit="marks",
        wording="text.questions",
    ),
    _SPECS.number(
        "text_words_last",
        "words in the text of the last act with text",
        unit="words",
        missing_means=NO_TEXT_OF_ACTS,
        wording="text.words_last",
    ),
    _SPECS.number(
        "text_days_since",
        "days from the last act with text to as_of",
        unit="days",
        missing_means=NO_TEXT_OF_ACTS,
        wording="text.last",
    ),
)


class Voice(FeatureGroup):
    """Texts of acts, counted and never kept; columns of free text as word counts and topics.

    Topics are learnt from one text a lead, so that a lead observed often weighs no more than another; see
    :class:`leadlift.features.topics.TextTopics`. Of the texts only terms that several leads used are kept.

    Parameters
    ----------
    text : mapping of str to Family
        Columns of the leads with free text known at creation, with the family of each.
    random_state : int
        Seed of the topics.

    Attributes
    ----------
    has_texts_ : bool
        Whether acts came with text.
    topics_ : dict of str to TextTopics
        By column of text that holds any.
    """

    name: ClassVar[str] = "voice"
    act_columns: ClassVar[tuple[str, ...]] = ("words", "questions", "seq")

    def __init__(self, text: Mapping[str, Family] | None = None, random_state: int = 0) -> None:
        self.text = dict(text or {})
        self.random_state = random_state

    @classmethod
    def configured(cls, settings: Settings) -> Self:
        """Make the group; see :meth:`FeatureGroup.configured`.

        Raises
        ------
        ConfigError
            A column of text is not among the columns known at creation.
        """
        families = {spec.name: spec.family for spec in settings.columns}
        absent = [name for name in settings.text if name not in families]
        if absent:
            msg = (
                f"[features] text names {len(absent)} column(s) that are no inputs: {shorten(absent)}; "
                f"expected some of {shorten(sorted(families))}"
            )
            raise ConfigError(msg)
        return cls(text={name: families[name] for name in settings.text})

    def fit(self, survey: Survey) -> Self:
        """Learn the topics of each column of text; see :meth:`FeatureGroup.fit`."""
        self.has_texts_ = survey.has_texts
        found = {name: _one_text_a_lead(survey, name) for name in self.text}
        self.topics_ = {
            name: TextTopics.learn(texts, self.random_state) for name, texts in found.items() if texts
        }
        return self

    def specs(self) -> tuple[FeatureSpec, ...]:
        """Return what each column means; see :meth:`FeatureGroup.specs`."""
        of_acts = _ACT_TEXTS if self.has_texts_ else ()
        of_leads = [
            spec for name, topics in self.topics_.items() for spec in _specs_of(name, self.text[name], topics)
        ]
        return (*of_acts, *of_leads)

    def columns(self, facts: Facts) -> list[pa.Array]:
        """Make the columns; see :meth:`FeatureGroup.columns`."""
        of_acts = _act_text_columns(facts.acts) if self.has_texts_ and facts.acts is not None else []
        of_leads = [
            column
            for name, topics in self.topics_.items()
            for column in _columns_of(_texts(facts.leads, name), topics)
        ]
        return [*of_acts, *of_leads]

    def to_dict(self) -> dict[str, Any]:
        """Return what was learnt; see :meth:`FeatureGroup.to_dict`."""
        return {
            "has_texts": self.has_texts_,
            "families": {name: str(self.text[name]) for name in self.topics_},
            "topics": {name: topics.to_dict() for name, topics in self.topics_.items()},
            "random_state": self.random_state,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make the fitted group anew; see :meth:`FeatureGroup.from_dict`."""
        families = {name: Family(family) for name, family in state["families"].items()}
        group = cls(text=families, random_state=state["random_state"])
        group.has_texts_ = bool(state["has_texts"])
        group.topics_ = {name: TextTopics.from_dict(state["topics"][name]) for name in families}
        return group


def _texts(leads: pa.Table, name: str) -> pa.Array:
    """The texts of a column; null where there is nothing to read."""
    text = leads[name].cast(pa.string()).combine_chunks()
    blank = pc.equal(pc.utf8_trim_whitespace(text), "")
    return pc.if_else(blank, pa.scalar(None, pa.string()), text)


def _one_text_a_lead(survey: Survey, name: str) -> list[str]:
    """One text of each lead that has any; the first in their order where it has several."""
    texts = _texts(survey.leads, name).to_pylist()
    leads: Sequence[int] = range(len(texts)) if survey.lead is None else survey.lead.tolist()
    chosen: dict[int, str] = {}
    for lead, text in zip(leads, texts, strict=True):
        if text is not None:
            chosen[lead] = min(text, chosen.get(lead, text))
    return list(chosen.values())


def _columns_of(texts: pa.Array, topics: TextTopics) -> list[pa.Array]:
    missing = pc.is_null(texts).to_numpy(zero_copy_only=False)
    words = pc.count_substring_regex(texts, r"\S+").cast(pa.float64())
    values = topics.of(texts.fill_null("").to_pylist())
    return [words, *[pa.array(values[:, i], mask=missing) for i in range(topics.n_topics)]]


def _act_text_columns(acts: KnownActs) -> list[pa.Array]:
    some = acts.select(acts["words"] != NONE, ["words", "questions", "seq"])
    counts = [
        some.total(some.age_us <= MONTH_DAYS * DAY_US),
        some.total(),
        some.total(some["words"]),
        some.total(some["questions"]),
    ]
    last = some.select(some["seq"] == some.greatest(some["seq"])[some.row])
    return [
        *[pa.array(count.astype(np.int32)) for count in counts],
        number_or_null(last.greatest(last["words"])),
        days_or_null(some.least(some.age_us)),
    ]


def _specs_of(column: str, family: Family, topics: TextTopics) -> list[FeatureSpec]:
    specs = Specs(Voice.name, family)
    return [
        specs.number(
            f"{column}_words",
            f"words in {column!r}",
            unit="words",
            missing_means=NO_TEXT,
            wording="field.words",
            about=(column,),
        ),
        *[
            specs.number(
                f"{column}_topic_{i + 1}",
                f"topic {i + 1} of {column!r}: {', '.join(topics.strongest_terms(i))}",
                missing_means=NO_TEXT,
                wording="field.topic",
                about=(column, *topics.strongest_terms(i)),
            )
            for i in range(topics.n_topics)
        ],
    ]
