"""A run can not be broken off by what it prints, and photos go through standard input and output."""

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from opir.cli.commands import main
from opir.cli.jobs import STANDARD, Job, written_to
from opir.cli.outcomes import report_outcomes
from opir.photo import ImageError

NAMES = ("Größe.png", "写真.png", "Ω 🌧.png")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in NAMES:
        Image.fromarray(np.full((12, 16, 3), 90, np.uint8)).save(tmp_path / "in" / name)
    (tmp_path / "in" / "κακό.png").write_text("no photo")
    return tmp_path / "in"


def command(*arguments: object, checkpoint: Path) -> list[str]:
    given = [str(part) for part in ("restore", *arguments, "--checkpoint", checkpoint, "--device", "cpu")]
    return [sys.executable, "-m", "opir", *given]


def surroundings(**more: str) -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUTF8": "0"} | more


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_any_encoding_of_the_terminal(encoding: str, checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        command(photos, "-o", tmp_path / "out", checkpoint=checkpoint),
        env=surroundings(PYTHONIOENCODING=encoding),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2  # one is no photo
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(NAMES)
    assert b"Traceback" not in done.stderr
    told = (done.stdout + done.stderr).decode(encoding)
    assert "κακό.png" in told or "\\u03ba\\u03b1\\u03ba\\u03cc.png" in told
    assert told.count(" -> ") == 3


@pytest.mark.parametrize("closed", ["stderr", "both"])
def test_a_reader_that_goes_stops_nothing(closed: str, checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    streams |= dict.fromkeys(("stdout", "stderr") if closed == "both" else (closed,), writing)
    done = subprocess.run(
        command(photos, "-o", tmp_path / "out", checkpoint=checkpoint), env=surroundings(), check=False, **streams
    )
    os.close(writing)
    assert done.returncode == 2
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(NAMES)


def test_head_takes_a_line_and_all_photos_are_there(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    parts = command(photos, "-o", tmp_path / "out", checkpoint=checkpoint)
    line = " ".join(f"'{part}'" for part in parts)
    done = subprocess.run(["bash", "-c", f"{line} | head -1"], env=surroundings(), capture_output=True, check=True)
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(NAMES)


@pytest.mark.parametrize("columns", [1])
def test_a_narrow_terminal(columns: int, checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 1, columns, 0, 0))
    done = subprocess.Popen(
        command(photos, "-o", tmp_path / "out", checkpoint=checkpoint),
        env=surroundings(TERM="xterm"),
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    told = b""
    try:
        while part := os.read(ours, 65536):
            told += part
    except OSError:  # the other end is closed
        pass
    assert done.wait() == 2
    assert b"Traceback" not in told
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(NAMES)


def test_from_standard_input_to_standard_output(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    data = (photos / NAMES[0]).read_bytes()
    done = subprocess.run(
        command("-", "-o", "-", checkpoint=checkpoint),
        input=data,
        capture_output=True,
        env=surroundings(),
        check=True,
    )
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(done.stdout))), np.full((12, 16, 3), 90, np.uint8))
    assert b"- -> -" in done.stderr
    done = subprocess.run(
        command("-", "-o", tmp_path / "out.jpg", checkpoint=checkpoint), input=data, env=surroundings(), check=True
    )
    assert Image.open(tmp_path / "out.jpg").format == "JPEG"
    done = subprocess.run(
        command(photos / NAMES[1], "-o", "-", "--format", "webp", checkpoint=checkpoint),
        capture_output=True,
        env=surroundings(),
        check=True,
    )
    assert Image.open(io.BytesIO(done.stdout)).format == "WEBP"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-", "{photos}", "-o", "-"), 'expected one photo where "-" stands for'),
        (("{photos}", "-o", "-"), 'expected one photo where "-" stands for'),
        (("-", "-o", "{photos}"), 'expected "-" or a file name for the photo from standard input, got the folder'),
        (("-", "-o", "-"), "expected a JPEG, PNG"),
    ],
)
def test_what_does_not_go_through_standard_streams(
    arguments: tuple[str, ...],
    told: str,
    checkpoint: Path,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"hello")))
    filled = [part.format(photos=photos) for part in arguments]
    with pytest.raises(SystemExit) as caught:
        main(command(*filled, checkpoint=checkpoint)[3:])
    assert caught.value.code == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.out == ""


def test_a_log_that_can_no_longer_be_written_costs_no_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.jsonl"
    records = [{"input": str(number)} for number in range(3)]
    seen = []
    telling = written_to(log, iter(records))
    seen.append(next(telling))
    log.unlink()
    log.mkdir()
    with pytest.raises(ImageError, match="log.jsonl: can not be written"):
        seen.extend(telling)
    assert Job(STANDARD, STANDARD).problem == ""
    assert next(iter(seen)) == records[0]


def test_doubtful_weather_that_was_removed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    record = {
        **{"input": "a.png", "output": "b.png", "task": "clean", "seconds": 1.0, "width": 8, "height": 8},
        "task_probabilities": {"rain": 0.43, "snow": 0.01, "haze": 0.02, "clean": 0.54},
    }
    report_outcomes([record | {"levels": [{"worked": True}]}, record | {"levels": [{"worked": False}]}])
    told = capsys.readouterr().out.splitlines()
    assert told == ["a.png -> b.png  perhaps rain 43%  8x8  1.0 s", "a.png -> b.png  clean 54%  8x8  1.0 s"]
