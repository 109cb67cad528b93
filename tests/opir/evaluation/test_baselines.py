"""The dark channel prior and the guided filter, against their formulas written as loops."""

import pytest
import torch
from torch import Tensor

from opir.degradations.guided import guided_filter
from opir.evaluation.baselines import (
    BASELINES,
    dark_channel,
    dehaze_by_dark_channel,
    smooth_by_guided_filter,
)
from opir.evaluation.metrics import psnr
from tests.conftest import make_picture


def test_dark_channel_is_the_least_of_colours_and_neighbours(picture: Tensor) -> None:
    photo, found = picture[0], dark_channel(picture[0], patch=5)
    for y, x in ((0, 0), (20, 30), (44, 60)):
        around = photo[:, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
        assert found[0, y, x] == around.min()


def test_guided_filter_is_the_linear_fit_of_each_window(picture: Tensor) -> None:
    guide, values, radius, epsilon = picture[:, :1].double(), picture[:, 1:2].double(), 2, 0.01
    found = guided_filter(guide, values, radius, epsilon)
    y, x = 20, 30
    fits = []
    for row in range(y - radius, y + radius + 1):
        for column in range(x - radius, x + radius + 1):
            window = (slice(row - radius, row + radius + 1), slice(column - radius, column + radius + 1))
            seen, wanted = guide[0, 0][window], values[0, 0][window]
            slope = ((seen * wanted).mean() - seen.mean() * wanted.mean()) / (seen.var(unbiased=False) + epsilon)
            fits.append((slope, wanted.mean() - slope * seen.mean()))
    slope, offset = (torch.stack(column).mean() for column in zip(*fits, strict=True))
    assert float(found[0, 0, y, x]) == pytest.approx(float(slope * guide[0, 0, y, x] + offset), abs=1e-9)


def test_haze_made_by_the_model_of_haze_is_taken_out() -> None:
    clean = make_picture(96, 128)[0]
    clean[:, ::7, ::5] = 0  # the prior: something dark everywhere
    transmission = torch.full((96, 1), 0.5)
    transmission[:24] = 0  # a sky that is all haze
    hazy = clean * transmission + 0.9 * (1 - transmission)
    restored, hazy, clean = (photo[:, 40:] for photo in (dehaze_by_dark_channel(hazy), hazy, clean))
    assert psnr(restored, clean) > psnr(hazy, clean) + 5


def test_smoothing_takes_noise_and_keeps_edges() -> None:
    edge = torch.full((3, 40, 40), 0.2)
    edge[:, :, 20:] = 0.8
    noisy = (edge + 0.02 * torch.randn(edge.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    smooth = smooth_by_guided_filter(noisy)
    assert psnr(smooth, edge) > psnr(noisy, edge)
    assert float(smooth[:, :, 25].mean() - smooth[:, :, 14].mean()) > 0.5


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("size", [(1, 1), (3, 50), (17, 9)])
def test_any_size_and_a_black_photo_work(name: str, size: tuple[int, int]) -> None:
    for photo in (make_picture(*size)[0], torch.zeros(3, *size)):
        restored = BASELINES[name](photo)
        assert restored.shape == photo.shape
        assert 0 <= float(restored.min()) <= float(restored.max()) <= 1


@pytest.mark.parametrize("method", BASELINES.values())
def test_other_shapes_are_refused(method: object) -> None:
    with pytest.raises(ValueError, match=r"expected a photo of shape \(3, H, W\), got \(1, 3, 8, 8\)"):
        method(torch.zeros(1, 3, 8, 8))
