"""Tiles and strips give what the whole photo gives, whatever memory there is."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from opir.config import PRESETS
from opir.inference.restorer import Restorer
from opir.inference.tiling import plan_tiles, plan_windows
from opir.ops.window import Window
from opir.tasks import Task
from tests.opir.conftest import random_model, random_photo


@pytest.mark.parametrize("size", [(97, 150), (33, 250)])
@pytest.mark.parametrize("tile", [24, 64])
def test_tiles_give_the_result_of_the_whole(restorer: Restorer, size: tuple[int, int], tile: int) -> None:
    photo = random_photo(*size)
    whole = restorer.restore(photo, levels=(0,), tile=0, scale_weights=True)
    tiled = restorer.restore(photo, levels=(0,), tile=tile, scale_weights=True)
    assert tiled.tiles > 1
    torch.testing.assert_close(tiled.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0)
    torch.testing.assert_close(tiled.stage1_rgb, whole.stage1_rgb, atol=1e-5, rtol=0)
    np.testing.assert_allclose(tiled.uncertainty, whole.uncertainty, atol=1e-5)
    np.testing.assert_allclose(tiled.scale_weights, whole.scale_weights, atol=1e-3)


def test_tiles_give_the_whole_for_many_sizes(restorer: Restorer) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        height, width = (int(side) for side in random.integers(1, 130, 2))
        tile = int(random.integers(32, 100))
        photo = random_photo(height, width)
        whole, tiled = restorer.restore(photo, levels=(0,), tile=0), restorer.restore(photo, levels=(0,), tile=tile)
        told = f"{width}x{height} in tiles of {tile}"
        np.testing.assert_allclose(tiled.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0, err_msg=told)
        np.testing.assert_allclose(tiled.stage1_rgb, whole.stage1_rgb, atol=1e-5, rtol=0, err_msg=told)
        np.testing.assert_allclose(tiled.uncertainty, whole.uncertainty, atol=1e-5, rtol=0, err_msg=told)


@pytest.mark.parametrize(("preset", "sizes"), [("lite", 50), ("paper", 6)])
def test_tiles_of_every_preset_give_the_whole(preset: str, sizes: int) -> None:
    """Its blocks and scales as they are, few features in each: how far a stage looks stays the same."""
    narrow = {"width": 4, "max_width": 12, "embedding_dim": 4, "encoder_width": 4, "modulator_width": 4}
    model = random_model(replace(PRESETS[preset], **narrow))
    restorer = Restorer(model, device="cpu", precision="fp32")
    random = np.random.default_rng(0)
    for _ in range(sizes):
        height, width = int(random.integers(1, 60)), int(random.integers(2 * model.halo, 4 * model.halo))
        tile = int(random.integers(2 * model.stride, model.halo))
        photo = random_photo(height, width)
        whole, tiled = restorer.restore(photo, levels=(0,), tile=0), restorer.restore(photo, levels=(0,), tile=tile)
        assert tiled.tiles > 1
        told = f"{width}x{height} in tiles of {tile}"
        np.testing.assert_allclose(tiled.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0, err_msg=told)
        np.testing.assert_allclose(tiled.uncertainty, whole.uncertainty, atol=1e-5, rtol=0, err_msg=told)


def test_parts_are_halved_where_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    restorer = Restorer(random_model(), device="cpu", precision="fp32")
    photo = random_photo(150, 210)
    whole = restorer.restore(photo, levels=(0,), tile=0)
    stage_strips, largest = restorer.model.stage_strips, 150 * 150
    failures = []

    def run_short_of_memory(index: int, image: torch.Tensor, *rest: object, **options: object) -> object:
        if image.shape[-2] * image.shape[-1] > largest:
            failures.append(index)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return stage_strips(index, image, *rest, **options)

    monkeypatch.setattr(restorer.model, "stage_strips", run_short_of_memory)
    counts: list[tuple[int, int]] = []
    out = restorer.restore(photo, levels=(0,), tile=0, progress=lambda done, total: counts.append((done, total)))
    assert out.tiles > 1
    assert set(failures) == {0}  # stage 2 starts with the tiles that fitted
    assert counts[-1] == (2 * out.tiles, 2 * out.tiles)
    torch.testing.assert_close(out.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0)

    largest = 0
    with pytest.raises(torch.OutOfMemoryError):
        restorer.restore(photo, levels=(0,), tile=0)


@pytest.mark.parametrize(
    ("height", "width", "pixels"), [(6000, 8000, 4e6), (3008, 4000, 7e6), (96, 9600, 2e5), (96, 96, 1)]
)
def test_windows_keep_to_their_size_with_as_little_around_them_as_can_be(
    height: int, width: int, pixels: float
) -> None:
    halo, stride, least = 142, 16, 128
    tiles = plan_windows(height, width, halo, pixels, least, stride)
    covered = np.zeros((height, width), np.uint8)
    for tile in tiles:
        tile.of(torch.from_numpy(covered)).add_(1)
    assert (covered == 1).all()

    def area(window: Window) -> int:
        return (window.bottom - window.top) * (window.right - window.left)

    def seen(parts: list[Window]) -> list[int]:
        return [area(part.grown(halo, height, width)) for part in parts]

    smallest = plan_tiles(height, width, least, stride)
    assert max(seen(tiles)) <= pixels or tiles == smallest
    squares = [plan_tiles(height, width, size, stride) for size in range(least, 2048, 16)]
    fitting = [sum(seen(parts)) for parts in squares if max(seen(parts)) <= pixels]
    assert sum(seen(tiles)) <= min(fitting, default=sum(seen(smallest))) * 1.01  # parts differ by a stride


@pytest.mark.parametrize(("height", "width", "pixels"), [(6000, 8000, 1.5e6), (3008, 4000, 2e6)])
def test_windows_see_equally_much_up_to_a_stride(height: int, width: int, pixels: float) -> None:
    seen = [part.grown(192, height, width) for part in plan_windows(height, width, 192, pixels, 128, 16)]
    for sides in ({part.bottom - part.top for part in seen}, {part.right - part.left for part in seen}):
        assert max(sides) - min(sides) <= 16


def test_tiles_fit_the_free_memory(restorer: Restorer, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = random_photo(300, 400)
    monkeypatch.setattr("opir.inference.tiling.free_memory", lambda device: None)
    assert restorer.restore(photo, levels=(0,)).tiles == 1
    monkeypatch.setattr("opir.inference.tiling.free_memory", lambda device: 10_000_000)
    whole, tiled = restorer.restore(photo, levels=(0,), tile=0), restorer.restore(photo, levels=(0,))
    assert tiled.tiles > 1
    torch.testing.assert_close(tiled.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0)


@pytest.mark.parametrize("tile", [64, 120])
def test_no_seam_can_be_seen_in_bfloat16(tile: int) -> None:
    restorer = Restorer(random_model(), device="cpu", precision="bf16")
    photo = random_photo(130, 210)
    whole, tiled = restorer.restore(photo, levels=(0,), tile=0), restorer.restore(photo, levels=(0,), tile=tile)
    assert tiled.tiles > 1
    assert (tiled.restored_rgb - whole.restored_rgb).abs().max() <= 1 / 255


def test_strips_give_what_the_stage_gives(restorer: Restorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opir.model.inverse_operator._STRIP_PIXELS", 900)
    monkeypatch.setattr("opir.model.inverse_operator._FUSED_STRIP_PIXELS", 900)
    model, photo = restorer.model, random_photo(64, 96)[None]
    embedding = model.prototype(Task.RAIN)
    with torch.no_grad():
        expected = model.run_stage(0, photo, embedding).restored
        strips = list(model.stage_strips(0, photo, embedding))
    assert len(strips) > 1
    torch.testing.assert_close(torch.cat([strip.restored for strip in strips], dim=2), expected, atol=1e-5, rtol=0)


def test_progress_counts_the_tiles_of_all_stages(restorer: Restorer) -> None:
    calls: list[tuple[int, int]] = []
    out = restorer.restore(
        random_photo(64, 64), levels=(0,), tile=32, progress=lambda done, total: calls.append((done, total))
    )
    assert out.tiles == 4
    assert calls == [(done, 8) for done in range(1, 9)]
