"""Photos back to files, with all that they kept.

H height, W width.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from opir.errors import ImageError
from opir.photo.beside.exif import PROCESSING_SOFTWARE, Entry, Exif, read_exif
from opir.photo.beside.properties import FileProperties
from opir.photo.folders import OWN_MARK
from opir.photo.formats import FORMATS, format_of
from opir.photo.photo import Photo
from opir.photo.pixels.samples import rescaled, to_samples
from opir.photo.writing import kept_by, write_file, write_to


def save_photo(
    photo: Photo,
    path: str | os.PathLike[str],
    quality: int | None = None,
    file_format: str | None = None,
    keep_time: bool = False,
    rgb: Tensor | None = None,
) -> tuple[str, ...]:
    """Write a photo with all that it kept. The file appears whole or not at all.

    Args:
        photo: what to write.
        path: where; its ending chooses the format, where `file_format` does not.
        quality: 1 to 100, for the lossy formats; by default one that makes a file about as large as the photo came
            in, and for another format one that is hard to tell from the original.
        file_format: a name of `opir.photo.formats.FORMATS`.
        keep_time: give the file the photo's time of change.
        rgb: other colours for it, as of `Photo.own_colours`.

    Returns:
        What the photo had and the file has not, in words (docs/files.md).

    Raises:
        ImageError: for an unknown ending, a folder that can not be written, or transparency that the format
            can not hold.
    """
    path = Path(path)
    file_format = file_format or format_of(path)
    pixels, properties, lost = _encodable(photo, rgb, file_format, path.name)
    write_file(path, pixels, properties, quality, file_format, keep_time)
    return lost


def write_photo(
    photo: Photo,
    file: BinaryIO,
    file_format: str | None = None,
    quality: int | None = None,
    rgb: Tensor | None = None,
) -> tuple[str, ...]:
    """Write a photo to an open file, in its own format where none is named; else as `save_photo` does."""
    file_format = file_format or photo.file.file_format
    name = photo.file.name or "the photo"
    pixels, properties, lost = _encodable(photo, rgb, file_format, name)
    write_to(file, name, pixels, properties, file_format, quality)
    return lost


def _encodable(
    photo: Photo, rgb: Tensor | None, file_format: str, name: str
) -> tuple[NDArray[Any], FileProperties, tuple[str, ...]]:
    """Return a photo's pixels as a format holds them, what rides along, and what was lost on the way."""
    row = FORMATS[file_format]
    properties, lost = kept_by(photo.file, row, photo.bits, photo.is_grey)
    if photo.is_own_result and row.exif:
        properties = replace(properties, exif=_with_mark(properties.exif))
    dtype: Any = np.uint8
    if photo.bits > 8 and row.deepest > 8:
        dtype = np.float32 if photo.bits == 32 and row.deepest == 32 else np.uint16
    alpha = _alpha_to_write(photo, file_format, name)
    colours = len(photo.pixels)
    has_fourth = alpha is not None or (file_format == "JPEG" and colours == 3)  # which Pillow takes without a copy
    samples = np.empty((photo.height, photo.width, colours + has_fourth), dtype)
    for rows in photo.parts():
        own = to_samples(photo.own_colours(rows, rgb, properties.described), dtype)
        samples[rows.top : rows.bottom, :, :colours] = own.transpose(1, 2, 0)
    if photo.hidden is not None:
        samples[photo.alpha == 0, :colours] = rescaled(photo.hidden.T, dtype)
    if alpha is not None:
        samples[..., colours] = rescaled(alpha, dtype)
    return samples, properties, (*photo.file.left_out, *lost)


def _alpha_to_write(photo: Photo, file_format: str, name: str) -> NDArray[Any] | None:
    if photo.alpha is None or FORMATS[file_format].alpha:
        return photo.alpha
    if photo.alpha.min() < np.iinfo(photo.alpha.dtype).max:
        raise ImageError(f"{name}: expected a photo without transparency for {file_format}; save it as PNG or WebP")
    return None


def marked_as_own(photo: Photo) -> Photo:
    """Return a photo whose file will say that it was restored, so that a later run on its folder leaves it alone."""
    return replace(photo, is_own_result=True)


def _with_mark(exif: bytes) -> bytes:
    found = read_exif(exif) if exif else Exif()
    mark = OWN_MARK + b"\0"
    return replace(found, main=found.main | {PROCESSING_SOFTWARE: Entry(2, len(mark), mark)}).to_bytes()
