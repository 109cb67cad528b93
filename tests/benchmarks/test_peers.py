"""Peers get the same photos, are scored on the same ones, and the page's sentences follow from the figures."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.peers import __main__ as command
from benchmarks.peers import maxim, sets
from benchmarks.peers.pictures import draw_pictures
from benchmarks.peers.tables import (
    best_of,
    peers_pictures,
    peers_sentences,
    peers_short,
    peers_table,
    peers_time_table,
    sentences,
)
from benchmarks.peers.timing import Contestant
from opir.inference import Restorer
from opir.photo import to_picture
from tests.conftest import make_picture


@pytest.mark.parametrize(("height", "width"), [(320, 480), (640, 960), (1280, 1920), (816, 1224), (300, 3000)])
def test_tiles_cover_a_photo_and_vanish_in_it(height: int, width: int) -> None:
    parts = maxim.tiles(height, width)
    seen = np.zeros((height, width))
    for rows, columns in parts:
        seen[rows, columns] += 1
        if len(parts) > 1:
            assert max(rows.stop - rows.start, columns.stop - columns.start) <= maxim.TILE
    assert seen.min() >= 1
    assert len(parts) == 1 or height * width > maxim.WHOLE
    model = object.__new__(maxim.Maxim)
    model._run = lambda photo: photo
    photo = np.random.default_rng(0).random((height, width, 3), dtype=np.float32)
    assert np.abs(model.restore(photo) - photo).max() < 1e-6


def test_weights_are_read_in_the_order_of_the_manifest(tmp_path: Path) -> None:
    first, second = np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7, np.int32)
    content = first.tobytes() + second.tobytes()
    (tmp_path / "1.bin").write_bytes(content[:10])
    (tmp_path / "2.bin").write_bytes(content[10:])
    weights = [{"name": "a", "shape": [2, 3], "dtype": "float32"}, {"name": "b", "shape": [], "dtype": "int32"}]
    found = dict(maxim.read_weights(tmp_path, [{"paths": ["1.bin", "2.bin"], "weights": weights}]))
    assert np.array_equal(found["a"], first)
    assert found["b"] == second


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """What `prepare` makes of two pairs and two photos, with MAXIM through with one photo of each set."""
    for folder in ("benchmark/Rain100L/input", "benchmark/Rain100L/target", "clean", "depth", "plain"):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(2):
            picture = to_picture(make_picture(48, 64, number + len(folder))[0])
            picture.save(tmp_path / folder / f"{number}.png")
    folder = tmp_path / "work"
    sets.prepare(tmp_path, tmp_path / "clean", folder)
    done = set()
    for wanted in json.loads((folder / "photos.json").read_text()):
        if wanted["set"] not in done or wanted["set"] == "examples":
            for method in wanted["maxim"]:
                maxim.write_photo(
                    maxim.read_photo(folder / "input" / wanted["photo"]), folder / method / wanted["photo"]
                )
        done.add(wanted["set"])
    (folder / "versions.json").write_text('{"maxim-deraining": "0.1.0"}')
    return folder


def test_photos_are_scored_that_every_method_is_through_with(work: Path, checkpoint: Path, tmp_path: Path) -> None:
    output = tmp_path / "peers.json"
    output.write_text('{"time": {"kept": 1}}')
    options = ["--checkpoint", str(checkpoint), "--output", str(output), "--images", str(tmp_path)]
    command.main(["score", str(work), *options])
    report = json.loads(output.read_text())
    assert report["time"] == {"kept": 1}
    rain = report["sets"]["rain100l"]
    assert (rain["photos"], rain["prepared"]) == (1, 2)
    assert rain["methods"]["maxim-deraining"] == rain["methods"]["untouched"] == rain["methods"]["OPIR"]
    assert report["sets"]["rain100l-4"]["size"] == "128×96"
    assert report["sets"]["clean"]["methods"]["OPIR"]["worst"] == 60
    assert "sots" not in report["sets"]
    report["sets"]["sots"] = report["sets"]["rain100l"] | {"photos": 0, "prepared": 3, "methods": {}}
    assert sorted(path.name for path in tmp_path.glob("peers-*.jpg")) == [
        f"peers-{name}.jpg" for name in sorted(sets.EXAMPLES)
    ]
    assert peers_pictures(report).count("![") == len(sets.EXAMPLES)
    table = peers_table(report)
    assert f"So far from {len(report['sets']) - 1} of " in table
    assert "not through with enough photos" in peers_sentences(report)
    assert "not through with enough photos" in peers_short(report)
    assert "maxim-deraining 0.1.0" in table


def test_results_of_a_photo_that_changed_are_removed(work: Path, tmp_path: Path) -> None:
    kept = sorted(work.glob("maxim-*/*/*.png"))
    sets.prepare(tmp_path, tmp_path / "clean", work)
    assert sorted(work.glob("maxim-*/*/*.png")) == kept
    to_picture(torch.zeros(3, 48, 64)).save(tmp_path / "benchmark" / "Rain100L" / "input" / "0.png")
    sets.prepare(tmp_path, tmp_path / "clean", work)
    gone = {path.relative_to(work).as_posix() for path in set(kept) - set(work.glob("maxim-*/*/*.png"))}
    assert gone == {f"maxim-deraining/rain100l{times}/0.png" for times in ("", "-2", "-4")}


def test_nothing_is_drawn_that_maxim_is_not_through_with(checkpoint: Path, tmp_path: Path) -> None:
    assert draw_pictures(Restorer.from_pretrained(str(checkpoint)), list(sets.EXAMPLES), tmp_path, tmp_path) == []


def report_of(maxim_psnr: float) -> dict[str, Any]:
    """Return a report in which all sets have the same figures."""
    methods = {"untouched": 20.0, "dark channel prior": 18.0, "OPIR": 30.0}
    found = {}
    for group in sets.SETS:
        values = methods | dict.fromkeys(group.maxim, maxim_psnr)
        scores = {name: {"mean": value, "sd": 0.0, "count": 2, "worst": value - 1} for name, value in values.items()}
        told = {"title": group.title, "whose": group.whose, "space": group.space, "harm": group.harm}
        found[group.name] = told | {"photos": 3, "prepared": 3, "size": "480×320", "methods": scores}
    origin = {"date": "today", "commit": "abc", "weights_sha256": "def", "hardware": "here"}
    return origin | {"versions": {"tensorflow": "2"}, "sets": found}


def test_sentences_follow_from_the_figures() -> None:
    ahead, behind = sentences(report_of(25.0)), sentences(report_of(35.0))
    assert len(ahead) == len(behind) == 5
    part = report_of(25.0)
    assert "So far" not in peers_sentences(part)
    part["sets"]["snow"]["photos"] = 1
    assert "snow" not in peers_sentences(part)
    assert "So far from 28 of 30 photos" in peers_sentences(part)
    assert "So far from" in peers_short(part)
    assert ahead[0].endswith("take OPIR for Rain100L (30.0 dB, MAXIM 25.0) and SOTS-indoor (30.0 dB, MAXIM 25.0).")
    assert "take MAXIM for Rain100L (35.0 dB, OPIR 30.0)" in behind[0]
    assert "plain things come back from OPIR with 29.0 dB at worst, from MAXIM with 24.0" in ahead[3]
    assert "plain things come back from MAXIM with 34.0 dB at worst, from OPIR with 29.0" in behind[3]
    mixed = report_of(25.0)
    mixed["sets"]["snow"]["methods"]["OPIR"]["mean"] = 19.0
    mixed["sets"]["snow"]["methods"]["maxim-deraining"]["mean"] = 19.5
    assert best_of(mixed["sets"]["snow"]) == "untouched"
    assert "take nothing for snow (20.0 dB, MAXIM 19.5, OPIR 19.0)" in sentences(mixed)[1]
    assert "nothing on snow" in peers_short(mixed)
    assert "**30.00**" in peers_table(mixed)


def test_time_is_told_once_it_is_measured() -> None:
    report = report_of(25.0)
    assert "not measured yet" in sentences(report)[-1]
    assert "make peers-time" in peers_time_table(report)
    timed = copy.deepcopy(report)
    methods = {
        "OPIR": {"seconds": 0.1, "runs": 3, "peak_mb": 500, "levels": [0], "tiles": 1},
        "MAXIM": {"seconds": 12.0, "runs": 1, "peak_mb": 2000, "tiles": 63, "timed_tiles": 6},
    }
    size = {"width": 480, "height": 320, "methods": methods}
    timed["time"] = {key: report[key] for key in ("date", "commit", "weights_sha256", "hardware")} | {"sizes": [size]}
    assert "MAXIM takes 120 times as long (12.0 s, OPIR 0.10 s) and 4.0 times the memory" in sentences(timed)[-1]
    assert "| 480×320 | MAXIM | 12.00 s (1) | 120.0 | 2,000 MB | 63 tiles, reckoned from 6 |" in peers_time_table(
        timed
    )


def test_a_contestant_waits_for_its_turn(tmp_path: Path) -> None:
    to_picture(make_picture(48, 64)[0]).save(tmp_path / "photo.png")
    words = [sys.executable, "-m", "benchmarks.peers.turns", "dark channel prior", str(tmp_path / "photo.png"), ""]
    process = subprocess.Popen(words, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    contestant = Contestant(process)
    assert contestant.answer() == {}
    for _ in range(2):
        contestant.take_turn()
    found = contestant.end()
    assert found["runs"] == 2
    assert 0 < found["seconds"] < 60
    assert found["peak_mb"] > 50
    assert process.returncode == 0
