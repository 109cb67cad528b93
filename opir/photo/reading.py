"""Photo files, pictures and bytes to upright pixels, with what rides along.

H height, W width, C channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGBA).
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from opir.errors import ImageError
from opir.photo.beside.described import Described, by_gamma, told_code_points
from opir.photo.beside.exif import TURNED, read_exif
from opir.photo.beside.private import public_iptc, public_texts, public_xmp
from opir.photo.beside.properties import FileProperties, Stored
from opir.photo.codecs.jpeg import check_undecoded, unitless
from opir.photo.codecs.jpeg_quality import jpeg_chroma, jpeg_quality, jpeg_tables
from opir.photo.formats import FORMATS, READABLE, SNIFFED, format_of_bytes, told_as
from opir.photo.pixels.colour import read_matrix_profile
from opir.photo.pixels.lab import inks_to_srgb
from opir.photo.pixels.pictures import array_of
from opir.photo.raw import Allowed, Raw

DECODING_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, RuntimeError, LookupError, TypeError, ArithmeticError),
    *(AttributeError, AssertionError, struct.error, zlib.error, Image.DecompressionBombError),
    *(NotImplementedError, tifffile.TiffFileError),
)
"""What the libraries raise for one damaged file or another."""
MAX_MEGAPIXELS = 100.0
"""What is always allowed, and all that a public page allows."""
MOST_BYTES_A_PIXEL = 32
"""Of the pixels allowed: a file that is larger is not read into memory."""

Read = tuple[NDArray[Any], FileProperties]

for library in ("PIL", "imagecodecs", "tifffile"):  # what they say of damage is raised as well
    logging.getLogger(library).addHandler(logging.NullHandler())


def read_file(path: Path, max_megapixels: float, keep_location: bool = False) -> Read:
    """Return upright pixels (H, W, C) of uint8, uint16 or float32 and what came with them.

    Raises:
        ImageError: if the file is missing, damaged, of another kind, or larger than `max_megapixels`
            (which is checked before decoding).
    """
    try:
        facts = checked(path)
        if facts.st_size > max_megapixels * 1e6 * MOST_BYTES_A_PIXEL:
            raise ImageError(f"{path.name}: expected a photo, got {facts.st_size / 1e9:.1f} GB; export it again")
        data = path.read_bytes()
    except ImageError:
        raise
    except OSError as error:
        raise ImageError(f"{path.name}: can not be read ({error.strerror or error}); check the file") from error
    pixels, properties = read_bytes(data, max_megapixels, keep_location, path.name)
    return pixels, replace(properties, name=path.name, modified=facts.st_mtime)


def read_bytes(data: bytes, max_megapixels: float, keep_location: bool = False, name: str = "the photo") -> Read:
    """Do the same for a file's content."""
    if not data:
        raise ImageError(f"{name}: expected {READABLE}, got an empty file; copy or export it again")
    file_format = format_of_bytes(data[:SNIFFED])
    if file_format is None:
        raise ImageError(f"{name}: expected {READABLE}, got {told_as(data[:SNIFFED])}; export it as PNG or JPEG")
    try:
        allowed = Allowed(name, max_megapixels)
        raw = FORMATS[file_format].read(data, allowed)
        allowed.check(raw.pixels.shape[1], raw.pixels.shape[0])  # decoders have made none of damaged files
        pixels, properties = _finished(raw, keep_location)
    except ImageError as error:
        raise error if str(error).startswith(name) else ImageError(f"{name}: {error}") from error
    except DECODING_ERRORS as error:
        raise damaged(name, file_format, error) from error
    size = len(data) - len(raw.xmp) - len(properties.icc or b"")
    bytes_a_pixel = size / (pixels.shape[0] * pixels.shape[1])
    return pixels, replace(properties, file_format=file_format, bytes_a_pixel=bytes_a_pixel)


def checked(path: Path) -> os.stat_result:
    """Return what the system says of a file; raises ImageError where there is none, or nothing in it."""
    if not path.is_file():
        what = "a folder" if path.is_dir() else "nothing"
        raise ImageError(f"{path}: expected a photo file, found {what} there; check the path")
    facts = path.stat()
    if facts.st_size == 0:
        raise ImageError(f"{path.name}: expected {READABLE}, got an empty file; copy or export it again")
    return facts


def damaged(name: str, file_format: str, error: BaseException) -> ImageError:
    return ImageError(
        f"{name}: expected a whole {file_format} file, but it is damaged or cut off"
        f" ({first_line(error)}); copy or export it again"
    )


def read_picture(picture: Image.Image, max_megapixels: float, keep_location: bool = False) -> Read:
    """Do the same for a PIL image, which may be one that was opened and not decoded yet."""
    name = "the picture"
    allowed = Allowed(name, max_megapixels)
    allowed.check(*picture.size)
    check_undecoded(picture, allowed)
    info = picture.info
    file_format = "JPEG" if picture.format == "MPO" else picture.format or "PNG"
    try:
        pixels = array_of(picture)
        if pixels.dtype == np.float32 and not (pixels.min() >= 0 and pixels.max() <= 1):
            raise ImageError(f"{name}: expected values in [0, 1], got {pixels.min():g} to {pixels.max():g}")
        exif = info.get("exif")
        raw = Raw(
            pixels=pixels,
            described=_described(info),
            is_cmyk=picture.mode == "CMYK",
            exif=read_exif(exif if isinstance(exif, bytes) else picture.getexif().tobytes()),
            xmp=_as_bytes(info.get("xmp")),
            dpi=info.get("dpi"),
            aspect=info.get("aspect") or unitless(info),
            depth=8 * pixels.dtype.itemsize,
            chroma=jpeg_chroma(picture),
            lossless=file_format in ("PNG", "TIFF", "BMP"),
            jpeg_quality=jpeg_quality(picture),
            jpeg_tables=jpeg_tables(picture),
        )
        pixels, properties = _finished(raw, keep_location)
    except ImageError:
        raise
    except DECODING_ERRORS as error:
        raise damaged(name, picture.format or "picture", error) from error
    return pixels, replace(properties, file_format=file_format if file_format in FORMATS else "PNG")


def _described(info: dict[Any, Any]) -> Described:
    """Return what Pillow says of a picture's colours; what goes before what is as in a PNG."""
    if icc := info.get("icc_profile"):
        return Described(icc=icc)
    if nclx := info.get("nclx_profile"):  # of pillow-heif
        return Described(cicp=told_code_points(nclx["color_primaries"], nclx["transfer_characteristics"]))
    if "srgb" in info:
        return Described()
    values = tuple(round(100_000 * value) for value in info.get("chromaticity", ()))
    return by_gamma(round(100_000 * info.get("gamma", 0)), values)


def _as_bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""


def first_line(error: BaseException) -> str:
    """Return what an error says first, or its name."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _finished(raw: Raw, keep_location: bool) -> Read:
    """Convert what is no RGB, turn the photo upright and leave out what is not for others to see."""
    pixels, described, left_out = _in_rgb(raw)
    described.profile()  # raises for what can not be shown
    if raw.exif.is_adobe_rgb and described == Described():
        described = Described(is_adobe_rgb=True)
    xmp, placed_by_xmp = public_xmp(raw.xmp, keep_location) if raw.xmp else (b"", False)
    iptc, placed_by_iptc = public_iptc(raw.iptc, keep_location)
    texts, placed_by_texts = public_texts(raw.texts, keep_location)
    placed = bool(raw.exif.position) or placed_by_xmp or placed_by_iptc or placed_by_texts
    if raw.xmp and not xmp:
        left_out += ("XMP that can not be read",)
    orientation = raw.exif.orientation if raw.orientation is None else raw.orientation
    aspect = sound_resolution(raw.aspect) or sound_resolution(raw.exif.aspect)
    stored = {one.name: getattr(raw, one.name) for one in fields(Stored)} | {
        "described": described,
        "xmp": xmp,
        "iptc": iptc,
        "texts": texts,
        "dpi": sound_resolution(raw.dpi) or sound_resolution(raw.exif.resolution),
        "aspect": aspect[::-1] if aspect and orientation in TURNED else aspect,
        "left_out": (*raw.left_out, *left_out),
    }
    exif = raw.exif.public(keep_location).to_bytes()
    properties = FileProperties(**stored, exif=exif, had_position=placed and not keep_location)
    return _upright(pixels, orientation), properties


def _in_rgb(raw: Raw) -> tuple[NDArray[Any], Described, tuple[str, ...]]:
    """Return grey or RGB, with alpha where it was, what it is described by, and what that cost."""
    icc = raw.described.icc
    if raw.is_cmyk:
        converted = _by_tables(raw.pixels, icc, "cmyk")
        return inks_to_srgb(raw.pixels) if converted is None else converted, Described(), ("inks (CMYK)",)
    if icc and raw.pixels.shape[2] > 2 and read_matrix_profile(icc) is None:
        converted = _by_tables(raw.pixels[..., :3], icc, "rgb")
        if converted is None:
            return raw.pixels, Described(), ("a colour profile that can not be read",)
        return np.concatenate([converted, raw.pixels[..., 3:]], axis=2), Described(), ("a profile of tables",)
    return raw.pixels, raw.described, ()


def _by_tables(pixels: NDArray[Any], icc: bytes | None, space: str) -> NDArray[Any] | None:
    """Return pixels as sRGB of the same depth by a profile's own tables (Little CMS); None where there are none."""
    if not icc:
        return None
    try:
        converted: NDArray[Any] = imagecodecs.cms_transform(
            np.ascontiguousarray(pixels),
            icc,
            imagecodecs.cms_profile("srgb"),
            colorspace=space,
            outcolorspace="rgb",
            outdtype=pixels.dtype.str,
        )
    except (RuntimeError, ValueError, TypeError):
        return None
    return converted if converted.shape == (*pixels.shape[:2], 3) else None


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror as the EXIF orientation 1 to 8 says, so that row 0 is the top."""
    if orientation in TURNED:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def sound_resolution(dpi: Any) -> tuple[float, float] | None:
    """Return a resolution that every format can hold, None for any other."""
    try:
        across, down = map(float, dpi)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return (across, down) if all(np.isfinite(value) and 1 <= value < 65535 for value in (across, down)) else None


def content_of(file: Any, max_megapixels: float) -> bytes:
    """Return all of an open binary file from where it stands; raises ImageError for text and for far too much."""
    most = int(max_megapixels * 1e6 * MOST_BYTES_A_PIXEL)
    data = file.read(most + 1)
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ImageError('expected a file opened for reading bytes, with open(path, "rb")')
    if len(data) > most:
        raise ImageError(f"expected a photo, got more than {most / 1e9:.1f} GB; export it again")
    return bytes(data)
