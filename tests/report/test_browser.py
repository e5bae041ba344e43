"""The page in a real browser: axe finds nothing, nothing is fetched, nothing needs a script, paper works."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, Page, sync_playwright
from pypdf import PdfReader

from suppress.report import html
from tests.report.books import Book
from tests.report.samples import quarter
from tests.report.test_html import HOSTILE, busy

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
DESKTOP, PHONE = (1280, 900), (390, 844)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@cache
def page_of(name: str) -> bytes:
    """A page with something in every section, one with addresses and hostile names, one of nothing."""
    match name:
        case "autumn":
            return html.render(quarter(since="2026-09-20"))
        case "full":
            return html.render(busy(full=True, text=HOSTILE))
        case _:
            return html.render(Book().facts())


PAGES = ["autumn", "full", "empty"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium with an empty profile."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens a page from disk, as a double click does."""
    contexts = []

    def opened(name: str, size: tuple[int, int] = DESKTOP, *, scripts: bool = True) -> Page:
        place = tmp_path / f"{name}.html"
        place.write_bytes(page_of(name))
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, java_script_enabled=scripts, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(place.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(show: Callable[..., Page], name: str, size: tuple[int, int]) -> None:
    """All its rules, on a wide screen and on a phone."""
    found = Axe().run(show(name, size)).response

    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    assert len(found["passes"]) > 20


def test_axe_would_find_something(show: Callable[..., Page]) -> None:
    """The check is not blind: without its language and with a header of nothing, the page fails."""
    page = show("empty")
    page.evaluate(
        "document.documentElement.removeAttribute('lang'); document.querySelector('h2').textContent = ''"
    )

    assert {"html-has-lang", "empty-heading"} <= {
        each["id"] for each in Axe().run(page).response["violations"]
    }


@pytest.mark.parametrize("name", PAGES)
def test_it_reads_the_same_with_scripts_off(show: Callable[..., Page], name: str) -> None:
    """There is none to miss."""
    assert show(name).inner_text("body") == show(name, scripts=False).inner_text("body")


def test_it_asks_for_nothing(browser: Browser, tmp_path: Path) -> None:
    """Not even a picture for the tab: the only thing that is read is the page."""
    place = tmp_path / "report.html"
    place.write_bytes(page_of("full"))
    asked: list[str] = []
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))

    page.goto(place.as_uri(), wait_until="networkidle")

    assert asked == [place.as_uri()]
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_scrolls_it_only_downwards(show: Callable[..., Page], name: str) -> None:
    """What is wider, a table or a drawing, scrolls by itself."""
    page = show(name, PHONE)

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_the_keyboard_reaches_everything(show: Callable[..., Page]) -> None:
    """First a way past the head of the page, then every link and every table that scrolls, in order."""
    page = show("autumn")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.textContent")
    expected = page.evaluate("document.querySelectorAll('a, [tabindex]').length")
    reached = 1
    while page.evaluate("document.activeElement !== document.body") and reached <= expected:
        page.keyboard.press("Tab")
        reached += page.evaluate("document.activeElement !== document.body")

    assert first == "Skip to the verdict"
    assert reached == expected


def test_the_first_screen_settles_it(show: Callable[..., Page]) -> None:
    """Verdict, five numbers and what needs action, without scrolling."""
    page = show("autumn")

    for selector in (".verdict", ".numbers", ".points"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= DESKTOP[1]


def test_it_prints(show: Callable[..., Page]) -> None:
    """On paper every section is there, and every page has its number."""
    reader = PdfReader(io.BytesIO(show("autumn").pdf(prefer_css_page_size=True)))
    pages = [" ".join(page.extract_text().split()) for page in reader.pages]

    assert len(pages) > 5
    assert all(f"Page {number} of {len(pages)}" in text for number, text in enumerate(pages, start=1))
    for title in ("Action needed", "Roll-forward", "Timeliness", "Limits: what this report cannot know"):
        assert any(title in text for text in pages), title
