"""Cutting a large photo into parts that are computed one at a time and give the result of the whole.

... any leading axes, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor


@dataclass(frozen=True)
class Window:
    """Rows top to bottom and columns left to right of a photo, the ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def longest(self) -> int:
        """The longer side, in pixels."""
        return max(self.bottom - self.top, self.right - self.left)

    def of(self, image: Tensor) -> Tensor:
        """Return this part of an image (..., H, W), as a view."""
        return image[..., self.top : self.bottom, self.left : self.right]

    def grown(self, border: int, height: int, width: int) -> Window:
        """Return the window with a border on all sides, as far as the photo reaches."""
        return Window(
            max(self.top - border, 0),
            max(self.left - border, 0),
            min(self.bottom + border, height),
            min(self.right + border, width),
        )

    def aligned(self, stride: int) -> Window:
        """Return the smallest window around it whose bounds are multiples of `stride`."""
        return Window(
            self.top // stride * stride,
            self.left // stride * stride,
            -(-self.bottom // stride) * stride,
            -(-self.right // stride) * stride,
        )

    def scaled(self, factor: int) -> Window:
        """Return the same part of a picture whose sides are `factor` times as long."""
        return Window(self.top * factor, self.left * factor, self.bottom * factor, self.right * factor)

    def shrunk(self, factor: int) -> Window:
        """Return the same part of a picture whose sides are `factor` times shorter; bounds are its multiples."""
        return Window(self.top // factor, self.left // factor, self.bottom // factor, self.right // factor)

    def cut(self, size: int, stride: int) -> list[Window]:
        """Return parts of it whose sides are at most `size`, as `plan_tiles` cuts a photo."""
        parts = plan_tiles(self.bottom - self.top, self.right - self.left, size, stride)
        top, left = self.top, self.left
        return [Window(top + p.top, left + p.left, top + p.bottom, left + p.right) for p in parts]

    def within(self, outer: Window) -> Window:
        """Return where this window lies in an outer one."""
        return Window(self.top - outer.top, self.left - outer.left, self.bottom - outer.top, self.right - outer.left)


def plan_tiles(height: int, width: int, size: int, stride: int) -> list[Window]:
    """Cover a photo with windows of about equal size that do not overlap, row by row.

    Args:
        height: of the photo, a multiple of `stride`.
        width: likewise.
        size: the longest side allowed, at least `stride`; 0 for one window.
        stride: windows start and end at its multiples.
    """
    rows, columns = (_cuts(length, size, stride) for length in (height, width))
    return [Window(top, left, bottom, right) for top, bottom in pairwise(rows) for left, right in pairwise(columns)]


def _cuts(length: int, size: int, stride: int) -> list[int]:
    steps = length // stride
    count = 1 if size == 0 else -(-steps // (size // stride))
    return [steps * index // count * stride for index in range(count + 1)]
