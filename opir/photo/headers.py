"""What a photo file says of itself before it is decoded, and the numbers of a map; by Pillow where that takes it.

H height, W width.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from opir.errors import ImageError, TooLargeError
from opir.photo.beside.exif import ORIENTATION, TURNED
from opir.photo.codecs import tiff
from opir.photo.formats import FORMATS, READABLE, SNIFFED, format_of_bytes, told_as
from opir.photo.raw import Allowed
from opir.photo.reading import DECODING_ERRORS, MAX_MEGAPIXELS, checked, damaged, read_file


def read_size(path: Path, max_megapixels: float = MAX_MEGAPIXELS) -> tuple[int, int]:
    """Return the upright width and height of a photo file by its header; raises ImageError as `read_file` does.

    A file whose header Pillow does not take is decoded.
    """
    checked(path)
    start = _start(path)
    file_format = format_of_bytes(start)
    if file_format is None:
        raise ImageError(f"{path.name}: expected {READABLE}, got {told_as(start)}; export it as PNG or JPEG")
    if file_format == "TIFF":
        size = _tiff_size(path, max_megapixels)
        Allowed(path.name, max_megapixels).check(*size)
        return size
    try:
        return _size_by_pillow(path, max_megapixels)
    except TooLargeError:
        raise
    except ImageError:
        height, width = read_file(path, max_megapixels)[0].shape[:2]
        return width, height


def _tiff_size(path: Path, max_megapixels: float) -> tuple[int, int]:
    try:
        with open(path, "rb") as file:
            return tiff.size(file, Allowed(path.name, max_megapixels))
    except DECODING_ERRORS as error:
        if isinstance(error, ImageError):
            raise
        raise damaged(path.name, "TIFF", error) from error


def _size_by_pillow(path: Path, max_megapixels: float) -> tuple[int, int]:
    with _header(path) as picture:
        Allowed(path.name, max_megapixels).check(*picture.size)
        # To look for EXIF data behind the pixels of a PNG, Pillow decodes all of them.
        is_upright = picture.format == "PNG" and "exif" not in picture.info
        try:
            orientation = 1 if is_upright else picture.getexif().get(ORIENTATION, 1)
        except DECODING_ERRORS:
            orientation = 1
        width, height = picture.size
    return (height, width) if orientation in TURNED else (width, height)


def read_values(path: Path, max_megapixels: float = MAX_MEGAPIXELS) -> NDArray[Any]:
    """Return the numbers of a map's first channel (H, W) as they are stored, such as depths or labels.

    Raises:
        ImageError: as `read_file` does.
    """
    with _header(path) as picture:
        Allowed(path.name, max_megapixels).check(*picture.size)
        try:
            values = np.array(picture)
        except DECODING_ERRORS as error:
            raise damaged(path.name, picture.format or "picture", error) from error
    return values if values.ndim == 2 else values[..., 0]


def _start(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(SNIFFED)
    except OSError as error:
        raise ImageError(f"{path.name}: can not be read ({error.strerror or error}); check the file") from error


@contextlib.contextmanager
def _header(path: Path) -> Iterator[Image.Image]:
    """A file as Pillow opens it, not decoded yet."""
    checked(path)
    register_heif()
    try:
        picture = Image.open(path, formats=list(FORMATS))
    except DECODING_ERRORS as error:
        what = told_as(_start(path))
        raise ImageError(f"{path.name}: expected {READABLE}, got {what}; export it as PNG or JPEG") from error
    with picture:
        yield picture


@cache
def register_heif() -> None:
    """Let Pillow know HEIC."""
    import pillow_heif  # on first use: it takes a while to load, and registering it is global

    pillow_heif.register_heif_opener()
