"""Operators of a smaller copy: how many times smaller it is than the photo that they are applied to (Eq. 15)."""

import math

OPERATOR_SCALES = (1, 2, 4)
PREDICTED_PIXELS = 12_000_000
"""The largest copy that operators are predicted on with `operator_scale="auto"`."""
SCENE_SIDE = 180
"""The least short side, in pixels, of the copy that the network sees of a hazy photo."""
SCENE_TILE = 64
"""Side of the parts of that copy, in its pixels, whose operators a large photo has in memory at once."""


def choose_operator_scale(scale: int | str, width: int, height: int) -> int:
    """Return the scale asked for, or with "auto" the least that leaves a copy of at most `PREDICTED_PIXELS`.

    Raises:
        ValueError: for anything else than "auto" or one of `OPERATOR_SCALES`.
    """
    if scale == "auto":
        needed = (width * height / PREDICTED_PIXELS) ** 0.5
        return next((factor for factor in OPERATOR_SCALES if needed <= factor), OPERATOR_SCALES[-1])
    if not isinstance(scale, int) or scale not in OPERATOR_SCALES:
        raise ValueError(f'operator_scale must be one of 1, 2, 4 or "auto", got {scale!r}')
    return scale


def scene_scale(width: int, height: int) -> int:
    """Return how many times smaller the copy is that a hazy photo's operators are predicted on: a power of two.

    On a small copy the network sees most of the scene. Less haze is left than at the photo's own resolution,
    and a sky stays even (docs/log.md).
    """
    return int(2 ** max(0, math.floor(math.log2(max(1, min(width, height)) / SCENE_SIDE))))
