"""Damages sound photos: cut off at every part, or changed at random by Hypothesis (bytes flipped, parts moved, …)."""

import struct
import zlib
from collections.abc import Iterator

from hypothesis import strategies as st

from benchmarks.reliability.anatomy import PNG_HEAD, boundaries, parts, png_chunk
from benchmarks.reliability.case import Case
from benchmarks.reliability.sound import Sound, exif_of_a_camera, srgb_profile

EXIF_MARK = b"Exif\0\0"
TELLING_NUMBERS = [0, 1, 2, 8, 255, 256, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1]
TELLING_WORDS = [
    b"curv",
    b"para",
    b"mft2",
    b"XYZ ",
    b"CMYK",
    b"GRAY",
    b"Lab ",
    b"RGB ",
    b"rTRC",
    b"\xff\xff\xff\xff",
    bytes(4),
]
EXIF_TAGS = [
    0x0100,
    0x010E,
    0x0110,
    0x0112,
    0x0132,
    0x013B,
    0x0201,
    0x8298,
    0x8769,
    0x8825,
    0x9003,
    0x9286,
    0x927C,
    0xA005,
]


def cut_off(sounds: list[Sound]) -> Iterator[Case]:
    """Yield every photo cut at every boundary of its parts, and one byte before and behind it."""
    for sound in sounds:
        places = {place + shift for place in boundaries(sound.data) for shift in (-1, 0, 1)}
        for place in sorted(place for place in places if 0 < place < len(sound.data)):
            yield Case(sound.file_format, "cut off", f"{sound.kind} to {place}{sound.ending}", sound.data[:place])


@st.composite
def flipped(draw: st.DrawFn, sounds: list[Sound]) -> Case:
    """Change single bytes, half of them where files keep their headers."""
    sound = draw(st.sampled_from(sounds))
    data = bytearray(sound.data)
    place = st.one_of(st.integers(0, min(99, len(data) - 1)), st.integers(0, len(data) - 1))
    for at, value in draw(st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=8)):
        data[at] = value
    return Case(sound.file_format, "flipped bytes", f"{sound.kind}{sound.ending}", bytes(data))


@st.composite
def numbers_set(draw: st.DrawFn, sounds: list[Sound]) -> Case:
    """Replace a number by an extreme one, with a right checksum in a PNG."""
    sound = draw(st.sampled_from(sounds))
    pieces = parts(sound.data)
    index = draw(st.integers(0, len(pieces) - 1))
    piece = bytearray(pieces[index])
    code = draw(st.sampled_from(["<H", ">H", "<I", ">I"]))
    size = struct.calcsize(code)
    if len(piece) >= size:
        place = draw(st.integers(0, min(len(piece) - size, 40)))
        struct.pack_into(code, piece, place, draw(st.sampled_from(TELLING_NUMBERS)) % 256**size)
    if sound.file_format == "PNG" and len(piece) >= 12:
        piece[-4:] = struct.pack(">I", zlib.crc32(piece[4:-4]))
    pieces[index] = bytes(piece)
    return Case(sound.file_format, "wrong numbers", f"{sound.kind}{sound.ending}", b"".join(pieces))


@st.composite
def rearranged(draw: st.DrawFn, sounds: list[Sound]) -> Case:
    """Leave out, repeat and swap the parts of a file, or put in one of another file."""
    sound, other = draw(st.sampled_from(sounds)), draw(st.sampled_from(sounds))
    pieces = parts(sound.data)
    for _ in range(draw(st.integers(1, 3))):
        index, at = draw(st.integers(0, len(pieces) - 1)), draw(st.integers(0, len(pieces)))
        match draw(st.sampled_from(["drop", "repeat", "swap", "foreign"])):
            case "drop" if len(pieces) > 1:
                del pieces[index]
            case "repeat":
                pieces[at:at] = [pieces[index]] * draw(st.sampled_from([1, 2, 300]))
            case "swap":
                pieces.insert(min(at, len(pieces) - 1), pieces.pop(index))
            case _:
                pieces.insert(at, draw(st.sampled_from(parts(other.data))))
    return Case(sound.file_format, "parts moved", f"{sound.kind}{sound.ending}", b"".join(pieces))


@st.composite
def spliced(draw: st.DrawFn, sounds: list[Sound]) -> Case:
    """Remove or insert a run of bytes, as a failing disk or a broken transfer does."""
    sound = draw(st.sampled_from(sounds))
    start = draw(st.integers(0, len(sound.data)))
    end = min(len(sound.data), start + draw(st.sampled_from([0, 1, 2, 16, 200])))
    put = draw(st.one_of(st.binary(max_size=40), st.sampled_from([bytes(512), b"\xff" * 512, b"\r\n"])))
    return Case(
        sound.file_format, "spliced", f"{sound.kind}{sound.ending}", sound.data[:start] + put + sound.data[end:]
    )


@st.composite
def exif_spoilt(draw: st.DrawFn, sounds: list[Sound]) -> Case:
    """Put EXIF data of impossible types, counts and offsets, or with directories that lead back, into a photo."""
    sound = draw(
        st.sampled_from([sound for sound in sounds if EXIF_MARK.rstrip(b"\0") in sound.data or b"eXIf" in sound.data])
    )
    order = draw(st.sampled_from("<>"))
    entry = st.tuples(
        st.one_of(st.sampled_from(EXIF_TAGS), st.integers(0, 65535)),
        st.integers(0, 14),
        st.one_of(st.sampled_from(TELLING_NUMBERS), st.integers(0, 40)),
        st.one_of(st.sampled_from(TELLING_NUMBERS), st.integers(0, 220)),
    )
    entries = draw(st.lists(entry, max_size=9))
    count = draw(st.one_of(st.just(len(entries)), st.sampled_from([0, 1, 65535])))
    blob = (b"II" if order == "<" else b"MM") + struct.pack(
        f"{order}HIH", 42, draw(st.sampled_from([8, 8, 8, 0, 7, 2**31])), count
    )
    blob += b"".join(struct.pack(f"{order}HHII", *values) for values in entries)
    blob += struct.pack(f"{order}I", draw(st.sampled_from([0, 8, 2**32 - 1]))) + draw(st.binary(max_size=60))
    new = replaced(sound, exif_of_a_camera().removeprefix(EXIF_MARK), blob)
    return Case(sound.file_format, "corrupt EXIF", f"{sound.kind}{sound.ending}", new)


@st.composite
def profile_spoilt(draw: st.DrawFn, sounds: list[Sound]) -> Case:
    """Put a colour profile with words and numbers that are not its own into a photo."""
    profile = srgb_profile()
    sound = draw(st.sampled_from([sound for sound in sounds if b"iCCP" in sound.data or profile[:200] in sound.data]))
    spoilt = bytearray(profile)
    word = st.one_of(
        st.sampled_from(TELLING_WORDS),
        st.sampled_from(TELLING_NUMBERS).map(lambda n: struct.pack(">I", n)),
        st.binary(min_size=4, max_size=4),
    )
    for index, value in draw(st.lists(st.tuples(st.integers(0, len(spoilt) // 4 - 1), word), min_size=1, max_size=6)):
        spoilt[4 * index : 4 * index + 4] = value
    cut = draw(st.one_of(st.just(len(spoilt)), st.integers(0, len(spoilt))))
    new = replaced(sound, profile, bytes(spoilt[:cut]))
    return Case(sound.file_format, "corrupt profile", f"{sound.kind}{sound.ending}", new)


def replaced(sound: Sound, old: bytes, new: bytes) -> bytes:
    """Put other metadata of the same length into a photo, or of any length into a PNG."""
    if sound.file_format != "PNG":
        return sound.data.replace(old, new[: len(old)].ljust(len(old), b"\0"))
    pieces = [sound.data[:PNG_HEAD]]
    for chunk in parts(sound.data)[1:]:
        name, content = chunk[4:8], chunk[8:-4]
        if name == b"eXIf" and content == old:
            pieces.append(png_chunk(name, new))
        elif name == b"iCCP" and zlib.decompress(content.partition(b"\0\0")[2]) == old:
            pieces.append(png_chunk(name, b"profile\0\0" + zlib.compress(new)))
        else:
            pieces.append(chunk)
    return b"".join(pieces)
