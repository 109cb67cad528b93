"""The grid of a map is found where there is one, in the direction where it is, and nowhere else."""

import numpy as np
import pytest
import torch

from benchmarks.quality.evenness import PERIODS, grid_energy
from opir import Restorer
from opir.degradations.plain import KINDS

SIDE = 192


def noise() -> torch.Tensor:
    return torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def ramp() -> torch.Tensor:
    return torch.linspace(0, 1, SIDE)[:, None] + torch.linspace(0, 2, SIDE)[None]


@pytest.mark.parametrize("even", [noise(), ramp(), torch.full((SIDE, SIDE), 0.3)])
def test_nothing_stands_out_of_noise_ramps_and_even_maps(even: torch.Tensor) -> None:
    assert max(grid_energy(even).values()) < 1.5


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("across", [False, True])
def test_a_stripe_of_each_period_stands_out(period: int, across: bool) -> None:
    stripes = 0.05 * ((torch.arange(SIDE) % period) < period / 2).float()
    found = grid_energy(ramp() + (stripes[:, None] if across else stripes[None]))
    assert found[period] > 50


def test_what_nobody_sees_is_no_grid() -> None:
    stripes = 1e-3 * (torch.arange(SIDE) % 2).float()
    assert max(grid_energy(torch.ones(SIDE, SIDE) + stripes).values()) < 1.5


def test_a_small_map_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 64×64 .* got \\(32, 90\\)"):
        grid_energy(torch.ones(32, 90))


@pytest.mark.parametrize("kind", ["_ramp", "_soft", "_backdrop"])
def test_maps_of_the_shipped_weights_show_no_grid(kind: str) -> None:
    """On pictures without weather, restored at their own size as if there were some."""
    draw = {function.__name__: function for function in KINDS}[kind]
    picture = (draw(np.random.default_rng(3), 256).clip(0, 1) * 255).round().astype(np.uint8)
    result = Restorer.from_pretrained("lite", device="cpu").restore(
        picture, task="rain", levels=[0], scale_weights=True
    )
    inner = slice(32, -32)
    assert result.scale_weights is not None
    maps = [result.uncertainty, *result.scale_weights]
    for values in maps:
        assert max(grid_energy(torch.as_tensor(values)[inner, inner]).values()) < 1.5
