"""How coarse a lossy file may be so that it is about as large as the one that the photo came in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PATCH, _PATCHES_A_SIDE = 96, 4
COARSEST, STEP = 40, 2
LARGER, SMALL_FILE = 1.4, 8000
"""A result may be so many times larger than the photo's own file, and of so many bytes in any case: encoding a second
time at the same size would lose more."""


def quality_of_size(
    encode: Callable[[NDArray[Any], int], bytes], pixels: NDArray[Any], bytes_a_pixel: float, finest: int
) -> int:
    """Return the finest quality at which a photo takes not much more bytes a pixel than those given.

    It is tried on patches from all over the photo, beside one another.

    Args:
        encode: makes a file of pixels (H, W, C) at a quality.
        pixels: of the photo.
        bytes_a_pixel: what the photo's own file took.
        finest: the quality never gone beyond.
    """
    sample = _patches(pixels)
    share = sample.shape[0] * sample.shape[1] / (pixels.shape[0] * pixels.shape[1])
    budget = max(LARGER * bytes_a_pixel * pixels.shape[0] * pixels.shape[1], SMALL_FILE) * share
    qualities: list[int] = [*range(COARSEST, finest, STEP), finest]
    too_fine = bisect_right(qualities, budget, key=lambda quality: len(encode(sample, quality)))
    return qualities[max(too_fine - 1, 0)]


def _patches(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return 4×4 patches spread evenly over a photo as one picture, or a small photo itself."""
    height, width = pixels.shape[:2]
    side = _PATCH * _PATCHES_A_SIDE
    if height * width <= 2 * side * side:
        return pixels
    rows, columns = (
        np.concatenate([np.arange(start, start + min(_PATCH, length)) for start in _starts(length)])
        for length in (height, width)
    )
    return np.ascontiguousarray(pixels[np.ix_(rows, columns)])


def _starts(length: int) -> list[int]:
    last = max(length - _PATCH, 0)
    return [round(last * index / (_PATCHES_A_SIDE - 1)) for index in range(_PATCHES_A_SIDE)]
