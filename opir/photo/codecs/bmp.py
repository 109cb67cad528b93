"""BMP by Pillow: 8 bits, no profile and no Exif data."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image

from opir.photo.beside.properties import FileProperties
from opir.photo.pixels.pictures import array_of
from opir.photo.raw import Allowed, Raw


def read(data: bytes, allowed: Allowed) -> Raw:
    """Decode a BMP; raises ImageError where it is too large, and what Pillow raises for damage."""
    picture = BmpImagePlugin.BmpImageFile(io.BytesIO(data))
    allowed.check(*picture.size)
    return Raw(pixels=array_of(picture), dpi=picture.info.get("dpi"), lossless=True)


def write(file: BinaryIO, pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> None:
    """Write (H, W, 1 or 3) of uint8, in sRGB."""
    options = {"dpi": properties.dpi} if properties.dpi else {}
    Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[..., 0]).save(file, format="BMP", **options)
