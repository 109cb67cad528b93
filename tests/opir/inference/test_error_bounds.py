"""Error bounds: stored with the weights, found by their hash, applied by task."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from opir.inference.error_bounds import ANY_TASK, Calibration, ErrorCurve, beside, find_calibration
from opir.inference.restoration import Restoration
from opir.inference.restorer import Restorer
from opir.inspection.maps import BOUND_SCALE, MAPS, heatmap, pictures
from opir.model import OPIR
from opir.model.checkpoint import load_model, save_model
from tests.conftest import TINIEST, randomise

CURVES = {ANY_TASK: ErrorCurve((1.0, 2.0), (4.0, 24.0)), "rain": ErrorCurve((1.0,), (7.0,))}


def made_for(sha256: str) -> Calibration:
    return Calibration(sha256, 0.9, 2, CURVES, {"photos": 3})


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "own.safetensors"
    save_model(randomise(OPIR(TINIEST)), path, {})
    made_for(load_model(path)[1].sha256).save(beside(path))
    return path


@pytest.fixture(scope="module")
def restoration(weights: Path) -> Restoration:
    return Restorer.from_pretrained(str(weights), device="cpu").restore(torch.rand(3, 16, 24), task="snow")


def test_a_bound_rises_with_the_uncertainty_and_is_level_beyond_the_ends() -> None:
    calibration = made_for("")
    uncertainty = np.array([[0.0, 1.0], [1.5, 9.0]], dtype=np.float32)
    np.testing.assert_allclose(calibration.bound(uncertainty, "haze"), [[4, 4], [14, 24]])
    np.testing.assert_allclose(calibration.bound(uncertainty, "rain"), np.full((2, 2), 7))


def test_the_weights_find_their_own_and_no_other(weights: Path, tmp_path: Path) -> None:
    def found(path: Path) -> Calibration | None:
        return Restorer.from_pretrained(str(path), device="cpu").calibration

    calibration = found(weights)
    assert calibration == made_for(load_model(weights)[1].sha256)
    renamed = tmp_path / "best.safetensors"
    renamed.write_bytes(weights.read_bytes())
    assert found(renamed) is None
    beside(weights).rename(beside(renamed))
    assert found(renamed) == calibration
    beside(renamed).rename(beside(weights))
    save_model(randomise(OPIR(TINIEST), seed=1), renamed, {})
    beside(renamed).write_text(beside(weights).read_text())
    assert found(renamed) is None


def test_a_restoration_has_its_bound_in_grey_values(restoration: Restoration) -> None:
    bound = restoration.error_bound
    assert bound is not None
    assert (bound.shape, bound.dtype) == ((16, 24), np.float32)
    np.testing.assert_allclose(bound, np.interp(restoration.uncertainty, (1.0, 2.0), (4.0, 24.0)), rtol=1e-6)
    drawn = pictures(restoration, ["error_bound"])["error_bound"]
    np.testing.assert_array_equal(
        np.asarray(drawn)[:16, :24], np.asarray(heatmap(bound, BOUND_SCALE, colour_bar=False))
    )


def test_there_is_no_bound_for_what_was_not_calibrated(restoration: Restoration) -> None:
    one_stage = replace(restoration, stages=1)
    for other in (replace(restoration, calibration=None), one_stage):
        assert other.error_bound is None
        with pytest.raises(ValueError, match="no error bound to draw: .* make one with opir calibrate"):
            pictures(other, ["error_bound"])
    assert "error_bound" in MAPS


@pytest.mark.parametrize("broken", ["", "{}", "[]", '{"curves": {}}', '{"curves": {"any": {"uncertainty": [1]}}}'])
def test_a_broken_file_is_named(broken: str, tmp_path: Path) -> None:
    (tmp_path / "x_calibration.json").write_text(broken)
    with pytest.raises(ValueError, match=r"x_calibration.json is no calibration .* make one with opir calibrate"):
        find_calibration("abc", [tmp_path])


def test_curves_that_fall_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected rising uncertainties"):
        ErrorCurve((1.0, 2.0), (3.0, 2.0))
    made_for("abc").save(tmp_path / "x_calibration.json")
    stored = json.loads((tmp_path / "x_calibration.json").read_text())
    stored["curves"][ANY_TASK]["uncertainty"] = [2.0, 1.0]
    (tmp_path / "x_calibration.json").write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="expected rising uncertainties"):
        Calibration.load(tmp_path / "x_calibration.json")
