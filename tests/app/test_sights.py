"""What a visitor sees where: the download by the result, a tab that leads to a photo, rows to compare, the map."""

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.drawing.map_drawing import Box
from app.look import words
from tests.app.browsing import PATIENCE, expect_result, open_tab, upload, visit
from tests.app.test_next_photo import WINDOWS

LAPTOP = {"width": 1366, "height": 768}
BOXES = """(all) => all.filter((one) => one.getClientRects().length).map((one) => {
  const box = one.getBoundingClientRect();
  const size = parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a;
  return [box.left, box.top, box.right, box.bottom, size];
})"""


@pytest.fixture(params=WINDOWS, ids=["desktop", "phone"])
def opened(request: pytest.FixtureRequest, browser: Browser, page_url: str) -> Iterator[Page]:
    """The page, on a desktop and on a phone."""
    page = visit(browser.new_page(viewport=request.param), page_url)
    yield page
    page.close()


def test_a_laptop_shows_the_download_beside_the_result_without_scrolling(
    browser: Browser, page_url: str, photo: Path
) -> None:
    page = visit(browser.new_page(viewport=LAPTOP), page_url)
    upload(page, photo)
    expect_result(page)
    download, result = (page.locator(one).bounding_box() for one in ("#download", "#before-after img >> nth=0"))
    assert download
    assert result
    assert download["y"] + download["height"] < result["y"] < LAPTOP["height"] / 2
    assert page.evaluate("window.scrollY") == 0
    page.close()


def test_a_phone_shows_a_result_after_two_touches(browser: Browser, page_url: str) -> None:
    page = visit(browser.new_page(viewport=WINDOWS[1], has_touch=True), page_url)
    thumbnail = page.locator("#examples .thumbnail-lg").first
    box = thumbnail.bounding_box()
    assert box
    assert box["y"] + box["height"] <= WINDOWS[1]["height"], "an example is in sight from the start"
    thumbnail.tap()
    expect_result(page)
    page.wait_for_function(
        "() => { const box = document.querySelector('#before-after img').getBoundingClientRect();"
        " return box.top >= 0 && box.top < innerHeight / 2; }"
    )
    with page.expect_download():
        page.locator("#download").tap()
    page.close()


def test_a_fast_result_says_so(page: Page, photo: Path) -> None:
    upload(page, photo)
    expect_result(page)
    expect(page.locator("#summary")).not_to_contain_text("quality")
    page.locator("#quality label", has_text=words.FAST).click()
    expect(page.locator("#summary")).to_contain_text("fast quality", timeout=PATIENCE)


def test_the_time_of_thorough_is_told_before_it_is_chosen(page: Page, photo: Path) -> None:
    expect(page.locator("#quality")).to_contain_text(words.QUALITY_INFO)
    upload(page, photo)
    expect_result(page)
    expect(page.locator("#quality")).to_contain_text(re.compile(r"Thorough about \d+\ss"), timeout=PATIENCE)
    page.locator("#quality label", has_text=words.THOROUGH).click()
    expect(page.locator("#summary")).to_contain_text("thorough quality", timeout=PATIENCE)
    expect(page.locator("#quality")).to_contain_text(re.compile(r"Full about \d+\ss"), timeout=PATIENCE)


def test_look_inside_leads_to_a_photo(opened: Page, photo: Path) -> None:
    open_tab(opened, words.TAB_INSIDE)
    expect(opened.locator("#inside")).to_be_hidden()
    opened.get_by_role("button", name=words.CHOOSE_PHOTO).click()
    expect(opened.locator("#photo")).to_be_visible()
    upload(opened, photo)
    expect_result(opened)
    open_tab(opened, words.TAB_INSIDE)
    expect(opened.locator("#inside img")).to_be_visible()
    expect(opened.get_by_role("button", name=words.CHOOSE_PHOTO)).to_be_hidden()


def test_a_row_shows_before_and_after_and_the_sum_is_told(opened: Page, photos: Path, not_a_photo: Path) -> None:
    open_tab(opened, words.TAB_MANY)
    files = [photos / "street 0.png", not_a_photo, photos / "street 1.png"]
    opened.locator("#many-photos input[type=file]").set_input_files(files)
    expect(opened.locator("#many-photos")).to_contain_text("street 1", timeout=PATIENCE)
    opened.locator("#many-start").click()
    expect(opened.locator("#many-table .sum")).to_contain_text("2 photos restored in", timeout=PATIENCE)
    expect(opened.locator("#many-table .sum")).to_contain_text("1 was not.")
    compared = opened.locator("#many-compared")
    expect(compared).to_be_hidden()
    opened.locator("#many-table tr", has_text="street 1").locator("td").nth(2).click()
    expect(compared.locator("img")).to_have_count(2, timeout=PATIENCE)
    first = compared.locator("img").first.get_attribute("src")
    opened.get_by_role("button", name="street 0.png").press("Enter")
    expect(compared.locator("img").first).not_to_have_attribute("src", first or "", timeout=PATIENCE)


def test_what_is_no_photo_does_not_keep_the_others_back(page: Page, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "vast.png").write_bytes(bytes(30_000_001))
    open_tab(page, words.TAB_MANY)
    files = [photos / "street 0.png", tmp_path / "notes.txt", tmp_path / "vast.png"]
    page.locator("#many-photos input[type=file]").set_input_files(files)
    expect(page.locator("#many-photos")).to_contain_text("street 0", timeout=PATIENCE)
    expect(page.locator("#notice")).to_contain_text(words.LEFT_OUT.replace("NAMES", "notes.txt, vast.png"))


def test_names_on_the_map_can_be_read_and_do_not_cover_each_other(opened: Page, photo: Path) -> None:
    upload(opened, photo)
    expect_result(opened)
    open_tab(opened, words.TAB_WEATHER)
    expect(opened.locator("#weather-map")).to_contain_text(words.YOUR_PHOTO, timeout=PATIENCE)
    (*boxes,) = opened.locator("#weather-map text").evaluate_all(BOXES)
    assert len(boxes) == 6
    assert all(size >= 10 for *_, size in boxes)
    placed = [Box(*box) for *box, _ in boxes]
    assert not any(one.meets(other) for one, other in combinations(placed, 2))
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_known_photos_on_the_map_are_shown_by_the_keyboard(opened: Page, photo: Path) -> None:
    upload(opened, photo)
    expect_result(opened)
    open_tab(opened, words.TAB_WEATHER)
    expect(opened.locator("#weather-map .alike img")).to_have_count(3, timeout=PATIENCE)
    known = opened.locator("#weather-map .example:visible")
    expect(known).to_have_count(3)
    expect(known.first.locator("use")).to_be_hidden()
    known.first.focus()
    expect(known.first.locator("use")).to_be_visible()
    opened.keyboard.press("Tab")
    expect(known.nth(1)).to_be_focused()
    expect(known.nth(1)).to_have_attribute("aria-label", re.compile(f"^{words.EXAMPLE}"))


def test_the_curves_are_named(page: Page, photos: Path) -> None:
    open_tab(page, words.TAB_MEASURE)
    legend = page.locator("#curve-legend li")
    expect(legend).to_have_text([words.BY_UNCERTAINTY, words.BY_ERROR, words.BY_CHANCE])
    frame, last = page.locator("#curve-legend").bounding_box(), legend.last.bounding_box()
    assert frame
    assert last
    assert last["x"] + last["width"] <= frame["x"] + frame["width"]
