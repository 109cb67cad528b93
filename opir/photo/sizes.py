"""How coarse a lossy file may be so that it is about as large as the one that the photo came in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PATCH, _PATCHES_A_SIDE = 128, 4
COARSEST, FINEST = 40, 95


def quality_of_size(
    encode: Callable[[NDArray[Any], int], bytes], pixels: NDArray[Any], bytes_a_pixel: float, finest: int = FINEST
) -> int:
    """Return the finest quality at which a photo takes no more bytes a pixel than those given.

    It is tried on patches from all over the photo, beside one another.

    Args:
        encode: makes a file of pixels (H, W, C) at a quality.
        pixels: of the photo.
        bytes_a_pixel: what the photo's own file took.
        finest: the quality never gone beyond.
    """
    sample = _patches(pixels)
    low, high = COARSEST, finest
    budget = bytes_a_pixel * sample.shape[0] * sample.shape[1]
    while low < high:
        middle = (low + high + 1) // 2
        if len(encode(sample, middle)) <= budget:
            low = middle
        else:
            high = middle - 1
    return low


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
