"""Small sound photos of every format, as bytes: what the corpus of bad input is made from."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pillow_heif
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from benchmarks.reliability.odd_pngs import RGB, png

HEIGHT, WIDTH = 18, 26
CAMERA, DATE, DETAILS, DATE_TAKEN, POSITION = 0x0110, 0x0132, 0x8769, 0x9003, 0x8825


@dataclass(frozen=True)
class Sound:
    """A photo that every door takes, or a GIF, which every door refuses."""

    file_format: str
    kind: str
    ending: str
    data: bytes


def pixels(height: int = HEIGHT, width: int = WIDTH, channels: int = 3, bits: int = 8) -> NDArray[Any]:
    """Return a soft picture with an edge, (H, W, C) of uint8 or uint16."""
    rows, columns, planes = np.mgrid[0:height, 0:width, 0:channels]
    values = 0.5 + 0.3 * np.sin(0.4 * rows + planes) * np.cos(0.3 * columns) + 0.2 * (columns > width // 2)
    levels: NDArray[Any] = (values.clip(0, 1) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    return levels


def exif_of_a_camera() -> bytes:
    """Return EXIF data with a camera, dates and a position."""
    exif = Image.Exif()
    exif[CAMERA], exif[DATE] = "Camera 7", "2026:11:24 10:00:00"
    exif[DETAILS] = {DATE_TAKEN: "2026:11:24 10:00:00", 0x829A: 0.01, 0x927C: b"maker's note"}
    exif[POSITION] = {1: "N", 2: (52.0, 31.0, 12.0)}
    return exif.tobytes()


def srgb_profile() -> bytes:
    """Return the profile that most cameras attach, without the date that it was made."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes(12) + profile[36:]


def saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    """Return a picture as a file of this format."""
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def _deep_png() -> bytes:
    return png(pixels(bits=16), 16, RGB)


def _deep_tiff(channels: int, compression: str | None) -> bytes:
    file = io.BytesIO()
    values = pixels(channels=channels, bits=16)
    kind = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(file, values if channels == 3 else values[..., 0], photometric=kind, compression=compression)
    return file.getvalue()


def sound_photos() -> list[Sound]:
    """Return one photo for each way of decoding."""
    pillow_heif.register_heif_opener()
    colour, see_through = Image.fromarray(pixels()), Image.fromarray(pixels(channels=4))
    grey = Image.fromarray(pixels(channels=1)[..., 0])
    metadata = {"exif": exif_of_a_camera(), "icc_profile": srgb_profile()}
    makers: list[tuple[str, str, str, Callable[[], bytes]]] = [
        ("JPEG", "colour", ".jpg", lambda: saved(colour, "JPEG", quality=90, **metadata)),
        ("JPEG", "progressive", ".jpeg", lambda: saved(colour, "JPEG", progressive=True)),
        ("JPEG", "grey", ".jpg", lambda: saved(grey, "JPEG", exif=metadata["exif"])),
        ("JPEG", "cmyk", ".jpg", lambda: saved(colour.convert("CMYK"), "JPEG")),
        ("PNG", "colour", ".png", lambda: saved(colour, "PNG", **metadata)),
        ("PNG", "transparent", ".png", lambda: saved(see_through, "PNG")),
        ("PNG", "palette", ".png", lambda: saved(colour.convert("P"), "PNG", transparency=3)),
        ("PNG", "16 bit", ".png", _deep_png),
        ("WebP", "lossy", ".webp", lambda: saved(colour, "WEBP", **metadata)),
        ("WebP", "lossless", ".webp", lambda: saved(see_through, "WEBP", lossless=True)),
        ("TIFF", "colour", ".tif", lambda: saved(colour, "TIFF", **metadata)),
        ("TIFF", "lzw", ".tif", lambda: saved(colour, "TIFF", compression="tiff_lzw")),
        ("TIFF", "jpeg", ".tif", lambda: saved(colour, "TIFF", compression="jpeg")),
        ("TIFF", "16 bit", ".tiff", lambda: _deep_tiff(3, "zlib")),
        ("TIFF", "16 bit grey", ".tif", lambda: _deep_tiff(1, None)),
        ("HEIC", "colour", ".heic", lambda: saved(colour, "HEIF", quality=80, **metadata)),
        ("AVIF", "colour", ".avif", lambda: saved(colour, "AVIF", quality=80, speed=9, **metadata)),
        ("BMP", "colour", ".bmp", lambda: saved(colour, "BMP")),
        ("BMP", "palette", ".bmp", lambda: saved(colour.convert("P"), "BMP")),
        ("GIF", "palette", ".gif", lambda: saved(colour.convert("P"), "GIF")),
    ]
    return [Sound(file_format, kind, ending, make()) for file_format, kind, ending, make in makers]
