"""What Pillow can not do: PNG and TIFF files of 16 bits per colour, and EXIF data in a compressed TIFF.

H height, W width, C channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGBA).
"""

from __future__ import annotations

import io
import struct
import sys
import zlib
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

PNG_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by number of channels
NATIVE = "L" if sys.byteorder == "little" else "B"
EXIF_TEXTS = (
    0x010E,
    0x010F,
    0x0110,
    0x0131,
    0x0132,
    0x013B,
    0x8298,
)  # description, camera, software, date, author
EXIF_DETAILS, POSITION = 0x8769, 0x8825


def is_sixteen_bit(picture: Image.Image) -> bool:
    """Whether an opened, not yet decoded file holds 16 bits per channel."""
    kind, depth = _rawmode(picture)
    return picture.mode.startswith("I;16") or (kind in ("RGB", "RGBA", "LA") and depth.startswith("16"))


def read_sixteen_bit(first: Image.Image, second: Image.Image) -> NDArray[np.uint16]:
    """Return the pixels (H, W, C) of a 16-bit file that was opened twice and not decoded yet.

    Pillow decodes such files in full and then keeps the high byte of each sample. Told that the bytes come in
    the other order, it keeps the low byte: two readings make the whole, for every compression it knows.
    """
    if first.mode.startswith("I;16"):
        return np.asarray(first).astype(np.uint16)[..., None]
    if first.mode == "RGBA" and _rawmode(first)[0] == "LA":
        _decode_as(first, "RGBA")  # 4 bytes a pixel: grey high, grey low, alpha high, alpha low
        raw = np.asarray(first).astype(np.uint16)
        return (raw[..., 0::2] << 8 | raw[..., 1::2]).astype(np.uint16, copy=False)
    kind, depth = _rawmode(first)
    order = NATIVE if depth.endswith("N") else depth[-1]
    _decode_as(second, f"{kind};16{'L' if order == 'B' else 'B'}")
    pixels: NDArray[np.uint16] = np.asarray(first).astype(np.uint16)
    pixels <<= 8
    pixels |= np.asarray(second)
    return pixels


def _rawmode(picture: Image.Image) -> tuple[str, str]:
    """Pillow's name for the samples in the file, such as ("RGB", "16B")."""
    tiles = getattr(picture, "tile", [])
    if not tiles:
        return ("", "")
    arguments = tiles[0][3]
    kind, _, depth = str(arguments if isinstance(arguments, str) else arguments[0]).partition(";")
    return kind, depth


def _decode_as(picture: Image.Image, rawmode: str) -> None:
    """Have Pillow take the samples of a file for ``rawmode`` when it decodes them."""
    tiles = picture.tile  # type: ignore[attr-defined]
    for index, (codec, extents, offset, arguments) in enumerate(tiles):
        changed = rawmode if isinstance(arguments, str) else (rawmode, *arguments[1:])
        tiles[index] = (codec, extents, offset, changed)


def write_png(file: BinaryIO, pixels: NDArray[np.uint16], icc: bytes | None, exif: bytes) -> None:
    """Write (H, W, C) as a 16-bit PNG with its profile and EXIF data."""
    height, width, channels = pixels.shape
    samples = pixels.astype(">u2").reshape(height, width * channels).view(np.uint8)
    # Filter 1 of the PNG specification: each byte less the same byte of the pixel to its left.
    step = 2 * channels
    filtered = samples.copy()
    filtered[:, step:] -= samples[:, :-step]
    rows = np.concatenate([np.ones((height, 1), np.uint8), filtered], axis=1)

    file.write(b"\x89PNG\r\n\x1a\n")
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, PNG_COLOUR_TYPES[channels], 0, 0, 0))
    if icc:
        _write_chunk(file, b"iCCP", b"ICC profile\x00\x00" + zlib.compress(icc))
    if exif:
        _write_chunk(file, b"eXIf", exif.removeprefix(b"Exif\x00\x00"))
    _write_chunk(file, b"IDAT", zlib.compress(rows.tobytes(), 6))
    _write_chunk(file, b"IEND", b"")


def _write_chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))


def write_tiff(file: BinaryIO, pixels: NDArray[Any], icc: bytes | None, exif: Image.Exif) -> None:
    """Write (H, W, C) of uint8 or uint16 as a losslessly compressed TIFF with its profile and EXIF data.

    Args:
        file: open for reading and writing.
        pixels: grey + alpha is written as RGBA, which all readers know.
        icc: the profile.
        exif: its date, camera and author become tags, its details and position directories of their own.
    """
    if pixels.shape[2] == 2:
        pixels = pixels[..., [0, 0, 0, 1]]
    tifffile.imwrite(
        file,
        pixels if pixels.shape[2] > 1 else pixels[..., 0],
        bigtiff=False,
        byteorder="<",
        photometric="rgb" if pixels.shape[2] > 1 else "minisblack",
        extrasamples=["unassalpha"] if pixels.shape[2] == 4 else None,
        compression="zlib",
        predictor=True,
        metadata=None,
        software=False,
        iccprofile=icc,
        extratags=[(tag, "s", 0, str(exif[tag]), True) for tag in EXIF_TEXTS if tag in exif],
    )
    for pointer in (EXIF_DETAILS, POSITION):
        if values := exif.get_ifd(pointer):
            _append_directory(file, pointer, values)


def _append_directory(file: BinaryIO, pointer: int, values: dict[int, Any]) -> None:
    """Add a directory that tifffile does not write to a little-endian TIFF, and the tag that points to it."""
    directory = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\0\0\0\0", group=pointer)
    for tag, value in values.items():
        directory[tag] = value
    file.seek(4)
    file.seek(struct.unpack("<I", file.read(4))[0])
    (count,) = struct.unpack("<H", file.read(2))
    entries = [file.read(12) for _ in range(count)]

    position = file.seek(0, io.SEEK_END)
    position += file.write(b"\0" * (position % 2))
    end = position + file.write(directory.tobytes(position))
    end += file.write(b"\0" * (end % 2))
    entries.append(struct.pack("<HHII", pointer, 4, 1, position))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry))
    file.write(struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0")
    file.seek(4)
    file.write(struct.pack("<I", end))
