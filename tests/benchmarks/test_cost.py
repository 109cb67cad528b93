"""The benchmark of cost: yardsticks of the right size, steps that go on after a stop, tables and a picture."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.cost import __main__ as bench
from benchmarks.cost import engines, files
from benchmarks.cost.efderain import EfDeRain
from benchmarks.cost.nafnet import NAFNet
from benchmarks.cost.plot import draw
from benchmarks.cost.ratio import yardstick_gmacs
from benchmarks.cost.tables import cost_tables
from benchmarks.cost.timing import interleaved, with_ratios
from opir.model import count_parameters

ORIGIN = {"date": "today", "commit": "abc", "weights_sha256": "def", "processor": "one", "cores": 2, "quick": False}
ORIGIN |= {"instructions": "AVX2", "torch": "2"}
TIME = {"median_ms": 10.0, "iqr_ms": 1.0, "runs": 3, "ratio": 0.5}


@pytest.mark.parametrize(
    ("build", "gmacs", "parameters"),
    [(NAFNet, 16.1, 29.2e6), (EfDeRain, 48.4, 27.4e6)],  # as measured of the published code
)
def test_yardsticks_have_the_size_of_what_they_stand_for(
    build: type[torch.nn.Module], gmacs: float, parameters: float
) -> None:
    assert yardstick_gmacs(build) == pytest.approx(gmacs, rel=0.01)
    with torch.device("meta"):
        assert count_parameters(build()) == pytest.approx(parameters, rel=0.01)


def test_the_dense_yardstick_restores_a_picture() -> None:
    with torch.no_grad():
        assert EfDeRain()(torch.rand(1, 3, 32, 48)).shape == (1, 3, 32, 48)


def test_engines_are_timed_in_turn_and_warmed_up() -> None:
    order: list[str] = []
    times = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 4
    assert [len(seconds) for seconds in times.values()] == [3, 3]
    assert with_ratios({"unit": [1.0, 2.0, 3.0], "half": [0.5, 1.0, 1.5]}, "unit")["half"] == {
        "median_ms": 1000.0,
        "iqr_ms": 500.0,
        "runs": 3,
        "ratio": 0.5,
    }


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Steps that only tell that they were taken; `files` keeps two sizes and is cut off once at the second."""
    taken: list[str] = []

    def take(name: str) -> dict[str, Any]:
        taken.append(name)
        return {"found": name}

    def measure_files(quick: bool, found: dict[str, Any], keep: Any) -> dict[str, Any]:
        report = found or {"threads": 2, "yardstick_ms": 900.0, "photos": {}}
        for size in ("small", "large"):
            if size not in report["photos"]:
                taken.append(size)
                if taken.count("large") == 1 and size == "large":
                    raise KeyboardInterrupt
                report["photos"][size] = {}
                keep(report)
        return report

    monkeypatch.setattr(bench, "MEASURES", {"ratio": lambda quick: take("ratio")})
    monkeypatch.setattr(bench, "measure_files", measure_files)
    monkeypatch.setattr(bench, "origin", lambda quick: ORIGIN | {"quick": quick})
    return taken


def test_a_benchmark_that_was_cut_off_goes_on(counted: list[str], tmp_path: Path) -> None:
    output = tmp_path / "cost.json"
    with pytest.raises(KeyboardInterrupt):
        bench.measure(("ratio", "files"), output)
    bench.measure(("ratio", "files"), output)
    assert counted == ["ratio", "small", "large", "large"]
    bench.measure(("ratio", "files"), output)
    assert len(counted) == 4
    report = json.loads(output.read_text())
    assert (report["ratio"]["found"], report["files"]["complete"]) == ("ratio", True)
    assert list(report["files"]["photos"]) == ["small", "large"]


@pytest.mark.parametrize("change", [{"commit": "new"}, {"weights_sha256": "new"}, {"processor": "two"}])
def test_what_was_measured_elsewhere_is_measured_again(
    counted: list[str], change: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.measure(("ratio",), tmp_path / "cost.json")
    monkeypatch.setattr(bench, "origin", lambda quick: ORIGIN | change)
    bench.measure(("ratio",), tmp_path / "cost.json")
    bench.measure(("ratio",), tmp_path / "cost.json", again=True)
    assert counted == ["ratio"] * 3


def test_sizes_reach_from_a_quarter_to_48_megapixels() -> None:
    every = list(files.cases(quick=False))
    megapixels = [case.width * case.height / 1e6 for case in every]
    assert (round(megapixels[0], 2), megapixels[-1]) == (0.25, 48)
    assert len({case.name for case in every}) == len(every)
    assert [case.levels for case in every if case.width == 8000] == [(0,), (2,), (0, 1, 2)]


def test_a_file_is_restored_and_its_memory_told(tmp_path: Path) -> None:
    files.make_file(tmp_path / "photo.jpg", 90, 70)
    found = files.restore_file(tmp_path / "photo.jpg", (0,))
    assert (tmp_path / "restored.jpg").is_file()
    assert found["tiles"] == 1
    assert 50 < found["peak_mb"] < 50_000


def test_an_engine_that_is_missing_is_named_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_export(*_: object) -> None:
        raise ImportError(name="onnx")

    monkeypatch.setattr(engines, "export_model", no_export)
    monkeypatch.setattr(engines, "_openvino", no_export)
    found, absent = engines.available_engines(tmp_path, 64, quick=True)
    assert absent["ONNX"] == absent["OpenVINO int8"] == "onnx is not installed"
    crop = engines.example_crop("castle", 64)
    expected = found[engines.REFERENCE](crop)
    assert "strips, bf16" in found
    torch.testing.assert_close(found["strips, float32"](crop), expected, atol=1e-4, rtol=0)


def report() -> dict[str, Any]:
    models = {name: {"gmacs": 3.0, "parameters": 10**6} for name in ("NAFNet-w32", "EfDeRain", "lite", "paper")}
    photo = {"median_ms": 1500.0, "iqr_ms": 20.0, "runs": 3, "tiles": 1, "peak_mb": 700, "yardsticks": 1.6}
    photos = {
        "a": photo | {"width": 1920, "height": 1080, "levels": [0]},
        "b": photo | {"width": 8000, "height": 6000, "levels": [0]},
        "c": photo | {"width": 8000, "height": 6000, "levels": [2]},
    }
    parts = {"network": TIME, "tail": TIME, "reading the file": TIME}
    return {
        "ratio": ORIGIN
        | {"side": 256, "threads": 1, "default_precision": "float32", "models": models}
        | {"engines": {f"{name}, {engine}": TIME for name in models for engine in ("eager", "default")}},
        "engines": ORIGIN
        | {"side": 512, "photos": 5, "absent": {"OpenVINO int8": "openvino is not installed"}}
        | {"engines": {"eager": TIME | {"psnr": None}, "bf16": TIME | {"psnr": {"mean": 70.0, "least": 65.25}}}},
        "shares": ORIGIN
        | {"width": 1920, "height": 1072, "threads": 2, "parts": parts, "gmacs": {"network": 40.0, "tail": 2.0}}
        | {"precision": "bfloat16"}
        | {"times_each_stage_runs": {"network": 2}, "tail_share_of_floor": 0.2, "copy_gb_per_s": 10.0},
        "files": ORIGIN | {"threads": 2, "yardstick_ms": 900.0, "photos": photos, "complete": True},
    }


def test_tables_hold_what_was_found() -> None:
    text = cost_tables(report())
    for row in (
        "| lite | 3.00 | 1.00 M | 10.0 (1.0) | 0.500 | 10.0 (1.0) | 0.500 |",
        "| bf16 | 10.0 (1.0) | 0.500 | 70.0 dB | 65.2 dB |",
        "| OpenVINO int8 | absent: openvino is not installed | | | |",
        "| network | 10.0 (1.0) | 2 | 40.00 | 4000 |",
        "| 8000×6000 | 48 | 2 | 1.50 (0.02) | 0.03 | 1.6 | 700 | 1 |",
    ):
        assert row in text
    assert "goes on" not in text
    unfinished = report()
    unfinished["files"]["complete"] = False
    assert "Not all sizes yet: `make bench` goes on." in cost_tables(unfinished)
    assert cost_tables({}) == ""


def test_the_picture_is_drawn_once_there_is_something_to_draw(tmp_path: Path) -> None:
    assert not draw({}, tmp_path / "cost.png")
    assert draw(report(), tmp_path / "cost.png")
    assert (tmp_path / "cost.png").stat().st_size > 10_000
