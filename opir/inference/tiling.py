"""Chooses the parts of a level that are computed one at a time: those asked for, or what fits the free memory."""

from __future__ import annotations

import math
from itertools import pairwise

import torch

from opir.devices import free_memory
from opir.model import OPIR
from opir.model.blocks import working_copies
from opir.ops.window import Window

WHOLE_UP_TO_PIXELS = 2_500_000
WINDOW_PIXELS, SMALL_WINDOW_PIXELS, LARGE_PHOTO_PIXELS = 2_000_000, 1_500_000, 16_000_000
"""Pixels of a part of a level on a CPU, halo included: fewer for a large photo, because one of 48 megapixels and its
results leave little of 1.5 GB. Larger parts have less halo: with 2 instead of 1 megapixel, 12 megapixels take 22 %
less time and 350 MB more; with 1.5 instead of 1, 48 take 16 % less and 40 MB more (docs/log.md, 27 November)."""
LARGEST_TILE_SIDE, SMALLEST_TILE_SIDE = 2048, 128
"""Without the halo. On a GPU a part has at most as many pixels as a square of the largest side, in any shape."""
_SHARE_OF_FREE_MEMORY = 0.5
# Memory beside that of features (`working_copies`): the image in several layouts, and operators in strips. Three
# quarters of it are fragmentation of the heap.
_BYTES_PER_PIXEL = 190


def choose_window_pixels(photo_pixels: int) -> int:
    """Return how many pixels a part of each level of a photo of this size has on a CPU, halo included."""
    return WINDOW_PIXELS if photo_pixels <= LARGE_PHOTO_PIXELS else SMALL_WINDOW_PIXELS


def plan_parts(
    model: OPIR,
    height: int,
    width: int,
    tile: int | str,
    device: torch.device,
    number_bytes: int,
    window_pixels: int = WINDOW_PIXELS,
) -> list[Window]:
    """Return the parts of a level.

    Args:
        model: whose stride and halo count.
        height: of the level, a multiple of the model's stride.
        width: likewise.
        tile: side of a part in pixels of the level, 0 for one part, "auto" to go by the free memory (`check_tile`).
        device: that computes.
        number_bytes: what a number takes in the precision that convolutions compute in, 4 or 2.
        window_pixels: as of `choose_window_pixels`.
    """
    stride, halo = model.stride, model.halo
    if tile == "auto":
        free, per_pixel = free_memory(device), working_copies(model.config.block, number_bytes) * model.config.width
        fitting = math.inf if free is None else free * _SHARE_OF_FREE_MEMORY / (per_pixel + _BYTES_PER_PIXEL)
        if height * width <= min(fitting, WHOLE_UP_TO_PIXELS):
            return plan_tiles(height, width, 0, stride)
        wanted = window_pixels if device.type == "cpu" else (LARGEST_TILE_SIDE + 2 * halo) ** 2
        return plan_windows(height, width, halo, min(fitting, wanted), SMALLEST_TILE_SIDE, stride)
    return plan_tiles(height, width, int(tile), stride)


def check_tile(tile: int | str, stride: int) -> None:
    """Raise ValueError for a `tile` of `plan_parts` that is none."""
    if tile != "auto" and (not isinstance(tile, int) or (tile != 0 and tile < stride)):
        raise ValueError(f'tile must be "auto", 0 for the whole photo, or at least {stride} pixels, got {tile!r}')


def plan_tiles(height: int, width: int, size: int, stride: int) -> list[Window]:
    """Cover a photo with windows of about equal size that do not overlap, row by row.

    Args:
        height: of the photo, a multiple of `stride`.
        width: likewise.
        size: the longest side allowed, at least `stride`; 0 for one window.
        stride: windows start and end at its multiples.
    """
    rows, columns = (1 if size == 0 else _count(length, size, stride) for length in (height, width))
    return _grid(height, width, rows, columns, stride)


def cut_window(window: Window, size: int, stride: int) -> list[Window]:
    """Return parts of a window whose sides are at most `size`, as `plan_tiles` cuts a photo."""
    parts = plan_tiles(window.bottom - window.top, window.right - window.left, size, stride)
    top, left = window.top, window.left
    return [Window(top + p.top, left + p.left, top + p.bottom, left + p.right) for p in parts]


def plan_windows(height: int, width: int, halo: int, pixels: float, least: int, stride: int) -> list[Window]:
    """Cover a photo with windows so that as few pixels as possible are computed more than once.

    With what lies around them all are about equal, so that memory freed by one serves the next: those at the photo's
    border, which see less around them, are larger.

    Args:
        height: of the photo, a multiple of `stride`.
        width: likewise.
        halo: how far around a window pixels are needed, within the photo.
        pixels: how many of them a window and its surroundings may have.
        least: the shortest side of a window that is worth it, whatever `pixels` says; at least `stride`.
        stride: windows start and end at its multiples.
    """
    smallest = _count(height, least, stride), _count(width, least, stride)
    fitting = [
        (rows, columns)
        for rows in range(1, smallest[0] + 1)
        for columns in range(1, smallest[1] + 1)
        if _longest_seen(height, rows, halo, least, stride) * _longest_seen(width, columns, halo, least, stride)
        <= pixels
    ]
    rows, columns = min(
        fitting,
        key=lambda counts: (height + 2 * halo * (counts[0] - 1)) * (width + 2 * halo * (counts[1] - 1)),
        default=smallest,
    )
    borders = _border(height, rows, halo, least), _border(width, columns, halo, least)
    return _grid(height, width, rows, columns, stride, borders)


def _grid(
    height: int, width: int, rows: int, columns: int, stride: int, borders: tuple[int, int] = (0, 0)
) -> list[Window]:
    tops, lefts = _cuts(height, rows, borders[0], stride), _cuts(width, columns, borders[1], stride)
    return [Window(top, left, bottom, right) for top, bottom in pairwise(tops) for left, right in pairwise(lefts)]


def _count(length: int, size: int, stride: int) -> int:
    """Return into how many parts of at most `size` a side is cut."""
    return -(-(length // stride) // (size // stride))


def _border(length: int, count: int, halo: int, least: int) -> int:
    """Return by how many pixels the parts at both ends, which see one halo less, are longer: none in a short side."""
    return halo if count > 1 and length - 2 * halo >= count * least else 0


def _longest_seen(length: int, count: int, halo: int, least: int, stride: int) -> int:
    """Return the longest part of a side with its surroundings, in pixels."""
    border = _border(length, count, halo, least)
    part = -(-(length - 2 * border) // stride // count) * stride
    return min(length, part + halo * (2 if border else min(count - 1, 2)))


def _cuts(length: int, count: int, border: int, stride: int) -> list[int]:
    """Cut a side into parts of about equal length, of which the first and the last have `border` pixels more."""
    steps, more = length // stride, border // stride
    inner = [more + (steps - 2 * more) * index // count for index in range(1, count)]
    return [stride * cut for cut in (0, *inner, steps)]
