"""The page in a real browser: what a visitor sees on the first click, and gets to keep."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from app.look import words
from opir.inference.restorer import Restorer
from tests.app.browsing import PATIENCE, expect_result, open_tab, upload, visit


def test_an_uploaded_photo_is_restored_and_downloaded_as_the_library_saves_it(
    page: Page, photo: Path, restorer: Restorer, tmp_path: Path
) -> None:
    upload(page, photo)
    expect_result(page)
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "street 0_opir.png"
    download.value.save_as(tmp_path / "got.png")
    restorer.restore(photo).save(tmp_path / "expected.png")
    got, expected = (np.asarray(Image.open(tmp_path / name), dtype=int) for name in ("got.png", "expected.png"))
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= 1


def test_the_weather_can_be_overruled(page: Page, photo: Path) -> None:
    upload(page, photo)
    expect_result(page)
    page.locator("#weather label", has_text="Snow").click()
    expect(page.locator("#summary")).to_contain_text(re.compile("Restored as snow.*, as you chose"), timeout=PATIENCE)


def test_strength_changes_the_download_from_the_keyboard_too(page: Page, photo: Path, tmp_path: Path) -> None:
    upload(page, photo)
    expect_result(page)
    shown = page.locator("#before-after img").last
    full = shown.get_attribute("src")
    page.locator("#strength input[type=number]").fill("0")
    expect(shown).not_to_have_attribute("src", full or "", timeout=PATIENCE)
    expect(page.locator("#download")).to_have_text(words.DOWNLOAD, timeout=PATIENCE)
    with page.expect_download() as download:
        page.locator("#download").click()
    download.value.save_as(tmp_path / "got.png")
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "got.png")), np.asarray(Image.open(photo).convert("RGB"))
    )


def test_fast_and_protect_and_cancel_are_there_and_the_first_two_change_the_result(page: Page, photo: Path) -> None:
    upload(page, photo)
    expect_result(page)
    expect(page.locator("#cancel")).to_be_disabled(timeout=PATIENCE)
    shown = page.locator("#before-after img").last
    full = shown.get_attribute("src") or ""
    page.locator("#protect input").check()
    expect(shown).to_have_attribute("src", re.compile("protected"), timeout=PATIENCE)
    page.locator("#quality label", has_text=words.FAST).click()
    expect(shown).not_to_have_attribute("src", full, timeout=PATIENCE)
    expect_result(page)


def mark_on(page: Page, name: str) -> tuple[float, float]:
    """Return where the middle of a ring lies, from the upper left corner of the photo of 96 × 72 pixels."""
    mark = page.locator("#inside .mark").filter(has_text=re.compile(f"^{name}$"))
    expect(mark).to_have_count(1, timeout=PATIENCE)
    ring, picture = mark.bounding_box(), page.locator("#inside img").bounding_box()
    assert ring
    assert picture
    left, top = picture["x"] + (picture["width"] - 96) / 2, picture["y"] + (picture["height"] - 72) / 2
    return ring["x"] + ring["width"] / 2 - left, ring["y"] + ring["height"] / 2 - top


def choose_pixel(page: Page, photo: Path) -> None:
    upload(page, photo)
    expect_result(page)
    page.get_by_role("tab", name=words.TAB_INSIDE, exact=True).click()
    page.locator("#inside img").click()
    expect(page.locator("#operator h3")).to_have_text(re.compile(r"Pixel \d+, \d+"), timeout=PATIENCE)


def test_a_click_on_the_photo_shows_that_pixels_operator_as_the_library_gives_it(
    page: Page, photo: Path, restorer: Restorer
) -> None:
    choose_pixel(page, photo)
    expect(page.locator("#operator table.grid")).to_have_count(18)
    x, y = (int(number) for number in re.findall(r"\d+", page.locator("#operator h3").inner_text()))
    expected = restorer.restore(photo).inspect(x, y)
    gains = page.locator("#operator .kernels code").all_inner_texts()
    assert gains == [f"× {gain:.3f}" for stage in expected.stages for gain in stage.gain]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#numbers").get_by_role("button", name=re.compile("copy", re.I)).click()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == expected.to_dict()


def test_arrow_keys_and_buttons_move_by_a_pixel_and_two_can_be_pinned(page: Page, photo: Path) -> None:
    choose_pixel(page, photo)
    title = page.locator("#operator h3")
    x, y = (int(number) for number in re.findall(r"\d+", title.inner_text()))
    assert mark_on(page, "") == pytest.approx((x, y), abs=1)
    page.locator("#pin-A").click()
    expect(page.locator("#pinned h3")).to_have_text([f"Pixel {x}, {y}"], timeout=PATIENCE)
    page.locator("#inside").focus()
    page.keyboard.press("ArrowRight")
    expect(title).to_have_text(f"Pixel {x + 1}, {y}", timeout=PATIENCE)
    assert mark_on(page, "A") == pytest.approx((x, y), abs=1)
    assert mark_on(page, "") == pytest.approx((x + 1, y), abs=1)
    page.locator("#move-down").click()
    expect(title).to_have_text(f"Pixel {x + 1}, {y + 1}", timeout=PATIENCE)
    page.locator("#pin-B").click()
    expect(page.locator("#pinned h3")).to_have_text([f"Pixel {x}, {y}", f"Pixel {x + 1}, {y + 1}"], timeout=PATIENCE)


LIE_ON_EACH_OTHER = """(id) => {
  const [below, above] = [...document.querySelectorAll(`${id} img`)].map((one) => one.getBoundingClientRect());
  const frame = document.querySelector(id).getBoundingClientRect();
  const apart = ["x", "y", "width", "height"].map((side) => Math.abs(below[side] - above[side]));
  return [Math.max(...apart), below.top - frame.top, frame.bottom - below.bottom];
}"""


@pytest.mark.parametrize("size", [(96, 72), (900, 700), (600, 900)])
@pytest.mark.parametrize("window", [{"width": 1280, "height": 900}, {"width": 390, "height": 844}])
def test_what_a_handle_uncovers_lies_exactly_on_the_other_and_inside_its_frame(
    browser: Browser, page_url: str, tmp_path: Path, size: tuple[int, int], window: ViewportSize
) -> None:
    Image.effect_noise(size, 40).convert("RGB").save(tmp_path / "photo.png")
    page = visit(browser.new_page(viewport=window), page_url)
    upload(page, tmp_path / "photo.png")
    expect_result(page)
    for tab, frame in ((words.TAB_RESULT, "#before-after"), (words.TAB_UNCERTAINTY, "#uncertainty")):
        open_tab(page, tab)
        expect(page.locator(f"{frame} img")).to_have_count(2, timeout=PATIENCE)
        page.wait_for_function(LOADED, arg=frame)
        apart, above, below = page.evaluate(LIE_ON_EACH_OTHER, frame)
        assert apart < 1
        assert above >= 0
        assert below >= 0
    page.close()


LOADED = "(id) => [...document.querySelectorAll(`${id} img`)].every((one) => one.complete && one.naturalWidth)"


def test_the_map_shows_where_the_photo_lies(page: Page, photo: Path) -> None:
    upload(page, photo)
    expect_result(page)
    page.get_by_role("tab", name=words.TAB_WEATHER, exact=True).click()
    expect(page.locator("#weather-map")).to_contain_text(words.YOUR_PHOTO, timeout=PATIENCE)


def test_nothing_moves_when_results_arrive(page: Page, photo: Path) -> None:
    places = [page.locator(part).bounding_box() for part in ("#weather", "#download", "#before-after")]
    upload(page, photo)
    expect_result(page)
    after = [page.locator(part).bounding_box() for part in ("#weather", "#download", "#before-after")]
    assert after == places


def test_a_batch_with_a_broken_file_is_told_and_downloaded(page: Page, photos: Path, not_a_photo: Path) -> None:
    open_tab(page, words.TAB_MANY)
    files = [photos / "street 0.png", not_a_photo, photos / "street 1.png"]
    page.locator("#many-photos input[type=file]").set_input_files(files)
    expect(page.locator("#many-photos")).to_contain_text("street 1", timeout=PATIENCE)
    page.locator("#many-start").click()
    expect(page.locator("#many-zip")).to_be_enabled(timeout=PATIENCE)
    states = page.locator("#many-table tr td:nth-child(2)")
    expect(states).to_have_text([words.DONE, words.FAILED, words.DONE])
    expect(page.locator("#many-gallery .thumbnail-lg")).to_have_count(2)
    with page.expect_download() as download:
        page.locator("#many-zip").click()
    assert download.value.suggested_filename == "opir.zip"
    with page.expect_download() as download:
        page.locator("#many-csv").click()
    assert download.value.suggested_filename == "opir.csv"


def test_without_photos_a_batch_can_still_be_started_later(page: Page) -> None:
    open_tab(page, words.TAB_MANY)
    page.locator("#many-start").click()
    expect(page.locator("#notice")).to_contain_text(words.NO_PHOTOS, timeout=PATIENCE)
    expect(page.locator("#many-start")).to_be_enabled()
    expect(page.locator("#many-cancel")).to_be_disabled()


def test_the_result_stays_in_sight_beside_settings_below_the_fold(browser: Browser, page_url: str) -> None:
    laptop = visit(browser.new_page(viewport={"width": 1280, "height": 800}), page_url)
    laptop.locator("#protect").scroll_into_view_if_needed()
    expect(laptop.locator("#summary p")).to_be_in_viewport()
    expect(laptop.locator("#download")).to_be_in_viewport(ratio=1)
    before = laptop.evaluate("scrollY")
    laptop.locator("#before-after").hover()
    laptop.mouse.wheel(0, -200)
    laptop.wait_for_function("before => scrollY < before", arg=before)  # the picture does not take the wheel
    laptop.close()


def test_a_pair_is_measured_and_sizes_that_differ_are_told(page: Page, photos: Path, tmp_path: Path) -> None:
    open_tab(page, words.TAB_MEASURE)
    page.locator("#measure-degraded input[type=file]").set_input_files(photos / "street 0.png")
    page.locator("#measure-clean input[type=file]").set_input_files(photos / "street 1.png")
    expect(page.locator("#measure-clean")).to_contain_text("street 1", timeout=PATIENCE)
    page.locator("#measure-start").click()
    expect(page.locator("#scores")).to_contain_text("PSNR, Y", timeout=PATIENCE)
    expect(page.locator("#error-map img")).to_have_count(1)
    expect(page.locator("#curve canvas, #curve svg").first).to_be_visible(timeout=PATIENCE)
    Image.new("RGB", (40, 30)).save(tmp_path / "small.png")
    page.locator("#measure-clean").get_by_role("button", name=re.compile("clear|remove", re.I)).first.click()
    page.locator("#measure-clean input[type=file]").set_input_files(tmp_path / "small.png")
    expect(page.locator("#measure-clean")).to_contain_text("small", timeout=PATIENCE)
    page.locator("#measure-start").click()
    expect(page.locator("#notice")).to_contain_text("a pair must have one size", timeout=PATIENCE)
    expect(page.locator("#scores .error")).to_have_count(0)


def test_about_names_the_weights_and_the_pages_own_address(page: Page, page_url: str, restorer: Restorer) -> None:
    open_tab(page, words.TAB_ABOUT)
    expect(page.locator("#about")).to_contain_text(restorer.info.sha256)
    expect(page.locator(".cm-content").nth(2)).to_contain_text(page_url.rstrip("/"), timeout=PATIENCE)


def test_the_page_can_be_dark(browser: Browser, page_url: str) -> None:
    dark = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    dark.goto(page_url, wait_until="domcontentloaded")
    dark.locator("#examples img").first.wait_for(timeout=PATIENCE)
    colours = dark.evaluate(
        "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
    )
    text, ground = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    assert text > 600
    assert ground < 120
    dark.close()


def test_a_phone_shows_everything_without_scrolling_sideways(browser: Browser, page_url: str) -> None:
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(page_url, wait_until="domcontentloaded")
    phone.locator("#examples img").first.wait_for(timeout=PATIENCE)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    examples = phone.locator("#examples .thumbnail-lg")
    assert examples.last.evaluate("(one) => one.closest('#examples').getBoundingClientRect().bottom") >= (
        examples.last.evaluate("(one) => one.getBoundingClientRect().bottom")
    ), "the last row is whole"
    order = [phone.locator(part).bounding_box()["y"] for part in ("#photo", "#summary", "#download")]
    assert order == sorted(order)
    for name in (words.TAB_INSIDE, words.TAB_MANY, words.TAB_MEASURE, words.TAB_ABOUT):
        tab = phone.get_by_role("tab", name=name, exact=True)
        expect(tab).to_be_visible()
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()
