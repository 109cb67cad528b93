"""The page in a real browser: what a visitor sees on the first click, and gets to keep."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app import words
from opir.restorer import Restorer

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
PATIENCE = 60_000  # milliseconds, for a machine that does other things too


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "these tests need Chromium: make test installs it, or apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, page_url: str) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(PATIENCE)
    opened.goto(page_url, wait_until="domcontentloaded")
    opened.locator("#examples img").first.wait_for()
    yield opened
    opened.close()


def upload(page: Page, path: Path) -> None:
    page.locator("#photo input[type=file]").set_input_files(path)


def expect_result(page: Page) -> None:
    expect(page.locator("#summary")).to_contain_text(re.compile(r"in \d+ tiles?, [\d.]+ s"), timeout=PATIENCE)
    expect(page.locator("#before-after img")).to_have_count(2, timeout=PATIENCE)
    expect(page.locator("#download")).to_be_enabled(timeout=PATIENCE)


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


def test_an_example_works_on_the_first_click(page: Page) -> None:
    page.locator("#examples .thumbnail-lg").first.click()
    expect_result(page)
    expect(page.locator("#photo")).to_contain_text("stream-rain")


def test_the_weather_can_be_overruled(page: Page, photo: Path) -> None:
    upload(page, photo)
    expect_result(page)
    page.locator("#weather label", has_text="Snow").click()
    expect(page.locator("#summary")).to_contain_text("Restored as snow, as you chose.", timeout=PATIENCE)


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


def test_a_click_on_the_photo_shows_that_pixels_operator(page: Page, photo: Path) -> None:
    upload(page, photo)
    expect_result(page)
    page.get_by_role("tab", name=words.TAB_INSIDE, exact=True).click()
    page.locator("#inside img").click()
    expect(page.locator("#operator h3").first).to_have_text(re.compile(r"Pixel \d+, \d+"), timeout=PATIENCE)
    expect(page.locator("#operator table.grid")).to_have_count(18)


def test_the_map_shows_where_the_photo_lies(page: Page, photo: Path) -> None:
    upload(page, photo)
    expect_result(page)
    page.get_by_role("tab", name=words.TAB_WEATHER, exact=True).click()
    expect(page.locator("#weather-map svg")).to_contain_text(words.YOUR_PHOTO, timeout=PATIENCE)


def test_a_text_file_called_jpg_gives_a_plain_error(page: Page, not_a_photo: Path) -> None:
    upload(page, not_a_photo)
    toast = page.get_by_test_id("toast-body")
    expect(toast).to_contain_text("expected a JPEG, PNG", timeout=PATIENCE)
    assert "Traceback" not in page.content()
    expect(page.locator("#summary")).to_contain_text(words.WELCOME)
    expect(page.locator("#before-after img")).to_have_count(0)


def test_nothing_moves_when_results_arrive(page: Page, photo: Path) -> None:
    places = [page.locator(part).bounding_box() for part in ("#weather", "#download", "#before-after")]
    upload(page, photo)
    expect_result(page)
    after = [page.locator(part).bounding_box() for part in ("#weather", "#download", "#before-after")]
    assert after == places


def test_a_phone_shows_everything_without_scrolling_sideways(browser: Browser, page_url: str) -> None:
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(page_url, wait_until="domcontentloaded")
    phone.locator("#examples img").first.wait_for(timeout=PATIENCE)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    order = [phone.locator(part).bounding_box()["y"] for part in ("#photo", "#summary", "#download")]
    assert order == sorted(order)
    phone.close()
