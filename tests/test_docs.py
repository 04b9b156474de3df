"""What the pages show is true: their Python runs, their commands and codes exist."""

import re
from pathlib import Path

import pytest

import leadlift as ll
from fenced_blocks import blocks

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{name}.md"
        for name in (
            "guide",
            "behaviour",
            "cutoff",
            "segments",
            "voice_of_lost",
            "fairness",
            "scorecard",
            "exports",
            "feedback",
            "registry",
            "when_to_retrain",
        )
    ),
]


@pytest.fixture(scope="module")
def names():
    """What the examples of the pages take for granted: a table of leads and a few new ones."""
    crm = ll.make_leads(3000, seed=2, with_events=False)
    leads = crm.leads.to_pandas()
    leads["won"] = leads["outcome"] == "won"
    columns = ["source", "industry", "employees", "seniority", "contact_me", "pages_before_form"]
    columns_of_leads = {"leads": leads, "columns": columns, "new": leads[columns].head(20)}
    return columns_of_leads | {"extract_date": crm.known_until, "scorer": ll.LeadScorer()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a user of events stands: the files of a CRM and a leadlift.toml."""
    place = tmp_path_factory.mktemp("docs")
    ll.make_leads(1500, seed=2).save(place)
    found = ll.discover(
        place / "leads.csv", events=place / "events.parquet", history=place / "history.parquet"
    )
    (place / "leadlift.toml").write_text(found.to_toml(folder=place))
    return place


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_of_the_page_runs(page, names, folder, monkeypatch):
    monkeypatch.chdir(folder)
    for block in blocks(page, "python"):
        if "mlflow" not in block:  # needs a model in service; tests/lifecycle runs the same lines
            exec(compile(block, str(page), "exec"), dict(names))  # noqa: S102


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_the_page_names_exists(page):
    from leadlift.cli import app

    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set(re.findall(r"`?leadlift (\w+)", "\n".join(blocks(page, "(?:sh|bash|)"))))
    assert named <= known


def test_every_make_target_the_readme_names_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", PAGES[0].read_text())) <= targets


def test_the_public_names_of_the_guide_are_public():
    text = "\n".join(page.read_text() for page in PAGES)
    assert set(re.findall(r"\bll\.(\w+)", text)) <= set(ll.__all__)
