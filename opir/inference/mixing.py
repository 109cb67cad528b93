"""The photo and its restoration mixed, of any part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from opir.ops.levels import in_unit
from opir.ops.window import Window
from opir.photo.photo import to_picture

if TYPE_CHECKING:
    from opir.inference.restoration import Restoration

DOUBTFUL_FROM, DOUBTFUL_TO = 1.5, 3.0
"""The uncertainty from which `protect` starts to keep the input, and from which it keeps it wholly."""


def mix_part(result: Restoration, part: Window, strength: float = 1.0, protect: bool = False) -> Tensor:
    """Mix a part of a photo and of its restoration, as `Restoration.blend` does with the whole.

    Args:
        result: the restoration.
        part: inside the photo.
        strength: 0 is the photo, 1 the restoration.
        protect: keep the photo where the uncertainty is high.

    Returns:
        The part, (3, h, w), sRGB in [0, 1].
    """
    share: Tensor | float = strength
    if protect:
        uncertainty = part.of(torch.from_numpy(result.uncertainty)).float()
        doubt = (uncertainty - DOUBTFUL_FROM) / (DOUBTFUL_TO - DOUBTFUL_FROM)
        share = strength * (1 - doubt.clamp(0, 1))
    return torch.lerp(in_unit(part.of(result.photo.rgb)), in_unit(part.of(result.restored_rgb)), share)


def cut(
    result: Restoration, part: Window, strength: float = 1.0, protect: bool = False
) -> tuple[Image.Image, Image.Image]:
    """Show a part of the photo and the same part mixed by `mix_part`, as 8-bit sRGB without transparency."""
    return to_picture(in_unit(part.of(result.photo.rgb))), to_picture(mix_part(result, part, strength, protect))
