"""The server as whoever runs it meets it: its health, its log, visitors who leave, a full queue."""

import asyncio
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from app.look import refusals
from benchmarks.server.load import Load, memory_slope, press, report_of, summary_of
from benchmarks.server.server_process import ServerProcess
from benchmarks.server.visitors import draw_photo, read_code
from opir.inference.restorer import Restorer
from tests.app.server.raw import API, Raw, named, png

SECRET = "grandmother in hospital"
LARGE = 4000, 3000
"""Of a photo in so many parts that it is not done before the server is asked for something else."""


@pytest.fixture(scope="module")
def raw(served: ServerProcess) -> Raw:
    return Raw(served.url)


def started_large(raw: Raw, session: str) -> str:
    """Ask for a restoration that takes a while: its event's id."""
    path = raw.uploaded("large.png", png(*LARGE))
    event: str = raw.join([named(path), "auto", 1.0, "auto"], session=session).json()["event_id"]
    return event


def line_of(served: ServerProcess, request: str) -> dict[str, Any]:
    """Wait for the log's line about a request."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for line in served.log_lines():
            if line.get("request") == request and "waited" in line:
                return line
        time.sleep(0.1)
    raise AssertionError(f"no line about {request}")


def wait_until_running(raw: Raw, jobs: int) -> None:
    """Wait until so many jobs are at the model or wait for their turn, of this test and of those before it."""
    until = time.monotonic() + 120
    while raw.http.get("/health").json()["queue"]["running"] != jobs:
        assert time.monotonic() < until, f"there are not {jobs} running"
        time.sleep(0.1)


def test_health_tells_weights_version_and_queue(raw: Raw, restorer: Restorer) -> None:
    wait_until_running(raw, 0)
    answer = raw.http.get("/health")
    health = answer.json()
    assert answer.status_code == 200
    assert (health["status"], health["weights_sha256"]) == ("ok", restorer.info.sha256)
    assert health["queue"] == {"waiting": 0, "running": 0, "length": 4}
    assert health["version"]


def test_a_request_is_one_line_of_json_and_no_name_is_ever_logged(served: ServerProcess, raw: Raw) -> None:
    path = raw.uploaded(f"{SECRET}.png", png(120, 80))
    session = uuid.uuid4().hex
    event = raw.join([named(path, orig_name=f"{SECRET}.png"), "snow", 1.0, "auto"], session=session).json()[
        "event_id"
    ]
    assert raw.last_message(session)["success"]
    line = line_of(served, event[:8])
    assert (line["door"], line["task"], line["outcome"]) == ("/restore", "snow", "done")
    assert (line["width"], line["height"]) == (120, 80)
    assert line["seconds"] > 0
    broken = raw.uploaded(f"{SECRET} broken.jpg", b"no photo")
    assert not raw.restore(broken, orig_name=f"{SECRET} broken.jpg")["success"]
    assert raw.join([named(f"/{SECRET}.png"), "auto", 1.0, "auto"]).status_code == 403
    assert raw.http.get(f"{API}/{SECRET}").status_code == 404
    assert raw.restore(path, weather=SECRET)["success"] is False
    everything = served.log.read_text()
    assert SECRET.split(maxsplit=1)[0] not in everything
    assert event not in everything, "whoever reads the log can not fetch a result"
    assert all("level" in line and "time" in line for line in served.log_lines())


def test_the_position_of_the_place_is_not_in_a_download(raw: Raw, turned_photo: Path, tmp_path: Path) -> None:
    result = raw.restore(raw.uploaded("turned.jpg", turned_photo.read_bytes()))["output"]["data"][0]
    (tmp_path / "result.jpg").write_bytes(raw.http.get(f"{API}/file={result['path']}").content)
    with Image.open(turned_photo) as sent, Image.open(tmp_path / "result.jpg") as returned:
        assert sent.getexif().get_ifd(0x8825)
        assert not returned.getexif().get_ifd(0x8825)


def test_a_visitor_who_closes_the_tab_frees_the_model(served: ServerProcess, raw: Raw) -> None:
    session = uuid.uuid4().hex
    event = started_large(raw, session)
    with raw.messages(session) as messages:
        assert any(message["msg"] == "process_starts" for message in messages)
    line = line_of(served, event[:8])
    assert line["outcome"] == "left"
    assert "width" not in line, "it ended before there was a result"
    assert raw.restore(raw.uploaded("next.png", png()))["success"]


def test_a_cancelled_job_frees_the_model_too(served: ServerProcess, raw: Raw) -> None:
    wait_until_running(raw, 0)
    session = uuid.uuid4().hex
    event = started_large(raw, session)
    with raw.messages(session) as messages:
        assert any(message["msg"] == "process_starts" for message in messages)
        wait_until_running(raw, 1)  # the event has begun, the model a moment later
        body = {"session_hash": session, "fn_index": raw.restore_event, "event_id": event}
        assert raw.http.post(f"{API}/cancel", json=body).status_code == 200
    assert line_of(served, event[:8])["outcome"] == "left"


def test_beyond_the_queue_one_sentence_says_so_and_those_who_wait_know_their_place(raw: Raw) -> None:
    sessions = [uuid.uuid4().hex for _ in range(6)]
    started_large(raw, sessions[0])
    with raw.messages(sessions[0]) as first:
        assert any(message["msg"] == "process_starts" for message in first)
        path = raw.uploaded("small.png", png())
        answers = [raw.join([named(path), "auto", 1.0, "auto"], session=session) for session in sessions[1:]]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 503]
        assert answers[-1].json() == {"detail": refusals.busy_sentence(4)}
        assert answers[-1].headers["Retry-After"]
        with raw.messages(sessions[4]) as fourth:
            told = next(message for message in fourth if message["msg"] == "estimation")
        assert told["rank"] >= 3
    for session in sessions[1:4]:
        assert raw.last_message(session)["success"]


def test_many_at_once_all_get_their_own_picture(served: ServerProcess) -> None:
    load = Load(visitors=6, seconds=1, restorations=12, width=96, height=60, leave_every=5, pause=0.2)
    with ThreadPoolExecutor(1) as aside:  # this thread has the browser's event loop
        seen, memory = aside.submit(lambda: asyncio.run(press(served, load))).result()
    assert seen.wrong == 0
    assert not seen.errors
    assert seen.restored >= 12
    assert set(seen.refusals) <= {refusals.busy_sentence(4)}
    assert seen.last_position <= 4
    figures = report_of(seen, memory, served.health()) | {"free_after_seconds": 0.1}
    rows = summary_of(load, figures)
    assert f"{seen.restored} restored, 0 wrong pictures, 0 errors" in rows[0].figure
    assert all(row.held for row in rows[:3])


def test_the_numbers_of_photos_are_read_back(restorer: Restorer, tmp_path: Path) -> None:
    for code in (0, 0b1011_0010_1110, 2**20 - 1):
        sent = draw_photo(code, 96, 60)
        assert read_code(sent) == code
    (tmp_path / "photo.jpg").write_bytes(sent)
    restorer.restore(tmp_path / "photo.jpg").save(tmp_path / "restored.jpg")
    assert read_code((tmp_path / "restored.jpg").read_bytes()) == code


def test_growth_is_told_from_noise() -> None:
    flat = [(count, 500 + count % 3) for count in range(600)]
    growing = [(count, 900 if count < 60 else 500 + 0.2 * count) for count in range(600)]
    assert abs(memory_slope(flat)) < 0.1
    assert memory_slope(growing) == pytest.approx(20, abs=0.1)


def test_a_websocket_is_closed(served: ServerProcess, raw: Raw) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    answer = raw.http.get("/queue/join", headers={**upgrade, "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw=="})
    assert answer.status_code in (400, 403, 404, 426)
    assert httpx.get(f"{served.url}/health").status_code == 200
