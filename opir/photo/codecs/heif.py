"""HEIC by pillow-heif (libheif): all of its depth, its chroma and its code points."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from opir.photo.beside.behind import GAIN_MAP, SECOND
from opir.photo.beside.boxes import more_than_a_picture
from opir.photo.beside.described import SRGB_CODE_POINTS, Described, told_code_points
from opir.photo.beside.exif import read_exif
from opir.photo.beside.properties import FileProperties
from opir.photo.codecs.sizes import quality_of_size
from opir.photo.pixels.samples import from_narrow, unmultiplied
from opir.photo.raw import Allowed, Raw

QUALITY, FINEST = 90, 98
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # by number of channels
_MATRIX_AND_RANGE = (6, 1)
_NCLX = ("color_primaries", "transfer_characteristics", "matrix_coefficients", "full_range_flag")


def read(data: bytes, allowed: Allowed) -> Raw:
    """Decode a HEIC; raises ImageError where it is too large, and what libheif raises for damage."""
    import pillow_heif  # on first use: it takes a while to load

    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    allowed.check(*file.size)
    info, depth = file.info, int(file.info.get("bit_depth") or 8)
    nclx = info.get("nclx_profile") or {}
    primaries, curve = (int(nclx.get(name, 2)) for name in _NCLX[:2])
    exif = read_exif(info.get("exif") or b"")
    left_out = more_than_a_picture(data)
    if GAIN_MAP not in left_out and any("hdrgainmap" in kind for kind in info.get("aux") or ()):
        left_out.append(GAIN_MAP)
    if info.get("depth_images"):
        left_out.append("a map of depth")
    if len(file) > 1:
        left_out.append(SECOND if len(file) == 2 else f"{len(file) - 1} other pictures")
    return Raw(
        pixels=_pixels(file, depth, nclx.get("full_range_flag") == 0),
        described=Described(icc=info.get("icc_profile") or None, cicp=told_code_points(primaries, curve)),
        exif=exif,
        xmp=info.get("xmp") or b"",
        dpi=exif.resolution,
        orientation=1,  # libheif has turned it
        depth=depth,
        chroma={444: "4:4:4", 422: "4:2:2", 400: "4:0:0"}.get(int(info.get("chroma") or 420), "4:2:0"),
        left_out=tuple(left_out),
    )


def _pixels(file: Any, depth: int, is_narrow: bool) -> NDArray[Any]:
    mode = str(file.mode)
    pixels = np.asarray(file)
    if depth > 8:
        pixels = pixels.astype(np.uint16)
        pixels |= pixels >> depth  # the bits are the uppermost, zeros follow
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if mode.partition(";")[0].endswith("a"):
        pixels = np.concatenate([unmultiplied(pixels[..., :-1], pixels[..., -1]), pixels[..., -1:]], axis=2)
    if is_narrow and mode.startswith("L"):  # libheif does it for colours alone
        pixels = np.concatenate([from_narrow(pixels[..., :1]), pixels[..., 1:]], axis=2)
    return pixels


def write(file: BinaryIO, pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> None:
    """Write (H, W, C) of uint8 or uint16 in the depth and chroma that it came in, about as large as it came."""
    is_own = properties.file_format == "HEIF"
    depth = 8
    if pixels.dtype == np.uint16:
        depth = 12 if properties.depth == 12 else 10
        most = 2**depth - 1
        pixels = np.rint(pixels * np.float32(most / 65535)).astype(np.uint16) << (16 - depth)

    def encode(part: NDArray[Any], quality: int) -> bytes:
        made = io.BytesIO()
        _save(made, part, properties, quality, depth, {})
        return made.getvalue()

    if quality is None and is_own and properties.bytes_a_pixel:
        quality = quality_of_size(encode, pixels, properties.bytes_a_pixel, FINEST)
    beside: dict[str, Any] = {"exif": properties.exif or None}
    if properties.xmp:
        beside["xmp"] = properties.xmp
    if properties.icc:
        beside["icc_profile"] = properties.icc
    _save(file, pixels, properties, quality or QUALITY, depth, beside)


def _save(
    file: BinaryIO,
    pixels: NDArray[Any],
    properties: FileProperties,
    quality: int,
    depth: int,
    beside: dict[str, Any],
) -> None:
    import pillow_heif

    height, width, channels = pixels.shape
    mode = _MODES[channels] + (";16" if depth > 8 else "")
    picture = pillow_heif.from_bytes(mode=mode, size=(width, height), data=np.ascontiguousarray(pixels).tobytes())
    options: dict[str, Any] = dict(
        zip(_NCLX, (*(properties.described.cicp or SRGB_CODE_POINTS), *_MATRIX_AND_RANGE), strict=True)
    )
    if properties.file_format in ("HEIF", "AVIF", "JPEG") and channels > 2 and properties.chroma != "4:0:0":
        options["chroma"] = int(properties.chroma.replace(":", ""))
    picture.save(file, quality=quality, bit_depth=depth, **options, **beside)
