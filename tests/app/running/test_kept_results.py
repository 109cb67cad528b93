"""Results between clicks share a bounded memory."""

import gc
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.look import words
from app.running import kept_results
from app.running.kept_results import RecentResults, Session
from app.running.turns import Turns
from app.tabs import clean_actions
from app.tabs.clean_actions import Actions
from opir.tasks import AUTO


class Kept:
    def __init__(self, size: int) -> None:
        self.bytes = size

    def nbytes(self) -> int:
        return self.bytes

    def make_room(self) -> None:
        self.bytes = 0


def test_the_oldest_make_room_and_the_newest_always_stays() -> None:
    recent = RecentResults(100, Turns())
    first, second, third = Kept(40), Kept(50), Kept(30)
    for result in (first, second, third):
        recent.add(result)
    assert (first.nbytes(), second.nbytes(), third.nbytes()) == (0, 50, 30)
    huge = Kept(1000)
    recent.add(huge)
    assert (second.nbytes(), third.nbytes(), huge.nbytes()) == (0, 0, 1000)


def test_what_nobody_holds_takes_no_room() -> None:
    recent = RecentResults(100, Turns())
    first, second = Kept(40), Kept(60)
    recent.add(first)
    recent.add(second)
    del second
    gc.collect()
    recent.add(Kept(60))
    assert first.nbytes() == 40


def test_a_result_that_made_room_comes_back_from_its_file(actions: Actions, photo: Path) -> None:
    session: Session = actions.restore_photo(str(photo), AUTO)[0]
    assert session.nbytes() > 3 * 3 * 4 * 96 * 72
    before = session.restoration
    pixel, picture = before.inspect(40, 30).to_dict(), np.asarray(before.image)
    session.make_room()
    assert session.nbytes() == 0
    assert session.restoration.inspect(40, 30).to_dict() == pixel
    assert session.restoration.model is before.model
    np.testing.assert_array_equal(np.asarray(session.restoration.image), picture)
    assert session.nbytes() > 0
    assert not list(session.folder.glob("*.part"))


def test_the_file_of_a_result_goes_with_it(actions: Actions, photo: Path) -> None:
    session: Session | None = actions.restore_photo(str(photo), AUTO)[0]
    assert session is not None
    session.make_room()
    file = session.folder / "result.safetensors"
    assert file.is_file()
    session = None
    gc.collect()
    assert not file.exists()


def test_a_result_that_was_only_looked_at_is_not_written_again(actions: Actions, photo: Path) -> None:
    session: Session = actions.restore_photo(str(photo), AUTO)[0]
    session.make_room()
    file = session.folder / "result.safetensors"
    os.utime(file, (1, 1))
    assert session.restoration.inspect(40, 30)
    session.make_room()
    assert session.nbytes() == 0
    assert file.stat().st_mtime == 1
    assert session.restoration.inspect(40, 30)


def test_a_result_whose_file_is_gone_says_what_to_do(actions: Actions, photo: Path) -> None:
    session: Session = actions.restore_photo(str(photo), AUTO)[0]
    session.make_room()
    (session.folder / "result.safetensors").unlink()
    for click in (actions.draw_views, lambda session: actions.write_download(session, 1.0)):
        with pytest.raises(gr.Error, match=words.FORGOTTEN):
            click(session)


def test_after_a_quiet_while_no_result_is_in_memory(actions: Actions, photo: Path) -> None:
    session: Session = actions.restore_photo(str(photo), AUTO)[0]
    actions.runner.rest(quiet_seconds=3600)
    assert session.nbytes() > 0
    actions.runner.rest(quiet_seconds=0)
    assert session.nbytes() == 0


def test_a_result_that_is_kept_again_is_the_newest_and_counts_once() -> None:
    recent = RecentResults(100, Turns())
    first, second, third = Kept(40), Kept(50), Kept(45)
    recent.add(first)
    recent.add(second)
    first.bytes = 10  # it was made smaller
    recent.add(first)
    recent.add(third)
    assert (first.nbytes(), second.nbytes(), third.nbytes()) == (10, 0, 45)


def test_what_no_click_needs_is_let_go_of_once_all_is_drawn(
    actions: Actions, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_results, "SETTLED_FROM_PIXELS", 0)
    session: Session = actions.restore_photo(str(photo), AUTO)[0]
    before = session.nbytes()
    pixel, picture = session.restoration.inspect(40, 30), np.asarray(session.restoration.image)
    actions.draw_views(session)
    assert session.nbytes() < before / 2
    assert session.restoration.inspect(40, 30).to_dict() == pixel.to_dict()
    np.testing.assert_array_equal(np.asarray(session.restoration.image), picture)
    written = np.asarray(Image.open(actions.write_download(session, 1.0)["value"]))
    np.testing.assert_array_equal(written, picture)
    assert actions.draw_views(session) == session.views, "nothing is drawn twice"


def test_two_events_that_ask_for_the_same_views_at_once_have_them_drawn_once(
    actions: Actions, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session: Session = actions.restore_photo(str(photo), AUTO)[0]
    all_ask, drawn = Barrier(3), []

    def draw(*given: Any) -> tuple[Any, ...]:
        drawn.append(given)
        time.sleep(0.2)
        return ()

    def ask(_: int) -> tuple[Any, ...]:
        all_ask.wait()
        return actions.draw_views(session)

    monkeypatch.setattr(clean_actions.views, "draw", draw)
    with ThreadPoolExecutor(3) as pool:
        seen = list(pool.map(ask, range(3)))
    assert len(drawn) == 1
    assert seen == [session.views] * 3
