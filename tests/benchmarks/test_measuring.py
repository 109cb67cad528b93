"""One row of the README from a set as it was published, and rows that stay when their set is not there."""

import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.quality.__main__ import main
from benchmarks.quality.listing import listed
from benchmarks.report.provenance import RESULTS, other_weights
from benchmarks.report.quality_table import quality_table
from opir.model.checkpoint import load_model
from tests.conftest import make_picture


def write(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = (make_picture(48, 64, seed)[0].permute(1, 2, 0) * 255).byte().numpy()
    Image.fromarray(pixels).save(path)


def test_one_command_prints_one_row(tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        write(tmp_path / "rain" / f"rain-00{number}.png", number)
        write(tmp_path / "rain" / f"norain-00{number}.png", number + 5)
    main(["--set", f"Rain100L={tmp_path / 'rain'}", "--checkpoint", str(checkpoint)])
    row = capsys.readouterr().out.strip()
    assert row.startswith("| Rain100L (Y) | 2 | ")
    assert row.count("|") == 10


def test_rows_of_sets_that_are_not_there_stay_with_their_dates(tmp_path: Path, checkpoint: Path) -> None:
    report = json.loads((RESULTS / "quality.json").read_text())
    before = report["results"]
    output = tmp_path / "quality.json"
    output.write_text(json.dumps(report))
    for side in ("input", "target"):
        write(tmp_path / "data" / "benchmark" / "Rain100L" / side / "1.png", len(side))
    main([str(tmp_path / "data"), "--checkpoint", str(checkpoint), "--output", str(output)])
    after = json.loads(output.read_text())
    assert list(after["results"]) == list(before)
    for name in set(before) - {"Rain100L"}:
        assert after["results"][name]["psnr"] == before[name]["psnr"]
        assert after["results"][name]["source"]["weights_sha256"] == report["weights_sha256"]
    assert after["results"]["Rain100L"]["photos"] == 1
    assert after["results"]["Rain100L"]["size"] == "64×48"
    _, info = load_model(checkpoint)
    assert after["weights_sha256"] == info.sha256
    table = quality_table(after)
    assert f"weights `{info.sha256[:12]}…`, by `make measure`" in table
    older = table.partition(" Older: ")[2]
    assert "SOTS-indoor-10scenes, " in older
    assert f"{report['date']} at commit `{report['commit'][:10]}`" in older
    assert other_weights(after).startswith(f"*Of other weights (`{info.sha256[:12]}…`) than")
    assert other_weights({}) == ""


def test_photos_are_listed_by_their_pixels(tmp_path: Path) -> None:
    write(tmp_path / "photos" / "a.png", 0)
    with Image.open(tmp_path / "photos" / "a.png") as opened:
        opened.save(tmp_path / "photos" / "b.webp", lossless=True)
    first, second = (line.split("|") for line in listed(tmp_path / "photos"))
    assert (first[1], first[2]) == (" a ", " 64×48 ")
    assert first[3] == second[3]
