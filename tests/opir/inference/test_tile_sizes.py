"""Tiles are as large as memory lets them be, and no larger."""

from dataclasses import replace

import pytest

from opir.config import PRESETS
from opir.inference.tiling import AIMED_AT_BYTES, LARGEST_TILE_SIDE, LEAST_WINDOW_PIXELS, Memory, largest_window

HALO, LITE = 160, PRESETS["lite"]
PLENTY = Memory(free_bytes=64_000_000_000, held_bytes=0, is_shared=True)


def window(memory: Memory = PLENTY, preset: str = "lite") -> float:
    return largest_window(HALO, PRESETS[preset], memory)


def test_more_that_is_held_makes_windows_smaller_but_never_mostly_halo() -> None:
    sizes = [window(replace(PLENTY, held_bytes=held)) for held in (0, 500_000_000, 800_000_000, 2_000_000_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[-1]
    assert sizes[-1] == LEAST_WINDOW_PIXELS


@pytest.mark.parametrize(("number_bytes", "per_pixel"), [(4, 190 + 7 * LITE.width), (2, 190 + 4 * LITE.width)])
def test_what_48_megapixels_take_is_what_was_aimed_at(number_bytes: int, per_pixel: int) -> None:
    held = 500_000_000
    pixels = largest_window(HALO, LITE, replace(PLENTY, held_bytes=held), number_bytes)
    assert 470e6 + held + pixels * per_pixel == pytest.approx(AIMED_AT_BYTES, rel=0.001)


def test_a_device_of_its_own_is_filled_as_far_as_it_is_free() -> None:
    gpu = replace(PLENTY, held_bytes=2_000_000_000, is_shared=False)
    assert window(gpu) == (LARGEST_TILE_SIDE + 2 * HALO) ** 2
    assert window(replace(gpu, free_bytes=100_000_000)) < LEAST_WINDOW_PIXELS
    assert window(replace(gpu, free_bytes=None)) == window(gpu)


def test_wide_models_get_smaller_windows() -> None:
    some = replace(PLENTY, held_bytes=500_000_000)
    assert window(some, preset="paper") < window(some)
