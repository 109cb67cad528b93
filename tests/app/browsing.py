"""What the tests in a real browser do again and again."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 90_000  # milliseconds, for a machine that does other things too


def visit(page: Page, url: str) -> Page:
    """Open the page and wait until it can be used."""
    page.set_default_timeout(PATIENCE)
    page.goto(url, wait_until="domcontentloaded")
    page.locator("#examples img").first.wait_for()
    page.locator("#notice").wait_for(state="attached")  # the page's own scripts run
    return page


def upload(page: Page, path: Path) -> None:
    page.locator("#photo input[type=file]").set_input_files(path)


def expect_result(page: Page) -> None:
    expect(page.locator("#summary")).to_contain_text(re.compile(r"[\d.]+ s\.|made ready"), timeout=PATIENCE)
    expect(page.locator("#before-after img")).to_have_count(2, timeout=PATIENCE)
    expect(page.locator("#download")).to_be_enabled(timeout=PATIENCE)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def until(condition: Callable[[], bool], page: Page | None = None) -> None:
    """Wait for something that no page shows; a page that is given lives on meanwhile."""
    end = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        if page is None:
            time.sleep(0.1)
        else:
            page.wait_for_timeout(100)
