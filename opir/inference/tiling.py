"""Cutting a large photo into parts that are computed one at a time and give the result of the whole."""

from __future__ import annotations

from itertools import pairwise

from opir.ops.window import Window


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
    """Cover a photo with windows whose surroundings are as little as can be: those are computed more than once.

    Args:
        height: of the photo, a multiple of `stride`.
        width: likewise.
        halo: how far around itself a window is seen, as far as the photo reaches.
        pixels: how many of them a window and its surroundings may have.
        least: the shortest side of a window that is worth it, whatever `pixels` says; at least `stride`.
        stride: windows start and end at its multiples.
    """
    smallest = _count(height, least, stride), _count(width, least, stride)
    fitting = [
        (rows, columns)
        for rows in range(1, smallest[0] + 1)
        for columns in range(1, smallest[1] + 1)
        if _longest_seen(height, rows, halo, stride) * _longest_seen(width, columns, halo, stride) <= pixels
    ]
    rows, columns = min(
        fitting,
        key=lambda counts: (height + 2 * halo * (counts[0] - 1)) * (width + 2 * halo * (counts[1] - 1)),
        default=smallest,
    )
    return _grid(height, width, rows, columns, stride)


def _grid(height: int, width: int, rows: int, columns: int, stride: int) -> list[Window]:
    tops, lefts = _cuts(height, rows, stride), _cuts(width, columns, stride)
    return [Window(top, left, bottom, right) for top, bottom in pairwise(tops) for left, right in pairwise(lefts)]


def _count(length: int, size: int, stride: int) -> int:
    """Return into how many parts of at most `size` a side is cut."""
    return -(-(length // stride) // (size // stride))


def _longest_seen(length: int, count: int, halo: int, stride: int) -> int:
    part = -(-(length // stride) // count) * stride
    return min(length, part + halo * min(count - 1, 2))


def _cuts(length: int, count: int, stride: int) -> list[int]:
    steps = length // stride
    return [steps * index // count * stride for index in range(count + 1)]
