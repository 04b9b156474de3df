"""The page in a real browser: silent, still, in bounds, legible to all, and on paper."""

import pytest

from browser import visit
from leadlift.insight.report.page import report_html, write_report
from report_pages import hostile_leads_report, hostile_report, plain_report

WIDTHS = (360, 1400)
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    reports = {"plain": plain_report(), "hostile": hostile_report(), "leads": hostile_leads_report()}
    return {name: write_report(report, folder / f"{name}.html") for name, report in reports.items()}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["plain", "hostile", "leads"])
def test_a_page_asks_for_nothing_runs_nothing_and_stays_in_its_window(browser, pages, name, width):
    visited = visit(browser, pages[name], width=width)
    visited.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert visited.overflow <= 0
    assert (visited.console, visited.errors, visited.dialogs) == ([], [], [])
    assert visited.requests == [pages[name].as_uri()]
    assert visited.page.evaluate("typeof window.hacked") == "undefined"
    visited.page.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1400, "dark")])
def test_axe_finds_no_serious_barrier(browser, pages, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(browser, pages["plain"], width=width, color_scheme=scheme).page
    found = Axe().run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in SERIOUS] == []
    page.close()


def test_a_script_that_got_into_the_page_would_not_run(browser, tmp_path):
    path = tmp_path / "report.html"
    script = "<script>window.hacked = true</script><img src=x onerror='window.hacked = true'>"
    path.write_text(report_html(plain_report()).replace("</main>", f"{script}</main>"), encoding="utf-8")
    visited = visit(browser, path)
    assert visited.page.evaluate("typeof window.hacked") == "undefined"
    assert any("Content Security Policy" in message for message in visited.console)
    visited.page.close()


def test_the_first_stop_of_the_keyboard_leads_past_the_contents(browser, pages):
    page = visit(browser, pages["plain"]).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.close()


def test_figures_are_drawn_at_a_legible_size_on_a_telephone(browser, pages):
    page = visit(browser, pages["plain"], width=360).page
    boxes = page.locator("figure svg, figure img")
    widths = [boxes.nth(i).bounding_box()["width"] for i in range(boxes.count())]
    assert len(widths) == 5
    assert min(widths) >= 300
    page.close()


def test_paper_shows_the_rows_that_the_screen_folds_away(browser, pages):
    page = visit(browser, pages["plain"]).page
    page.emulate_media(media="print")
    rows = page.locator("#sources tbody tr")
    assert rows.count() == 40
    assert page.evaluate("document.querySelector('#sources details tr').getBoundingClientRect().height") > 0
    assert not page.locator("nav").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()
