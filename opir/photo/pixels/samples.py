"""Colours in [0, 1] as whole numbers of 8 or 16 bits, for files and for screens.

C colours, H height, W width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from opir.ops.colours import in_unit
from opir.photo.pixels.colour import MatrixProfile

ROWS_AT_A_TIME = 64
"""When colours become samples: they stay in the processor's cache."""


def to_samples(
    image: Tensor,
    dtype: Any,
    profile: MatrixProfile | None = None,
    beyond: Tensor | None = None,
    channels: int = 3,
    unused: int = 0,
) -> NDArray[Any]:
    """Round sRGB (3, H, W) in [0, 1] to samples (H, W, C + unused) of a profile; some rows at a time.

    Decimal fractions, float32, are not rounded.
    """
    _, height, width = image.shape
    samples = np.empty((height, width, channels + unused), dtype)
    for top in range(0, height, ROWS_AT_A_TIME):
        rows = in_unit(image[:, top : top + ROWS_AT_A_TIME].detach()).cpu()
        if profile is not None:
            rows = profile.from_srgb(rows if beyond is None else rows + beyond[:, top : top + ROWS_AT_A_TIME])
        rounded = rows[:channels].clamp(0, 1)
        if dtype != np.float32:
            rounded = rounded.mul_(np.iinfo(dtype).max).round_()
        samples[top : top + ROWS_AT_A_TIME, :, :channels] = rounded.permute(1, 2, 0).numpy()
    return samples


def to_picture(rgb: Tensor, alpha: NDArray[Any] | None = None) -> Image.Image:
    """Return colours (3, H, W) as an 8-bit sRGB picture to show, with transparency where there is any."""
    pixels = to_samples(rgb, np.uint8)
    if alpha is not None:
        pixels = np.concatenate([pixels, rescaled(alpha, np.uint8)[..., None]], axis=2)
    return Image.fromarray(pixels)


def rescaled(samples: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return an alpha channel of uint8 or uint16 as uint8, uint16 or float32."""
    if samples.dtype == dtype:
        return samples
    most = np.iinfo(samples.dtype).max
    if dtype == np.float32:
        return samples.astype(np.float32) / np.float32(most)
    if most == 255:
        return (samples.astype(np.uint32) * 257).astype(dtype)
    return ((samples.astype(np.uint32) + 128) // 257).astype(dtype)
