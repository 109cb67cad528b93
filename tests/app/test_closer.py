"""The result at 100 % in a real browser: opened by a click or a key, moved by pointer and keys, on a phone too."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, expect

from app.look import words
from tests.app.browsing import PATIENCE, expect_result, upload, visit
from tests.app.test_accessible import serious_findings
from tests.app.test_next_photo import WINDOWS

WIDE, HIGH = 1700, 1300  # pixels
MIDDLE = """() => {
  const pane = document.querySelector("#closer figure"), img = pane.querySelector("img");
  const [left, top] = img.style.transform.match(/-?[\\d.]+/g).map(Number);
  return [pane.clientWidth, pane.clientHeight, left, top, img.naturalWidth, img.naturalHeight, img.width];
}"""


COVERS = """() => {
  const pane = document.querySelector("#closer figure"), img = pane.querySelector("img");
  const [left, top] = img.style.transform.match(/-?[\\d.]+/g).map(Number);
  return left <= 0 && top <= 0 && left + img.naturalWidth >= pane.clientWidth
    && top + img.naturalHeight >= pane.clientHeight;
}"""
LOADED = "() => [...document.querySelectorAll('#before-after img')].every((one) => one.complete && one.naturalWidth)"
AT_THE_RIGHT = """() => {
  const frame = document.querySelector("#closer .overview i").style;
  return Math.abs(parseFloat(frame.left) + parseFloat(frame.width) - 100) < 0.5;
}"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.jpg"
    Image.effect_noise((WIDE, HIGH), 60).convert("RGB").save(path, quality=80)
    return path


@pytest.fixture(scope="module", params=WINDOWS, ids=["desktop", "phone"])
def opened(request: pytest.FixtureRequest, browser: Browser, page_url: str, large: Path) -> Iterator[Page]:
    """The page with a restored photo that is larger than its window."""
    page = visit(browser.new_page(viewport=request.param), page_url)
    upload(page, large)
    expect_result(page)
    page.wait_for_function(LOADED)
    yield page
    page.close()


def still_box(page: Page) -> FloatRect:
    """Return where the picture is once nothing moves it any more: what comes with a result shifts a narrow page."""
    picture, last = page.locator("#before-after img").first, None
    for _ in range(50):
        box = picture.bounding_box()
        if box is not None and box == last:
            return box
        last = box
        page.wait_for_timeout(500)
    raise AssertionError("the picture never came to rest")


def expect_part(page: Page) -> list[float]:
    expect(page.locator("#closer")).to_have_attribute("data-ready", "true", timeout=PATIENCE)
    return page.evaluate(MIDDLE)


def test_a_click_on_the_result_opens_that_place_and_a_drag_of_the_handle_does_not(opened: Page) -> None:
    box = still_box(opened)
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.mouse.down()
    opened.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2, steps=4)
    opened.mouse.up()
    expect(opened.locator("#closer")).to_be_hidden()
    box = still_box(opened)
    shown = min(box["width"], box["height"] * WIDE / HIGH)  # the picture may leave room at the sides of its frame
    opened.mouse.click(box["x"] + box["width"] / 2 + shown * 0.4, box["y"] + box["height"] / 2)
    *_, natural_width, _, shown_width = expect_part(opened)
    assert shown_width == natural_width, "at the photo's own pixels"
    assert opened.evaluate(COVERS)
    opened.keyboard.press("Escape")
    for _ in range(2):  # the same place twice is shown twice
        opened.mouse.click(box["x"] + box["width"] / 2 + shown * 0.4, box["y"] + box["height"] / 2)
        expect_part(opened)
        opened.keyboard.press("Escape")
    opened.mouse.click(box["x"] + box["width"] / 2 + shown * 0.4, box["y"] + box["height"] / 2)
    expect_part(opened)
    seen = opened.locator("#closer .overview i").evaluate("(one) => parseFloat(one.style.left)")
    assert seen > 40, "a place at the right was opened"
    opened.keyboard.press("Escape")
    expect(opened.locator("#closer")).to_be_hidden()


def test_the_keyboard_opens_moves_outlines_and_closes(opened: Page) -> None:
    opened.locator("#look-closer").press("Enter")
    before = expect_part(opened)[2:4]
    expect(opened.locator("#closer .panes")).to_be_focused()
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("ArrowDown")
    after = opened.evaluate(MIDDLE)[2:4]
    assert after != before
    for _ in range(12):
        opened.keyboard.press("Shift+ArrowRight")
    opened.wait_for_function(AT_THE_RIGHT)
    opened.wait_for_function(COVERS)
    opened.locator("#closer input").check()
    expect(opened.locator("#closer")).to_have_class(re.compile("outlined"))
    expect(opened.locator("#closer [role=status]")).to_contain_text(f"{WIDE} × {HIGH}")
    assert not serious_findings(opened)
    opened.locator("#closer header button").press("Enter")
    expect(opened.locator("#closer")).to_be_hidden()


def test_before_and_after_lie_side_by_side_or_on_a_phone_one_above_the_other(opened: Page) -> None:
    opened.locator("#look-closer").click()
    expect_part(opened)
    before, after = (opened.locator("#closer figure").nth(number).bounding_box() for number in (0, 1))
    assert before
    assert after
    assert opened.viewport_size
    assert (before["width"], before["height"]) == pytest.approx((after["width"], after["height"]), abs=1)
    apart = "y" if opened.viewport_size["width"] < 500 else "x"
    assert [side for side in ("x", "y") if after[side] > before[side] + 100] == [apart]
    opened.keyboard.press("Escape")


def test_a_pointer_drags_both_and_the_overview_jumps(opened: Page) -> None:
    opened.locator("#look-closer").click()
    left, top = expect_part(opened)[2:4]
    box = opened.locator("#closer figure").first.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    opened.mouse.move(x, y)
    opened.mouse.down()
    opened.mouse.move(x - 30, y - 20, steps=3)
    opened.mouse.up()
    assert opened.evaluate(MIDDLE)[2:4] == pytest.approx([left - 30, top - 20], abs=1)
    transforms = opened.locator("#closer figure img").evaluate_all("(all) => all.map((one) => one.style.transform)")
    assert len(set(transforms)) == 1, "before and after move together"
    overview = opened.locator("#closer .overview").bounding_box()
    assert overview
    opened.mouse.click(overview["x"] + 4, overview["y"] + 4)
    opened.wait_for_function("() => parseFloat(document.querySelector('#closer .overview i').style.left) === 0")
    opened.wait_for_function(COVERS)
    opened.keyboard.press("Escape")


def test_without_a_result_the_button_says_what_to_do(page: Page) -> None:
    page.locator("#look-closer").click()
    expect(page.locator("#notice")).to_contain_text(words.NO_RESULT)
    expect(page.locator("#closer")).to_be_hidden()


def test_a_visitor_sees_parts_of_no_result_but_their_own(browser: Browser, page_url: str, opened: Page) -> None:
    other = visit(browser.new_page(), page_url)
    other.evaluate(
        """() => { const img = document.createElement("img"); img.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
        document.getElementById("before-after").append(img); window.opir.lookCloser(); }"""
    )
    expect(other.locator("#notice")).to_contain_text(words.NO_RESULT, timeout=PATIENCE)
    assert other.locator("#closer").get_attribute("data-ready") is None
    other.close()
