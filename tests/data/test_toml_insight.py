"""`leadlift init` proposes groups to audit, and columns that say why leads were lost."""

import pytest

from leadlift.config import parse_config
from leadlift.data.datasets import make_leads
from leadlift.data.discovery import discover
from leadlift.exceptions import ConfigError


@pytest.fixture(scope="module")
def drafted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crm")
    make_leads(500, seed=2, with_events=False).save(folder)
    return discover(folder / "leads.csv").to_toml(folder=folder), folder


def test_protected_columns_and_columns_about_losses_are_proposed(drafted):
    text, folder = drafted
    insight = parse_config(text, folder=folder).insight
    assert insight.protected == ("gender",)
    assert insight.loss_reason == "loss_reason"
    assert insight.loss_text == ("loss_note",)


def test_what_is_switched_off_is_what_holds_by_default(drafted):
    text, folder = drafted
    section = text[text.index("[insight]") : text.index("[cutoff.mql]")]
    on = section.replace("# language", "language").replace("# period_days", "period_days")
    on = on.replace("# segments", "segments").replace("# loss_language", "loss_language")
    assert parse_config(text.replace(section, on), folder=folder) == parse_config(text, folder=folder)


def test_a_table_without_such_columns_proposes_none(tmp_path):
    rows = "".join(f"{i},{'won' if i % 3 else 'lost'},{i % 7}\n" for i in range(60))
    (tmp_path / "leads.csv").write_text("id,outcome,visits\n" + rows)
    text = discover(tmp_path / "leads.csv").to_toml(folder=tmp_path)
    assert "# loss_reason" in text
    insight = parse_config(text, folder=tmp_path).insight
    assert (insight.protected, insight.loss_reason, insight.loss_text) == ((), None, ())


def test_an_unknown_key_is_refused(drafted):
    text, folder = drafted
    wrong = text.replace("[insight]", "[insight]\nlanguages = 1")
    with pytest.raises(ConfigError, match=r"insight\.languages"):
        parse_config(wrong, folder=folder)
