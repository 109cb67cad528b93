"""Whose turn it is: one photo at a time, and looks at large results between its parts."""

import threading
from collections.abc import Callable

from app.running.turns import Turns
from tests.app.browsing import until


def begun(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_look_goes_first_between_two_parts_of_a_photo() -> None:
    turns, seen = Turns(), []

    def look() -> None:
        with turns.looking(is_large=True):
            seen.append("look")

    def restore() -> None:
        with turns.restoring():
            seen.append("next photo")

    with turns.restoring():
        turns.give_way()  # nobody waits
        following = begun(restore)
        looking = begun(look)
        until(lambda: turns._looks == 1)
        assert seen == []
        turns.give_way()
        assert seen == ["look"]
    following.join()
    looking.join()
    assert seen == ["look", "next photo"]


def test_a_look_at_a_small_result_waits_for_nobody() -> None:
    turns = Turns()
    with turns.restoring(), turns.looking(is_large=False), turns.looking(is_large=False):
        pass


def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns()
    for turn in (turns.restoring, lambda: turns.looking(is_large=True)):
        try:
            with turn():
                raise KeyError
        except KeyError:
            pass
    with turns.restoring():
        pass
