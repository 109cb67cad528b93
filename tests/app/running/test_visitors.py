"""Visitors apart: nobody sees another's photo, a job can be cancelled, and who leaves leaves nothing behind."""

import re
import time
import weakref
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import gradio as gr
import pytest
from playwright.sync_api import Browser, Page, expect

from app.look import sentences, words
from app.running import visitors
from app.running.visitors import Visitors
from app.tabs.clean_actions import Actions
from tests.app.browsing import PATIENCE, expect_result, open_tab, until, upload, visit


def test_a_visitors_files_go_and_shared_uploads_stay(tmp_path: Path) -> None:
    everybody, shared, own = Visitors(), tmp_path / "shared.jpg", tmp_path / "own.jpg"
    for path in (shared, own):
        path.write_text("photo")
    folder, other = everybody.new_folder("ann"), everybody.new_folder("ben")
    assert folder != other
    everybody.has_uploaded("ann", shared)
    everybody.has_uploaded("ann", own)
    everybody.has_uploaded("ben", shared)
    everybody.forget("ann")
    assert (folder.exists(), other.exists(), own.exists(), shared.exists()) == (False, True, False, True)
    everybody.forget("ben")
    assert not other.exists()
    assert not shared.exists()
    everybody.forget("nobody")


def test_two_visitors_at_once_get_their_own_photo_and_settings(
    browser: Browser, page_url: str, photos: Path, tmp_path: Path
) -> None:
    opened = []
    for name, seed in (("ann", 0), ("ben", 1)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "street.png").write_bytes((photos / f"street {seed}.png").read_bytes())
        opened.append(visit(browser.new_context().new_page(), page_url))
    ann, ben = opened
    ann.locator("#weather label", has_text="Snow").click()
    upload(ann, tmp_path / "ann" / "street.png")
    upload(ben, tmp_path / "ben" / "street.png")
    for one in opened:
        expect_result(one)
    expect(ann.locator("#summary")).to_contain_text("Restored as snow")
    expect(ben.locator("#summary")).not_to_contain_text("Restored as snow")
    ann.locator("#strength input[type=number]").fill("0")
    expect(ann.locator("#before-after img").last).to_have_attribute("src", re.compile("after-0"), timeout=PATIENCE)
    assert "after-1" in (ben.locator("#before-after img").last.get_attribute("src") or "")
    got = []
    for one in opened:
        expect(one.locator("#download")).to_have_text(words.DOWNLOAD, timeout=PATIENCE)
        with one.expect_download() as download:
            one.locator("#download").click()
        got.append(download.value.path().read_bytes())
    assert got[0] != got[1]
    for one in opened:
        one.context.close()


def test_who_leaves_leaves_no_memory_and_no_files(
    browser: Browser, blocks: gr.Blocks, actions: Actions, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "LEAVE_AFTER", 0.3)
    monkeypatch.setattr(visitors, "_LAST_EVENTS", timedelta(minutes=5))  # a busy machine is late with them
    kept = []
    shown = actions._show

    def watch(result, photo, folder, *rest, **more):  # type: ignore[no-untyped-def]
        kept.extend([weakref.ref(result), photo, folder])
        return shown(result, photo, folder, *rest, **more)

    monkeypatch.setattr(actions, "_show", watch)
    page = visit(browser.new_page(), str(blocks.local_url))
    upload(page, photos / "street 2.png")
    expect_result(page)
    result, photo, folder = kept
    until((folder / "uncertainty.jpg").is_file, page)  # the last of what explains a result
    assert result() is not None
    assert photo.is_file()
    assert folder.is_dir()
    page.close()
    until(lambda: not folder.exists() and not photo.exists())
    until(lambda: result() is None)


@pytest.fixture
def slow(actions: Actions, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A model that takes 900 tiles, a minute and a half, for each photo; what it has done is in the list."""
    tiles: list[int] = []

    def run(photo: str, weather: str, quality: str, progress: Callable[[int, int], None], *_: object) -> None:
        for tile in range(1, 901):
            time.sleep(0.1)
            tiles.append(tile)
            progress(tile, 900)
        raise AssertionError("nobody stopped it")

    monkeypatch.setattr(actions.runner, "_run", run)
    return tiles


def test_a_running_job_tells_how_far_it_is_and_can_be_cancelled(page: Page, photo: Path, slow: list[int]) -> None:
    upload(page, photo)
    told = page.locator("#before-after")
    expect(told).to_contain_text(re.compile(r"\d+(\.\d+)?%"), timeout=PATIENCE)
    expect(told).to_contain_text(re.compile(r"about \d+ s left"), timeout=PATIENCE)
    page.locator("#cancel").click()
    expect(page.locator("#summary")).to_contain_text(words.CANCELLED, timeout=PATIENCE)
    expect(page.locator("#cancel")).to_be_disabled(timeout=PATIENCE)
    done = len(slow)
    page.wait_for_timeout(1000)
    assert len(slow) <= done + 3
    assert len(slow) < 900


def test_an_example_takes_the_place_of_a_running_job(page: Page, photo: Path, slow: list[int]) -> None:
    upload(page, photo)
    until(lambda: bool(slow), page)
    page.locator("#examples .thumbnail-lg").nth(2).click()
    expect_result(page)
    expect(page.locator("#photo")).to_contain_text("street-2")
    done = len(slow)
    page.wait_for_timeout(1500)
    assert len(slow) <= done + 3
    expect(page.locator("#summary")).to_contain_text("made ready")


def test_a_folder_is_restored(page: Page, photos: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        (tmp_path / f"street {seed}.png").write_bytes((photos / f"street {seed}.png").read_bytes())
    (tmp_path / "notes.txt").write_text("no photo")
    open_tab(page, words.TAB_MANY)
    with page.expect_file_chooser() as chooser:
        page.locator("#many-folder").click()
    chooser.value.set_files(tmp_path)
    expect(page.locator("#many-photos")).to_contain_text("street 1", timeout=PATIENCE)
    page.locator("#many-start").click()
    expect(page.locator("#many-zip")).to_have_text(sentences.zip_label(2), timeout=PATIENCE)
