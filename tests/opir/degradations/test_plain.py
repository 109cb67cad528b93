"""What is no weather: drawn pictures, and haze that grows with distance."""

import numpy as np
import pytest
import torch
from torch import Generator

from opir.degradations.haze import haze_over_distance
from opir.degradations.plain import KINDS, draw_plain
from tests.conftest import make_picture


@pytest.mark.parametrize("seed", range(2 * len(KINDS)))
def test_a_seed_draws_one_picture(seed: int) -> None:
    picture = draw_plain(seed, 64)
    assert picture.shape == (64, 64, 3)
    assert picture.dtype == np.uint8
    assert np.array_equal(picture, draw_plain(seed, 64))
    assert picture.std() > 0.3, "nothing is drawn"


def test_seeds_draw_different_pictures() -> None:
    pictures = [draw_plain(seed, 48).astype(float) for seed in range(3 * len(KINDS))]
    for index, one in enumerate(pictures):
        assert all(np.abs(one - other).mean() > 0.5 for other in pictures[:index])


def test_haze_grows_with_distance_and_spares_what_is_near() -> None:
    clean = make_picture(48, 64).expand(16, -1, -1, -1)
    depth = torch.linspace(0.0, 1.5, 64).expand(16, 1, 48, 64)
    hazy, _ = haze_over_distance(clean, Generator().manual_seed(3), depth)
    change = (hazy - clean).abs().mean(dim=(1, 2))
    assert change[:, 0].max() < 0.01
    near, far = change[:, :16].mean(dim=1), change[:, -16:].mean(dim=1)
    assert (far > 1.3 * near).all()


def test_a_scene_without_distance_gets_no_haze() -> None:
    clean = make_picture(48, 64).expand(8, -1, -1, -1)
    hazy, possible = haze_over_distance(clean, Generator().manual_seed(3), torch.zeros(8, 1, 48, 64))
    torch.testing.assert_close(hazy, clean, rtol=0, atol=0.03)
    torch.testing.assert_close(possible, clean, rtol=0, atol=1e-6)


def test_what_no_light_comes_through_from_stays_pale() -> None:
    clean = torch.zeros(32, 3, 8, 8)
    hazy, possible = haze_over_distance(clean, Generator().manual_seed(0), torch.full((32, 1, 8, 8), 1.6))
    hidden = hazy.mean(dim=(1, 2, 3)) > 0.6
    assert hidden.any()
    # Black things behind smog: what is asked for lies between what is seen and the hidden truth.
    assert (possible <= hazy + 1e-6).all()
    assert possible[hidden].mean() > 0.2
    seen = hazy.mean(dim=(1, 2, 3)) < 0.4
    assert possible[seen].max() < 1e-6
