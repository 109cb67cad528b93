"""Files that are unusual and sound, or nearly so: odd layouts, trailing data, long chunks, missing ends."""

import io
import struct
import zlib
from collections.abc import Iterator

import imagecodecs
import numpy as np
import pillow_heif

from benchmarks.reliability.case import Case
from benchmarks.reliability.odd_pngs import odd_pngs, photo_png
from benchmarks.reliability.odd_tiffs import by_hand, odd_tiffs
from benchmarks.reliability.sound import HEIGHT, WIDTH, Sound, pixels

_LONG = 3_000_000
_LONG_TEXTS = {
    "long text": (b"tEXt", b"Comment\0" + b"x" * _LONG),
    "packed text": (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 * _LONG))),
    "long XMP": (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<a>" + b"<b>" * 200_000),
    "long profile": (b"iCCP", b"a\0\0" + zlib.compress(bytes(64 * _LONG))),
    "unknown chunk": (b"prVt", bytes(_LONG)),
    "hex profile": (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n 9\n" + b"zz" * 1000)),
    "HDR": (b"cICP", bytes((9, 16, 0, 1))),
    "no such colours": (b"cICP", bytes((200, 200, 200, 200))),
    "no gamma": (b"gAMA", b"\0\0\0\1"),
    "no primaries": (b"cHRM", bytes(31) + b"\1"),
}


def _odd_photos() -> Iterator[Case]:
    """Yield layouts of the other formats."""
    eight, deep, grey = pixels(), pixels(bits=16), pixels(channels=2)
    for bits in (10, 12):
        picture = pillow_heif.from_bytes(mode="RGB;16", size=(WIDTH, HEIGHT), data=deep.tobytes())
        file = io.BytesIO()
        picture.save(file, quality=80, bit_depth=bits)
        yield Case("HEIC", "odd layout", f"{bits} bit.heic", file.getvalue())
        coded = imagecodecs.avif_encode(deep >> (16 - bits), level=80, speed=9, bitspersample=bits, pixelformat="444")
        yield Case("AVIF", "odd layout", f"{bits} bit.avif", bytes(coded))
    for file_format, mutation, name, made in (
        ("AVIF", "odd layout", "grey and alpha.avif", imagecodecs.avif_encode(grey, level=80, pixelformat="400")),
        ("JPEG", "odd layout", "12 bit.jpg", imagecodecs.jpeg_encode(deep >> 4, level=90, bitspersample=12)),
        ("JPEG", "odd layout", "lossless.jpg", imagecodecs.jpeg_encode(eight, lossless=True)),
        ("JPEG", "odd header", "JPEG-LS.jpg", imagecodecs.jpegls_encode(eight)),
    ):
        yield Case(file_format, mutation, name, bytes(made))
    for masks in ((0xF800, 0x7E0, 0x1F, 0), (0xF00, 0xF0, 0xF, 0xF000)):
        yield Case("BMP", "odd layout", f"16 bit {masks[3]}.bmp", _bmp(16, masks))
    yield Case("BMP", "odd layout", "32 bit with alpha.bmp", _bmp(32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)))
    for name, mask in (("holes", 0xF0F), ("no mask", 0), ("all", 2**32 - 1)):
        yield Case("BMP", "odd header", f"{name}.bmp", _bmp(32, (mask,) * 4))


def _bmp(bits: int, masks: tuple[int, ...]) -> bytes:
    body = np.random.default_rng(6).bytes((WIDTH * bits + 31) // 32 * 4 * HEIGHT)
    head = struct.pack("<IiiHHIIiiII", 108, WIDTH, HEIGHT, 1, bits, 3, len(body), *[0] * 4)
    head += struct.pack("<4I", *masks) + bytes(52)
    return struct.pack("<2sIHHI", b"BM", 122 + len(body), 0, 0, 122) + head + body


def odd_files(sounds: list[Sound]) -> Iterator[Case]:
    """Yield them, all of which end in a result or one clear error."""
    for odd in odd_tiffs():
        yield Case("TIFF", "odd layout", f"{_plain(odd.name)}.tif", odd.data)
    for odd in odd_pngs():
        yield Case("PNG", "odd layout", f"{_plain(odd.name)}.png", odd.data)
    for name, chunk in _LONG_TEXTS.items():
        yield Case("PNG", "odd chunk", f"{name}.png", photo_png(chunk))
    yield from _odd_photos()
    random = np.random.default_rng(5).bytes(200_000)
    for sound in sounds:
        for name, behind in (
            ("a video", struct.pack(">I", 24) + b"ftypmp42" + random),
            ("itself", sound.data),
            ("zeros", bytes(5000)),
            (
                "a box of motion",
                struct.pack(">I", 200_032) + b"mpvd" + struct.pack(">I", 24) + b"ftypmp42" + random[:-12],
            ),
            ("markers", b"\xff\xda\xff\xd8\xff" * 3000),
        ):
            whole = sound.data + behind
            yield Case(sound.file_format, "data behind", f"{sound.kind} and {name}{sound.ending}", whole)
        for missing in (1, 2, 3, 12, 40):
            yield Case(
                sound.file_format, "end missing", f"{sound.kind} {missing}{sound.ending}", sound.data[:-missing]
            )
    yield from _hostile_tiffs()


def _plain(name: str) -> str:
    return name.replace("<", "little").replace(">", "big")


def _hostile_tiffs() -> Iterator[Case]:
    """Yield headers that ask for much: samples, bits, tiles and strips without end."""
    plain: dict[int, tuple[int, tuple[int, ...]]] = {
        **{256: (4, (40,)), 257: (4, (40,)), 258: (3, (8,)), 259: (3, (1,)), 262: (3, (1,))},
        **{277: (3, (1,)), 278: (4, (40,))},
    }
    changes: dict[str, dict[int, tuple[int, tuple[int, ...]]]] = {
        "65535 samples": {277: (3, (65535,))},
        "64 bits": {258: (3, (64,))},
        "0 bits": {258: (3, (0,))},
        "65535 bits": {258: (3, (65535,))},
        "bits that differ": {258: (3, (8, 4, 16)), 277: (3, (3,)), 262: (3, (2,))},
        "huge tiles": {322: (4, (2**31,)), 323: (4, (2**31,)), 324: (4, (8,)), 325: (4, (16,))},
        "tiles of nothing": {322: (4, (0,)), 323: (4, (0,)), 324: (4, (8,)), 325: (4, (16,))},
        "rows of nothing": {278: (4, (0,))},
        "a volume": {32997: (4, (100_000,))},
        "no such compression": {259: (3, (12345,))},
        "no such predictor": {259: (3, (8,)), 317: (3, (77,))},
        "a palette without colours": {262: (3, (3,))},
        "planes that are one": {284: (3, (2,))},
        "fractions of 8 bits": {339: (3, (3,))},
        "subsampled colours": {262: (3, (6,)), 277: (3, (3,)), 258: (3, (8, 8, 8)), 530: (3, (4, 4))},
    }
    for compression in (2, 3, 4, 5, 6, 7, 32773, 32946, 34712, 34925, 50000, 50001, 50002):
        changes[f"compression {compression}"] = {259: (3, (compression,))}
    for name, changed in changes.items():
        for order in "<>":
            data = by_hand(plain | changed, bytes(range(256)) * 7, order)
            yield Case("TIFF", "odd header", f"{name} {_plain(order)}.tif", data)
