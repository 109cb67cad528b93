"""CIE L*a*b*, inks and YCbCr as files hold them, to sRGB.

H height, W width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opir.photo.pixels.colour import SRGB_TO_D50

_D50 = np.array([0.9642, 1.0, 0.8249])
_ROWS_AT_A_TIME = 64


def lab_to_srgb(pixels: NDArray[Any], is_signed: bool = True) -> NDArray[Any]:
    """Return L*a*b* (D50) as sRGB of the same depth, clipped to what sRGB holds (TIFF 6.0 section 23; ICC.1).

    Args:
        pixels: (H, W, 3) of uint8 or uint16; L over the whole range, a and b in 1 or 1/256.
        is_signed: whether a and b are signed numbers (CIELab), or begin at -128 (ICCLab).
    """
    most = np.iinfo(pixels.dtype).max
    step = 1 if pixels.dtype == np.uint8 else 256
    result = np.empty_like(pixels)
    for top in range(0, pixels.shape[0], _ROWS_AT_A_TIME):
        rows = pixels[top : top + _ROWS_AT_A_TIME]
        lightness = rows[..., 0].astype(np.float64) * (100 / most)
        both = rows[..., 1:]
        if is_signed:
            both = both.astype(np.int8 if step == 1 else np.int16).astype(np.float64) / step
        else:
            both = both.astype(np.float64) / step - 128
        middle = (lightness + 16) / 116
        f = np.stack([middle + both[..., 0] / 500, middle, middle - both[..., 1] / 200], axis=-1)
        xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _D50
        linear = np.clip(xyz @ np.linalg.inv(SRGB_TO_D50).T, 0, 1)
        encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
        result[top : top + _ROWS_AT_A_TIME] = np.rint(encoded * most)
    return result


def inks_to_srgb(inks: NDArray[Any]) -> NDArray[Any]:
    """Return CMYK (H, W, 4), 0 for no ink, as RGB by the plain formula, for photos that say nothing of their inks."""
    if inks.dtype == np.float32:
        light: NDArray[Any] = (1 - inks[..., :3]) * (1 - inks[..., 3:])
        return light
    most = np.iinfo(inks.dtype).max
    result = np.empty((*inks.shape[:2], 3), inks.dtype)
    for top in range(0, inks.shape[0], _ROWS_AT_A_TIME):
        left = (most - inks[top : top + _ROWS_AT_A_TIME].astype(np.float64)) / most
        result[top : top + _ROWS_AT_A_TIME] = np.rint(left[..., :3] * left[..., 3:] * most)
    return result


def ycbcr_to_rgb(pixels: NDArray[Any], luma: Any = None, reference: Any = None) -> NDArray[Any]:
    """Return YCbCr (H, W, 3) of uint8 or uint16 as RGB of the same depth (TIFF 6.0, section 21).

    Args:
        pixels: not subsampled.
        luma: YCbCrCoefficients as six whole numbers, None for those of BT.601.
        reference: ReferenceBlackWhite as twelve, None for the full range.
    """
    red, green, blue = _fractions(luma, 3) or (0.299, 0.587, 0.114)
    most = float(np.iinfo(pixels.dtype).max)
    middle = (most + 1) / 2
    low_y, high_y, low_b, high_b, low_r, high_r = _fractions(reference, 6) or (0, most, middle, most, middle, most)
    result = np.empty_like(pixels)
    for top in range(0, pixels.shape[0], _ROWS_AT_A_TIME):
        rows = pixels[top : top + _ROWS_AT_A_TIME].astype(np.float64)
        y = (rows[..., 0] - low_y) * most / (high_y - low_y)
        cb = (rows[..., 1] - low_b) * (middle - 1) / (high_b - low_b)
        cr = (rows[..., 2] - low_r) * (middle - 1) / (high_r - low_r)
        r, b = cr * (2 - 2 * red) + y, cb * (2 - 2 * blue) + y
        g = (y - blue * b - red * r) / green
        result[top : top + _ROWS_AT_A_TIME] = np.rint(np.stack([r, g, b], axis=-1).clip(0, most))
    return result


def _fractions(values: Any, count: int) -> tuple[float, ...] | None:
    """Return TIFF's rational numbers as such, None where they are no numbers to compute with."""
    if not isinstance(values, tuple) or len(values) != 2 * count or not all(values[1::2]):
        return None
    found = tuple(top / bottom for top, bottom in zip(values[::2], values[1::2], strict=True))
    sound = all(found) if count == 3 else all(high > low for low, high in zip(found[::2], found[1::2], strict=True))
    return found if sound else None
