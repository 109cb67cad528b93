"""JPEG: what stands behind the picture, a missing end and many scans are told before Pillow decodes it.

ITU-T T.81 annex B for markers, CIPA DC-007 for several pictures in one file.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from opir.errors import ImageError
from opir.photo.beside.behind import DAMAGED_PROFILE, ORIGIN, behind, paths_in
from opir.photo.beside.described import Described
from opir.photo.beside.exif import read_exif
from opir.photo.beside.private import IPTC_RESOURCE, iptc_segment
from opir.photo.beside.properties import FileProperties
from opir.photo.codecs.jpeg_quality import jpeg_chroma, jpeg_quality, jpeg_tables
from opir.photo.pixels.pictures import array_of
from opir.photo.pixels.samples import spread
from opir.photo.raw import Allowed, Raw

MAX_SCANNED_MEGAPIXELS = 2000.0
"""A JPEG may name every pixel anew in each of its scans: some ten in a photo, thousands in an attack."""
QUALITY = 95
MAX_SEGMENT = 65_000  # bytes; a segment of a JPEG holds no more
MOST_LOST = 0.01
"""Share of its pixels that a photo may lack at its end; one that lacks more is refused."""
_END, _SCAN = 0xD9, 0xDA
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_SAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
_UNREAD = {**dict.fromkeys((5, 6, 7, 13, 14, 15), "a hierarchical JPEG"), 8: "a JPEG-LS"}
"""Kinds of frames that no decoder here takes."""


@dataclass(frozen=True)
class Outline:
    """How a JPEG's first picture lies in its bytes."""

    scans: int
    end: int | None
    """Where it ends, None where its last marker is missing."""
    frame: int
    """Which start of frame it has: 0 baseline, 2 progressive, 3 lossless, ..., 8 for that of JPEG-LS."""
    bits: int
    bits_at: int
    """Where its bytes say so."""
    size: tuple[int, int]


def outline(data: bytes) -> Outline:
    """Walk through the markers of the first picture; nothing behind it is looked at."""
    at, scans, frame, bits, bits_at, size = 2, 0, 0, 8, 0, (0, 0)
    while match := _MARKER.search(data, at):
        marker = data[match.end() - 1]
        at = match.end()
        if marker == _END:
            return Outline(scans, at, frame, bits, bits_at, size)
        if marker in _ALONE or at + 2 > len(data):
            continue
        if marker in _FRAMES and at + 7 <= len(data):
            frame, bits_at = 8 if marker == 0xF7 else marker & 15, at + 2
            bits, height, width = struct.unpack_from(">BHH", data, at + 2)
            size = (width, height)
        scans += marker == _SCAN
        at += int.from_bytes(data[at : at + 2], "big")
    return Outline(scans, None, frame, bits, bits_at, size)


def check_undecoded(picture: Image.Image, allowed: Allowed) -> None:
    """Refuse a JPEG of endless scans that Pillow has opened and not decoded yet; raises ImageError."""
    file = getattr(picture, "fp", None)
    if isinstance(picture, JpegImagePlugin.JpegImageFile) and picture.tile and file is not None:
        at = file.tell()
        file.seek(0)
        found = outline(file.read())
        file.seek(at)
        _check_scans(found, picture, allowed)


def _check_scans(found: Outline, picture: Image.Image, allowed: Allowed) -> None:
    if found.scans * picture.width * picture.height > MAX_SCANNED_MEGAPIXELS * 1e6:
        raise ImageError(
            f"{allowed.name}: expected some ten scans in a JPEG of this size, got {found.scans}; export it again"
        )


def read(data: bytes, allowed: Allowed) -> Raw:
    """Decode a JPEG; raises ImageError where it is too large, and what Pillow raises for damage."""
    found = outline(data)
    if found.frame in _UNREAD:
        raise allowed.unsupported(_UNREAD[found.frame])
    if found.bits_at:
        allowed.check(*found.size)
    picture = JpegImagePlugin.JpegImageFile(io.BytesIO(_of_eight_bits(data, found)))
    allowed.check(*picture.size)
    _check_scans(found, picture, allowed)
    quality, chroma, info = jpeg_quality(picture), jpeg_chroma(picture), picture.info
    aspect, resources = unitless(info), _resources(info)
    exif, xmp = read_exif(info.get("exif") or b""), info.get("xmp") or b""
    left_out = [] if found.end is None else behind(data, found.end, xmp)
    left_out += _beside(picture) + paths_in(resources)
    if found.end is None:
        pixels, lost = _without_end(data)
        left_out.append("its end, which the file lacks" + (f" with {lost:.2%} of the picture" if lost else ""))
    elif found.bits > 8 or found.frame == 3:
        pixels = _deep(data[: found.end], found.bits)
        left_out += ["its lossless coding"] if found.frame == 3 else []
    else:
        pixels = array_of(picture)
    return Raw(
        pixels=pixels,
        described=Described(icc=info.get("icc_profile") or None),
        is_cmyk=picture.mode == "CMYK",
        exif=exif,
        xmp=xmp,
        iptc=resources.get(IPTC_RESOURCE, b""),
        texts=tuple((b"COM", body) for name, body in picture.applist if name == "COM" and body),
        dpi=None if aspect else info.get("dpi"),
        aspect=aspect,
        depth=found.bits,
        chroma=chroma,
        jpeg_quality=quality,
        jpeg_tables=jpeg_tables(picture),
        left_out=tuple(left_out),
    )


def _of_eight_bits(data: bytes, found: Outline) -> bytes:
    """Return a JPEG whose header Pillow takes, which reads what stands beside the pixels of deeper ones too."""
    return data if found.bits == 8 else data[: found.bits_at] + b"\x08" + data[found.bits_at + 1 :]


def _deep(data: bytes, bits: int) -> NDArray[Any]:
    """Decode what Pillow does not: 12 bits, and JPEGs without loss."""
    pixels = imagecodecs.jpeg_decode(data)
    pixels = spread(pixels, bits)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _without_end(data: bytes) -> tuple[NDArray[Any], float]:
    """Decode a JPEG that lacks its end, and tell the share of its pixels that are not in the file.

    What is there does not change with what is put behind it. From the first block that does, all is lost.

    Raises:
        ValueError: where more than `MOST_LOST` is missing.
    """
    data = data.rstrip(b"\xff")  # half of a marker
    pictures = [
        JpegImagePlugin.JpegImageFile(io.BytesIO(data + filler + b"\xff\xd9"))
        for filler in (b"", b"\x2a\x95\x6b" * 40)
    ]
    first, second = map(array_of, pictures)
    differs = np.any(first != second, axis=(1, 2)) if first.shape == second.shape else np.ones(1, bool)
    lost = 0.0
    if differs.any():
        from_row = int(np.argmax(differs))
        high, wide = (8 * max(part[at] for part in pictures[0].layer) for at in (2, 1))
        rows = first[from_row : from_row + 8] != second[from_row : from_row + 8]
        from_column = int(np.argmax(np.any(rows, axis=(0, 2))))
        # Blocks begin at multiples of their size; enlarged colours reach one pixel over their edge.
        top, left = (from_row + 1) // high * high, (from_column + 1) // wide * wide
        height, width = first.shape[:2]
        lost = max(1, (height - top) * width - left * min(high, height - top)) / (height * width)
    if lost > MOST_LOST:
        raise ValueError("the end of the file is missing")
    return first, lost


def _beside(picture: JpegImagePlugin.JpegImageFile) -> list[str]:
    """Say what stands in segments of its own and does not come back."""
    left_out = []
    if any(body.startswith(b"http://ns.adobe.com/xmp/extension/") for _, body in picture.applist):
        left_out.append("the second part of its XMP")
    if any(name == "APP11" and body.startswith(b"JP") for name, body in picture.applist):
        left_out.append(ORIGIN)
    if not picture.info.get("icc_profile") and any(body.startswith(b"ICC_PROFILE\0") for _, body in picture.applist):
        left_out.append(DAMAGED_PROFILE)
    return left_out


def unitless(info: dict[Any, Any]) -> tuple[float, float] | None:
    """Return what a JFIF header says of pixels across and down in no unit; 1 to 1 says nothing."""
    density = info.get("jfif_density")
    return density if info.get("jfif_unit") == 0 and density != (1, 1) else None


def _resources(info: dict[Any, Any]) -> dict[int, bytes]:
    """Return Photoshop's resources by their numbers, as far as Pillow gives their bytes."""
    found = info.get("photoshop")
    resources = found.items() if isinstance(found, dict) else ()
    return {number: body for number, body in resources if isinstance(body, bytes)}


def write(file: BinaryIO, pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> None:
    """Write (H, W, 1 or 3) of uint8, or RGB with an unused fourth byte; piece by piece, never whole in memory."""
    options: dict[str, Any] = {
        "quality": quality or properties.jpeg_quality or QUALITY,
        # Not optimize=True: Pillow's buffer for it is too small for noisy pictures, and saving fails.
        "subsampling": _SAMPLINGS.index(properties.chroma) if properties.chroma in _SAMPLINGS else 2,
    }
    if quality is None and properties.jpeg_tables and properties.file_format == "JPEG":
        options["qtables"] = [list(table) for table in properties.jpeg_tables]
        del options["quality"]
    if properties.icc:
        options["icc_profile"] = properties.icc
    if properties.exif and len(properties.exif) < MAX_SEGMENT:
        options["exif"] = properties.exif
    if properties.xmp and len(properties.xmp) < MAX_SEGMENT:
        options["xmp"] = properties.xmp
    if properties.iptc and len(properties.iptc) < MAX_SEGMENT:
        options["extra"] = _segment(0xED, iptc_segment(properties.iptc))
    for kind, body in properties.texts:
        if kind == b"COM":
            options["extra"] = options.get("extra", b"") + _segment(0xFE, body)
    if properties.dpi:
        options["dpi"] = tuple(round(value) for value in properties.dpi)
    elif properties.aspect:
        made = io.BytesIO()
        _picture(pixels).save(made, format="JPEG", dpi=tuple(round(value) for value in properties.aspect), **options)
        made.getbuffer()[13] = 0  # the unit in the JFIF header
        file.write(made.getvalue())
        return
    _picture(pixels).save(file, format="JPEG", **options)


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def _picture(pixels: NDArray[Any]) -> Image.Image:
    """Return 8-bit pixels as Pillow's, without a copy where they have an unused fourth byte each."""
    if pixels.shape[2] == 4:
        size = (pixels.shape[1], pixels.shape[0])
        return Image.frombuffer("RGBX", size, np.ascontiguousarray(pixels), "raw", "RGBX", 0, 1)
    return Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[..., 0])
