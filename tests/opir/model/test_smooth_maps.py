"""With `smooth_maps`, an even place gets even maps, and tiles still give the whole."""

from dataclasses import replace

import pytest
import torch

from opir.config import PRESETS, OPIRConfig
from opir.model import OPIR
from opir.ops.window import Window
from opir.tasks import Task
from tests.conftest import TINY, make_picture, randomise

SMOOTH = replace(TINY, smooth_maps=True, encoder_blocks=(1, 1), decoder_blocks=(1, 1))


def smooth_model(config: OPIRConfig = SMOOTH) -> OPIR:
    return randomise(OPIR(config)).eval()


def spread_over_the_grid(config: OPIRConfig) -> float:
    """Return by how much maps of an even picture differ from pixel to pixel, far from its border."""
    model = smooth_model(config)
    picture = torch.full((1, 3, 2 * model.halo + 64, 2 * model.halo + 64), 0.5)
    with torch.no_grad():
        result = model.run_stage(0, picture, model.prototype(Task.HAZE))
    inner = slice(model.halo, model.halo + 64)
    maps = torch.cat([result.uncertainty, result.scale_weights, result.kernels], dim=1)[..., inner, inner]
    return float(maps.flatten(2).std(dim=2).max())


def test_an_even_picture_gets_even_maps() -> None:
    assert spread_over_the_grid(SMOOTH) < 1e-5
    assert spread_over_the_grid(replace(SMOOTH, smooth_maps=False)) > 1e-3


def test_the_preset_has_smooth_maps() -> None:
    assert PRESETS["lite"].smooth_maps


@pytest.mark.parametrize("fused", [False, True])
def test_a_tile_gives_what_the_whole_does(fused: bool) -> None:
    model = smooth_model()
    stride, halo = model.stride, model.halo
    height, width = 2 * halo + 5 * stride, 2 * halo + 6 * stride
    photo = make_picture(height, width)
    embedding = model.embed(photo)
    for tile in (
        Window(halo, halo, halo + 2 * stride, halo + 3 * stride),
        Window(0, 0, stride, 2 * stride),
        Window(height - stride, width - stride, height, width),
    ):
        around = tile.grown(halo, height, width)
        with torch.inference_mode():
            whole = model.run_stage(0, photo, embedding)
            inner = tile.within(around)
            strips = list(model.stage_strips(0, around.of(photo), embedding, inner=inner, fused=fused))
        for name in ("restored", "uncertainty", "scale_weights"):
            made = torch.cat([getattr(strip, name) for strip in strips], dim=2)
            torch.testing.assert_close(made, tile.of(getattr(whole, name)), rtol=1e-5, atol=2e-5)
