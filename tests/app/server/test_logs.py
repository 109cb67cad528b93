"""The log: JSON lines that tell what happened, and never whose photo it was."""

import io
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from app.running.runner import Runner
from app.server import logs
from app.server.request_log import COUNTS
from app.tabs.clean_actions import Actions
from opir.tasks import AUTO

SECRET = "grandmother in hospital"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    until = time.monotonic() + 120
    while COUNTS.running:  # a page that another test closed may still be at work in this process
        assert time.monotonic() < until
        time.sleep(0.1)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.start_logging("info", stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:], root.level = before


def lines(log: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_restoration_is_one_line_with_size_task_seconds_and_outcome(
    log: io.StringIO, actions: Actions, photo: Path
) -> None:
    actions.restore_file(str(photo), "snow", 1.0)
    (line,) = lines(log)
    assert {name: line[name] for name in ("message", "task", "found", "width", "height", "outcome")} == {
        "message": "request",
        "task": "snow",
        "found": "snow",
        "width": 96,
        "height": 72,
        "outcome": "done",
    }
    assert line["seconds"] > 0
    assert line["waited"] >= 0
    assert len(line["request"]) == 8
    assert photo.stem not in log.getvalue()


def test_a_refused_photo_is_told_without_its_name(log: io.StringIO, actions: Actions, tmp_path: Path) -> None:
    path = tmp_path / f"{SECRET}.jpg"
    path.write_text("no pixels")
    with pytest.raises(gr.Error, match=SECRET):
        actions.restore_file(str(path), AUTO, 1.0)
    (line,) = lines(log)
    assert (line["outcome"], line["error"]) == ("refused", "ImageError")
    assert SECRET not in log.getvalue()


def test_our_own_mistake_is_told_with_its_place_and_without_names(
    log: io.StringIO, actions: Actions, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError(f"/home/me/{SECRET}.jpg")

    monkeypatch.setattr(actions.runner, "_run", fail)
    with pytest.raises(gr.Error):
        actions.restore_file(str(photo), AUTO, 1.0)
    request, trouble = lines(log)
    assert (request["outcome"], request["error"]) == ("failed", "ZeroDivisionError")
    assert any("test_logs.py" in place for place in trouble["trace"])
    assert SECRET not in log.getvalue()


def test_what_others_say_is_kept_without_their_words(log: io.StringIO) -> None:
    import warnings

    logging.getLogger("tifffile").warning(f"<TiffFile '{SECRET}.tif'> is odd")
    warnings.warn(f"{SECRET}.jpg has no end", stacklevel=1)
    assert [line["logger"] for line in lines(log)] == ["tifffile", "py.warnings"]
    assert SECRET not in log.getvalue()


def test_a_cancelled_job_is_counted_as_such(log: io.StringIO, actions: Actions, photo: Path) -> None:
    from app.server.presence import Cancelled

    def stop() -> None:
        raise Cancelled

    before = COUNTS.by_outcome.get("cancelled", 0)
    runner: Runner = actions.runner
    with pytest.raises(Cancelled):
        runner.restore(str(photo), AUTO, check=stop)
    assert COUNTS.by_outcome["cancelled"] == before + 1
    assert lines(log)[0]["outcome"] == "cancelled"
    assert COUNTS.running == 0
