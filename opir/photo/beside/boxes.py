"""The boxes of HEIC and AVIF files: what is said of the picture, and metadata put into an AVIF that has none.

ISO/IEC 14496-12 (file format), 23008-12 (HEIF) and AV1 Image File Format 1.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from opir.photo.beside.behind import GAIN_MAP, MOTION, ORIGIN, behind

_DEEPEST = 6
_ORIGIN = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""The name of the uuid box of C2PA 2.1, A.5.1."""
_HOLDERS = {b"meta": 4, b"iprp": 0, b"ipco": 0}
"""Boxes that hold boxes, and how many bytes stand before those."""


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each box, and where its content starts and ends."""
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= end:
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        size = end - at if size == 0 else size
        if size < head:
            return
        yield name, at + head, min(at + size, end)
        at += size


def find_all(data: bytes, *path: bytes) -> Iterator[bytes]:
    """Yield the content of every box at a path such as meta, iprp, ipco, colr."""
    places = [(0, len(data))]
    for depth, wanted in enumerate(path[:_DEEPEST]):
        found = []
        for start, end in places:
            for name, first, last in boxes(data, start, end):
                if name == wanted:
                    is_last = depth == len(path) - 1
                    found.append((first if is_last else first + _HOLDERS.get(name, 0), last))
        places = found
    for start, end in places:
        yield data[start:end]


def code_points(data: bytes) -> tuple[int, int, int, int] | None:
    """Return the first nclx description: primaries, transfer curve, matrix, full range; None where there is none."""
    for colours in find_all(data, b"meta", b"iprp", b"ipco", b"colr"):
        if colours[:4] == b"nclx" and len(colours) >= 11:
            primaries, curve, matrix = struct.unpack_from(">3H", colours, 4)
            return primaries, curve, matrix, colours[10] >> 7
    return None


def aperture(data: bytes, width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what is to be seen of a picture, all of it where it is not cropped."""
    for content in find_all(data, b"meta", b"iprp", b"ipco", b"clap"):
        numbers = struct.unpack_from(">4i4i", content) if len(content) >= 32 else (0,) * 8
        if all(numbers[1::2]):
            across, down, right, below = (top / under for top, under in zip(numbers[::2], numbers[1::2], strict=True))
            left, upper = round((width - across) / 2 + right), round((height - down) / 2 + below)
            if min(left, upper) >= 0 < min(across, down) and left + across <= width and upper + down <= height:
                return left, upper, left + round(across), upper + round(down)
    return 0, 0, width, height


def more_than_a_picture(data: bytes) -> list[str]:
    """Say what else stands in a HEIC or AVIF: motion, a gain map by ISO 21496-1, a proof of origin, other bytes."""
    left_out, end = [], 0
    for name, first, last in boxes(data):
        if name == b"mpvd" or (name == b"ftyp" and end):
            left_out.append(MOTION)
            end = len(data)
            break
        if not name.isalnum():
            break
        if name == b"uuid" and data[first : first + 16] == _ORIGIN:
            left_out.append(ORIGIN)
        end = last
    if b"tmap" in _kinds_of_items(data):
        left_out.append(GAIN_MAP)
    return left_out + behind(data, end)


def _kinds_of_items(data: bytes) -> list[bytes]:
    kinds = []
    for content in find_all(data, b"meta", b"iinf"):
        for name, first, _ in boxes(content, 8 if content[:1] > b"\0" else 6):
            at = first + (10 if content[first : first + 1] == b"\3" else 8)
            kinds += [content[at : at + 4]] if name == b"infe" else []
    return kinds


@dataclass(frozen=True)
class Coded:
    """How an AV1 picture is coded, by its av1C box."""

    depth: int
    chroma: str


def av1_coding(data: bytes) -> Coded:
    """Return depth and chroma of the first picture; those of most files where it does not say."""
    for configuration in find_all(data, b"meta", b"iprp", b"ipco", b"av1C"):
        if len(configuration) >= 4:
            flags = configuration[2]
            depth = (12 if flags & 0x20 else 10) if flags & 0x40 else 8
            if flags & 0x10:
                return Coded(depth, "4:0:0")
            return Coded(depth, {0: "4:4:4", 2: "4:2:2"}.get(flags >> 2 & 3, "4:2:0"))
    return Coded(8, "4:2:0")


def with_metadata(data: bytes, icc: bytes | None, exif: bytes, xmp: bytes) -> bytes:
    """Return an AVIF of libavif with a profile, Exif data and XMP beside its picture, item 1.

    Raises:
        ValueError: for a file that is not laid out as libavif does it.
    """
    items = []
    if exif:
        items.append((b"Exif", b"Exif\0", bytes(4) + exif.removeprefix(b"Exif\0\0")))
    if xmp:
        items.append((b"mime", b"XMP\0application/rdf+xml\0", xmp))
    if not items and not icc:
        return data
    parts = {name: (first, last) for name, first, last in boxes(data)}
    if not {b"ftyp", b"meta", b"mdat"} <= parts.keys():
        raise ValueError("expected an AVIF file")
    meta = {name: data[first:last] for name, first, last in boxes(data, parts[b"meta"][0] + 4, parts[b"meta"][1])}
    highest = struct.unpack_from(">H", meta[b"iinf"], 4)[0]
    infos = b"".join(
        _box(b"infe", struct.pack(">BBHHH4s", 2, 0, 1, highest + 1 + index, 0, kind) + name)
        for index, (kind, name, _) in enumerate(items)
    )
    meta[b"iinf"] = meta[b"iinf"][:4] + struct.pack(">H", highest + len(items)) + meta[b"iinf"][6:] + infos
    about = b"".join(_box(b"cdsc", struct.pack(">HHH", highest + 1 + index, 1, 1)) for index in range(len(items)))
    if about:
        meta[b"iref"] = meta.get(b"iref", bytes(4)) + about
    if icc:
        meta[b"iprp"] = _with_profile(meta[b"iprp"], icc)
    order = [name for name in (b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp") if name in meta]
    locations, payload = meta[b"iloc"], data[slice(*parts[b"mdat"])]
    rows = struct.unpack_from(">H", locations, 6)[0]
    grown = bytearray(locations + bytes(14 * len(items)))
    struct.pack_into(">H", grown, 6, rows + len(items))
    meta[b"iloc"] = bytes(grown)
    head = data[: parts[b"ftyp"][1]]
    size = len(head) + 12 + sum(len(meta[name]) + 8 for name in order) + 8
    shift = size - parts[b"mdat"][0]
    at = size + len(payload)
    for row in range(rows):
        place = 8 + 14 * row + 6
        struct.pack_into(">I", grown, place, struct.unpack_from(">I", grown, place)[0] + shift)
    for index, (_, _, content) in enumerate(items):
        struct.pack_into(">HHHII", grown, 8 + 14 * (rows + index), highest + 1 + index, 0, 1, at, len(content))
        payload += content
        at += len(content)
    meta[b"iloc"] = bytes(grown)
    body = bytes(4) + b"".join(_box(name, meta[name]) for name in order)
    return head + _box(b"meta", body) + _box(b"mdat", payload)


def _with_profile(properties: bytes, icc: bytes) -> bytes:
    """Return an iprp box's content with a profile for item 1."""
    parts = {name: properties[first:last] for name, first, last in boxes(properties)}
    number = sum(1 for _ in boxes(parts[b"ipco"])) + 1
    shared = parts[b"ipco"] + _box(b"colr", b"prof" + icc)
    associated = bytearray(parts[b"ipma"])
    count = associated[10]  # version and flags, number of items, item 1: 4 + 4 + 2
    associated[10] = count + 1
    associated[11 + count : 11 + count] = bytes([number])
    return _box(b"ipco", shared) + _box(b"ipma", bytes(associated))


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content
