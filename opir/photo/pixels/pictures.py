"""Pillow's pictures as arrays, whatever their mode.

H height, W width, C channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGBA or CMYK).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from opir.photo.pixels.lab import lab_to_srgb


def array_of(picture: Image.Image) -> NDArray[Any]:
    """Return a picture's pixels (H, W, C): uint8, uint16 for 16 bits, float32 for decimal fractions.

    CMYK stays as it is, four inks; LAB becomes sRGB; palettes become colours; transparency is a channel.

    Raises:
        ValueError: for a mode that is no photo's.
    """
    picture.load()
    mode = picture.mode
    see_through = picture.has_transparency_data or mode in ("La", "RGBa")
    if mode in ("1", "L", "LA", "La"):
        wanted = "LA" if see_through else "L"
    elif mode in ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr"):
        wanted = "RGBA" if see_through else "RGB"
    elif mode.startswith("I;16"):
        return np.asarray(picture).astype(np.uint16)[..., None]
    elif mode == "I":
        return _whole_numbers(np.asarray(picture))[..., None]
    elif mode == "F":
        return np.asarray(picture).astype(np.float32)[..., None]
    elif mode == "LAB":
        return lab_to_srgb(np.asarray(picture))
    elif mode == "CMYK":
        wanted = "CMYK"
    else:
        raise ValueError(f"expected grey or colours, got mode {mode}")
    pixels = np.asarray(picture if mode == wanted else picture.convert(wanted))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _whole_numbers(values: NDArray[Any]) -> NDArray[np.uint16]:
    if values.min() < 0 or values.max() > 65535:
        raise ValueError(f"expected whole numbers from 0 to 65535, got {values.min()} to {values.max()}")
    return values.astype(np.uint16)
