"""Results between clicks share a bounded memory."""

import gc
from pathlib import Path

import gradio as gr
import pytest

from app.look import words
from app.running.kept_results import RecentResults
from app.running.results import Session
from app.tabs.clean_actions import Actions
from opir.tasks import AUTO


class Kept:
    def __init__(self, size: int) -> None:
        self.bytes = size

    def size(self) -> int:
        return self.bytes

    def forget(self) -> None:
        self.bytes = 0


def test_the_oldest_make_room_and_the_newest_always_stays() -> None:
    results = RecentResults(max_bytes=100)
    first, second, third = Kept(40), Kept(50), Kept(30)
    for result in (first, second, third):
        results.add(result)
    assert (first.size(), second.size(), third.size()) == (0, 50, 30)
    huge = Kept(1000)
    results.add(huge)
    assert (second.size(), third.size(), huge.size()) == (0, 0, 1000)


def test_what_nobody_holds_takes_no_room() -> None:
    results = RecentResults(max_bytes=100)
    first, second = Kept(40), Kept(60)
    results.add(first)
    results.add(second)
    del second
    gc.collect()
    results.add(Kept(60))
    assert first.size() == 40


def test_a_forgotten_result_says_what_to_do(actions: Actions, photo: Path) -> None:
    session: Session = actions.restore_photo(str(photo), AUTO)[0]
    assert session.size() > 3 * 3 * 4 * 96 * 72
    session.forget()
    for click in (actions.draw_views, lambda session: actions.write_download(session, 1.0)):
        with pytest.raises(gr.Error, match=words.FORGOTTEN):
            click(session)
