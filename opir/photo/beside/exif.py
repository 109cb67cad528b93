"""Exif data as it stands in a file: entries are kept byte for byte, so that no type and no letter changes.

Exif 3.0 (CIPA DC-008), TIFF 6.0 section 2; BigTIFF where a TIFF file is one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

PROCESSING_SOFTWARE, ORIENTATION, WIDTH, HEIGHT = 0x000B, 0x0112, 0xA002, 0xA003
DETAILS, POSITION, INTEROPERABILITY = 0x8769, 0x8825, 0xA005
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
COLOUR_SPACE, INTEROP_INDEX, INTEROP_VERSION = 0xA001, 0x0001, 0x0002
TURNED = (5, 6, 7, 8)
"""Orientations that swap width and height."""
RESOLUTION = (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT)

KEPT = frozenset(
    {
        *(0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298),  # document … copyright
        *(0x4746, 0x4749, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),  # ratings, and texts in the manner of Windows
        *RESOLUTION,
    }
)
"""Tags of the first directory that describe the photo; the others describe the file as it was, or are unknown."""
DROPPED_DETAILS = frozenset({0x927C, WIDTH, HEIGHT, INTEROPERABILITY})
"""Maker notes break when they are moved and can hold a position; sizes describe the file as it was."""
UTF8, ASCII = 129, 2
_MOST_ENTRIES = 1000  # of a directory; a sound one has some hundred
_TYPE_SIZES = {
    **{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8},
    UTF8: 1,
}
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}


@dataclass(frozen=True)
class Entry:
    """One tag's value, as it stands in the file."""

    kind: int
    """The TIFF type: 2 text, 3 short, 5 rational, ..."""
    count: int
    data: bytes

    def numbers(self, order: str) -> tuple[float, ...]:
        """Return the values as numbers; none for a text or an unknown type."""
        if self.kind in (5, 10):
            parts = struct.unpack(f"{order}{2 * self.count}{'I' if self.kind == 5 else 'i'}", self.data)
            return tuple(top / bottom if bottom else 0.0 for top, bottom in zip(parts[::2], parts[1::2], strict=True))
        letter = _NUMBERS.get(self.kind)
        return () if letter is None else struct.unpack(f"{order}{self.count}{letter}", self.data)


Directory = dict[int, Entry]


@dataclass(frozen=True)
class Exif:
    """The directories of Exif data that matter, by tag."""

    order: str = "<"
    """"<" for little-endian numbers, ">" for big-endian ones."""
    main: Directory = field(default_factory=dict)
    details: Directory = field(default_factory=dict)
    position: Directory = field(default_factory=dict)
    interoperability: Directory = field(default_factory=dict)
    end: int = field(default=0, compare=False)
    """Where the last of its directories and values ends in the block that it was read from."""

    def number(self, tag: int, directory: Directory | None = None) -> float | None:
        """Return the first number of a tag of the main, or another, directory; None where there is none."""
        entry = (self.main if directory is None else directory).get(tag)
        numbers = () if entry is None else entry.numbers(self.order)
        return numbers[0] if numbers else None

    @property
    def orientation(self) -> int:
        """1 to 8; 1 for upright and for what is no orientation."""
        value = self.number(ORIENTATION)
        return int(value) if value is not None and value in range(1, 9) else 1

    @property
    def resolution(self) -> tuple[float, float] | None:
        """Pixels an inch across and down."""
        across, down = self.number(X_RESOLUTION), self.number(Y_RESOLUTION)
        unit = self.number(RESOLUTION_UNIT)
        if not across or not down or unit not in (None, 2, 3):
            return None
        inches = 2.54 if unit == 3 else 1.0
        return across * inches, down * inches

    @property
    def aspect(self) -> tuple[float, float] | None:
        """Pixels across and down in one unit or another, which tell their shape alone."""
        across, down = self.number(X_RESOLUTION), self.number(Y_RESOLUTION)
        return (across, down) if across and down and self.number(RESOLUTION_UNIT) == 1 else None

    @property
    def is_adobe_rgb(self) -> bool:
        """Whether a camera says so by the rules of DCF 2.0: interoperability R03 and no sRGB."""
        index = self.interoperability.get(INTEROP_INDEX)
        return index is not None and index.data[:3] == b"R03" and self.number(COLOUR_SPACE, self.details) != 1

    def public(self, keep_location: bool = False) -> Exif:
        """Return what stays with a photo: neither orientation, thumbnail and maker notes, nor its position."""
        position = self.position if keep_location else {}
        return Exif(
            self.order,
            {tag: entry for tag, entry in self.main.items() if tag in KEPT},
            {tag: entry for tag, entry in self.details.items() if tag not in DROPPED_DETAILS},
            position,
            {tag: entry for tag, entry in self.interoperability.items() if tag in (INTEROP_INDEX, INTEROP_VERSION)},
        )

    def to_bytes(self) -> bytes:
        """Return it as a block with its "Exif" mark, empty where nothing is in it."""
        if not (self.main or self.details or self.position or self.interoperability):
            return b""
        mark = (b"II*\0" if self.order == "<" else b"MM\0*") + struct.pack(f"{self.order}I", 8)
        main = self.main | {pointer: _offset(self.order, 0) for pointer in self.below(0)[0]}
        pointers, blocks = self.below(8 + len(_written(self.order, 8, main)))
        main |= {pointer: _offset(self.order, place) for pointer, place in pointers.items()}
        return b"Exif\0\0" + mark + _written(self.order, 8, main) + blocks

    def below(self, place: int) -> tuple[dict[int, int], bytes]:
        """Return the directories below the main one, to stand at an offset, and what offset each pointer tag gets."""
        details = dict(self.details)
        if self.interoperability:
            details[INTEROPERABILITY] = _offset(self.order, 0)
            inner = place + len(_written(self.order, place, details))
            details[INTEROPERABILITY] = _offset(self.order, inner)
        pointers, blocks = {}, b""
        for pointer, directory in ((DETAILS, details), (POSITION, self.position)):
            if directory:
                pointers[pointer] = place + len(blocks)
                blocks += _written(self.order, place + len(blocks), directory)
            if pointer == DETAILS and self.interoperability:
                blocks += _written(self.order, place + len(blocks), self.interoperability)
        return pointers, blocks


def _offset(order: str, place: int) -> Entry:
    return Entry(4, 1, struct.pack(f"{order}I", place))


def _written(order: str, start: int, entries: Directory) -> bytes:
    """Return one directory with its values behind it, of an even length."""
    rows, values = b"", b""
    after = start + 2 + 12 * len(entries) + 4
    for tag, entry in sorted(entries.items()):
        held = entry.data.ljust(4, b"\0")
        if len(entry.data) > 4:
            held = struct.pack(f"{order}I", after + len(values))
            values += entry.data + b"\0" * (len(entry.data) % 2)
        rows += struct.pack(f"{order}HHI", tag, entry.kind, entry.count) + held
    return struct.pack(f"{order}H", len(entries)) + rows + bytes(4) + values


def read_exif(block: bytes, at: int | None = None) -> Exif:
    """Read Exif data, or a TIFF file's own directory; what is damaged in it is left out.

    Args:
        block: Exif data with or without its mark, or a whole TIFF file.
        at: the offset of the main directory; None for the first one.
    """
    block = block[6:] if block[:6] == b"Exif\0\0" else block
    try:
        order = {b"II": "<", b"MM": ">"}[bytes(block[:2])]
        (version,) = struct.unpack_from(f"{order}H", block, 2)
        big = version == 43
        if at is None:
            (at,) = struct.unpack_from(f"{order}Q" if big else f"{order}I", block, 8 if big else 4)
        main, end = _directory(block, order, at, big)
    except (KeyError, struct.error):
        return Exif()
    exif = Exif(order, main)
    details, end_of_details = _below(block, exif, main, DETAILS, big)
    position, end_of_position = _below(block, exif, main, POSITION, big)
    interoperability, end_of_last = _below(block, exif, details, INTEROPERABILITY, big)
    end = max(end, end_of_details, end_of_position, end_of_last)
    return Exif(order, main, details, position, interoperability, end)


def _below(block: bytes, exif: Exif, directory: Directory, pointer: int, big: bool) -> tuple[Directory, int]:
    """Read the directory that an entry points to, and take the entry out."""
    offset = exif.number(pointer, directory)
    directory.pop(pointer, None)
    try:
        return _directory(block, exif.order, int(offset), big) if offset else ({}, 0)
    except struct.error:
        return {}, 0


def _directory(block: bytes, order: str, at: int, big: bool) -> tuple[Directory, int]:
    """Read the entries of a directory whose values lie within the block, and where the last of it ends."""
    head, row, room = ("Q", 20, 8) if big else ("H", 12, 4)
    (count,) = struct.unpack_from(order + head, block, at)
    entries: Directory = {}
    start = at + struct.calcsize(order + head)
    end = start + row * count + room
    unread = len(block)  # no sound file names the same bytes again and again
    for place in range(start, start + row * min(count, _MOST_ENTRIES), row):
        if place + row > len(block):
            break
        tag, kind = struct.unpack_from(f"{order}HH", block, place)
        (number,) = struct.unpack_from(f"{order}Q" if big else f"{order}I", block, place + 4)
        size = number * _TYPE_SIZES.get(kind, 0)
        data = place + row - room
        if size > room:
            (data,) = struct.unpack_from(f"{order}Q" if big else f"{order}I", block, data)
        if size and data + size <= len(block) and size <= unread:
            unread -= size
            entries.setdefault(tag, Entry(kind, number, bytes(block[data : data + size])))
            end = max(end, data + size)
    return entries, end
