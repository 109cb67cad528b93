"""What a photo file may ask of a machine: checked by its header, before anything is decoded."""

from __future__ import annotations

import math
from typing import Any, BinaryIO

from PIL import Image

from opir.errors import ImageError

MAX_SCANNED_MEGAPIXELS = 2000.0
"""A JPEG may name every pixel anew in each of its scans: some ten in a photo, thousands in an attack."""


def check_size(size: tuple[int, int], max_megapixels: float, name: str) -> None:
    """Refuse a picture without pixels, and one with more than are allowed."""
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(f"{name}: expected a photo, got {width}x{height} pixels; export it again")
    if width * height > max_megapixels * 1e6:
        raise ImageError(too_large(name, f"{width}x{height} = {width * height / 1e6:.3g}", max_megapixels))


def too_large(name: str, got: str, max_megapixels: float) -> str:
    """Say that a picture has too many pixels."""
    return f"{name}: expected at most {max_megapixels:g} megapixels, got {got}; make it smaller first"


def check_frames(picture: Image.Image, file_format: str, name: str) -> None:
    """Refuse what moves or has pages, and what would take a machine very long, before anything is decoded."""
    if file_format == "TIFF":  # counting the pages takes as long as the file's author likes
        frames = "several pages" if getattr(picture, "is_animated", False) else ""
    else:
        count = getattr(picture, "n_frames", 1) if file_format in ("PNG", "WEBP", "AVIF") else 1
        frames = f"{count} frames" if count > 1 else ""
    if frames:
        raise ImageError(f"{name}: expected a still picture, got {frames}; export one of them")
    file: BinaryIO | None = getattr(picture, "fp", None)
    if file_format == "JPEG" and file is not None:
        _check_scans(file, picture.width * picture.height, name)


def _check_scans(file: BinaryIO, pixels: int, name: str) -> None:
    place = file.tell()
    file.seek(0)
    scans = file.read().count(b"\xff\xda")
    file.seek(place)
    if scans * pixels > MAX_SCANNED_MEGAPIXELS * 1e6:
        raise ImageError(f"{name}: expected some ten scans in a JPEG of this size, got {scans}; export it again")


def sound_resolution(dpi: Any) -> tuple[float, float] | None:
    """Return a resolution that every format can hold, None for any other."""
    if not isinstance(dpi, tuple) or len(dpi) != 2:
        return None
    across, down = float(dpi[0]), float(dpi[1])
    return (across, down) if all(math.isfinite(value) and 1 <= value < 65535 for value in (across, down)) else None
