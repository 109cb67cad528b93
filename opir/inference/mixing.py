"""Mixes a photo and its restoration, or a part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from opir.ops.colours import in_unit, store
from opir.ops.window import Window
from opir.photo import to_picture

if TYPE_CHECKING:
    from opir.inference.restoration import Restoration

DOUBTFUL_FROM, DOUBTFUL_TO = 1.5, 3.0
"""The uncertainty from which `protect` starts to keep the input, and from which it keeps it wholly."""


_ROWS_AT_A_TIME = 256  # a large photo is never copied as a whole


def mix(result: Restoration, strength: float = 1.0, protect: bool = False) -> Tensor:
    """Mix a photo and its restoration: (3, H, W), kept as the restoration is.

    Args:
        result: the restoration.
        strength: 0 is the photo, 1 the restoration.
        protect: keep the photo where the uncertainty is high.

    Raises:
        ValueError: for a strength out of range.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be between 0 (the photo) and 1 (the restoration), got {strength}")
    if strength == 1 and not protect:
        return result.restored_rgb
    mixed = torch.empty_like(result.restored_rgb)
    for top in range(0, result.height, _ROWS_AT_A_TIME):
        rows = Window(top, 0, min(top + _ROWS_AT_A_TIME, result.height), result.width)
        store(mix_part(result, rows, strength, protect), rows.of(mixed))
    return mixed


def mix_part(result: Restoration, part: Window, strength: float = 1.0, protect: bool = False) -> Tensor:
    """Mix a part of a photo and of its restoration as `mix` does with the whole: (3, h, w), sRGB in [0, 1]."""
    share: Tensor | float = strength
    if protect:
        uncertainty = part.of(torch.from_numpy(result.uncertainty)).float()
        doubt = (uncertainty - DOUBTFUL_FROM) / (DOUBTFUL_TO - DOUBTFUL_FROM)
        share = strength * (1 - doubt.clamp(0, 1))
    return torch.lerp(result.photo.rgb_of(part), in_unit(part.of(result.restored_rgb)), share)


def cut(
    result: Restoration, part: Window, strength: float = 1.0, protect: bool = False
) -> tuple[Image.Image, Image.Image]:
    """Show a part of the photo and the same part mixed by `mix_part`, as 8-bit sRGB without transparency."""
    return to_picture(result.photo.rgb_of(part)), to_picture(mix_part(result, part, strength, protect))
