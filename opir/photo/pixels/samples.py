"""Colours in [0, 1] as whole numbers of 8 or 16 bits, for files and for screens.

C colours, H height, W width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from opir.ops.colours import in_unit

ROWS_AT_A_TIME = 64
"""When colours become samples: they stay in the processor's cache."""


def to_samples(colours: Tensor, dtype: Any) -> NDArray[Any]:
    """Clamp colours of any shape to [0, 1] and round them to samples of a type; decimal fractions are not rounded.

    Grey values (uint8) that stay such are returned as they are, not copied.
    """
    if colours.dtype == torch.uint8 and dtype == np.uint8:
        return colours.numpy()
    unit = in_unit(colours).clamp(0, 1)
    if dtype != np.float32:
        unit = unit.mul_(np.iinfo(dtype).max).round_()
    return unit.numpy().astype(dtype, copy=False)


def to_picture(rgb: Tensor, alpha: NDArray[Any] | None = None) -> Image.Image:
    """Return colours (3, H, W) as an 8-bit sRGB picture to show, with transparency where there is any."""
    _, height, width = rgb.shape
    pixels = np.empty((height, width, 3 if alpha is None else 4), np.uint8)
    for top in range(0, height, ROWS_AT_A_TIME):
        rows = rgb[:, top : top + ROWS_AT_A_TIME].detach().cpu()
        pixels[top : top + ROWS_AT_A_TIME, :, :3] = to_samples(rows, np.uint8).transpose(1, 2, 0)
    if alpha is not None:
        pixels[..., 3] = rescaled(alpha, np.uint8)
    return Image.fromarray(pixels)


def rescaled(samples: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return samples of uint8, uint16 or float32 as one of the others."""
    if samples.dtype == dtype:
        return samples
    if samples.dtype == np.float32:
        return to_samples(torch.from_numpy(samples), dtype)
    most = np.iinfo(samples.dtype).max
    if dtype == np.float32:
        return samples.astype(np.float32) / np.float32(most)
    if most == 255:
        return (samples.astype(np.uint32) * 257).astype(dtype)
    return ((samples.astype(np.uint32) + 128) // 257).astype(dtype)


def spread(samples: NDArray[Any], bits: int) -> NDArray[Any]:
    """Return samples of 1 to 16 bits over the whole range of uint8, or of uint16 above 8 bits."""
    dtype = np.uint8 if bits <= 8 else np.uint16
    if bits in (8, 16) or bits > 16:
        return samples
    most = np.iinfo(dtype).max
    values = np.rint(np.arange(2**bits) * (most / (2**bits - 1))).astype(dtype)
    spread: NDArray[Any] = values[np.minimum(samples, 2**bits - 1)]
    return spread


def unmultiplied(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Undo what associated alpha (H, W) did to colours (H, W, C)."""
    most = 1.0 if colours.dtype.kind == "f" else float(np.iinfo(colours.dtype).max)
    result = np.empty_like(colours)
    for row in range(colours.shape[0]):
        share = np.maximum(alpha[row, :, None], 1e-6 if most == 1 else 1) / most
        straight = np.minimum(colours[row] / share, most)
        result[row] = straight if most == 1 else np.rint(straight)
    return result


def from_narrow(samples: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers of the narrow range of video, 16 to 235 in 8 bits, over their whole range."""
    most = np.iinfo(samples.dtype).max
    step = (most + 1) // 256
    values = (np.arange(most + 1.0) - 16 * step) * (most / (219 * step))
    wide: NDArray[Any] = np.rint(values.clip(0, most)).astype(samples.dtype)[samples]
    return wide
