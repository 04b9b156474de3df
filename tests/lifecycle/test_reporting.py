"""The report on a model: every section, every number from a public function, and nobody's name in it."""

import json
import re

import pandas as pd
import pytest

import leadlift as ll
from command_line import run_cli, run_ok
from leadlift.config import read_config
from leadlift.insight.report.blocks import FigureBlock, TableBlock, TextBlock
from leadlift.insight.report.page import report_html
from leadlift.lifecycle.looking_back import look_back
from leadlift.lifecycle.reporting import report_on

SECTIONS = [
    "data",
    "quality",
    "cutoffs",
    "drivers",
    "segments",
    "touches",
    "ideal-customer",
    "grid",
    "voice_of_lost",
    "scorecard",
    "stability",
    "fairness",
    "provenance",
]
HOSTILE = ("<script>window.hacked = true</script>", '=HYPERLINK("https://example.org")', "right\u202eto left")


@pytest.fixture(scope="module")
def hindsight(workspace, bundle):
    """The workspace's leads, seen through its bundle, with their events beside them."""
    config = read_config(workspace.config)
    events = str(workspace.folder / "events.parquet")
    return look_back(
        config.model_copy(update={"data": config.data.model_copy(update={"events": events})}), bundle
    )


@pytest.fixture(scope="module")
def report(hindsight):
    return report_on(hindsight)


def blocks_of(report, kind):
    return [block for section in report.sections for block in section.blocks if isinstance(block, kind)]


def block(report, key, caption):
    section = next(section for section in report.sections if section.key == key)
    return next(one for one in section.blocks if getattr(one, "caption", "").startswith(caption))


def test_every_section_is_there_in_the_order_of_the_page(report):
    assert [section.key for section in report.sections] == SECTIONS


def test_without_events_reasons_and_attributes_their_sections_are_left_out(workspace, bundle):
    config = read_config(workspace.config)
    bare = config.model_copy(update={"insight": type(config.insight)()})
    keys = [section.key for section in report_on(look_back(bare, bundle)).sections]
    assert keys == [key for key in SECTIONS if key not in {"touches", "voice_of_lost", "fairness"}]


def test_every_number_names_a_public_call_that_exists(report):
    told = [one.made_by for one in blocks_of(report, object) if not isinstance(one, TextBlock)]
    names = {name for call in told for name in re.findall(r"\bll\.([A-Za-z_]+)", call)}
    assert len(names) > 15
    assert names <= set(ll.__all__)


def test_the_tables_are_those_of_the_public_functions(report, hindsight):
    first, test = hindsight.first, hindsight.split.test
    y, score = hindsight.problem.y, hindsight.test_scores[0]
    values = hindsight.inputs(first)
    of_fit = [
        spec.name for spec in hindsight.bundle.specs if spec.kind == "categorical" or spec.family == "fit"
    ]
    as_of = hindsight.problem.as_of[first]
    segments = ll.segments(values.select(of_fit), y[first] > 0, as_of=as_of)
    shown = block(report, "segments", "Won more often").table
    assert shown.equals(
        segments.filter(segments["differs"]).sort_by([("lift", "descending")]).slice(0, shown.num_rows)
    )
    told = hindsight.told(test).select(["gender"])
    audit = ll.fairness_audit(score, score >= hindsight.bundle.mql_cutoff.threshold, y[test] > 0, told)
    assert block(report, "fairness", "What becomes").table.equals(audit.by_group)
    assert (
        block(report, "scorecard", "The scorecard").table.num_rows == hindsight.scorecard.to_table().num_rows
    )


def test_the_same_leads_give_the_same_page(report, hindsight):
    assert report_html(report) == report_html(report_on(hindsight))


def test_the_page_is_small_and_names_no_lead(report, workspace):
    page = report_html(report)
    leads = pd.read_csv(workspace.leads, dtype=str)
    assert len(page.encode()) < 3e6
    assert not set(leads["lead_id"]).intersection(re.findall(r"\w+", page))


def test_every_figure_says_what_it_shows(report):
    figures = blocks_of(report, FigureBlock)
    assert len(figures) >= 8
    assert all(len(figure.alt) > 20 for figure in figures)


def test_too_few_leads_are_never_shown_as_a_rate(report):
    rates = [
        (column, table)
        for table in blocks_of(report, TableBlock)
        for column in table.columns
        if column.name == "rate" and "too_few" in table.table.column_names
    ]
    assert rates
    assert all(column.hide_where == "too_few" for column, _ in rates)


def test_the_command_writes_the_page_and_the_card(workspace, tmp_path):
    page, card = tmp_path / "report.html", tmp_path / "card.json"
    where = ("--bundle", workspace.champion, "--out", page, "--scorecard", card)
    run = run_ok("report", workspace.config, *where, "--json")
    told = json.loads(run.out)
    assert told["files"] == [str(page), str(card)]
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert json.loads(card.read_text())["rules"]
    # `leadlift train` wrote the same page beside the bundle.
    assert page.read_text() == (workspace.champion.parent / "report.html").read_text()


def test_a_bundle_that_is_not_there_is_named_and_nothing_is_written(workspace, tmp_path):
    run = run_cli("report", workspace.config, "--bundle", tmp_path / "none", "--out", tmp_path / "r.html")
    assert run.code == 1
    assert "is no model bundle" in run.err
    assert not (tmp_path / "r.html").exists()


@pytest.mark.slow
def test_hostile_leads_neither_run_nor_break_anything_that_is_written(tmp_path):
    run_ok("simulate", "--out", tmp_path, "--n", 2500, "--seed", 3)
    leads = pd.read_csv(tmp_path / "leads.csv", dtype=str, keep_default_na=False)
    names = dict(zip(leads["source"].unique(), HOSTILE, strict=False))
    leads["source"] = leads["source"].map(lambda name: names.get(name, name))
    leads = leads.rename(columns={"campaign": HOSTILE[0]})
    leads.loc[leads["loss_note"] != "", "loss_note"] += " mail jo@example.org or +49 30 1234567 " + HOSTILE[0]
    leads.to_csv(tmp_path / "leads.csv", index=False)
    config = tmp_path / "leadlift.toml"
    run_ok("init", tmp_path / "leads.csv", "--out", config)
    config.write_text(config.read_text().replace("# folds = 8 ", "folds = 2 "))
    run_ok("train", config, "--leave-out-suspects")
    champion, reasons = tmp_path / "models" / "champion", tmp_path / "reasons.csv"
    where = ("--bundle", champion, "--out", tmp_path / "r.html", "--scorecard", tmp_path / "c.csv")
    run_ok("report", config, *where)
    run_ok("explain", tmp_path / "leads.csv", "--bundle", champion, "--out", reasons)
    page = (tmp_path / "r.html").read_text()
    assert "<script" not in page
    assert "\u202e" not in page
    assert "jo@example.org" not in page
    assert "1234567" not in page
    for path in (reasons, tmp_path / "c.csv"):
        cells = pd.read_csv(path, dtype=str, keep_default_na=False).to_numpy().ravel()
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
