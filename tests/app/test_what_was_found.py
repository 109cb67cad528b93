"""What was found where: doubt that protects, what each level took, the level to look into, where ways disagree."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from app.drawing import panels
from app.look import words
from tests.app.browsing import PATIENCE, expect_result, open_tab, upload, visit
from tests.app.test_next_photo import WINDOWS


@pytest.fixture(scope="module")
def two_levels(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """A photo that the page of the tests, which sees rain at each of four sizes, restores in two."""
    path = tmp_path_factory.mktemp("two") / "two.png"
    Image.open(photos / "street 0.png").convert("RGB").resize((1360, 1120)).save(path)
    return path


def test_where_the_weather_is_in_doubt_it_says_so_and_protects_until_it_is_switched_off(
    page: Page, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panels, "DOUBTFUL_BELOW", 1.1)
    upload(page, photo)
    expect_result(page)
    expect(page.locator("#summary")).to_contain_text("Perhaps")
    expect(page.locator("#summary")).to_contain_text(words.IN_DOUBT)
    expect(page.locator("#protect input")).to_be_checked()
    expect(page.locator("#protect")).to_contain_text(words.PROTECTED_BY_ITSELF)
    shown = page.locator("#before-after img").last
    expect(shown).to_have_attribute("src", re.compile("after-1-protected"))
    page.locator("#protect input").uncheck()
    expect(shown).to_have_attribute("src", re.compile(r"after-1\.jpg"), timeout=PATIENCE)
    expect(page.locator("#download")).to_be_enabled(timeout=PATIENCE)


@pytest.mark.parametrize("window", WINDOWS, ids=["desktop", "phone"])
def test_stages_show_what_each_level_took_and_look_inside_offers_them(
    browser: Browser, page_url: str, two_levels: Path, window: dict[str, int]
) -> None:
    page = visit(browser.new_page(viewport=window), page_url)
    upload(page, two_levels)
    expect_result(page)
    expect(page.locator("#summary")).to_contain_text("found at half the size and at full size")
    open_tab(page, words.TAB_STAGES)
    taken = page.locator("#taken")
    expect(taken.locator("img")).to_have_count(2, timeout=PATIENCE)
    expect(taken).to_contain_text("at half the size")
    expect(taken).to_contain_text("at full size")
    open_tab(page, words.TAB_INSIDE)
    page.locator("#move-right").click()
    title = page.locator("#operator h3")
    expect(title).to_have_count(1, timeout=PATIENCE)
    offered = page.locator("#level label")
    expect(offered).to_have_count(2)
    expect(offered.first.locator("input")).to_be_checked()
    first = title.inner_text()
    offered.last.click()
    expect(title).not_to_have_text(first, timeout=PATIENCE)
    page.close()


def test_thorough_shows_where_its_ways_disagree(page: Page, photo: Path) -> None:
    upload(page, photo)
    expect_result(page)
    open_tab(page, words.TAB_UNCERTAINTY)
    expect(page.locator("#uncertainty img")).to_have_count(2, timeout=PATIENCE)
    expect(page.locator("#spread-box")).to_be_hidden()
    page.locator("#quality label", has_text=words.THOROUGH).click()
    expect(page.locator("#spread img")).to_be_visible(timeout=PATIENCE)


def test_where_photos_are_dropped_it_says_so_in_our_words(page: Page) -> None:
    box = page.locator("#photo")
    expect(box.locator(".drop-text")).to_have_text(words.DROP_ONE)
    expect(box.locator(".or")).to_be_hidden()
    expect(box.get_by_role("button", name=words.DROP_ONE)).to_be_visible()
    assert box.locator("[data-testid=upload-text]").evaluate("(one) => getComputedStyle(one).fontSize") == "0px"
    open_tab(page, words.TAB_MANY)
    expect(page.locator("#many-photos .drop-text")).to_have_text(words.DROP_SEVERAL)


def test_the_keyboard_leads_from_an_example_to_the_download(page: Page) -> None:
    page.locator("#photo button").first.focus()
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#examples') !== null"):
            break
    page.keyboard.press("Enter")
    expect_result(page)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#download') !== null"):
            break
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert taken.value.suggested_filename.endswith("_opir.jpg")
