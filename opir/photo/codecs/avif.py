"""AVIF: Pillow reads its metadata, imagecodecs its pixels in full depth, both by libavif."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin

from opir.photo.beside.boxes import aperture, av1_coding, code_points, more_than_a_picture, with_metadata
from opir.photo.beside.described import SRGB_CODE_POINTS, Described, told_code_points
from opir.photo.beside.exif import read_exif
from opir.photo.beside.properties import FileProperties
from opir.photo.codecs.sizes import quality_of_size
from opir.photo.pixels.pictures import array_of
from opir.photo.pixels.samples import spread
from opir.photo.raw import Allowed, Raw

QUALITY = 90
FINEST = 99
SPEED = 6
_IDENTITY, _BT709 = 0, 1
"""Matrices. With the usual one, 6, libavif computes in a few bits, and loses a grey value at any quality."""
_LOSSLESS = 100


def read(data: bytes, allowed: Allowed) -> Raw:
    """Decode an AVIF; raises ImageError where it is too large or moves, and what libavif raises for damage."""
    coded, cicp = av1_coding(data), code_points(data)
    picture = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    allowed.check(*picture.size)
    if picture.n_frames > 1:
        raise allowed.still(f"{picture.n_frames} frames")
    # Pillow's own Exif data are written anew where the file turns the picture by other means, and lose letters.
    icc, exif_data, orientation, xmp = picture._decoder.get_info()[3:7]
    exif = read_exif(exif_data or b"")
    pixels = _deep(data, coded.depth) if coded.depth > 8 else _eight_bits(picture, coded.chroma == "4:0:0")
    left, top, right, bottom = aperture(data, *picture.size)
    return Raw(
        pixels=pixels[top:bottom, left:right],
        described=Described(icc=icc or None, cicp=cicp and told_code_points(*cicp[:2])),
        exif=exif,
        xmp=xmp or b"",
        dpi=exif.resolution,
        orientation=orientation,
        depth=coded.depth,
        chroma=coded.chroma,
        lossless=cicp is not None and cicp[2] == _IDENTITY,
        left_out=tuple(more_than_a_picture(data)),
    )


def _eight_bits(picture: AvifImagePlugin.AvifImageFile, is_grey: bool) -> NDArray[Any]:
    pixels = array_of(picture)
    if is_grey and pixels.shape[2] > 2:
        return np.ascontiguousarray(pixels[..., [0, 3] if pixels.shape[2] == 4 else [0]])
    return pixels


def _deep(data: bytes, depth: int) -> NDArray[Any]:
    pixels = spread(imagecodecs.avif_decode(data), depth)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def write(file: BinaryIO, pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> None:
    """Write (H, W, C) of uint8 or uint16 in the depth and chroma that it came in, about as large as it came."""
    is_own = properties.file_format == "AVIF"
    depth = 8
    if pixels.dtype == np.uint16:
        depth = 12 if properties.depth == 12 else 10
        pixels = np.rint(pixels * np.float32((2**depth - 1) / 65535)).astype(np.uint16)
    if is_own and properties.lossless:
        quality = quality or _LOSSLESS

    def encode(part: NDArray[Any], quality: int) -> bytes:
        return _encoded(part, quality, depth, properties)

    if quality is None and is_own and properties.bytes_a_pixel:
        quality = quality_of_size(encode, pixels, properties.bytes_a_pixel, FINEST)
    data = encode(pixels, quality or QUALITY)
    file.write(with_metadata(data, properties.icc, properties.exif, properties.xmp))


def _encoded(pixels: NDArray[Any], quality: int, depth: int, properties: FileProperties) -> bytes:
    primaries, curve = properties.described.cicp or SRGB_CODE_POINTS
    matrix = _BT709
    chroma = properties.chroma if properties.file_format in ("AVIF", "HEIF", "JPEG") else "4:2:0"
    if quality == _LOSSLESS:
        matrix, chroma = _IDENTITY, "4:4:4"
    if pixels.shape[2] < 3:
        chroma, matrix = "4:0:0", _BT709
        pixels = pixels if pixels.shape[2] == 2 else pixels[..., 0]
    elif chroma == "4:0:0":
        chroma = "4:2:0"
    return bytes(
        imagecodecs.avif_encode(
            np.ascontiguousarray(pixels),
            level=quality,
            speed=SPEED,
            bitspersample=depth,
            pixelformat=chroma.replace(":", ""),
            primaries=primaries,
            transfer=curve,
            matrix=matrix,
        )
    )
