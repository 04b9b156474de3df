"""The words of reasons are data: every language says the same things, and each text can be replaced."""

import tomllib
from importlib.resources import files

import pytest

from leadlift.exceptions import ConfigError
from leadlift.insight.texts import OPEN_SECTIONS, PLACEHOLDER, Texts, fill, languages, load_texts


def shipped(language):
    return tomllib.loads((files("leadlift.insight.texts") / f"{language}.toml").read_text(encoding="utf-8"))


def leaves(tree, path=()):
    if isinstance(tree, dict):
        return {k: v for key, value in tree.items() for k, v in leaves(value, (*path, key)).items()}
    return {path: tree}


def test_english_and_another_language_are_shipped():
    assert languages() == ("de", "en")


@pytest.mark.parametrize("language", languages())
def test_a_language_says_what_english_says(language):
    english, other = leaves(shipped("en")), leaves(shipped(language))
    assert {path for path in english if path[0] != "facts"} == {path for path in other if path[0] != "facts"}
    assert set(shipped(language)["facts"]) == set(shipped("en")["facts"])


@pytest.mark.parametrize("language", languages())
def test_what_is_shipped_passes_the_checks_of_what_users_write(language):
    assert load_texts("en", shipped(language)).words == {
        **shipped("en"),
        **load_texts("en", shipped(language)).words,
    }


def test_a_file_replaces_single_texts_and_leaves_the_others(tmp_path):
    file = tmp_path / "ours.toml"
    file.write_text('[times]\none = "a single time"\n[fields]\npdays = "days since the last call"\n')
    texts = load_texts("de", file)
    assert texts["times"]["one"] == "a single time"
    assert texts["times"]["two"] == "zweimal"
    assert texts["fields"] == {"pdays": "days since the last call"}


def test_texts_survive_json():
    texts = load_texts("de", {"times": {"one": "1-mal"}})
    assert Texts.from_dict(texts.to_dict()) == texts


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"time": {"one": "x"}}, r"there is no key time.one; expected one of .*'times'"),
        (
            {"times": {"three": "x"}},
            r"there is no key times.three; expected one of 'none', 'one', 'two', 'many'",
        ),
        (
            {"facts": {"acts.number": {"many": "x"}}},
            r"there is no key facts.acts.number.many; expected one of",
        ),
        (
            {"facts": {"acts.count": {"few": "x"}}},
            r"there is no key facts.acts.count.few; .*'none', 'one', 'many'",
        ),
        (
            {"acts": {"visit": "came by"}},
            r"there is no key acts.visit; expected one of 'name', 'did', 'did_not'",
        ),
        ({"times": "once"}, r"there is no key times; expected one of"),
        ({"times": {"one": 1}}, r"times.one takes one text, got 1"),
        ({"units": {"acts": ["act"]}}, r"units.acts takes two texts, of one and of many, got \['act'\]"),
        (
            {"times": {"many": "{n} times"}},
            r"times.many cannot fill '\{n\} times'; placeholders it may have: \{count\}",
        ),
        ({"times": {"many": "{count times"}}, r"times.many cannot fill '\{count times'"),
        ({"times": {"one": "{}"}}, r"times.one cannot fill '\{\}'"),
        ({"levels": {"yes": "{level}"}}, r"levels.yes cannot fill .* placeholders it may have: none"),
        (
            {"features": {"a": {"reason": "{field}"}}},
            r"features.a.reason cannot fill .*: \{fact\} \{points\}",
        ),
    ],
)
def test_a_text_that_has_no_place_or_cannot_be_filled_is_named(overrides, message):
    with pytest.raises(ConfigError, match=message):
        load_texts("en", overrides)


def test_a_format_string_can_reach_nothing_but_the_placeholders():
    with pytest.raises(ConfigError, match=r"cannot fill '\{count.__class__\}'"):
        load_texts("en", {"times": {"many": "{count.__class__}"}})


def test_a_language_that_is_not_shipped_needs_all_texts():
    with pytest.raises(
        ConfigError, match=r"the language 'fr' lacks \d+ texts: 'numbers.decimal'.*shipped are de, en"
    ):
        load_texts("fr", {"times": {"one": "une fois"}})


def test_a_language_of_ones_own_is_one_file():
    texts = load_texts("fr", shipped("en"))
    assert (texts.language, texts["times"]["one"]) == ("fr", "once")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.toml").write_text("[times\n")
    for name in ("broken.toml", "absent.toml"):
        with pytest.raises(ConfigError, match=rf"the texts in .*{name} cannot be read"):
            load_texts("en", tmp_path / name)


def test_braces_in_values_stay_as_they_are():
    assert fill("{a} {b}", {"a": "{b}", "b": "{"}) == "{b} {"


def test_every_section_to_which_keys_may_be_added_exists():
    assert set(OPEN_SECTIONS) <= set(shipped("en"))


def test_no_text_has_a_placeholder_in_spaces():
    for path, text in leaves(shipped("en")).items():
        for part in text if isinstance(text, list) else [text]:
            assert not set("{}") & set(PLACEHOLDER.sub("", part)), path
