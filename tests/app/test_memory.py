"""What the server remembers of visits that are over: nothing, so that its memory stays flat."""

import uuid
from pathlib import Path

import gradio as gr
import pytest

from app.running.runner import Runner
from app.server import server_state
from opir.inference.restorer import Restorer
from tests.app.browsing import until
from tests.app.server.raw import Raw, named, png


def remembered(page: gr.Blocks, session: str) -> bool:
    queue, sessions = page._queue, page.app.state_holder
    places = (queue.pending_event_ids_session, queue.pending_messages_per_session, sessions.session_data)
    return any(session in place for place in places)


def ask(raw: Raw, width: int, height: int) -> str:
    session = uuid.uuid4().hex
    assert raw.join(
        [named(raw.uploaded("photo.png", png(width, height))), "auto", 1.0, "auto"], session=session
    ).is_success
    return session


def test_a_session_is_forgotten_once_its_result_was_told_of(
    blocks: gr.Blocks, page_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_state, "UNHEARD_SECONDS", 0.0)
    raw = Raw(page_url.rstrip("/"))
    session = ask(raw, 48, 32)
    assert remembered(blocks, session)
    assert raw.last_message(session)["success"]
    until(lambda: not remembered(blocks, session))


def test_a_session_is_kept_while_its_browser_may_listen_again(blocks: gr.Blocks, page_url: str) -> None:
    """Two jobs that end at once are told by one stream, and the browser opens a second one."""
    raw = Raw(page_url.rstrip("/"))
    session = ask(raw, 48, 32)
    assert raw.last_message(session)["success"]
    for _ in range(2):  # other sessions end meanwhile
        assert raw.last_message(ask(raw, 48, 32))["success"]
    assert remembered(blocks, session)
    photo = named(raw.uploaded("next.png", png(48, 32)))
    with raw.messages(session) as messages:
        assert raw.join([photo, "auto", 1.0, "auto"], session=session).is_success
        assert any(message["msg"] == "process_completed" for message in messages)


def test_a_session_that_was_left_is_forgotten_once_its_job_is_over(
    blocks: gr.Blocks, page_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_state, "UNHEARD_SECONDS", 0.0)
    raw = Raw(page_url.rstrip("/"))
    left = ask(raw, 3000, 2000)
    with raw.messages(left) as messages:
        assert any(message["msg"] == "process_starts" for message in messages)
    assert raw.last_message(ask(raw, 48, 32))["success"]  # it was this one's turn after the other
    until(lambda: raw.last_message(ask(raw, 48, 32))["success"] and not remembered(blocks, left))


def test_a_job_that_came_since_is_not_forgotten_with_an_older_one(blocks: gr.Blocks, page_url: str) -> None:
    raw = Raw(page_url.rstrip("/"))
    session = ask(raw, 3000, 2000)
    with raw.messages(session) as messages:
        assert any(message["msg"] == "process_starts" for message in messages)
    photo = named(raw.uploaded("next.png", png(48, 32)))
    assert raw.join([photo, "auto", 1.0, "auto"], session=session).is_success
    assert raw.last_message(ask(raw, 48, 32))["success"]
    assert remembered(blocks, session)
    assert raw.last_message(session)["success"]


def test_freed_memory_is_given_back_at_rest_and_not_after_each_job(
    restorer: Restorer, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back: list[bool] = []
    monkeypatch.setattr("app.running.runner.give_back_freed_memory", lambda: given_back.append(True))
    runner = Runner(restorer)
    runner.restore(str(photo), "rain")
    assert not given_back
    runner.rest()
    assert given_back == [True]
