"""What a result promises: its parts, blending, saving, and single pixels."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.inference.restorer import Restoration, Restorer
from opir.photo import load_photo
from opir.tasks import TASK_NAMES, Task
from tests.opir.conftest import random_photo


def test_a_result_says_what_it_is(restoration: Restoration) -> None:
    assert restoration.task == max(
        restoration.task_probabilities, key=lambda name: restoration.task_probabilities[name]
    )
    assert tuple(restoration.task_probabilities) == TASK_NAMES
    assert sum(restoration.task_probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert restoration.embedding is not None
    assert restoration.embed_stage1() is not None
    assert restoration.embedding.shape == restoration.embed_stage1().shape == (4,)
    assert restoration.uncertainty.dtype == np.float32
    assert restoration.scale_weights is not None
    assert restoration.scale_weights.dtype == np.float16
    np.testing.assert_allclose(restoration.scale_weights.astype(np.float32).sum(axis=0), 1, atol=2e-3)
    assert (restoration.stages, restoration.tiles) == (2, 1)
    assert restoration.seconds > 0
    expected = (restoration.restored_rgb - restoration.stage1_rgb).numpy()
    np.testing.assert_array_equal(restoration.stage2_change, expected)


def test_blending_goes_from_the_photo_to_the_restoration(restoration: Restoration) -> None:
    photo = np.asarray(restoration.blend(0.0), np.int16)
    np.testing.assert_array_equal(photo, (restoration.photo.rgb * 255).round().permute(1, 2, 0))
    restored = np.asarray(restoration.image, np.int16)
    assert np.abs(np.asarray(restoration.blend(1.0), np.int16) - restored).max() <= 1
    half = np.asarray(restoration.blend(0.5), np.int16)
    assert np.abs(half - (photo + restored) / 2).max() <= 1


def test_protecting_keeps_the_photo_where_the_uncertainty_is_high(restoration: Restoration) -> None:
    uncertainty = np.ones_like(restoration.uncertainty)
    uncertainty[:20] = 10
    level = restoration.levels[-1]
    assert level.work is not None
    work = replace(level.work, uncertainty=torch.from_numpy(uncertainty))
    doubted = replace(restoration, levels=(replace(level, work=work),))
    kept = np.asarray(doubted.blend(1.0, protect=True))
    np.testing.assert_array_equal(kept[:20], np.asarray(doubted.blend(0.0))[:20])
    np.testing.assert_array_equal(kept[20:], np.asarray(doubted.blend(1.0))[20:])


def test_saving_keeps_the_kind_of_photo(restorer: Restorer, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (20, 30), dtype=np.uint16)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    out = restorer.restore(tmp_path / "in.png")
    out.save(tmp_path / "out.png")
    saved = load_photo(tmp_path / "out.png")
    assert (saved.bits, saved.is_grey) == (16, True)
    torch.testing.assert_close(saved.rgb, out.restored_rgb, atol=1e-5, rtol=0)
    out.save(tmp_path / "same.png", strength=0)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "same.png")), pixels)


@pytest.mark.parametrize("at", [(0, 0), (69, 44), (31, 17), (69, 0)])
@pytest.mark.parametrize("task", ["auto", "haze"])
def test_a_pixel_looked_at_alone_equals_the_full_run(restorer: Restorer, at: tuple[int, int], task: str) -> None:
    photo = random_photo(45, 70)
    out = restorer.restore(photo, levels=(0,), task=task)
    x, y = at
    pixel = out.inspect(x, y)
    with torch.no_grad():
        expected = restorer.model(photo[None], None if task == "auto" else Task.parse(task))
    for operator, stage in zip(pixel.stages, expected.stages, strict=True):
        for name in ("kernels", "modulation", "modulated_kernels", "scale_weights", "restored"):
            full = getattr(stage, name)[0, :, y, x].numpy()
            np.testing.assert_allclose(getattr(operator, name).ravel(), full, atol=1e-5)
        assert operator.uncertainty == pytest.approx(stage.uncertainty[0, 0, y, x].item(), abs=1e-5)
        np.testing.assert_allclose(operator.gain, operator.modulated_kernels.sum(axis=(1, 2)))
    np.testing.assert_array_equal(pixel.before, photo[:, y, x])
    np.testing.assert_allclose(pixel.stage1, out.stage1_rgb[:, y, x], atol=1e-5)
    np.testing.assert_allclose(pixel.after, out.restored_rgb[:, y, x], atol=1e-5)


def test_a_pixel_outside_the_photo_is_refused(restoration: Restoration) -> None:
    for x, y in ((70, 0), (0, 45), (-1, 0)):
        with pytest.raises(ValueError, match=rf"expected a pixel inside the photo of 70x45, got x={x}, y={y}"):
            restoration.inspect(x, y)


@pytest.mark.parametrize("level", [0, 1])
def test_the_operators_of_a_window_are_those_of_its_pixels(restorer: Restorer, level: int) -> None:
    out = restorer.restore(random_photo(45, 71), levels=(level,), task="haze")
    left, top, right, bottom = 50, 20, 71, 45
    field = out.operators((left, top, right, bottom))
    size = 2**level
    rows, columns = -(-bottom // size) - top // size, -(-right // size) - left // size
    assert (field.level, field.worked, field.scales) == (level, True, (size, 2 * size))
    assert field.before.shape == (3, rows, columns)
    for x, y in ((50, 20), (70, 44), (61, 31)):
        pixel = out.inspect(x, y)
        row, column = y // size - top // size, x // size - left // size
        np.testing.assert_array_equal(field.before[:, row, column], pixel.before)
        for stage, alone in zip(field.stages, pixel.stages, strict=True):
            assert stage.kernels.shape == (3, 3, 3, rows, columns)
            assert stage.scale_weights.shape == (2, rows, columns)
            for name in ("kernels", "modulation", "modulated_kernels", "scale_weights", "restored", "uncertainty"):
                np.testing.assert_allclose(getattr(stage, name)[..., row, column], getattr(alone, name), atol=1e-5)


def test_a_window_outside_the_photo_is_refused(restoration: Restoration) -> None:
    for window in ((0, 0, 71, 4), (-1, 0, 4, 4), (4, 4, 4, 8)):
        with pytest.raises(ValueError, match="expected left, top, right, bottom inside the photo of 70x45, got"):
            restoration.operators(window)
    with pytest.raises(ValueError, match="expected a level from 0 to 0 of this photo, got 3"):
        restoration.operators((0, 0, 4, 4), level=3)


def test_a_result_can_be_sent_between_processes(restoration: Restoration) -> None:
    copy = pickle.loads(pickle.dumps(restoration))
    torch.testing.assert_close(copy.restored_rgb, restoration.restored_rgb)
    assert copy.inspect(3, 3).stages[1].uncertainty == restoration.inspect(3, 3).stages[1].uncertainty


def test_strength_out_of_range_is_refused(restoration: Restoration) -> None:
    with pytest.raises(ValueError, match=r"strength must be between 0 \(the photo\) and 1 .*, got 1.5"):
        restoration.blend(1.5)
