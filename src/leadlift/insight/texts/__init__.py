"""The words of reasons are data: one TOML file a language, replaceable key by key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from leadlift.exceptions import ConfigError, shorten

PLACEHOLDER = re.compile(r"\{(\w*)\}")

# Sections to which keys may be added, by what a key is.
OPEN_SECTIONS = ("units", "levels", "missing", "fields", "channels", "acts", "meanings", "features")
FORMS = ("none", "one", "many", "missing", "unknown", "value", "reason", "like", "addition")
ACT_FORMS = ("name", "did", "did_not")

_COUNT = ("count",)
_FACT = (
    *("number", "count", "ratio", "times", "duration", "ago", "level", "field", "window", "missing"),
    *("act", "act_not", "act_like", "activity", "channel", "sequence", "terms"),
)
_PLACEHOLDERS = {
    "times": _COUNT,
    "windows": _COUNT,
    "durations": _COUNT,
    "ago": _COUNT,
    "acts": ("activity",),
    "meanings": ("activity",),
    "themes": ("field", "activity", "channel", "sequence"),
    "facts": _FACT,
    "features": _FACT,
}
_PLACEHOLDERS_OF_KEYS = {
    "sentences.reason": ("fact", "points"),
    "sentences.compared": ("typical",),
    "sentences.missing": ("name",),
    "sentences.base": ("points",),
    "sentences.lift": ("like", "then", "now"),
    "sentences.no_lift": ("least",),
    "facts.pair.many": ("first", "second"),
    "names.like_act": ("act", "activity"),
    "names.like_any": ("activity",),
    "leads.head": ("lead", "score", "grade", "stage"),
    "leads.not_explained": ("lead", "why"),
    "leads.families": ("families",),
}


@dataclass(frozen=True)
class Texts:
    """The words of one language, with what the user replaced.

    Parameters
    ----------
    language : str
    overrides : mapping
        What was replaced, by section and key.
    words : mapping
        All texts, by section and key.
    """

    language: str
    overrides: Mapping[str, Any]
    words: Mapping[str, Any] = field(repr=False)

    def __getitem__(self, section: str) -> Mapping[str, Any]:
        """Return the texts of a section."""
        return self.words[section]

    def to_dict(self) -> dict[str, Any]:
        """Return language and overrides as JSON values; the inverse of :meth:`from_dict`."""
        return {"language": self.language, "overrides": dict(self.overrides)}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Texts:
        """Make the texts anew."""
        return load_texts(state["language"], state["overrides"])


def load_texts(language: str = "en", overrides: str | Path | Mapping[str, Any] | None = None) -> Texts:
    """Load the words of a language.

    Parameters
    ----------
    language : str, default="en"
        One that is shipped (``"en"``, ``"de"``), or another one, of which `overrides` then holds all texts.
    overrides : path or mapping, optional
        Texts that replace those of the language: a TOML file like the shipped ``en.toml``, or the same as a
        mapping. ``{"fields": {"pdays": "days since the last call"}}`` names a column,
        ``{"features": {"pdays": {"many": "Called {number} days ago"}}}`` words it.

    Returns
    -------
    Texts

    Raises
    ------
    ConfigError
        The file cannot be read; a key does not exist, is no text, or has a placeholder that it cannot fill;
        or the language is not shipped and texts are missing.

    Examples
    --------
    >>> load_texts("de")["times"]["one"]
    'einmal'
    >>> load_texts("en", {"times": {"one": "a single time"}})["times"]["one"]
    'a single time'
    """
    given = _read(overrides)
    for path, text in _leaves(given):
        _check_leaf(path, text)
    base = _shipped(language) if language in languages() else {section: {} for section in _shipped("en")}
    words = _merged(base, given)
    _require_all(language, words)
    return Texts(language, given, words)


def languages() -> tuple[str, ...]:
    """Return the languages that are shipped."""
    found = (Path(entry.name) for entry in files(__name__).iterdir())
    return tuple(sorted(path.stem for path in found if path.suffix == ".toml"))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill the placeholders of a text; braces in the values stay as they are.

    Examples
    --------
    >>> fill("{act} {times}", {"act": "{x}", "times": "twice"})
    '{x} twice'
    """
    return PLACEHOLDER.sub(lambda match: values[match[1]], template)


@cache
def _shipped(language: str) -> dict[str, Any]:
    return tomllib.loads((files(__name__) / f"{language}.toml").read_text(encoding="utf-8"))


def _read(overrides: str | Path | Mapping[str, Any] | None) -> dict[str, Any]:
    if overrides is None or isinstance(overrides, Mapping):
        return dict(overrides or {})
    try:
        return tomllib.loads(Path(overrides).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"the texts in {overrides} cannot be read: {error}"
        raise ConfigError(msg) from error


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(tree, Mapping):
        yield path, tree
        return
    for key, value in tree.items():
        yield from _leaves(value, (*path, str(key)))


def _merged(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in given.items():
        is_table = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if is_table else value
    return merged


def _check_leaf(path: tuple[str, ...], text: Any) -> None:
    """Make sure that a text has a place, is one, and can be filled."""
    where = ".".join(path)
    _require_place(path, where)
    is_pair = path[0] in {"durations", "ago", "units"}
    parts = text if is_pair and isinstance(text, list) else [text]
    if len(parts) != (2 if is_pair else 1) or not all(isinstance(part, str) for part in parts):
        wanted = "two texts, of one and of many" if is_pair else "one text"
        msg = f"texts: {where} takes {wanted}, got {text!r}"
        raise ConfigError(msg)
    for part in parts:
        _check_placeholders(where, part, _allowed(path, where))


def _require_place(path: tuple[str, ...], where: str) -> None:
    english = _shipped("en")
    section, key = path[0], path[1] if len(path) > 1 else ""
    known = list(english)
    if section in known and key:
        known = _known_keys(section, key)
        has_form = section in {"facts", "features", "acts", "meanings"}
        name = path[2] if has_form and len(path) > len(("section", "key")) else key
        if name in known and len(path) == 2 + has_form:
            return
    msg = f"texts: there is no key {where}; expected one of {shorten(known, limit=20)}"
    raise ConfigError(msg)


def _known_keys(section: str, key: str) -> list[str]:
    """What may stand at the end of the path of a key."""
    if section in {"acts", "meanings"}:
        return list(ACT_FORMS)
    if section == "features":
        return list(FORMS)
    if section in OPEN_SECTIONS:
        return [key]
    english = _shipped("en")[section]
    if section == "facts":
        return list(FORMS) if key in english else list(english)
    return list(english)


def _allowed(path: tuple[str, ...], where: str) -> tuple[str, ...]:
    if path[0] in {"facts", "features"} and path[-1] == "reason":
        return _PLACEHOLDERS_OF_KEYS["sentences.reason"]
    return _PLACEHOLDERS_OF_KEYS.get(where, _PLACEHOLDERS.get(path[0], ()))


def _check_placeholders(where: str, text: str, allowed: tuple[str, ...]) -> None:
    unknown = [name for name in PLACEHOLDER.findall(text) if name not in allowed]
    if unknown or set("{}") & set(PLACEHOLDER.sub("", text)):
        may = " ".join(f"{{{name}}}" for name in allowed) or "none"
        msg = f"texts: {where} cannot fill {text!r}; placeholders it may have: {may}"
        raise ConfigError(msg)


def _require_all(language: str, words: Mapping[str, Any]) -> None:
    """A language that is not shipped has to say all that English says, but for words of single acts."""
    optional = ("fields", "features", "channels", "acts", "levels", "missing", "units")
    needed = (path for path, _ in _leaves(_shipped("en")) if path[0] not in optional)
    missing = [".".join(path) for path in needed if _at(words, path) is None]
    if missing:
        msg = (
            f"the language {language!r} lacks {len(missing)} texts: {shorten(missing)}; shipped are "
            f"{', '.join(languages())}, another one needs a file with all texts of en.toml"
        )
        raise ConfigError(msg)


def _at(words: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        words = words.get(key) if isinstance(words, Mapping) else None
    return words
