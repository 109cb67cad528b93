"""Pixels to photo files, with what rides along; a file appears whole or not at all.

H height, W width, C channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGBA).
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from opir.errors import ImageError
from opir.files import written_whole
from opir.photo import deep_heif, sixteen_bit
from opir.photo.reading import FileProperties, first_line, format_of, register_heif

QUALITY = {"JPEG": 95, "WEBP": 92, "HEIF": 90, "AVIF": 90}
MAX_JPEG_EXIF = 65_000  # bytes; a segment of a JPEG holds no more


def write_file(path: Path, pixels: NDArray[Any], properties: FileProperties, quality: int | None = None) -> None:
    """Write pixels (H, W, C) in the format that the name asks for; uint16 only to `DEEP_FORMATS`.

    The fourth byte of a JPEG's pixels is left out.
    """
    file_format = format_of(path)
    with written_whole(path) as file:
        sink = _Sink(file)
        try:
            _encode(sink, file_format, pixels, properties, quality)
        except (OSError, ValueError, RuntimeError, TypeError, struct.error) as error:
            if sink.refused is not None:
                raise sink.refused from None
            raise ImageError(
                f"{path.name}: can not be written as {file_format} ({first_line(error)}); choose PNG or TIFF"
            ) from error


class _Sink:
    """A file as Pillow sees it: Pillow alone does not tell a full disk from a picture that it can not encode."""

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


def _encode(
    sink: _Sink, file_format: str, pixels: NDArray[Any], properties: FileProperties, quality: int | None
) -> None:
    """Write a file's bytes: a JPEG piece by piece, so that it is never in memory; others need to go back in it."""
    file = io.BytesIO()
    if pixels.dtype == np.uint16 and file_format == "PNG":
        sixteen_bit.write_png(file, pixels, properties.icc, properties.exif)
    elif pixels.dtype == np.uint16 and file_format == "HEIF":
        deep_heif.write_deep(file, pixels, properties.icc, properties.exif, quality or QUALITY[file_format])
    elif file_format == "TIFF":
        exif = Image.Exif()
        exif.load(properties.exif)
        sixteen_bit.write_tiff(file, pixels, properties.icc, exif)
    else:
        register_heif()
        picture, options = _as_picture(pixels, file_format), _saving_options(file_format, properties, quality)
        if file_format == "JPEG":
            picture.save(cast(BinaryIO, sink), format=file_format, **options)
            return
        picture.save(file, format=file_format, **options)
    sink.write(file.getbuffer())


def _as_picture(pixels: NDArray[Any], file_format: str) -> Image.Image:
    """Return 8-bit pixels as Pillow's, without a copy for a JPEG whose pixels have an unused fourth byte each."""
    if file_format == "JPEG" and pixels.shape[2] == 4:
        size = (pixels.shape[1], pixels.shape[0])
        return Image.frombuffer("RGBX", size, np.ascontiguousarray(pixels), "raw", "RGBX", 0, 1)
    return Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[..., 0])


def _saving_options(file_format: str, properties: FileProperties, quality: int | None) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if properties.icc and file_format != "BMP":
        options["icc_profile"] = properties.icc
    fits = file_format != "JPEG" or len(properties.exif) < MAX_JPEG_EXIF
    if properties.exif and file_format != "BMP" and fits:
        options["exif"] = properties.exif
    if properties.dpi and file_format in ("JPEG", "PNG", "BMP"):
        options["dpi"] = properties.dpi
    if file_format in QUALITY:
        own = properties.jpeg_quality if file_format == "JPEG" else None
        options["quality"] = quality or own or QUALITY[file_format]
    if file_format == "JPEG":
        # Not optimize=True: Pillow's buffer for it is too small for noisy pictures, and saving fails.
        options["subsampling"] = properties.jpeg_subsampling
    if file_format == "WEBP":
        options |= {"lossless": properties.lossless and properties.file_format == "WEBP", "exact": True}
    return options
