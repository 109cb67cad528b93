"""Photo files to pixels and back, with what rides along: profile, orientation, EXIF, depth, compression.

H height, W width, C channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGBA).
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, JpegImagePlugin, UnidentifiedImageError

from opir import sixteen_bit
from opir.colour import read_matrix_profile
from opir.sixteen_bit import EXIF_DETAILS, EXIF_TEXTS

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
QUALITY = {"JPEG": 95, "WEBP": 92, "HEIF": 90, "AVIF": 90}
DEEP_FORMATS = ("PNG", "TIFF")  # the ones that are written with 16 bits
DECODING_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, RuntimeError, LookupError, TypeError, OverflowError),
    *(struct.error, zlib.error),
)
ORIENTATION = 0x0112
# Maker notes break when they are moved and can hold a position; the others describe the file as it was.
DROPPED_EXIF_DETAILS = (0x927C, 0xA002, 0xA003, 0xA005)


class ImageError(ValueError):
    """A photo that can not be read or written; its text is one line for the person who chose it."""


@dataclass(frozen=True)
class FileProperties:
    """What a file holds besides pixels, as far as it is kept."""

    file_format: str = "PNG"
    name: str = ""  # file name, empty for a picture that came from memory
    icc: bytes | None = None  # profile of the pixels, None for sRGB
    exif: bytes = b""  # without position, orientation and thumbnail
    lossless: bool = False
    jpeg_subsampling: int = 2  # 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0
    dpi: tuple[float, float] | None = None


def read_file(path: Path, max_megapixels: float) -> tuple[NDArray[Any], FileProperties]:
    """Return upright pixels (H, W, C) of uint8 or uint16 and what came with them.

    Raises:
        ImageError: if the file is missing, damaged, of another kind, or larger than `max_megapixels`
            (which is checked before decoding).
    """
    with _opened(path, max_megapixels) as picture, _opened(path, max_megapixels) as again:
        try:
            return _decode(picture, again, path.name)
        except ImageError:
            raise
        except DECODING_ERRORS as error:
            raise ImageError(
                f"{path.name}: expected a whole {picture.format} file, but it is damaged or cut off"
                f" ({_first_line(error)}); copy or export it again"
            ) from error


def read_picture(picture: Image.Image, max_megapixels: float) -> tuple[NDArray[Any], FileProperties]:
    """Do the same for a PIL image that is already in memory."""
    _check_size(picture.size, max_megapixels, "the picture")
    return _decode(picture, None, "")


@contextlib.contextmanager
def _opened(path: Path, max_megapixels: float) -> Iterator[Image.Image]:
    """A recognised file of an allowed size, not decoded yet."""
    _register_heif()
    if not path.is_file():
        what = "a folder" if path.is_dir() else "nothing"
        raise ImageError(f"{path}: expected a photo file, found {what} there; check the path")
    try:
        if path.stat().st_size == 0:
            raise ImageError(f"{path.name}: expected {READABLE}, got an empty file; copy or export it again")
        picture = Image.open(path, formats=[*dict.fromkeys(FORMATS.values())])
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(path.name, "far more", max_megapixels)) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{path.name}: expected {READABLE}, got something else or a damaged file; export it as PNG or JPEG"
        ) from error
    except DECODING_ERRORS as error:
        raise ImageError(
            f"{path.name}: expected {READABLE}, but it can not be opened ({_first_line(error)}); check the file"
        ) from error
    with picture:
        _check_size(picture.size, max_megapixels, path.name)
        yield picture


@cache
def _register_heif() -> None:
    import pillow_heif  # on first use: it takes a while to load, and registering it is global

    pillow_heif.register_heif_opener()


def _check_size(size: tuple[int, int], max_megapixels: float, name: str) -> None:
    width, height = size
    if width * height > max_megapixels * 1e6:
        raise ImageError(_too_large(name, f"{width}x{height} = {width * height / 1e6:.3g}", max_megapixels))


def _too_large(name: str, got: str, max_megapixels: float) -> str:
    return f"{name}: expected at most {max_megapixels:g} megapixels, got {got}; make it smaller first"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _decode(picture: Image.Image, again: Image.Image | None, name: str) -> tuple[NDArray[Any], FileProperties]:
    """``again`` is the same file opened a second time, None for a picture from memory."""
    file_format = "JPEG" if picture.format == "MPO" else picture.format or "PNG"
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and file_format in ("PNG", "WEBP", "TIFF", "AVIF"):
        raise ImageError(
            f"{name or 'the picture'}: expected a still picture, got {frames} frames; export one of them"
        )
    dpi = picture.info.get("dpi")
    properties = FileProperties(
        file_format=file_format if file_format in FORMATS.values() else "PNG",
        name=name,
        icc=picture.info.get("icc_profile") or None,
        lossless=file_format in ("PNG", "TIFF", "BMP") or (again is not None and _is_lossless_webp(again)),
        jpeg_subsampling=_jpeg_subsampling(picture),
        dpi=(float(dpi[0]), float(dpi[1])) if dpi else None,
    )
    if again is not None and sixteen_bit.is_sixteen_bit(picture):
        pixels: NDArray[Any] = sixteen_bit.read_sixteen_bit(picture, again)
    elif picture.mode.startswith("I;16"):
        pixels = np.asarray(picture).astype(np.uint16)[..., None]
    else:
        pixels, icc = _eight_bit_pixels(picture, properties.icc, name)
        properties = replace(properties, icc=icc)
    exif = picture.getexif()
    return _upright(pixels, exif.get(ORIENTATION, 1)), replace(properties, exif=_public_exif(exif))


def _is_lossless_webp(picture: Image.Image) -> bool:
    file = getattr(picture, "fp", None)
    if picture.format != "WEBP" or file is None:
        return False
    file.seek(0)
    return b"VP8L" in file.read(4096)


def _jpeg_subsampling(picture: Image.Image) -> int:
    if not isinstance(picture, JpegImagePlugin.JpegImageFile):
        return 2
    sampling = JpegImagePlugin.get_sampling(picture)
    return sampling if sampling in (0, 1, 2) else 2


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
        raise ImageError(
            f"{name or 'the picture'}: expected 8 or 16 bits per colour, got mode {mode}; export it as PNG"
        )
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
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _public_exif(exif: Image.Exif) -> bytes:
    """Keep date, camera, exposure and author; drop position, orientation, thumbnail and maker notes."""
    kept = Image.Exif()
    try:
        for tag in EXIF_TEXTS:
            if tag in exif:
                kept[tag] = exif[tag]
        details = {tag: value for tag, value in exif.get_ifd(EXIF_DETAILS).items() if tag not in DROPPED_EXIF_DETAILS}
        if details:
            kept[EXIF_DETAILS] = details
        return kept.tobytes() if len(kept) else b""
    except DECODING_ERRORS:  # damaged EXIF data in a sound photo
        return b""


def format_of(path: Path) -> str:
    """Return the format that a file name asks for; raises `ImageError` for an unknown ending."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(FORMATS)
        raise ImageError(f"{path.name}: expected a name ending in one of {known}; got '{path.suffix}'") from None


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A new file beside ``path`` that takes its place when all went well, and is removed when not."""
    temporary = path.with_name(f".{path.name[:80]}.{uuid.uuid4().hex[:8]}.part")
    try:
        with open(temporary, "x+b") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        raise ImageError(f"{path}: can not be written ({error.strerror or error}); check the folder") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_file(path: Path, pixels: NDArray[Any], properties: FileProperties, quality: int | None = None) -> None:
    """Write pixels (H, W, C) in the format that the name asks for; uint16 only to `DEEP_FORMATS`."""
    file_format = format_of(path)
    with written_whole(path) as file:
        if pixels.dtype == np.uint16 and file_format == "PNG":
            sixteen_bit.write_png(file, pixels, properties.icc, properties.exif)
        elif file_format == "TIFF":
            exif = Image.Exif()
            exif.load(properties.exif)
            sixteen_bit.write_tiff(file, pixels, properties.icc, exif)
        else:
            _register_heif()
            picture = Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[..., 0])
            picture.save(file, format=file_format, **_saving_options(file_format, properties, quality))


def _saving_options(file_format: str, properties: FileProperties, quality: int | None) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if properties.icc and file_format != "BMP":
        options["icc_profile"] = properties.icc
    if properties.exif and file_format != "BMP":
        options["exif"] = properties.exif
    if properties.dpi and file_format in ("JPEG", "PNG", "BMP"):
        options["dpi"] = properties.dpi
    if file_format in QUALITY:
        options["quality"] = quality if quality is not None else QUALITY[file_format]
    if file_format == "JPEG":
        # Not optimize=True: Pillow's buffer for it is too small for noisy pictures, and saving fails.
        options["subsampling"] = properties.jpeg_subsampling
    if file_format == "WEBP":
        options |= {"lossless": properties.lossless and properties.file_format == "WEBP", "exact": True}
    return options
