"""Signing in with a real browser: the vendor's page, a button, and back to this machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, sync_playwright

from suppress.platforms.constant_contact.simulator import Simulator, demo_scenario
from tests.cli.test_login_command import FREE, Here
from tests.conftest import Command

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Chromium with an empty profile."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


def test_a_person_approves_and_another_one_refuses(browser: Browser, command: Command) -> None:
    """The page that is shown at the end, the exit code, and nothing from the address in the page."""
    with Simulator(replace(demo_scenario(), limits=FREE)) as vendor:
        env = {
            "SUPPRESS_SOURCES__MAIN__API_URL": vendor.url,
            "SUPPRESS_SOURCES__MAIN__AUTH_URL": vendor.url,
            "SUPPRESS_SOURCES__MAIN__CLIENT_ID": "simulated-client",
        }
        here = Here(vendor, command, env)
        ended = []
        for button in ("Deny", "Approve"):
            waiting = here.started(
                "login", "main", "--no-browser", "--store", "file", "--port", "0", "--json"
            )
            assert waiting.stderr is not None
            line = ""
            while "authorize?" not in line:
                line = waiting.stderr.readline()
            page = browser.new_page()
            page.goto(line.strip())
            assert "Acme Outdoor" in page.inner_text("body")
            page.get_by_role("button", name=button).click()
            page.wait_for_url("**/callback?*")
            shown = page.inner_text("body")
            out, err = waiting.communicate(timeout=60)
            ended.append((waiting.returncode, "Thank you" in shown, "code" in shown, err, out))
            page.close()

    refused, approved = ended
    assert (4, True, False) == refused[:3]
    assert "the person refused" in refused[3]
    assert (0, True, False) == approved[:3]
    assert "Acme Outdoor" == json.loads(approved[4])["sources"][0]["account"]
