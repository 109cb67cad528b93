"""Operators of a reduced copy, which a large or a hazy photo is filtered with."""

import numpy as np
import pytest
import torch

from opir.inference.operator_scales import SCENE_SIDE, scene_scale
from opir.inference.restorer import Restorer
from opir.model import OPIR
from tests.opir.conftest import TINY, random_model, random_photo


@pytest.mark.parametrize("factor", [1, 2, 4])
@pytest.mark.parametrize("size", [(45, 70), (1, 9), (64, 64)])
def test_an_identity_stays_one_on_upsampled_operators(factor: int, size: tuple[int, int]) -> None:
    photo = random_photo(*size)
    out = Restorer(OPIR(TINY), device="cpu", precision="fp32").restore(photo, operator_scale=factor)
    torch.testing.assert_close(out.restored_rgb, photo, atol=1e-6, rtol=0)
    np.testing.assert_allclose(out.uncertainty, 1, atol=1e-6)
    assert out.operator_scale == factor


@pytest.mark.parametrize("factor", [2, 4])
def test_upsampled_operators_are_as_exact_in_tiles(restorer: Restorer, factor: int) -> None:
    photo = random_photo(197, 270)
    whole = restorer.restore(photo, tile=0, operator_scale=factor, scale_weights=True)
    tiled = restorer.restore(photo, tile=96, operator_scale=factor, scale_weights=True)
    assert tiled.tiles > 1
    torch.testing.assert_close(tiled.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0)
    np.testing.assert_allclose(tiled.uncertainty, whole.uncertainty, atol=1e-5)
    np.testing.assert_allclose(tiled.scale_weights, whole.scale_weights, atol=1e-3)


def test_upsampled_operators_are_close_to_native_ones_on_smooth_haze() -> None:
    """With a model that predicts the same operator everywhere: a random one's differ from pixel to pixel."""
    model = random_model()
    head = model.kernel_predictor.head
    torch.nn.init.zeros_(head.weight)
    assert head.bias is not None
    with torch.no_grad():
        drawn = torch.randn(len(head.bias) // 4, generator=torch.Generator().manual_seed(0))
        head.bias.copy_(drawn.repeat_interleave(4))
    restorer = Restorer(model, device="cpu", precision="fp32")
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 128), torch.linspace(0, 1, 160), indexing="ij")
    transmission = 0.9 - 0.5 * rows
    scene = torch.stack([0.2 + 0.3 * columns, 0.3 + 0.2 * rows, 0.4 - 0.2 * columns])
    haze = scene * transmission + 0.9 * (1 - transmission)
    native = restorer.restore(haze, task="haze")
    reduced = restorer.restore(haze, task="haze", operator_scale=2)
    assert (native.restored_rgb - haze).abs().mean() > 0.02
    assert (reduced.restored_rgb - native.restored_rgb).abs().mean() < 0.01


def test_the_operator_scale_goes_by_the_size_of_the_photo(
    restorer: Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opir.inference.operator_scales.PREDICTED_PIXELS", 400)
    scales = [restorer.restore(random_photo(*size), operator_scale="auto").operator_scale for size in
              ((20, 20), (20, 21), (40, 40), (40, 41), (100, 100))]  # fmt: skip
    assert scales == [1, 2, 2, 4, 4]


def test_a_pixel_has_no_operator_of_its_own_on_a_reduced_copy(restorer: Restorer) -> None:
    out = restorer.restore(random_photo(20, 30), operator_scale=2)
    with pytest.raises(ValueError, match="to look at a pixel, restore with operator_scale=1, not 2"):
        out.inspect(3, 4)


def test_hazy_photos_are_seen_from_afar(restorer: Restorer) -> None:
    photo = random_photo(3 * SCENE_SIDE, 2 * SCENE_SIDE)
    hazy, rainy = (restorer.restore(photo, task=task, tile=0) for task in ("haze", "rain"))
    assert (hazy.predicted_scale, rainy.predicted_scale) == (2, 1)
    torch.testing.assert_close(
        hazy.stage1_rgb, restorer.restore(photo, task="haze", tile=0, operator_scale=2, stages=1).restored_rgb
    )
    tiled = restorer.restore(photo, task="haze", tile=128)
    torch.testing.assert_close(tiled.restored_rgb, hazy.restored_rgb, rtol=0, atol=1e-5)
    for x, y in ((0, 0), (2 * SCENE_SIDE - 1, 3 * SCENE_SIDE - 1), (101, 222)):
        pixel = hazy.inspect(x, y)
        np.testing.assert_allclose(pixel.stage1, hazy.stage1_rgb[:, y, x], atol=1e-5)
        np.testing.assert_allclose(pixel.after, hazy.restored_rgb[:, y, x], atol=1e-5)
        assert pixel.stages[0].uncertainty == pytest.approx(float(hazy.uncertainty[y, x]), abs=1e-5)


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(1, 1, 1), (359, 500, 1), (500, 500, 2), (1920, 1080, 4), (4000, 3000, 16)]
)
def test_a_scene_is_reduced_to_at_least_its_least_side(width: int, height: int, scale: int) -> None:
    assert scene_scale(width, height) == scale
