"""What tries the doors and writes the tables: it has to find what it looks for, and to say so."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability import corpus, doors, tables
from benchmarks.reliability.case import Case
from benchmarks.reliability.doors import files_left, hand_in_all
from benchmarks.reliability.faults import Finding
from benchmarks.reliability.fuzz import DoorReport, broken, counts
from benchmarks.reliability.model import write_tiny_model
from benchmarks.reliability.outcome import Outcome
from benchmarks.reliability.results import SummaryRow, write_results
from benchmarks.reliability.server import unfinished
from benchmarks.reliability.sound import sound_photos
from benchmarks.server import load_large
from benchmarks.server.load import Load, report_of, summary_of
from benchmarks.server.visitors import Seen

BAD_DOOR = """
import json, os, sys, time
for line in sys.stdin:
    index, path = json.loads(line)
    if path.endswith("crash"):
        os._exit(3)
    if path.endswith("hang"):
        time.sleep(600)
    print(json.dumps({"index": index, "ending": "result", "text": "", "seconds": 0.1, "peak_mb": 5}), flush=True)
"""


def test_a_crash_and_a_hang_are_told_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "CAPPED", [sys.executable, "-c", BAD_DOOR])
    monkeypatch.setattr(doors, "LIMIT_SECONDS", 1.0)  # the first answer of a process may take longer
    paths = {number: Path(name) for number, name in enumerate(["a.png", "crash", "b.png", "hang", "c.png"])}
    outcomes = list(hand_in_all("any", paths, tmp_path, tmp_path))
    assert [outcome.index for outcome in outcomes] == [0, 1, 2, 3, 4]
    assert [outcome.ending for outcome in outcomes] == ["result", "broken", "result", "broken", "result"]
    assert [outcomes[place].text for place in (1, 3)] == ["the process died with 3", "no answer within 1 s"]


def test_a_door_is_a_process_with_a_cap_that_leaves_nothing(tmp_path: Path) -> None:
    photo = next(sound for sound in sound_photos() if sound.ending == ".png")
    paths = {0: tmp_path / "sound.png", 1: tmp_path / "cut.png"}
    for path, data in zip(paths.values(), (photo.data, photo.data[:900]), strict=True):
        path.write_bytes(data)
    outcomes = list(hand_in_all("Python, file", paths, write_tiny_model(tmp_path), tmp_path / "scratch"))
    assert [outcome.ending for outcome in outcomes] == ["result", "refused"], outcomes
    assert files_left(tmp_path / "scratch") == []


def test_unfinished_files_of_a_running_server_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "opir-page-0a" / "visitors"
    for name in ("0a1b/photo.png", "tmp1234", "0a1b/.photo.png.0.part"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (tmp_path / "elsewhere").touch()
    found = {Path(name).name for name in unfinished(tmp_path)}
    assert found == {"tmp1234", ".photo.png.0.part", "elsewhere"}


def test_hypothesis_draws_three_thousand_files() -> None:
    assert sum(corpus.DRAWN.values()) >= 3000


def load_figures() -> dict[str, Any]:
    seen = Seen(waited=[1.0, 2.0, 4.0], told_position=3, completed=3)
    memory = [(count, 500.0) for count in range(600)]
    return report_of(seen, memory, {}) | {"free_after_seconds": 1.5}


def test_rows_that_do_not_hold_what_was_promised_say_so() -> None:
    figures = load_figures()
    assert all(row.held for row in summary_of(Load(), figures))
    for place, worse in enumerate(
        (
            {"wrong_pictures": 1},
            {"seconds_p50": None},
            {"told_position": 2},
            {"memory_slope_mb_per_100": 20.0},
            {"free_after_seconds": 60.0},
        )
    ):
        held = [row.held for row in summary_of(Load(), figures | worse)]
        assert held == [other != place for other in range(5)]


def test_the_tables_are_made_from_what_every_command_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    cases = [Case("PNG", "none", "a.png", b"a"), Case("JPEG", "cut off", "b.jpg", b"b")]
    report = DoorReport(
        "page", [Outcome(0, "result", "", 0.5, 10), Outcome(1, "broken", "it hangs", 10, 12)], [], 1.0
    )
    fuzzed = {
        "run_seconds": 2,
        "limits": {"seconds": 10.0, "resident_mb": 2048, "address_space_mb": 8192},
        "doors": {"page": report.summary(cases)},
        "counts": counts(cases, [report]),
        "broken": broken(cases, [report], tmp_path / "kept"),
    }
    assert [one["told"] for one in fuzzed["broken"]] == ["it hangs"]
    assert (tmp_path / "kept" / "00001.jpg").read_bytes() == b"b"
    write_results(tmp_path / "fuzz.json", "make fuzz", [SummaryRow("2 files", "1 result", False)], fuzzed)
    faults = [vars(Finding("kill -9", True, "all there", "opir: a|b")), vars(Finding("full", False, "lost"))]
    write_results(tmp_path / "faults.json", "make faults", [SummaryRow("2 faults", "1", True)], {"faults": faults})
    write_results(tmp_path / "load.json", "make load", summary_of(Load(), load_figures()), {})
    large = load_large.Seen(3, memory=[(0, 700.0), (3, 1400.0)])
    write_results(tmp_path / "load_large.json", "make load-large", load_large.summary_of(10, large, quiet=900.0), {})
    write_results(tmp_path / "startup.json", "make startup", [SummaryRow("start", "9 s", True)], {"seconds": [9]})
    assert json.loads((tmp_path / "load.json").read_text())["commit"]

    pages = [tables.renewed(page.read_text()) for page in tables.PAGES]
    assert not any("Not measured yet" in page for page in pages)
    readme, details = pages
    assert "| 2 files | **not held:** 1 result | `make fuzz` |" in readme
    assert "| 50 visitors at once for 10 min on two cores, 640×480 photos | 3 restored, 0 wrong pictures" in readme
    assert "| memory of the server while it works | 1400 MB at most | `make load-large` |" in readme
    assert "windows open | **not held:** 900 MB | `make load-large` |" in readme
    assert "| start | 9 s | `make startup` |" in readme
    assert "| page | 2 | 1 | 0 | 1 | 10 s | 12 MB | 0 |" in details
    assert re.search(r"\| cut off \|\s+0 / 0 / \*\*1\*\* \|", details)
    assert "| full | **not held:** lost |" in details
    assert "`opir: a\\|b`" in details
