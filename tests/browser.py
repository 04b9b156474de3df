"""A real browser without a window, that opens a page from disk and tells what the page did."""

import shutil
from dataclasses import dataclass, field

import pytest

from services import require

NAMES = ("chromium", "chromium-browser", "google-chrome")


# Of a module, not of the session: as long as it is open no other test could run an event loop.
@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, NAMES)), None)
    require(path, f"no browser found; looked for {', '.join(NAMES)}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # A container has no user namespaces for Chromium's sandbox; the pages opened are our own.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@dataclass
class Visit:
    """A page that was opened, and what it did since."""

    page: object
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        root = "document.documentElement"
        return self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")


def visit(browser, path, *, width=1400, **settings) -> Visit:
    """Open a file in a window of this width, and listen."""
    visited = Visit(browser.new_page(viewport={"width": width, "height": 900}, **settings))
    page = visited.page
    page.on("console", lambda message: visited.console.append(message.text))
    page.on("pageerror", lambda error: visited.errors.append(str(error)))
    page.on("request", lambda request: visited.requests.append(request.url))
    page.on("dialog", lambda dialog: (visited.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    return visited
