"""Conformal bounds: they cover as many pixels as they say, rise, and come by one command."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from opir.cli.commands import main
from opir.evaluation.conformal import Sample, calibrate, coverage_by_weather, fit_curve, fit_curves
from opir.inference.error_bounds import ANY_TASK, Calibration, beside
from opir.inference.restorer import Restorer
from opir.model import OPIR
from opir.model.checkpoint import save_model
from opir.photo import save_photo
from opir.tasks import Task
from tests.conftest import TINIEST, make_picture, randomise


def drawn(count: int, seed: int, weather: Task = Task.RAIN, recognised: str = "rain") -> list[Sample]:
    """Crops whose error grows with the uncertainty and whose strength differs from crop to crop."""
    random = np.random.default_rng(seed)
    samples = []
    for _ in range(count):
        uncertainty = random.uniform(1, 3, 500).astype(np.float32)
        error = np.abs(random.normal(0, 2 * random.uniform(0.7, 1.3) * uncertainty**2)).astype(np.float32)
        samples.append(Sample(weather, recognised, uncertainty, error))
    return samples


def test_bounds_cover_new_photos_at_every_uncertainty() -> None:
    curve = fit_curve(drawn(100, 0), 0.9)
    new = drawn(200, 1)
    uncertainty = np.concatenate([sample.uncertainty for sample in new])
    inside = np.concatenate([sample.error for sample in new]) <= curve.at(uncertainty)
    assert inside.mean() == pytest.approx(0.909, abs=0.015)
    for low in (1.0, 1.5, 2.0, 2.5):
        assert inside[(uncertainty >= low) & (uncertainty < low + 0.5)].mean() == pytest.approx(0.909, abs=0.03)


def test_few_photos_make_careful_bounds() -> None:
    few, many = (fit_curve(drawn(400, 2)[:count], 0.9).at(np.array([2.0]))[0] for count in (5, 400))
    assert few > 1.1 * many


def test_an_uncertainty_that_tells_nothing_gives_one_level() -> None:
    samples = [Sample(s.weather, s.recognised, -s.uncertainty, s.error) for s in drawn(20, 3)]
    assert len(fit_curve(samples).error) == 1
    still = [Sample(s.weather, s.recognised, np.ones_like(s.error), np.zeros_like(s.error)) for s in samples]
    assert fit_curve(still).error[0] == pytest.approx(0.05, abs=0.05)


def test_a_task_gets_its_own_curve_once_it_was_seen_often() -> None:
    samples = drawn(30, 4) + drawn(3, 5, Task.HAZE, "haze")
    curves = fit_curves(samples)
    assert set(curves) == {ANY_TASK, "rain"}
    coverage = coverage_by_weather(Calibration("", 0.9, 2, curves), samples)
    assert coverage["rain"] == pytest.approx(0.93, abs=0.01)
    assert set(coverage) == {"rain", "haze"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        photo = Restorer(OPIR(TINIEST), device="cpu").restore(make_picture(48, 56, seed)[0]).photo
        save_photo(photo, folder / f"{seed}.png")
    return folder


def test_the_command_writes_a_calibration_that_the_weights_then_carry(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "tiny.safetensors"
    save_model(randomise(OPIR(TINIEST), spread=0.02), weights, {})
    command = ["calibrate", "--clean", str(photos), "--checkpoint", str(weights), "--seeds", "1", "--side", "32"]
    with pytest.raises(SystemExit, match="0"):
        main(command)
    printed = capsys.readouterr().out
    assert f"wrote {beside(weights)}" in printed
    assert "haze" in printed
    stored = json.loads(beside(weights).read_text())
    assert (stored["share"], stored["stages"], stored["made_from"]["photos"]) == (0.9, 2, 3)
    assert {task.label: 3 for task in Task} == {
        weather: len(shares) for weather, shares in stored["made_from"]["coverage"].items()
    }
    result = Restorer.from_pretrained(str(weights), device="cpu").restore(torch.rand(3, 20, 20))
    assert result.error_bound is not None
    assert (result.error_bound > 0).all()


def test_what_can_not_be_calibrated_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected weights from a file"):
        calibrate(Restorer(OPIR(TINIEST), device="cpu"), photos)
    weights = tmp_path / "tiny.safetensors"
    save_model(OPIR(TINIEST), weights, {})
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "0.png").write_bytes((photos / "0.png").read_bytes())
    with pytest.raises(ValueError, match="expected at least 2 photos"):
        calibrate(Restorer.from_pretrained(str(weights), device="cpu"), alone)
