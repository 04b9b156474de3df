"""The page is well formed, complete in itself, the same each time, and shows text without obeying it."""

import re
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa
import pytest

import leadlift as ll
from leadlift.exceptions import InputError
from leadlift.insight.report.blocks import Column, FactsBlock, Report, Section, TableBlock, TextBlock
from leadlift.insight.report.page import CONTENT_SECURITY_POLICY, ROWS_AT_ONCE, report_html, write_report
from report_pages import HOSTILE, PageReader, hostile_leads_report, hostile_report, plain_report

MAX_BYTES = 3_000_000


@pytest.fixture(scope="module")
def page() -> str:
    return report_html(plain_report())


@pytest.fixture(scope="module")
def hostile_page() -> str:
    return report_html(hostile_report())


@pytest.fixture(scope="module")
def leads_page() -> str:
    return report_html(hostile_leads_report())


@pytest.fixture(params=["page", "hostile_page", "leads_page"])
def read(request) -> PageReader:
    return PageReader(request.getfixturevalue(request.param))


def one(*blocks, **settings) -> Report:
    return Report("Leads", "2026", (Section("one", "One", "One section.", blocks, **settings),))


# Form


def test_every_element_is_closed_where_it_should_be(read):
    assert read.misplaced == []
    assert read.open == []


def test_ids_are_unique_and_what_points_at_them_finds_them(read):
    ids = read.values("id")
    assert len(ids) == len(set(ids))
    named = {key for keys in read.values("aria-labelledby") for key in keys.split()}
    assert named <= set(ids)
    assert {link["href"].removeprefix("#") for link in read.all("a")} <= set(ids)


def test_headings_follow_each_other_without_a_gap(read):
    levels = [int(tag[1]) for tag, _, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(level <= before + 1 for before, level in pairwise(levels))


def test_the_page_has_a_language_landmarks_and_a_way_past_the_contents(read):
    assert read.all("html") == [{"lang": "en"}]
    tags = [tag for tag, _, _ in read.elements]
    assert [tags.count(tag) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert read.all("a")[0] == {"class": "skip", "href": "#main"}


def test_every_table_has_a_caption_and_every_head_a_scope(read):
    captions = [within for tag, _, within in read.elements if tag == "caption"]
    assert len(captions) == len(read.all("table")) > 0
    assert all(head["scope"] in ("col", "row") for head in read.all("th"))


# Content


def test_the_contents_name_every_section(page):
    read = PageReader(page)
    links = [found["href"] for tag, found, within in read.elements if tag == "a" and "nav" in within]
    assert links == ["#sources", "#pages", "#dots"]
    assert {"Sources", "Pages", "Dots"} <= set(read.text_of("a"))


def test_every_block_says_how_its_numbers_are_made_again(page):
    assert page.count("Made by <code>") == sum(len(part.blocks) for part in plain_report().sections) - 2


def test_rows_beyond_the_first_are_a_click_away_and_the_rest_is_counted():
    table = pa.table({"name": [f"row {i}" for i in range(60)]})
    page = report_html(one(TableBlock("Rows", table, (Column("name", "Name"),), "rows()")))
    read = PageReader(page)
    rows = [within for _, found, within in read.elements if found.get("scope") == "row"]
    assert [("details" in within) for within in rows] == [False] * ROWS_AT_ONCE + [True] * (40 - ROWS_AT_ONCE)
    assert read.text_of("summary") == ["28 more rows"]
    assert "20 more rows are not shown." in page


@pytest.mark.parametrize(("n_rows", "n_folded"), [(ROWS_AT_ONCE + 2, 0), (ROWS_AT_ONCE + 3, 3)])
def test_one_or_two_rows_are_not_worth_a_click(n_rows, n_folded):
    table = pa.table({"name": ["a"] * n_rows})
    read = PageReader(report_html(one(TableBlock("Rows", table, (Column("name", "Name"),), "rows()"))))
    rows = [within for _, found, within in read.elements if found.get("scope") == "row"]
    assert sum("details" in within for within in rows) == n_folded


def test_sentences_are_folded_earlier_than_names():
    table = pa.table({"name": [f"row {i} has a sentence that fills lines of a telephone" for i in range(10)]})
    page = report_html(one(TableBlock("Rows", table, (Column("name", "Name"),), "rows()")))
    assert PageReader(page).text_of("summary") == ["4 more rows"]


def test_a_table_without_rows_says_so():
    table = pa.table({"name": pa.array([], pa.string())})
    page = report_html(one(TableBlock("Findings", table, (Column("name", "Name"),), "rows()")))
    assert "Nothing to show." in page
    assert "<table" not in page


def test_a_report_without_sections_is_a_page():
    read = PageReader(report_html(Report("Leads", "Nothing yet", ())))
    assert read.text_of("h1") == ["Leads"]
    assert read.misplaced == []


def test_facts_without_a_maker_name_none():
    assert "Made by" not in report_html(one(FactsBlock("Use", (("Intended use", "Ranking."),), made_by="")))


# Hostile text


def test_nothing_in_the_page_can_run_or_fetch(read):
    tags = {tag for tag, _, _ in read.elements}
    assert tags.isdisjoint({"script", "iframe", "object", "embed", "form", "base", "link"})
    attributes = {name for _, found, _ in read.elements for name in found}
    assert not [name for name in attributes if name.startswith("on")]
    assert {source.partition(",")[0] for source in read.values("src")} <= {"data:image/png;base64"}
    assert all(link.startswith("#") for link in read.values("href") + read.values("xlink:href"))


def test_the_browser_is_told_to_refuse_scripts_and_requests(read):
    policies = [meta["content"] for meta in read.all("meta") if meta.get("http-equiv")]
    assert policies == [CONTENT_SECURITY_POLICY]
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "script-src" not in CONTENT_SECURITY_POLICY


def test_hostile_text_is_shown_as_text(hostile_page):
    shown = [text for _, text in PageReader(hostile_page).texts]
    for text in HOSTILE[:8]:
        assert any(text in one for one in shown), text


@pytest.mark.parametrize("name", ["hostile_page", "leads_page"])
def test_no_character_that_steers_reaches_the_page(name, request):
    page = request.getfixturevalue(name)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]", page)


def test_a_cell_of_a_megabyte_is_cut_and_its_length_said(hostile_page):
    assert len(hostile_page.encode()) < MAX_BYTES
    assert "(1,000,000 characters)" in hostile_page
    assert "x" * 5_000 not in hostile_page


@pytest.mark.parametrize("key", ["", "A b", '"><script>', "1st", "a#b"])
def test_a_key_that_is_no_anchor_is_refused(key):
    with pytest.raises(InputError, match="the key of a section is made of small letters"):
        report_html(replace(plain_report(), sections=(Section(key, "", "", ()),)))


def test_two_sections_of_one_key_are_refused():
    section = Section("ads", "Ads", "Ads.", ())
    with pytest.raises(InputError, match="a key of its own, got 'ads' more than once"):
        report_html(Report("Leads", "", (section, section)))


# File


def test_equal_reports_are_equal_pages(page):
    assert report_html(plain_report()) == page


def test_the_file_is_the_page_and_nothing_else_is_left(tmp_path):
    report = one(TextBlock(("Füchse sind schnell.",)))
    path = ll.write_report(report, tmp_path / "new" / "report.html")
    assert path.read_text(encoding="utf-8") == ll.report_html(report)
    assert list(path.parent.iterdir()) == [path]


def test_a_report_that_cannot_be_shown_leaves_the_old_file(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    broken = TableBlock("Rates", pa.table({"a": [1]}), (Column("b", "B"),), "")
    with pytest.raises(InputError, match="'Rates' lacks 'b'"):
        write_report(one(broken), path)
    assert path.read_text() == "old"


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"report\.pdf: a report is written as \.html"):
        write_report(one(TextBlock(("Text.",))), tmp_path / "report.pdf")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file.report\.html cannot be written"):
        write_report(one(TextBlock(("Text.",))), tmp_path / "file" / "report.html")
