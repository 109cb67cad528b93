"""Tiles are as large as memory lets them be, and no larger."""

from dataclasses import replace

import pytest

from opir.config import PRESETS
from opir.inference.tile_sizes import AIMED_AT_BYTES, LARGEST_TILE_SIDE, LEAST_WINDOW_PIXELS, Memory, largest_window

HALO, LITE = 160, PRESETS["lite"]
PLENTY = Memory(free_bytes=64_000_000_000, held_bytes=0, is_shared=True)


def window(memory: Memory = PLENTY, operator_scale: int = 1, preset: str = "lite") -> float:
    return largest_window(operator_scale, HALO, PRESETS[preset], memory)


def test_more_that_is_held_makes_windows_smaller_but_never_mostly_halo() -> None:
    sizes = [window(replace(PLENTY, held_bytes=held)) for held in (0, 500_000_000, 800_000_000, 2_000_000_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[-1]
    assert sizes[-1] == LEAST_WINDOW_PIXELS


@pytest.mark.parametrize(("number_bytes", "copies"), [(4, 7), (2, 4)])
def test_what_48_megapixels_take_is_what_was_aimed_at(number_bytes: int, copies: int) -> None:
    per_pixel = 52 + copies * LITE.width
    held = 48_000_000 * (3 + 11)
    pixels = largest_window(1, HALO, LITE, replace(PLENTY, held_bytes=held), number_bytes)
    assert 470e6 + held + pixels * per_pixel == pytest.approx(AIMED_AT_BYTES, rel=0.001)


def test_a_device_of_its_own_is_filled_as_far_as_it_is_free() -> None:
    gpu = replace(PLENTY, held_bytes=2_000_000_000, is_shared=False)
    assert window(gpu) == (LARGEST_TILE_SIDE + 2 * HALO) ** 2
    assert window(replace(gpu, free_bytes=100_000_000)) < LEAST_WINDOW_PIXELS
    assert window(replace(gpu, free_bytes=None)) == window(gpu)


def test_wide_models_and_smaller_copies_get_smaller_windows() -> None:
    some = replace(PLENTY, held_bytes=500_000_000)
    assert window(some, preset="paper") < window(some)
    assert window(some, operator_scale=4) < window(some, operator_scale=2) < window(some)


def test_where_memory_is_short_windows_are_larger_because_nothing_is_left_in_holes() -> None:
    some = replace(PLENTY, held_bytes=500_000_000)
    short = replace(some, free_bytes=2_900_000_000)
    assert short.is_short
    assert not some.is_short
    assert not replace(short, is_shared=False).is_short
    assert not replace(short, free_bytes=None).is_short
    assert window(short) > window(some)
