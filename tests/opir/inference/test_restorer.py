"""Photos through the restorer: it does what the model does, at any size, and checks its options."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.evaluation.metrics import psnr
from opir.inference.restorer import Restoration, Restorer
from opir.model import OPIR
from opir.ops.colours import in_unit
from opir.tasks import TASK_NAMES, Task
from tests.opir.conftest import TINY, random_model, random_photo

EXAMPLES = Path(__file__).parents[3] / "assets" / "examples"


@pytest.mark.parametrize("is_grey", [False, True])
def test_a_very_large_photo_is_kept_in_grey_values(
    restorer: Restorer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_grey: bool
) -> None:
    levels = np.random.default_rng(0).integers(90, 166, (90, 130) if is_grey else (90, 130, 3), dtype=np.uint8)
    whole = restorer.restore(levels, levels=(0,))
    monkeypatch.setattr("opir.photo.photo.LARGE_FROM_PIXELS", 90 * 130)
    out = restorer.restore(levels, levels=(0,), tile=64)
    result = torch.float16 if is_grey else torch.uint8
    assert (out.photo.compact_rgb.dtype, out.stage1_rgb.dtype, out.restored_rgb.dtype) == (
        torch.uint8,
        result,
        result,
    )
    np.testing.assert_allclose(out.embedding, whole.embedding, atol=1e-5)
    np.testing.assert_allclose(out.inspect(50, 40).stage1, whole.inspect(50, 40).stage1, atol=2e-3)
    assert out.uncertainty.dtype == np.float16
    difference = (in_unit(out.restored_rgb) - whole.restored_rgb).abs()  # stage 2 works on rounded colours
    assert difference.mean() < 0.75 / 255
    assert difference.max() < 5 / 255
    for name, options in (("full", {}), ("half", {"strength": 0.5}), ("kept", {"protect": True})):
        out.save(tmp_path / f"{name}.png", **options)
        saved, expected = (np.asarray(picture, np.int16) for picture in (
            Image.open(tmp_path / f"{name}.png").convert("RGB"), whole.blend(**options)))  # fmt: skip
        assert np.abs(saved - expected).mean() < 1
    deep = restorer.restore(levels.astype(np.uint16) * 257, levels=(0,))
    assert deep.restored_rgb.dtype == torch.float32


@pytest.mark.parametrize("levels", ["auto", (1,)])
def test_a_very_large_grey_photo_keeps_its_brightness(
    levels: str | tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no level works on it at its own size, so that its grey values come back as they are."""
    restorer = Restorer.from_pretrained("lite", "cpu", "fp32")
    smooth = np.tile(np.linspace(60, 200, 150).astype(np.uint8), (260, 2))
    whole = np.asarray(restorer.restore(smooth, levels=levels).image, np.int16)
    monkeypatch.setattr("opir.photo.photo.LARGE_FROM_PIXELS", smooth.size)
    large = restorer.restore(smooth, levels=levels)
    assert (levels == "auto") == (not large.working_levels)
    for picture in (large.image, large.blend(0.999)):
        assert np.abs(np.asarray(picture, np.int16) - whole).max() <= 1


def test_rounding_between_the_stages_costs_nothing_that_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    restorer = Restorer.from_pretrained("lite", "cpu", "fp32")
    with Image.open(EXAMPLES / "bridge-snow.jpg") as photo:
        crop = np.asarray(photo.crop((100, 100, 260, 220)))
    whole = restorer.restore(crop, "snow", levels=(0,)).restored_rgb
    monkeypatch.setattr("opir.photo.photo.LARGE_FROM_PIXELS", crop.shape[0] * crop.shape[1])
    rounded = restorer.restore(crop, "snow", levels=(0,)).restored_rgb
    assert rounded.dtype == torch.uint8
    assert psnr(in_unit(rounded), whole, rounded=False) > 55


@pytest.mark.parametrize("task", ["auto", *TASK_NAMES])
def test_the_restorer_does_what_the_model_does(restorer: Restorer, task: str) -> None:
    photo = random_photo(37, 50)
    out = restorer.restore(photo, levels=(0,), task=task)
    with torch.no_grad():
        expected = restorer.model(photo[None], None if task == "auto" else Task.parse(task))
    torch.testing.assert_close(out.restored_rgb, expected.final.restored[0].clamp(0, 1), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.stage1_rgb, expected.first.restored[0].clamp(0, 1), atol=1e-5, rtol=0)
    np.testing.assert_allclose(out.uncertainty, expected.first.uncertainty[0, 0], atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (16, 16), (17, 3)])
def test_any_size_comes_back_at_its_size(restorer: Restorer, size: tuple[int, int]) -> None:
    out = restorer.restore(random_photo(*size), levels=(0,), scale_weights=True)
    assert out.image.size == out.stage1.size == (size[1], size[0]) == (out.width, out.height)
    assert out.uncertainty.shape == size
    assert out.scale_weights is not None
    assert out.scale_weights.shape == (2, *size)


def test_the_embedding_is_the_photos_own_whatever_task_is_asked_for(restorer: Restorer) -> None:
    photo = random_photo(40, 40)
    named, auto = restorer.restore(photo, levels=(0,), task="snow"), restorer.restore(photo, levels=(0,))
    assert named.task == "snow"
    assert named.task_probabilities == auto.task_probabilities
    np.testing.assert_array_equal(named.embedding, auto.embedding)
    assert (named.restored_rgb - auto.restored_rgb).abs().max() > 1e-4


def test_one_stage_is_the_first_of_two(restorer: Restorer, restoration: Restoration) -> None:
    fast = restorer.restore(random_photo(45, 70), levels=(0,), stages=1)
    torch.testing.assert_close(fast.restored_rgb, restoration.stage1_rgb)
    assert fast.embed_stage1() is None
    assert not fast.stage2_change.any()


def test_an_untrained_model_returns_the_photo() -> None:
    photo = random_photo(30, 41)
    out = Restorer(OPIR(TINY), device="cpu", precision="fp32").restore(photo, levels=(0, 1, 2))
    torch.testing.assert_close(out.restored_rgb, photo, atol=1e-6, rtol=0)


def test_a_model_without_the_task_module_takes_no_task() -> None:
    restorer = Restorer(random_model(replace(TINY, task_aware=False)), device="cpu", precision="fp32")
    out = restorer.restore(random_photo(20, 20))
    assert (out.task, out.task_probabilities, out.embedding) == ("auto", {}, None)
    assert out.inspect(3, 4).stages[0].modulation.min() == 1
    with pytest.raises(ValueError, match=r'takes no task: use "auto", got "rain"'):
        restorer.restore(random_photo(20, 20), levels=(0,), task="rain")


BAD_OPTIONS = [
    ({"task": "fog"}, r'unknown task "fog": use one of rain, snow, haze, clean, or "auto"'),
    ({"tile": 3}, r'tile must be "auto", 0 for the whole photo, or at least 8 pixels, got 3'),
    ({"tile": "big"}, r"tile must be .* got 'big'"),
    ({"levels": ()}, r'levels must be "auto" or some of 0 to 8, got \(\)'),
    ({"levels": (0, 9)}, r'levels must be "auto" or some of 0 to 8, got \(0, 9\)'),
    ({"levels": "all"}, r"levels must be .* got 'all'"),
    ({"stages": 3}, r"stages must be 1 to 2 for this model, got 3"),
    ({"stages": 0}, r"stages must be 1 to 2 for this model, got 0"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
def test_options_out_of_range_are_refused(restorer: Restorer, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        restorer.restore(random_photo(8, 8), **{"levels": (0,)} | options)


def test_a_side_of_tiles_is_checked_even_where_no_level_works(restorer: Restorer) -> None:
    with pytest.raises(ValueError, match="tile must be"):
        restorer.restore(random_photo(8, 8), levels=(3,), tile=3)


def test_levels_are_printed_in_a_few_lines(restorer: Restorer) -> None:
    assert len(repr(restorer.restore(random_photo(64, 64), levels=(0,), scale_weights=True).levels)) < 500


def test_unknown_devices_and_precisions_are_refused() -> None:
    with pytest.raises(ValueError, match=r'unknown device "gpu": use "auto", "cpu" or "cuda"'):
        Restorer(OPIR(TINY), device="gpu")
    with pytest.raises(ValueError, match=r'this machine has no device "cuda:99": use "cpu" or "auto"'):
        Restorer(OPIR(TINY), device="cuda:99")
    with pytest.raises(ValueError, match=r'unknown precision "half": use one of auto, fp32, bf16'):
        Restorer(OPIR(TINY), precision="half")


def test_bfloat16_stays_close_to_float32(restorer: Restorer, restoration: Restoration) -> None:
    out = Restorer(random_model(), device="cpu", precision="bf16").restore(random_photo(45, 70), levels=(0,))
    assert out.restored_rgb.dtype == torch.float32
    assert (out.restored_rgb - restoration.restored_rgb).abs().mean() < 0.02
