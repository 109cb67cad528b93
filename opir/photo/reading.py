"""Photo files to pixels, with what rides along: profile, orientation, EXIF, depth, compression.

H height, W width, C channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGBA).
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from opir.errors import ImageError
from opir.photo import deep_heif, sixteen_bit
from opir.photo.colour import read_matrix_profile
from opir.photo.jpeg_quality import jpeg_quality, jpeg_subsampling
from opir.photo.limits import check_frames, check_size, sound_resolution, too_large
from opir.photo.sixteen_bit import EXIF_DETAILS, EXIF_TEXTS, POSITION

__all__ = [
    "FORMATS",
    "FileProperties",
    "ImageError",
    "format_of",
    "read_file",
    "read_picture",
    "read_size",
    "read_values",
]

FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".avif": "AVIF",
    ".bmp": "BMP",
}
READABLE = "a JPEG, PNG, WebP, TIFF, HEIC, AVIF or BMP photo"
DEEP_FORMATS = ("PNG", "TIFF", "HEIF")  # the ones that are written with 16 bits, HEIC with 10
MAX_MEGAPIXELS = 100.0
DECODING_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, RuntimeError, LookupError, TypeError, ArithmeticError),
    *(AttributeError, AssertionError, struct.error, zlib.error, Image.DecompressionBombError),
)
"""What Pillow and the libraries below it raise for one damaged file or another."""
ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)  # the orientations that exchange width and height
# Maker notes break when they are moved and can hold a position; the others describe the file as it was.
DROPPED_EXIF_DETAILS = (0x927C, 0xA002, 0xA003, 0xA005)


@dataclass(frozen=True)
class FileProperties:
    """What a file holds besides pixels, as far as it is kept."""

    file_format: str = "PNG"
    name: str = ""  # file name, empty for a picture that came from memory
    icc: bytes | None = None  # profile of the pixels, None for sRGB
    exif: bytes = b""  # without orientation and thumbnail, and without position unless it was asked for
    lossless: bool = False
    jpeg_subsampling: int = 2  # 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0
    jpeg_quality: int | None = None  # 1 to 100, None for a photo that was no JPEG
    dpi: tuple[float, float] | None = None
    had_position: bool = False  # which was left out


def read_file(path: Path, max_megapixels: float, keep_location: bool = False) -> tuple[NDArray[Any], FileProperties]:
    """Return upright pixels (H, W, C) of uint8 or uint16 and what came with them.

    Raises:
        ImageError: if the file is missing, damaged, of another kind, or larger than `max_megapixels`
            (which is checked before decoding).
    """
    with _opened(path, max_megapixels) as picture, _opened(path, max_megapixels) as again:
        return _decode(picture, again, path.name, keep_location)


def read_picture(
    picture: Image.Image, max_megapixels: float, keep_location: bool = False
) -> tuple[NDArray[Any], FileProperties]:
    """Do the same for a PIL image, which may be one that was opened and not decoded yet."""
    check_size(picture.size, max_megapixels, "the picture")
    return _decode(picture, None, "the picture", keep_location)


def read_size(path: Path, max_megapixels: float = MAX_MEGAPIXELS) -> tuple[int, int]:
    """Return the upright width and height of a photo file by its header; raises ImageError as `read_file` does."""
    with _opened(path, max_megapixels) as picture:
        # Pillow turns a TIFF by itself; to look for EXIF data behind the pixels of a PNG, it decodes all of them.
        is_upright = picture.format == "TIFF" or (picture.format == "PNG" and "exif" not in picture.info)
        orientation = 1 if is_upright else _read_exif(picture, keep_location=False)[0]
        width, height = picture.size
    return (height, width) if orientation in _TURNED else (width, height)


def read_values(path: Path, max_megapixels: float = MAX_MEGAPIXELS) -> NDArray[Any]:
    """Return the numbers of a map's first channel (H, W) as they are stored, such as depths or labels.

    Raises:
        ImageError: as `read_file` does.
    """
    with _opened(path, max_megapixels) as picture:
        try:
            values = np.array(picture)
        except DECODING_ERRORS as error:
            raise _damaged(picture, path.name, error) from error
    return values if values.ndim == 2 else values[..., 0]


@contextlib.contextmanager
def _opened(path: Path, max_megapixels: float) -> Iterator[Image.Image]:
    """A recognised file of an allowed size, not decoded yet."""
    register_heif()
    _silence_libtiff()
    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "nothing"
            raise ImageError(f"{path}: expected a photo file, found {what} there; check the path")
        if path.stat().st_size == 0:
            raise ImageError(f"{path.name}: expected {READABLE}, got an empty file; copy or export it again")
        picture = Image.open(path, formats=[*dict.fromkeys(FORMATS.values())])
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(too_large(path.name, "far more", max_megapixels)) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{path.name}: expected {READABLE}, got something else or a damaged file; export it as PNG or JPEG"
        ) from error
    except DECODING_ERRORS as error:
        raise ImageError(
            f"{path.name}: expected {READABLE}, but it can not be opened ({first_line(error)}); check the file"
        ) from error
    with picture:
        check_size(picture.size, max_megapixels, path.name)
        yield picture


@cache
def register_heif() -> None:
    import pillow_heif  # on first use: it takes a while to load, and registering it is global

    pillow_heif.register_heif_opener()


@cache
def _silence_libtiff() -> None:
    """Keep the libtiff of Pillow's wheels from printing a line of its own before Pillow raises what says the same."""
    package = Path(Image.__file__).parent
    for library in (*package.parent.glob("pillow.libs/libtiff*"), *package.glob(".dylibs/libtiff*")):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(str(library)).TIFFSetErrorHandler(None)


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _decode(
    picture: Image.Image, again: Image.Image | None, name: str, keep_location: bool
) -> tuple[NDArray[Any], FileProperties]:
    """``again`` is the same file opened a second time, None for a picture from memory."""
    try:
        return _decode_whole(picture, again, name, keep_location)
    except ImageError:
        raise
    except DECODING_ERRORS as error:
        raise _damaged(picture, name, error) from error


def _damaged(picture: Image.Image, name: str, error: BaseException) -> ImageError:
    return ImageError(
        f"{name}: expected a whole {picture.format or 'picture'} file, but it is damaged or cut off"
        f" ({first_line(error)}); copy or export it again"
    )


def _decode_whole(
    picture: Image.Image, again: Image.Image | None, name: str, keep_location: bool
) -> tuple[NDArray[Any], FileProperties]:
    file_format = "JPEG" if picture.format == "MPO" else picture.format or "PNG"
    check_frames(picture, file_format, name)
    properties = FileProperties(
        file_format=file_format if file_format in FORMATS.values() else "PNG",
        name=name if again is not None else "",
        icc=picture.info.get("icc_profile") or None,
        lossless=file_format in ("PNG", "TIFF", "BMP") or (again is not None and _is_lossless_webp(again)),
        jpeg_subsampling=jpeg_subsampling(picture),
        jpeg_quality=jpeg_quality(picture),
        dpi=sound_resolution(picture.info.get("dpi")),
    )
    if again is not None and deep_heif.is_deep(again):
        pixels: NDArray[Any] = deep_heif.read_deep(again)
    elif again is not None and sixteen_bit.is_sixteen_bit(picture):
        pixels = sixteen_bit.read_sixteen_bit(picture, again)
    elif picture.mode.startswith("I;16"):
        pixels = np.asarray(picture).astype(np.uint16)[..., None]
    else:
        pixels, icc = _eight_bit_pixels(picture, properties.icc, name)
        properties = replace(properties, icc=icc)
    orientation, exif, had_position = _read_exif(picture, keep_location)
    return _upright(pixels, orientation), replace(properties, exif=exif, had_position=had_position)


def _is_lossless_webp(picture: Image.Image) -> bool:
    file = getattr(picture, "fp", None)
    if picture.format != "WEBP" or file is None:
        return False
    file.seek(0)
    return b"VP8L" in file.read(4096)


def _eight_bit_pixels(picture: Image.Image, icc: bytes | None, name: str) -> tuple[NDArray[np.uint8], bytes | None]:
    """Return pixels (H, W, C) and the profile that they are in: None once they are sRGB."""
    picture.load()
    mode = picture.mode
    if mode in ("CMYK", "YCbCr", "LAB") or (icc and mode == "RGB" and read_matrix_profile(icc) is None):
        return np.asarray(_to_srgb_by_tables(picture, icc)), None
    see_through = picture.has_transparency_data or mode in ("La", "RGBa")
    if mode in ("1", "L", "LA", "La"):
        wanted = "LA" if see_through else "L"
    elif mode in ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX"):
        wanted = "RGBA" if see_through else "RGB"
    else:
        raise ImageError(f"{name}: expected 8 or 16 bits per colour, got mode {mode}; export it as PNG")
    pixels = np.asarray(picture if mode == wanted else picture.convert(wanted))
    return pixels if pixels.ndim == 3 else pixels[..., None], icc


def _to_srgb_by_tables(picture: Image.Image, icc: bytes | None) -> Image.Image:
    """Convert by the file's own look-up tables, or by Pillow's plain formula where it has none that work."""
    if icc:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            own = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            converted = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return picture.convert("RGB")


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror as the EXIF orientation 1 to 8 says, so that row 0 is the top."""
    if orientation in _TURNED:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _read_exif(picture: Image.Image, keep_location: bool) -> tuple[int, bytes, bool]:
    """Return the orientation, what may be kept, and whether a position was left out; damaged EXIF data is none."""
    try:
        exif = picture.getexif()
        orientation, position = exif.get(ORIENTATION, 1), dict(exif.get_ifd(POSITION))
        kept = _public_exif(exif, position if keep_location else {})
        return (orientation if isinstance(orientation, int) else 1), kept, bool(position) and not keep_location
    except DECODING_ERRORS:
        return 1, b"", False


def _public_exif(exif: Image.Exif, position: dict[int, Any]) -> bytes:
    """Keep date, camera, exposure, author and the position given; drop orientation, thumbnail and maker notes."""
    kept = Image.Exif()
    for tag in EXIF_TEXTS:
        if tag in exif:
            kept[tag] = exif[tag]
    details = {tag: value for tag, value in exif.get_ifd(EXIF_DETAILS).items() if tag not in DROPPED_EXIF_DETAILS}
    if details:
        kept[EXIF_DETAILS] = details
    if position:
        kept[POSITION] = position
    return kept.tobytes() if len(kept) else b""


def format_of(path: Path) -> str:
    """Return the format that a file name asks for; raises `ImageError` for an unknown ending."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(FORMATS)
        raise ImageError(f"{path.name}: expected a name ending in one of {known}; got '{path.suffix}'") from None
