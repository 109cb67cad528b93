"""Pixels to photo files, with what rides along; a file appears whole or not at all.

H height, W width, C channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGBA).
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from numpy.typing import NDArray

from opir.errors import ImageError
from opir.files import written_whole
from opir.photo.beside.described import Described
from opir.photo.beside.exif import RESOLUTION, Entry, Exif, read_exif
from opir.photo.beside.properties import FileProperties
from opir.photo.formats import FORMATS, Format, format_of
from opir.photo.reading import first_line

MAX_JPEG_SEGMENT = 65_000
_UNENCODABLE = (OSError, ValueError, RuntimeError, TypeError, struct.error, KeyError)


def write_file(
    path: Path,
    pixels: NDArray[Any],
    properties: FileProperties,
    quality: int | None = None,
    file_format: str | None = None,
    keep_time: bool = False,
) -> None:
    """Write pixels (H, W, C) in a format, by default that of the name; uint16 and float32 only where it has them.

    The fourth byte of a JPEG's pixels is left out.
    """
    file_format = file_format or format_of(path)
    with written_whole(path) as file:
        write_to(file, path.name, pixels, properties, file_format, quality)
    if keep_time and properties.modified is not None:
        os.utime(path, (properties.modified, properties.modified))


def write_to(
    file: BinaryIO,
    name: str,
    pixels: NDArray[Any],
    properties: FileProperties,
    file_format: str,
    quality: int | None = None,
) -> None:
    """Write the bytes of a file; raises ImageError where the format can not hold the picture."""
    sink = _Sink(file)
    try:
        if file_format == "JPEG":  # piece by piece, so that it is never in memory; others need to go back in it
            FORMATS[file_format].write(cast(BinaryIO, sink), pixels, properties, quality)
        else:
            made = io.BytesIO()
            FORMATS[file_format].write(made, pixels, properties, quality)
            sink.write(made.getbuffer())
    except _UNENCODABLE as error:
        if sink.refused is not None:
            raise sink.refused from None
        raise ImageError(
            f"{name}: can not be written as {file_format} ({first_line(error)}); choose PNG or TIFF"
        ) from error


class _Sink:
    """A file as an encoder sees it: Pillow alone does not tell a full disk from a picture that it can not encode."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.refused: OSError | None = None

    def write(self, data: bytes | memoryview) -> int:
        """Write; what the disk refuses is remembered."""
        try:
            return self._file.write(data)
        except OSError as error:
            self.refused = error
            raise


def described_for(described: Described, row: Format, is_grey: bool) -> Described:
    """Return how a format says what colours mean: as the photo came where it can, else by an ICC profile.

    Nothing where it can not: then colours are to be sRGB.
    """
    if described.icc:
        return described if "icc" in row.colours else Described()
    if described.cicp and "cicp" in row.colours:
        return described
    if (described.gamma or described.chromaticities) and "gamma" in row.colours:
        return described
    if described.is_adobe_rgb and row.exif:
        return described
    return Described(icc=described.as_icc(is_grey)) if "icc" in row.colours else Described()


def kept_by(
    properties: FileProperties, row: Format, bits: int, is_grey: bool
) -> tuple[FileProperties, tuple[str, ...]]:
    """Return what a format keeps of a file's properties, and what it does not, in words.

    Args:
        properties: as they came.
        row: the format to write.
        bits: of a colour, in the photo.
        is_grey: whether it is.
    """
    lost = []
    deepest = min(row.deepest, max(properties.depth, 8)) if row.deepest in (10, 12) else row.deepest
    if bits > 8 and row.deepest < min(bits, properties.depth):
        lost.append(f"all but {deepest} bits of each colour")
    kept: dict[str, Any] = {"described": described_for(properties.described, row, is_grey)}
    most = MAX_JPEG_SEGMENT if row.name == "JPEG" else None
    for field, title, holds in (("exif", "Exif data", row.exif), ("xmp", "XMP", row.xmp), ("iptc", "IPTC", row.iptc)):
        data = getattr(properties, field)
        if data and (not holds or (most and len(data) >= most)):
            lost.append(f"{title} of {len(data):,} bytes" if holds else title)
            kept[field] = b""
    if any(kind not in row.texts for kind, _ in properties.texts):
        lost.append("texts")
        kept["texts"] = tuple(text for text in properties.texts if text[0] in row.texts)
    density = properties.dpi or properties.aspect
    if density and (not row.dpi or not (properties.dpi or row.exif)):  # a resolution of its own alone has a unit
        lost.append("resolution")
    elif density and row.dpi == "in Exif":
        unit = 2 if properties.dpi else 1
        kept["exif"] = with_resolution(kept.get("exif", properties.exif), density, unit)
    return replace(properties, **kept), tuple(lost)


def with_resolution(exif: bytes, density: tuple[float, float], unit: int) -> bytes:
    """Return Exif data that tell a resolution, in unit 2 by the inch and in 1 by none; those given where they do."""
    found = read_exif(exif) if exif else Exif()
    if found.resolution is not None:
        return exif
    order = found.order
    values = (
        *(struct.pack(f"{order}II", round(value * 1000), 1000) for value in density),
        struct.pack(f"{order}H", unit),
    )
    kinds = (5, 5, 3)
    resolution = {tag: Entry(kind, 1, data) for tag, kind, data in zip(RESOLUTION, kinds, values, strict=True)}
    return replace(found, main=found.main | resolution).to_bytes()
