"""What a value of a column means, in a few words; made once a column, then asked for each distinct value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from leadlift.features.bant import UNKNOWN, bant_columns
from leadlift.insight.escaping import plain_text
from leadlift.insight.texts import PLACEHOLDER, fill
from leadlift.insight.value_texts import duration_text, number_text, times_text, window_text, with_unit
from leadlift.terms import Kind

if TYPE_CHECKING:
    from leadlift.insight.texts import Texts
    from leadlift.terms import FeatureSpec

PAIR = "pair"

_PARTS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_.\-]+")

Value = float | str | None


def readable_name(name: str, *, lower: bool = True) -> str:
    """Write the name of a column or act as words, without guessing what it means.

    A name with spaces is in words already and stays.

    Parameters
    ----------
    name : str
    lower : bool, default=True
        Write words that are not all capitals in lower case.

    Returns
    -------
    str

    Examples
    --------
    >>> [readable_name(name) for name in ("TotalVisits", "emp.var.rate", "CEO_name", "Lead Source", "pdays")]
    ['total visits', 'emp var rate', 'CEO name', 'Lead Source', 'pdays']
    """
    name = " ".join(plain_text(name).split())
    if " " in name:
        return name
    words = [word for word in _PARTS.split(name) if word]
    keeps_capitals = name.upper() != name
    if lower:
        words = [
            word if word.isupper() and len(word) > 1 and keeps_capitals else word.lower() for word in words
        ]
    return " ".join(words) or name


def capital(text: str) -> str:
    """Begin a text with a capital."""
    return text[:1].upper() + text[1:]


class Phrase:
    """Words for the values of one column.

    Parameters
    ----------
    spec : FeatureSpec
    texts : Texts
    typical : str, optional
        What is typical of won leads, as a bundle's reference holds it.

    Attributes
    ----------
    name : str
        What the column is about, as a table of reasons lists it.
    typical_text : str or None
        What is typical of won leads, in words; None where nothing is, or where values are not compared.
    addition : str
        What the column adds to a fact about the same acts where it is 1; mostly nothing.
    """

    def __init__(self, spec: FeatureSpec, texts: Texts, typical: str | None = None) -> None:
        self._texts, self._unit, self._is_bant = texts, spec.unit, bool(bant_columns([spec.name]))
        self._is_numeric = spec.kind is Kind.NUMERIC
        self._key = spec.wording or _key_of_plain(spec)
        forms = {**texts["facts"][self._key], **texts["features"].get(spec.name, {})}
        static = _static_words(spec, self._key, texts)
        self.name = capital(fill(texts["themes"][self._key.partition(".")[0]], static))
        self._reason = forms.get("reason", texts["sentences"]["reason"])
        self.addition = forms.get("addition", "")
        forms.setdefault("missing", fill(texts["sentences"]["missing"], {"name": self.name}))
        self._forms = {form: _prefilled(template, static) for form, template in forms.items()}
        self.typical_text = self.value_text(self._parsed(typical))

    def fact(self, value: Value) -> str:
        """Say what a value means; beginning with a small letter where the words do."""
        return self._filled(self._form_of(value), value, {})

    def told(self, value: Value) -> tuple[str, str, str]:
        """Say what a value means and what is typical of won leads where that differs; how points join them.

        Returns
        -------
        fact, comparison : str
        template : str
            Holds ``{fact}`` and ``{points}``.
        """
        made: dict[str, str] = {}
        form = self._form_of(value)
        sentences = self._texts["sentences"]
        fact, reason = (
            self._filled(form, value, made),
            self._reason if form == "many" else sentences["reason"],
        )
        if self.typical_text is None or self.typical_text == self._value_text(value, made):
            return capital(fact), "", reason
        return capital(fact), fill(sentences["compared"], {"typical": self.typical_text}), reason

    def value_text(self, value: Value) -> str | None:
        """Write the value alone, for a comparison; None where it is missing or is not compared."""
        return self._value_text(value, {})

    def like(self, value: Value) -> str:
        """Say what leads with this value are like: ``"with 2 visits"``."""
        return self._filled("like" if "like" in self._forms else "many", value, {})

    def _value_text(self, value: Value, made: dict[str, str]) -> str | None:
        if "value" not in self._forms or self._is_missing(value):
            return None
        return self._filled("value", value, made)

    def _parsed(self, typical: str | None) -> Value:
        return float(typical) if self._is_numeric and typical is not None else typical

    def _is_missing(self, value: Value) -> bool:
        if not isinstance(value, str):
            return value is None
        is_unknown = self._is_bant and value.casefold() == UNKNOWN
        return is_unknown or not plain_text(value)

    def _form_of(self, value: Value) -> str:
        """The form of the texts that fits a value."""
        if self._is_missing(value):
            return "unknown" if self._is_bant and "unknown" in self._forms else "missing"
        if self._is_numeric and value <= 0 and "none" in self._forms:
            return "none"
        return "one" if value == 1 and "one" in self._forms else "many"

    def _filled(self, form: str, value: Value, made: dict[str, str]) -> str:
        """Fill what depends on the value, each placeholder made once."""
        parts = []
        for part, is_placeholder in self._forms[form]:
            if is_placeholder and part not in made:
                made[part] = self._word(part, value)
            parts.append(made[part] if is_placeholder else part)
        return "".join(parts)

    def _word(self, placeholder: str, value: Value) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return _LEVEL_WORDS.get((self._key, placeholder), _level_text)(value, self._texts)
        return _NUMBER_WORDS[placeholder](value, self._unit, self._texts)


class PairPhrase:
    """Words for the values of two columns taken together; what is typical of each alone is not of both.

    Parameters
    ----------
    first, second : Phrase
    texts : Texts
    """

    addition = ""
    typical_text = None

    def __init__(self, first: Phrase, second: Phrase, texts: Texts) -> None:
        self._phrases, self._texts = (first, second), texts
        self.name = capital(texts["names"]["and"].join((first.name, second.name)))

    def fact(self, values: tuple[Value, Value]) -> str:
        """Say what both values mean."""
        first, second = (phrase.fact(value) for phrase, value in zip(self._phrases, values, strict=True))
        return fill(self._texts["facts"][PAIR]["many"], {"first": first, "second": second})

    def told(self, values: tuple[Value, Value]) -> tuple[str, str, str]:
        """Say what both values mean, with nothing to compare with; see :meth:`Phrase.told`."""
        return capital(self.fact(values)), "", self._texts["facts"][PAIR]["reason"]

    def value_text(self, values: tuple[Value, Value]) -> str | None:
        """Write both values; None where one is missing."""
        told = [phrase.value_text(value) for phrase, value in zip(self._phrases, values, strict=True)]
        return None if None in told else self._texts["names"]["and"].join(told)


def phrases_of(
    specs: Sequence[FeatureSpec], texts: Texts, typical_won: Mapping[str, str] | None = None
) -> list[Phrase | PairPhrase]:
    """Make the words of all columns.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        What each contribution belongs to; both columns of a pair are among them.
    texts : Texts
    typical_won : mapping of str to str, optional
        By column, what is typical of won leads.

    Returns
    -------
    list of Phrase or PairPhrase
    """
    typical = typical_won or {}
    single = [spec for spec in specs if spec.wording != PAIR]
    phrases = {spec.name: Phrase(spec, texts, typical.get(spec.name)) for spec in single}
    return [
        PairPhrase(*(phrases[name] for name in spec.about), texts)
        if spec.wording == PAIR
        else phrases[spec.name]
        for spec in specs
    ]


def _prefilled(template: str, static: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Parts of a template with what is the same for all values filled in, and which are placeholders."""
    parts: list[tuple[str, bool]] = []
    for place, piece in enumerate(PLACEHOLDER.split(template)):
        is_placeholder = place % 2 == 1 and piece not in static
        parts.append((static.get(piece, piece) if place % 2 else piece, is_placeholder))
    return parts


def _key_of_plain(spec: FeatureSpec) -> str:
    if spec.kind is Kind.CATEGORICAL:
        return "field.level"
    return "field.duration" if spec.unit == "days" else "field.number"


def _static_words(spec: FeatureSpec, key: str, texts: Texts) -> dict[str, str]:
    """What is the same for all values of a column."""
    theme = key.partition(".")[0]
    missing = texts["missing"].get(spec.missing_means, spec.missing_means)
    words = {"window": window_text(spec.window_days, texts), "missing": missing}
    if theme == "field":
        words["field"] = _label(spec.about[0] if spec.about else spec.name, texts)
        words["terms"] = texts["names"]["or"].join(_longest(spec.about[1:]))
    elif theme in {"type", "meaning"}:
        words |= _act_words(spec.about[0], "acts" if theme == "type" else "meanings", texts)
    elif theme == "channel":
        words["channel"] = _channel(spec.about[0], texts)
    elif theme == "sequence":
        words["sequence"] = texts["names"]["then"].join(_act(name, texts) for name in spec.about)
    return words


def _longest(terms: Sequence[str]) -> list[str]:
    """Terms that are not part of another: "price list" says "list" too."""
    return [
        f'"{term}"'
        for term in terms
        if not any(f" {term} " in f" {other} " for other in terms if other != term)
    ]


def _label(name: str, texts: Texts) -> str:
    return texts["fields"].get(name) or readable_name(name, lower=texts["names"]["case"] == "lower")


def _act_words(name: str, section: str, texts: Texts) -> dict[str, str]:
    found = texts[section].get(_act_key(name)) or texts[section].get(name) or texts["acts"]["any"]
    words = {"activity": found.get("name") or _label(name, texts)}
    words |= {"act": fill(found["did"], words), "act_not": fill(found["did_not"], words)}
    like = "like_any" if found is texts["acts"]["any"] else "like_act"
    return words | {"act_like": fill(texts["names"][like], words)}


def _act_key(name: str) -> str:
    return " ".join(re.split(r"[\s_\-]+", name.casefold().replace("e-mail", "email"))).strip()


def _act(name: str, texts: Texts) -> str:
    return _act_words(name, "acts", texts)["act"]


def _channel(name: str, texts: Texts) -> str:
    return texts["channels"].get(name.casefold()) or plain_text(name)


def _level_text(level: str, texts: Texts) -> str:
    return texts["levels"].get(level.strip().casefold()) or plain_text(level)


_LEVEL_WORDS = {
    ("first_touch.type", "act"): _act,
    ("last_touch.type", "act"): _act,
    ("second_last_touch.type", "act"): _act,
    ("first_touch.channel", "channel"): _channel,
    ("last_touch.channel", "channel"): _channel,
}
_NUMBER_WORDS = {
    "number": with_unit,
    "count": lambda value, unit, texts: number_text(value, texts),
    "ratio": lambda value, unit, texts: number_text(round(value, 1 if abs(value) >= 1 else 2), texts),
    "times": lambda value, unit, texts: times_text(value, texts),
    "duration": lambda value, unit, texts: duration_text(value, texts),
    "ago": lambda value, unit, texts: duration_text(value, texts, "ago"),
    "level": lambda value, unit, texts: number_text(value, texts),
}
