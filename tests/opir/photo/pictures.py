"""Pictures, colour profiles and Exif tags that tests make photo files of."""

import struct
from pathlib import Path

import numpy as np
from PIL import Image

from opir.photo.beside.exif import Entry, Exif

GPS, ORIENTATION, DETAILS, DATE_TAKEN = 0x8825, 0x0112, 0x8769, 0x9003


def noise(*shape: int, high: int = 256) -> np.ndarray:
    return np.random.default_rng(0).integers(0, high, shape, dtype=np.uint8 if high == 256 else np.uint16)


def smooth(height: int = 24, width: int = 40) -> np.ndarray:
    """A soft picture that lossy formats hold well."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([40 + 4 * x, 60 + 3 * y, 200 - 2 * x], axis=2).clip(0, 255).astype(np.uint8)


def s15(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def wide_profile(gamma: float | None = None) -> bytes:
    """A small profile with the primaries of Display P3, and sRGB's curve or a plain power."""
    curve = b"curv\0\0\0\0\0\0\0\1" + struct.pack(">HH", round((gamma or 0) * 256), 0)
    if gamma is None:
        curve = b"para\0\0\0\0\0\3\0\0" + b"".join(map(s15, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    columns = {
        b"r": (0.51512, 0.24120, -0.00105),
        b"g": (0.29198, 0.69225, 0.04189),
        b"b": (0.15710, 0.06657, 0.78407),
    }
    tags = {colour + b"XYZ": b"XYZ \0\0\0\0" + b"".join(map(s15, xyz)) for colour, xyz in columns.items()}
    tags |= {colour + b"TRC": curve for colour in columns}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + b"".join(map(s15, (0.9642, 1.0, 0.8249)))
    offset, directory, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        directory += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    header = bytearray(128)
    struct.pack_into(
        ">I4sI4s4s4s", header, 0, 128 + len(directory + body), b"", 0x02100000, b"mntr", b"RGB ", b"XYZ "
    )
    header[36:40] = b"acsp"
    header[68:80] = b"".join(map(s15, (0.9642, 1.0, 0.8249)))
    return bytes(header) + directory + body


def text_entry(text: str) -> Entry:
    data = text.encode() + b"\0"
    return Entry(2, len(data), data)


def rich_exif(order: str = ">") -> Exif:
    """A camera's Exif data with letters beyond ASCII, types that few programs keep, and a position."""
    rational = struct.pack(f"{order}II", 300, 1)
    half = struct.pack(f"{order}I", 1) + struct.pack(f"{order}I", 125)
    return Exif(
        order,
        {
            0x010E: text_entry("Café am See – 写真"),
            0x0110: text_entry("Camera 7"),
            0x013B: text_entry("José"),
            0x8298: text_entry("© Zoë"),
            0x9C9B: Entry(1, 10, "Title".encode("utf-16-le")),
            ORIENTATION: Entry(3, 1, struct.pack(f"{order}H", 6)),
            **{0x011A: Entry(5, 1, rational), 0x011B: Entry(5, 1, rational)},
            0x0128: Entry(3, 1, struct.pack(f"{order}H", 2)),
        },
        {
            DATE_TAKEN: text_entry("2024:05:06 07:08:09"),
            0x829A: Entry(5, 1, half),
            0x9000: Entry(7, 4, b"0232"),
            0x9204: Entry(10, 1, struct.pack(f"{order}ii", -1, 3)),
            0x9286: Entry(7, 14, b"UNICODE\0" + "写真?".encode(f"utf-16-{'be' if order == '>' else 'le'}")),
            0x8827: Entry(3, 1, struct.pack(f"{order}H", 400)),
            0xA432: Entry(5, 2, half * 2),
            0x927C: Entry(7, 9, b"maker's 1"),
        },
        {1: text_entry("N"), 2: Entry(5, 3, half * 3)},
    )


def save_with_exif(path: Path, exif: Image.Exif) -> Path:
    Image.fromarray(smooth()).save(path, exif=exif.tobytes())
    return path
