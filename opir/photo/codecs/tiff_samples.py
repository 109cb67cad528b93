"""The samples of a TIFF page as numbers: by tifffile, or by Pillow for what that does not decode.

H height, W width, S samples a pixel.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from opir.errors import ImageError
from opir.photo.pixels.lab import ycbcr_to_rgb
from opir.photo.pixels.pictures import array_of
from opir.photo.raw import Allowed

_RGB, _YCBCR, _LAB, _ICC_LAB = 2, 6, 8, 9
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_JPEG = 7
_DECODED_TO_RGB = (_JPEG, 34892, 33003, 33005, 34712, 50001)
"""Compressions whose decoders convert YCbCr: JPEG, and those of JPEG 2000 and WebP."""


def stored_samples(page: tifffile.TiffPage, data: bytes, allowed: Allowed) -> tuple[NDArray[Any], list[str]]:
    """Return the stored samples (H, W, S), by tifffile or, for what it does not decode, by Pillow in 8 bits."""
    bits, forms = page.bitspersample, page.tags.valueof(339, _UNSIGNED)
    form = max(forms) if isinstance(forms, tuple) else int(forms or _UNSIGNED)
    if form == _SIGNED and int(page.photometric) not in (_LAB, _ICC_LAB):
        raise allowed.unsupported("a TIFF of signed samples")
    if form not in (_UNSIGNED, _SIGNED, _FLOAT, 4):
        raise allowed.unsupported("a TIFF of complex numbers")
    if int(page.photometric) == _YCBCR and _is_not_subsampled(page, len(data)):
        page.subsampling = (1, 1)
    is_subsampled = tuple(page.subsampling or (1, 1)) != (1, 1)
    is_plain_ycbcr = (
        is_subsampled and int(page.photometric) == _YCBCR and int(page.compression) not in _DECODED_TO_RGB
    )
    # Each plane is a grey JPEG of its own; tifffile and its decoder would convert its colours.
    is_jpeg_in_planes = int(page.compression) == _JPEG and int(page.planarconfig) == 2
    is_jpeg_in_planes &= int(page.photometric) in (_RGB, _YCBCR)
    if is_jpeg_in_planes and page.samplesperpixel != 3:  # Pillow takes the wrong planes
        raise allowed.unsupported("a TIFF of JPEG in planes with a channel beside the colours")
    has_mixed_depths = isinstance(bits, tuple) and len(set(bits)) > 1
    if is_plain_ycbcr or is_jpeg_in_planes or has_mixed_depths or int(page.compression) == 6:
        return _by_pillow(data, allowed), []
    pixels = page.asarray()
    if pixels is None:
        raise ValueError("there are no pixels in it")
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    elif page.axes.startswith("S"):
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim != 3 or pixels.shape[:2] != (page.imagelength, page.imagewidth):
        raise allowed.unsupported(f"a TIFF with axes {page.axes}")
    pixels = _unsigned(pixels)
    if pixels.dtype.kind in "iu" and pixels.dtype.itemsize > 2:
        kept = np.rint(pixels * (65535 / np.iinfo(pixels.dtype).max)).astype(np.uint16)
        return kept, ["all but 16 bits of each colour"]
    if int(page.photometric) == _YCBCR and int(page.compression) not in _DECODED_TO_RGB:
        pixels = ycbcr_to_rgb(pixels, page.tags.valueof(529), page.tags.valueof(532))
    if pixels.dtype.kind not in "uf":
        raise allowed.unsupported(f"a TIFF of {pixels.dtype} samples")
    return pixels, []


def _unsigned(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the same bits as unsigned numbers, those of one bit in a byte each."""
    if pixels.dtype.kind == "i":
        return pixels.view(f"u{pixels.dtype.itemsize}")
    return pixels.astype(np.uint8) if pixels.dtype.kind == "b" else pixels


def _is_not_subsampled(page: tifffile.TiffPage, length: int) -> bool:
    """Tell a page of plain samples that does not say so: some programs forget the tag."""
    plain = page.imagewidth * page.imagelength * page.samplesperpixel * np.dtype(page.dtype or np.uint8).itemsize
    return int(page.compression) == 1 and 530 not in page.tags and sum(page.databytecounts) == plain <= length


@cache
def _silence_libtiff() -> None:
    """Keep the libtiff of Pillow's wheels from printing a line of its own before Pillow raises what says the same."""
    package = Path(Image.__file__).parent
    for library in (*package.parent.glob("pillow.libs/libtiff*"), *package.glob(".dylibs/libtiff*")):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(str(library)).TIFFSetErrorHandler(None)


def _by_pillow(data: bytes, allowed: Allowed) -> NDArray[Any]:
    _silence_libtiff()
    try:
        with TiffImagePlugin.TiffImageFile(io.BytesIO(data)) as picture:
            return array_of(picture)
    except ImageError:
        raise
    except (ValueError, OSError, SyntaxError) as error:
        raise allowed.unsupported(
            "a TIFF of subsampled YCbCr, of old JPEG, of JPEG in planes or of mixed depths"
        ) from error


def checked_fractions(samples: NDArray[Any], allowed: Allowed) -> NDArray[np.float32]:
    low, high = float(samples.min()), float(samples.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # NaN too
        raise ImageError(
            f"{allowed.name}: expected a TIFF with values from 0 to 1, got {low:g} to {high:g} (HDR, or no photo); "
            "export it with 16 bits"
        )
    return samples.astype(np.float32).clip(0, 1)


def looked_up(indices: NDArray[Any], palette: Any) -> NDArray[np.uint8]:
    """Return the colours of a palette, whose values are of 16 bits, or of 8 in files of old programs."""
    if palette is None or palette.ndim != 2 or palette.shape[0] != 3:
        raise ValueError("its palette is missing")
    table = palette.T if palette.max() < 256 else palette.T >> 8
    colours: NDArray[np.uint8] = table.astype(np.uint8)[np.minimum(indices, len(table) - 1)]
    return colours
