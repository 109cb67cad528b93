"""Parts of a photo: rows and columns, what lies around them, and where they lie in larger or smaller copies.

... any leading axes, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

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

    def shrunk(self, factor: int) -> Window:
        """Return the same part of a picture whose sides are `factor` times shorter; bounds are its multiples."""
        return Window(self.top // factor, self.left // factor, self.bottom // factor, self.right // factor)

    def within(self, outer: Window) -> Window:
        """Return where this window lies in an outer one."""
        return Window(self.top - outer.top, self.left - outer.left, self.bottom - outer.top, self.right - outer.left)
