"""The next photo: dropped anywhere, restored by nothing that was chosen for another, cancelled without a trace."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.look import words
from app.tabs.clean_actions import Actions
from tests.app.browsing import PATIENCE, expect_result, open_tab, until, upload, visit

DROP = """([files, data, place]) => {
  const carried = new DataTransfer();
  files.forEach(([name, bytes]) => carried.items.add(
    new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], name,
             {type: name.endsWith(".txt") ? "text/plain" : "image/png"})));
  Object.entries(data).forEach(([kind, text]) => carried.setData(kind, text));
  const event = new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true});
  document.querySelector(place).dispatchEvent(event);
  return event.defaultPrevented;
}"""
WINDOWS = [{"width": 1280, "height": 900}, {"width": 360, "height": 740}]


def drop(page: Page, *files: Path, place: str = "body", data: dict[str, str] | None = None) -> None:
    """Drop files, or data of another page, and see that the browser does not open them."""
    carried = [[file.name, base64.b64encode(file.read_bytes()).decode()] for file in files]
    assert page.evaluate(DROP, [carried, data or {}, place])


@pytest.fixture(params=WINDOWS, ids=["desktop", "phone"])
def opened(request: pytest.FixtureRequest, browser: Browser, page_url: str) -> Iterator[Page]:
    """The page, on a desktop and on a phone."""
    page = visit(browser.new_page(viewport=request.param), page_url)
    yield page
    page.close()


@pytest.fixture
def slow(actions: Actions, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A model that takes its time over a weather that was chosen; what it was told is in the list."""
    told: list[str] = []
    run = actions.runner._run

    def restore(photo: str, weather: str, quality: str, progress: Callable[[int, int], None], *_: object) -> object:
        told.append(weather)
        for part in range(1, 600 if weather != "auto" else 1):
            time.sleep(0.1)
            progress(part, 600)
        return run(photo, weather, quality, progress)

    monkeypatch.setattr(actions.runner, "_run", restore)
    return told


def test_a_drop_anywhere_replaces_the_photo_on_every_tab(opened: Page, photos: Path) -> None:
    drop(opened, photos / "street 0.png", place="#results")
    expect(opened.locator("#photo")).to_contain_text("street 0", timeout=PATIENCE)
    expect_result(opened)
    drop(opened, photos / "street 1.png", place=".masthead")
    expect(opened.locator("#photo")).to_contain_text("street 1", timeout=PATIENCE)
    expect_result(opened)
    for number, tab in enumerate((words.TAB_INSIDE, words.TAB_ABOUT)):
        open_tab(opened, tab)
        drop(opened, photos / f"street {number}.png", place="footer")
        expect(opened.locator("#photo")).to_contain_text(f"street {number}", timeout=PATIENCE)
        expect(opened.locator("#photo")).to_be_visible()
        expect_result(opened)


def test_several_photos_are_offered_to_many_photos_which_adds_to_what_it_has(opened: Page, photos: Path) -> None:
    three = sorted(photos.glob("street *.png"))
    drop(opened, *three[:2])
    notice = opened.locator("#notice")
    expect(notice).to_contain_text(words.SEVERAL_DROPPED.replace("COUNT", "2"))
    notice.get_by_role("button", name=words.OPEN_MANY).click()
    expect(notice).to_be_empty()
    many = opened.locator("#many-photos")
    for name in ("street 0", "street 1"):
        expect(many).to_contain_text(name, timeout=PATIENCE)
    drop(opened, three[2], place="#many-table")
    for name in ("street 0", "street 1", "street 2"):
        expect(many).to_contain_text(name, timeout=PATIENCE)


def test_a_pair_to_measure_is_dropped_where_it_is_meant(opened: Page, photos: Path) -> None:
    open_tab(opened, words.TAB_MEASURE)
    opened.locator("#measure-clean input[type=file]").wait_for(state="attached")
    drop(opened, photos / "street 1.png", place="#measure-clean button")
    expect(opened.locator("#measure-clean")).to_contain_text("street 1", timeout=PATIENCE)
    drop(opened, photos / "street 0.png", place="#scores")
    expect(opened.locator("#measure-degraded")).to_contain_text("street 0", timeout=PATIENCE)
    drop(opened, photos / "street 2.png", place="#measure-clean")
    expect(opened.locator("#measure-clean")).to_contain_text("street 2", timeout=PATIENCE)
    expect(opened.locator("#measure-degraded")).to_contain_text("street 0")


def test_what_is_no_file_says_what_to_do_until_the_next_action(opened: Page, photo: Path) -> None:
    elsewhere = {"text/uri-list": "https://example.org/street.jpg"}
    drop(opened, data=elsewhere, place="#photo")
    notice = opened.locator("#notice")
    expect(notice).to_contain_text(words.DROPPED_FROM_ELSEWHERE)
    opened.wait_for_timeout(500)
    expect(notice).to_be_visible()
    drop(opened, data={"text/plain": "a sentence"})
    expect(notice).to_contain_text(words.NOTHING_DROPPED)
    drop(opened, photo)
    expect(notice).to_be_empty()
    expect_result(opened)


def test_what_is_no_photo_is_told_wherever_it_is_dropped(opened: Page, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("no photo")
    drop(opened, tmp_path / "letter.txt", place="#before-after")
    expect(opened.locator("#summary [role=alert]")).to_contain_text("letter.txt: expected a JPEG", timeout=PATIENCE)


def test_what_was_chosen_for_one_photo_does_not_stay_for_the_next(page: Page, photos: Path) -> None:
    upload(page, photos / "street 0.png")
    expect_result(page)
    page.locator("#weather label", has_text="Snow").click()
    expect(page.locator("#summary")).to_contain_text("as you chose", timeout=PATIENCE)
    page.locator("#strength input[type=number]").fill("0.5")
    page.locator("#protect input").check()
    drop(page, photos / "street 1.png")
    expect(page.locator("#photo")).to_contain_text("street 1", timeout=PATIENCE)
    expect(page.locator("#weather input:checked")).to_have_value("auto", timeout=PATIENCE)
    expect(page.locator("#strength input[type=number]")).to_have_value("1")
    expect_result(page)
    expect(page.locator("#summary")).not_to_contain_text("as you chose")
    expect(page.locator("#before-after img").last).to_have_attribute("src", re.compile(r"after-1(-protected)?\.jpg"))
    in_doubt = words.IN_DOUBT in page.locator("#summary").inner_text()  # then the page itself switches it on
    expect(page.locator("#protect input")).to_be_checked(checked=in_doubt)


def test_after_a_cancel_all_that_is_shown_and_offered_belongs_together(
    page: Page, photo: Path, slow: list[str]
) -> None:
    upload(page, photo)
    expect_result(page)
    said, shown = page.locator("#summary").inner_text(), page.locator("#before-after img").last.get_attribute("src")
    page.locator("#weather label", has_text="Snow").click()
    expect(page.locator("#summary")).to_contain_text(words.RESTORING, timeout=PATIENCE)
    expect(page.locator("#download")).to_be_disabled()
    until(lambda: slow == ["auto", "snow"], page)  # not only waiting for its turn
    page.locator("#cancel").click()
    expect(page.locator("#summary")).to_contain_text(words.CANCELLED_BEFORE, timeout=PATIENCE)
    expect(page.locator("#summary")).to_contain_text(said)
    expect(page.locator("#weather input:checked")).to_have_value("auto")
    expect(page.locator("#download")).to_be_enabled(timeout=PATIENCE)
    expect(page.locator("#before-after img").last).to_have_attribute("src", shown or "")
    page.wait_for_timeout(1000)
    assert slow == ["auto", "snow"]


def test_nothing_invites_another_photo_while_one_is_restored(page: Page, photo: Path, slow: list[str]) -> None:
    upload(page, photo)
    expect_result(page)
    page.locator("#weather label", has_text="Rain").click()
    expect(page.locator("#summary")).to_contain_text(words.RESTORING, timeout=PATIENCE)
    expect(page.locator("#summary")).not_to_contain_text(words.WELCOME)
    page.locator("#photo button[aria-label]").first.click()
    expect(page.locator("#summary")).to_contain_text(words.WELCOME, timeout=PATIENCE)
    page.wait_for_timeout(1000)
    expect(page.locator("#before-after img")).to_have_count(0)
    expect(page.locator("#weather input:checked")).to_have_value("auto")


def test_an_error_stays_and_leaves_what_is_shown(page: Page, photo: Path, not_a_photo: Path) -> None:
    upload(page, not_a_photo)
    told = page.locator("#summary [role=alert]")
    expect(told).to_contain_text("expected a JPEG, PNG", timeout=PATIENCE)
    page.wait_for_timeout(1000)
    expect(told).to_be_visible()
    expect(page.locator("#before-after")).not_to_contain_text("Error")
    drop(page, photo)
    expect_result(page)
    expect(told).to_have_count(0)
