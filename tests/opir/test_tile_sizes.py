"""Tiles are as large as memory lets them be, and no larger."""

from dataclasses import replace

import pytest

from opir.config import PRESETS
from opir.tile_sizes import (
    AIMED_AT_BYTES,
    LARGEST_TILE_SIDE,
    LEAST_WINDOW_PIXELS,
    SMALLEST_TILE_SIDE,
    Memory,
    fitting_side,
)

HALO, LITE = 160, PRESETS["lite"]
PLENTY = Memory(free_bytes=64_000_000_000, held_bytes=0, is_shared=True)


def side(megapixels: float, memory: Memory = PLENTY, operator_scale: int = 1, preset: str = "lite") -> int:
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    return fitting_side(width, width * 3 // 4, operator_scale, HALO, PRESETS[preset], memory)


def test_a_photo_of_a_few_megapixels_is_one_part() -> None:
    assert side(2) == side(3.9) == 0
    assert side(2, replace(PLENTY, free_bytes=None)) == 0
    assert side(2, replace(PLENTY, free_bytes=300_000_000)) > 0


def test_more_that_is_held_makes_tiles_smaller_but_never_mostly_halo() -> None:
    sides = [side(48, replace(PLENTY, held_bytes=held)) for held in (0, 500_000_000, 900_000_000, 2_000_000_000)]
    assert sides == sorted(sides, reverse=True)
    assert sides[0] > 2 * sides[-1]
    assert (sides[-1] + 2 * HALO) ** 2 == pytest.approx(LEAST_WINDOW_PIXELS, rel=0.01)


@pytest.mark.parametrize(("number_bytes", "per_pixel"), [(4, 52 + 7 * 24), (2, 52 + 4 * 24)])
def test_what_48_megapixels_take_is_what_was_aimed_at(number_bytes: int, per_pixel: int) -> None:
    held = 48_000_000 * (3 + 7 * 2)
    memory = replace(PLENTY, held_bytes=held)
    window = fitting_side(8000, 6000, 1, HALO, LITE, memory, number_bytes) + 2 * HALO
    assert 350e6 + held + window**2 * per_pixel == pytest.approx(AIMED_AT_BYTES, rel=0.01)


def test_a_device_of_its_own_is_filled_as_far_as_it_is_free() -> None:
    gpu = replace(PLENTY, held_bytes=2_000_000_000, is_shared=False)
    assert side(48, gpu) == LARGEST_TILE_SIDE
    assert side(48, replace(gpu, free_bytes=1_000_000)) == SMALLEST_TILE_SIDE


def test_wide_models_and_smaller_copies_get_smaller_tiles() -> None:
    some = replace(PLENTY, held_bytes=700_000_000)
    assert side(48, some, preset="paper") < side(48, some)
    assert side(48, some, operator_scale=4) < side(48, some, operator_scale=2) < side(48, some)
