"""WebP by Pillow. RIFF chunks tell how a file was made: "WebP Container Specification", RFC 9649."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, WebPImagePlugin

from opir.photo.beside.behind import ORIGIN, behind
from opir.photo.beside.described import Described
from opir.photo.beside.exif import read_exif
from opir.photo.beside.properties import FileProperties
from opir.photo.codecs.sizes import quality_of_size
from opir.photo.pixels.pictures import array_of
from opir.photo.raw import Allowed, Raw

QUALITY, FINEST = 92, 100


def read(data: bytes, allowed: Allowed) -> Raw:
    """Decode a WebP; raises ImageError where it is too large or moves, and what Pillow raises for damage."""
    chunks = dict(_chunks(data))
    picture = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
    allowed.check(*picture.size)
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        raise allowed.still(f"{frames} frames")
    exif = read_exif(picture.info.get("exif") or b"")
    left_out = [ORIGIN] if b"C2PA" in chunks else []
    left_out += behind(data, 8 + int.from_bytes(data[4:8], "little"), picture.info.get("xmp") or b"")
    return Raw(
        pixels=array_of(picture),
        described=Described(icc=picture.info.get("icc_profile") or None),
        exif=exif,
        xmp=picture.info.get("xmp") or b"",
        dpi=exif.resolution,
        lossless=b"VP8L" in chunks,
        left_out=tuple(left_out),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the name and place of each chunk of a RIFF file, wherever it lies."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, at
        at += 8 + size + size % 2


def write(file: BinaryIO, pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> None:
    """Write (H, W, C) of uint8, without loss where the photo came so, else about as large as it came."""
    is_own = properties.file_format == "WEBP"
    options: dict[str, Any] = {"lossless": is_own and properties.lossless, "exact": True}
    if quality is None and is_own and not properties.lossless and properties.bytes_a_pixel:
        quality = quality_of_size(_encoded, pixels, properties.bytes_a_pixel, FINEST)
    options["quality"] = quality or QUALITY
    if properties.icc:
        options["icc_profile"] = properties.icc
    if properties.exif:
        options["exif"] = properties.exif
    if properties.xmp:
        options["xmp"] = properties.xmp
    _picture(pixels).save(file, format="WEBP", **options)


def _encoded(pixels: NDArray[Any], quality: int) -> bytes:
    file = io.BytesIO()
    _picture(pixels).save(file, format="WEBP", quality=quality, exact=True)
    return file.getvalue()


def _picture(pixels: NDArray[Any]) -> Image.Image:
    if pixels.shape[2] == 2:  # WebP has no grey with alpha
        pixels = pixels[..., [0, 0, 0, 1]]
    return Image.fromarray(np.ascontiguousarray(pixels if pixels.shape[2] > 1 else pixels[..., 0]))
