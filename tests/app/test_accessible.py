"""Every tab without a serious finding of axe-core, and of use without a mouse."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from app.look import words
from tests.app.browsing import PATIENCE, expect_result, open_tab, upload, visit

SERIOUS = ("serious", "critical")
TRANSITIONS_END = """Promise.all(document.getAnimations().filter((one) => one instanceof CSSTransition)
  .map((one) => one.finished.catch(() => null)))"""
LOOKS = {
    "in the dark": ({"width": 1280, "height": 900}, "dark"),
    "on a phone": ({"width": 390, "height": 844}, "light"),
}


@pytest.fixture(params=LOOKS)
def opened(request: pytest.FixtureRequest, browser: Browser, page_url: str, photo: Path) -> Iterator[Page]:
    """The page with a restored photo."""
    size, scheme = LOOKS[request.param]
    page = visit(browser.new_page(viewport=size, color_scheme=scheme), page_url)
    upload(page, photo)
    expect_result(page)
    yield page
    page.close()


def serious_findings(page: Page) -> dict[str, list[str]]:
    page.evaluate(TRANSITIONS_END)
    found = Axe().run(page).response["violations"]
    return {
        one["id"]: [f"{node['target']} {node['failureSummary']}" for node in one["nodes"]][:3]
        for one in found
        if one["impact"] in SERIOUS
    }


def show_inside(page: Page) -> None:
    open_tab(page, words.TAB_INSIDE)
    page.locator("#move-right").press("Enter")  # the middle of the photo, without a mouse
    expect(page.locator("#operator h3")).to_have_text("Pixel 48, 36", timeout=PATIENCE)
    page.locator("#move-right").press("ArrowDown")
    expect(page.locator("#operator h3")).to_have_text("Pixel 48, 37", timeout=PATIENCE)
    page.locator("#pin-A").press("Enter")
    expect(page.locator("#pinned h3")).to_have_count(1, timeout=PATIENCE)
    expect(page.locator("#numbers .cm-scroller")).to_have_attribute("tabindex", "0")


def show_many(page: Page, files: list[Path]) -> None:
    open_tab(page, words.TAB_MANY)
    page.locator("#many-photos input[type=file]").set_input_files(files)
    expect(page.locator("#many-photos").get_by_label(words.ADD_PHOTOS).first).to_be_visible(timeout=PATIENCE)
    page.locator("#many-start").click()
    expect(page.locator("#many-zip")).to_be_enabled(timeout=PATIENCE)
    expect(page.locator("#many-start")).to_be_enabled(timeout=PATIENCE)


def show_measured(page: Page, pair: list[Path]) -> None:
    open_tab(page, words.TAB_MEASURE)
    for name, photo in zip(("degraded", "clean"), pair, strict=True):
        page.locator(f"#measure-{name} input[type=file]").set_input_files(photo)
        expect(page.locator(f"#measure-{name}")).to_contain_text(photo.stem, timeout=PATIENCE)
    page.locator("#measure-start").click()
    expect(page.locator("#scores")).to_contain_text("PSNR, Y", timeout=PATIENCE)


def test_every_tab_is_for_everybody(opened: Page, photos: Path, not_a_photo: Path) -> None:
    found = {}
    for name in (words.TAB_RESULT, words.TAB_UNCERTAINTY, words.TAB_STAGES, words.TAB_WEATHER):
        open_tab(opened, name)
        found[name] = serious_findings(opened)
    expect(opened.locator("#weather-map")).to_contain_text(words.YOUR_PHOTO, timeout=PATIENCE)
    pair = [photos / "street 0.png", photos / "street 1.png"]
    show_inside(opened)
    found[words.TAB_INSIDE] = serious_findings(opened)
    show_many(opened, [pair[0], not_a_photo])
    found[words.TAB_MANY] = serious_findings(opened)
    show_measured(opened, pair)
    found[words.TAB_MEASURE] = serious_findings(opened)
    open_tab(opened, words.TAB_ABOUT)
    expect(opened.locator("#about")).to_contain_text(re.compile("[0-9a-f]{64}"))
    found[words.TAB_ABOUT] = serious_findings(opened)
    assert not {name: one for name, one in found.items() if one}
