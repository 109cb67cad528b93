"""The first minute of a visit in a real browser: examples, dropping, pasting, and nothing asked of other machines."""

import base64
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from app.look import words
from app.tabs.clean_actions import Actions
from tests.app.browsing import PATIENCE, expect_result, upload, visit

FILE = """([data, name]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, {type: "image/png"}));
  return carried;
}"""


def carry(page: Page, photo: Path) -> object:
    """Return what a browser hands over when this photo is dropped or pasted."""
    return page.evaluate_handle(FILE, [base64.b64encode(photo.read_bytes()).decode(), photo.name])


def test_the_first_click_on_an_example_shows_its_result_and_runs_no_model(
    page: Page, actions: Actions, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    monkeypatch.setattr(actions.runner, "_run", lambda *given: ran.append(given))
    page.locator("#weather label", has_text="Snow").click()
    page.locator("#examples .thumbnail-lg").first.click()
    expect_result(page)
    expect(page.locator("#summary")).to_contain_text("made ready")
    expect(page.locator("#photo")).to_contain_text("street-0")
    expect(page.locator("#weather input:checked")).to_have_value("auto")
    page.get_by_role("tab", name=words.TAB_WEATHER, exact=True).click()
    expect(page.locator("#weather-map")).to_contain_text(words.YOUR_PHOTO, timeout=PATIENCE)
    page.locator("#examples .thumbnail-lg").nth(1).click()
    expect(page.locator("#photo")).to_contain_text("street-1", timeout=PATIENCE)
    assert not ran


def test_a_photo_can_be_dropped(page: Page, photo: Path) -> None:
    page.dispatch_event("#photo button", "drop", {"dataTransfer": carry(page, photo)})
    expect_result(page)
    expect(page.locator("#photo")).to_contain_text("street 0")


def test_a_pasted_photo_takes_the_place_of_another(page: Page, photos: Path) -> None:
    paste = (
        "(carried) => document.body.dispatchEvent("
        "new ClipboardEvent('paste', {clipboardData: carried, bubbles: true, cancelable: true}))"
    )
    for name in ("street 0", "street 1"):
        page.evaluate(paste, carry(page, photos / f"{name}.png"))
        expect(page.locator("#photo")).to_contain_text(name, timeout=PATIENCE)
        expect_result(page)


def test_no_request_leaves_the_machine(browser: Browser, page_url: str, photo: Path) -> None:
    opened = browser.new_page()
    hosts: set[str | None] = set()
    opened.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    visit(opened, page_url)
    upload(opened, photo)
    expect_result(opened)
    opened.close()
    assert hosts - {None} == {"127.0.0.1"}  # None: data and blob URLs


def test_what_is_too_large_is_told_and_another_photo_can_be_dropped_at_once(
    page: Page, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "vast 1.5.png").write_bytes(bytes(30_000_001))
    upload(page, tmp_path / "vast 1.5.png")
    expect(page.locator("#notice p")).to_have_text(
        words.FILE_TOO_LARGE.replace("NAME", "vast 1.5.png"), timeout=PATIENCE
    )
    expect(page.locator("#photo .error")).to_have_count(0)
    page.dispatch_event("#photo button", "drop", {"dataTransfer": carry(page, photo)})
    expect_result(page)
