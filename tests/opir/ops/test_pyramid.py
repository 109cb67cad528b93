"""The laws of the pyramid: what was not changed stays as it is, at any size, and tiles of rows are the whole."""

import numpy as np
import pytest
import torch
from torch import Tensor

from opir.ops.pyramid import Change, change_of, changed, down, enlarged, up, write_changed

SIZES = ((1, 1), (1, 7), (2, 2), (3, 5), (8, 8), (9, 4), (31, 57))


def random_image(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_not_changed_gives_the_finer_level_back_exactly(size: tuple[int, int]) -> None:
    image = random_image(*size).float()
    coarse = down(image)
    assert torch.equal(changed(image, change_of(coarse, coarse.clone())), image)


@pytest.mark.parametrize("size", SIZES)
def test_a_constant_stays_that_constant(size: tuple[int, int]) -> None:
    image = torch.full((1, 3, *size), 0.3)
    torch.testing.assert_close(up(down(image), *size), image)


@pytest.mark.parametrize("size", SIZES)
def test_down_is_the_mean_of_the_pixels_that_there_are(size: tuple[int, int]) -> None:
    image = random_image(*size)
    made = down(image)
    assert made.shape == (2, 3, -(-size[0] // 2), -(-size[1] // 2))
    for y in range(made.shape[2]):
        for x in range(made.shape[3]):
            cell = image[:, :, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
            torch.testing.assert_close(made[:, :, y, x], cell.mean(dim=(2, 3)))


def test_grey_values_are_brought_to_the_unit_on_the_way_down() -> None:
    grey_values = torch.randint(0, 256, (1, 3, 301, 7), dtype=torch.uint8)
    torch.testing.assert_close(down(grey_values), down(grey_values.float() / 255))


def test_a_change_that_adds_is_interpolated_between_the_centres_of_coarse_pixels() -> None:
    image, added = random_image(6, 10), random_image(3, 5, seed=1)
    made = changed(image, Change(torch.zeros(2, 1, 3, 5, dtype=torch.float64), added)) - image
    for y in range(6):
        for x in range(10):
            row, column = ((n + 0.5) / 2 - 0.5 for n in (y, x))
            expected = torch.zeros(2, 3, dtype=torch.float64)
            for j, i in np.ndindex(3, 5):
                near_row, near_column = (min(max(n, 0), last) for n, last in ((row, 2), (column, 4)))
                share = max(0, 1 - abs(near_row - j)) * max(0, 1 - abs(near_column - i))
                expected += share * added[:, :, j, i]
            torch.testing.assert_close(made[:, :, y, x], expected)


def test_a_change_explains_the_result_of_its_own_level() -> None:
    before, restored = random_image(20, 30), random_image(20, 30, seed=1)
    change = change_of(before, restored)
    torch.testing.assert_close((1 + change.contrast) * before + change.added, restored)


def test_detail_under_haze_gets_its_contrast_back_and_detail_beside_streaks_does_not() -> None:
    scene = random_image(64, 64)
    hazy = 0.5 * scene + 0.4
    coarse = down(hazy)
    dehazed = changed(hazy, change_of(coarse, (coarse - 0.4) / 0.5))
    assert (dehazed - scene).abs().mean() < 0.05
    assert (hazy + up(down(scene) - coarse, 64, 64) - scene).abs().mean() > 0.09
    streaks = torch.zeros_like(coarse)
    streaks[..., ::8] = 0.3
    assert change_of(coarse + streaks, coarse).contrast.abs().max() < 0.05


def test_contrast_is_raised_four_times_at_most_and_never_lowered() -> None:
    grey = random_image(40, 40).mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    contrast = change_of(grey / 20, grey).contrast
    assert 1 < contrast.max() <= 3
    assert not change_of(grey, grey / 20).contrast.any()


@pytest.mark.parametrize("size", [(5, 9), (128, 3), (129, 4), (390, 6)])
def test_rows_written_one_after_the_other_are_those_of_the_whole(size: tuple[int, int]) -> None:
    image = random_image(*size).float()
    coarse = down(image)
    change = change_of(coarse, torch.rand_like(coarse))
    kept = torch.empty_like(image)
    write_changed(image, change, kept)
    torch.testing.assert_close(kept, changed(image, change), atol=1e-6, rtol=0)
    rounded = torch.empty_like(image, dtype=torch.uint8)
    write_changed((255 * image).round().byte(), change, rounded)
    assert ((rounded / 255 - kept.clamp(0, 1)).abs() < 1.1 / 255 * (1 + 3)).all()


def test_enlarging_a_change_twice_is_changing_two_levels_up() -> None:
    image = random_image(12, 20)
    coarsest = down(down(image))
    change = change_of(coarsest, random_image(3, 5, seed=1))
    contrast, added = (up(up(part, 6, 10), 12, 20) for part in change)
    torch.testing.assert_close(changed(image, enlarged(change, 6, 10)), (1 + contrast) * image + added)
