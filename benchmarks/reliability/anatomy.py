"""Where the parts of a photo file begin and end: chunks of a PNG, segments of a JPEG, boxes of a HEIC and so on."""

import struct
import zlib
from itertools import pairwise

BOXES_OF_BOXES = (b"meta", b"iprp", b"ipco", b"iinf", b"moov")
PNG_HEAD, WEBP_HEAD, TIFF_ENTRY = 8, 12, 12


def boundaries(data: bytes) -> list[int]:
    """Return the offsets at which a part of a sound file begins, rising, with 0 and the file's length."""
    finders = {
        b"\xff\xd8": _jpeg,
        b"\x89P": _png,
        b"RI": _webp,
        b"II": _tiff,
        b"BM": _bmp,
        b"GI": _gif,
    }
    find = finders.get(data[:2], _boxes)
    return sorted({0, len(data), *(offset for offset in find(data) if 0 <= offset <= len(data))})


def parts(data: bytes) -> list[bytes]:
    """Cut a sound file at its boundaries."""
    return [data[start:end] for start, end in pairwise(boundaries(data))]


def png_chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _jpeg(data: bytes) -> list[int]:
    found, place = [2], 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        (length,) = struct.unpack_from(">H", data, place + 2)
        scan = data[place + 1] == 0xDA
        place += 2 + length
        found.append(place)
        while (
            scan
            and place + 1 < len(data)
            and not (data[place] == 0xFF and data[place + 1] not in (0, *range(0xD0, 0xD8)))
        ):
            place += 1
        found.append(place)
    return found


def _png(data: bytes) -> list[int]:
    found = [PNG_HEAD]
    while found[-1] + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, found[-1])
        found.append(found[-1] + 12 + length)
    return found


def _webp(data: bytes) -> list[int]:
    found = [WEBP_HEAD]
    while found[-1] + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, found[-1] + 4)
        found.append(found[-1] + 8 + length + length % 2)
    return found


def _tiff(data: bytes) -> list[int]:
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    entries = [directory + 2 + TIFF_ENTRY * index for index in range(count + 1)]
    values = [struct.unpack_from("<I", data, entry + 8)[0] for entry in entries[:-1]]
    return [8, directory, *entries, entries[-1] + 4, *values]


def _bmp(data: bytes) -> list[int]:
    header, pixels = struct.unpack_from("<I", data, 14)[0], struct.unpack_from("<I", data, 10)[0]
    return [14, 14 + header, pixels]


def _gif(data: bytes) -> list[int]:
    palette = 3 * 2 ** ((data[10] & 7) + 1)
    image = data.find(b",", 13 + palette)
    return [6, 13, 13 + palette, image, image + 10, len(data) - 1]


def _boxes(data: bytes, start: int = 0, end: int | None = None) -> list[int]:
    """Find the boxes of an ISO base media file (HEIC, AVIF), those inside of others too."""
    end = len(data) if end is None else end
    found, place = [], start
    while place + 8 <= end:
        length, name = struct.unpack_from(">I4s", data, place)
        if length < 8:
            break
        found.append(place)
        if name in BOXES_OF_BOXES:
            skipped = {b"meta": 12, b"iinf": 14}.get(name, 8)
            found += _boxes(data, place + skipped, place + length)
        place += length
    return [*found, place]
