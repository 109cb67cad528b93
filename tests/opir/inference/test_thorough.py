"""Four ways averaged: the same picture from any side, a spread where they disagree, parts counted to the end."""

import numpy as np
import pytest
import torch

from opir.inference import WAYS, restore_thoroughly
from opir.inference.restorer import Restorer
from opir.model import OPIR
from tests.conftest import TINY, make_picture


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    torch.manual_seed(0)
    model = OPIR(TINY).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape))
    return Restorer(model, device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    return make_picture(40, 56, 3)[0]


def test_it_is_the_mean_of_four_ways_and_their_spread(restorer: Restorer, photo: torch.Tensor) -> None:
    made = restore_thoroughly(restorer, photo, "rain", levels=(0,))
    ways = torch.stack(
        [restorer.restore(photo.flip(axes), "rain", levels=(0,)).restored_rgb.flip(axes) for axes in WAYS]
    )
    torch.testing.assert_close(made.restored_rgb, ways.mean(dim=0), atol=1e-5, rtol=0)
    expected = 255 * ways.var(dim=0, unbiased=False).mean(dim=0).sqrt()
    assert made.spread is not None
    np.testing.assert_allclose(made.spread, expected.numpy(), atol=0.05)
    assert made.spread.max() > 0.1
    assert made.seconds > 0


def test_a_mirrored_photo_gives_the_mirrored_result(restorer: Restorer, photo: torch.Tensor) -> None:
    one = restore_thoroughly(restorer, photo, "snow", levels=(0,))
    other = restore_thoroughly(restorer, photo.flip(-1), "snow", levels=(0,))
    torch.testing.assert_close(other.restored_rgb.flip(-1), one.restored_rgb, atol=1e-5, rtol=0)


def test_all_else_is_of_the_photo_as_it_is(restorer: Restorer, photo: torch.Tensor) -> None:
    plain = restorer.restore(photo, scale_weights=True)
    made = restore_thoroughly(restorer, photo, scale_weights=True)
    assert plain.spread is None
    np.testing.assert_array_equal(made.uncertainty, plain.uncertainty)
    assert made.task == plain.task
    assert made.nbytes > plain.nbytes or not plain.working_levels


def test_a_grey_photo_stays_grey_and_in_range(restorer: Restorer, photo: torch.Tensor) -> None:
    grey = (255 * photo[0]).round().to(torch.uint8).numpy()
    made = restore_thoroughly(restorer, grey, "rain", levels=(0,))
    torch.testing.assert_close(made.restored_rgb[0], made.restored_rgb[2])
    assert 0 <= made.restored_rgb.min() <= made.restored_rgb.max() <= 1


def test_parts_are_counted_over_all_ways(restorer: Restorer, photo: torch.Tensor) -> None:
    told: list[tuple[int, int]] = []
    restore_thoroughly(restorer, photo, "rain", levels=(0,), progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]
