"""A photo and its restoration mixed, of any part of them.

H height, W width; h, w of a part.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from opir.ops.colours import in_unit, store
from opir.ops.window import Window
from opir.photo import Photo

DOUBTFUL_FROM, DOUBTFUL_TO = 1.5, 3.0
"""The uncertainty from which the photo is kept in part, and from which it is kept wholly."""


_ROWS_AT_A_TIME = 256  # a large photo is never copied as a whole


def mix(photo: Photo, restored: Tensor, strength: float = 1.0, uncertainty: NDArray[Any] | None = None) -> Tensor:
    """Mix a photo and its restoration: (3, H, W), kept as the restoration is, or as the photo is where that is all.

    Args:
        photo: the photo.
        restored: its restoration, (3, H, W) in [0, 1], or uint8 grey values.
        strength: 0 is the photo, 1 the restoration.
        uncertainty: UM, (H, W): the photo is kept where it is high; None where that does not count.

    Raises:
        ValueError: for a strength out of range.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be between 0 (the photo) and 1 (the restoration), got {strength}")
    if strength == 1 and uncertainty is None:
        return restored
    if strength == 0:
        return photo.compact_rgb
    mixed = torch.empty_like(restored)
    for top in range(0, photo.height, _ROWS_AT_A_TIME):
        rows = Window(top, 0, min(top + _ROWS_AT_A_TIME, photo.height), photo.width)
        store(mix_part(photo, restored, rows, strength, uncertainty), rows.of(mixed))
    return mixed


def mix_part(
    photo: Photo, restored: Tensor, part: Window, strength: float = 1.0, uncertainty: NDArray[Any] | None = None
) -> Tensor:
    """Mix a part of a photo and of its restoration as `mix` does with the whole: (3, h, w), sRGB in [0, 1]."""
    share: Tensor | float = strength
    if uncertainty is not None:
        doubt = (part.of(torch.from_numpy(uncertainty)).float() - DOUBTFUL_FROM) / (DOUBTFUL_TO - DOUBTFUL_FROM)
        share = strength * (1 - doubt.clamp(0, 1))
    return torch.lerp(photo.rgb_of(part), in_unit(part.of(restored)), share)
