"""PNGs of every type and depth, transparent by tRNS or by alpha, with chunks written by hand; and what they show."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from benchmarks.reliability.odd_tiffs import Odd, levels, packed, unit

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(stored: np.ndarray, bits: int, colour_type: int, *chunks: tuple[bytes, bytes], behind: bytes = b"") -> bytes:
    """Return a PNG of integer samples (H, W, C), with chunks between its header and its pixels."""
    height, width, _ = stored.shape
    rows = stored.astype(">u2").tobytes() if bits == 16 else packed(stored, bits)
    step = len(rows) // height
    lines = b"".join(b"\0" + rows[at : at + step] for at in range(0, len(rows), step))
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    between = b"".join(chunk(*given) for given in chunks)
    body = chunk(b"IHDR", header) + between + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body + behind


def photo_png(*chunks: tuple[bytes, bytes], bits: int = 8, behind: bytes = b"") -> bytes:
    """Return an RGB photo with chunks."""
    return png(levels(unit(3), bits), bits, RGB, *chunks, behind=behind)


def odd_pngs() -> Iterator[Odd]:
    """Yield every type and depth, opaque and transparent."""
    for bits in (1, 2, 4, 8, 16):
        stored = levels(unit(1), bits)
        shown = stored / (2**bits - 1)
        yield Odd(f"{bits} bit grey", png(stored, bits, GREY), shown, _kept(bits))
        key = int(stored[5, 7, 0])
        clear = (stored != key).astype(float)
        transparent = png(stored, bits, GREY, (b"tRNS", struct.pack(">H", key)))
        yield Odd(f"{bits} bit grey tRNS", transparent, np.concatenate([shown, clear], axis=2), _kept(bits))
    for bits in (1, 2, 4, 8):
        yield from _palettes(bits)
    for bits in (8, 16):
        stored = levels(unit(3), bits)
        shown = stored / (2**bits - 1)
        yield Odd(f"{bits} bit RGB", png(stored, bits, RGB), shown, bits)
        key = stored[4, 9]
        clear = np.any(stored != key, axis=2, keepdims=True).astype(float)
        transparent = png(stored, bits, RGB, (b"tRNS", struct.pack(">3H", *key.tolist())))
        yield Odd(f"{bits} bit RGB tRNS", transparent, np.concatenate([shown, clear], axis=2), bits)
        for colour_type, name in ((GREY_ALPHA, "grey and alpha"), (RGBA, "RGBA")):
            both = levels(unit(_CHANNELS[colour_type]), bits)
            yield Odd(f"{bits} bit {name}", png(both, bits, colour_type), both / (2**bits - 1), bits)


def _kept(bits: int) -> int:
    return 16 if bits == 16 else 8


def _palettes(bits: int) -> Iterator[Odd]:
    count = 2**bits
    table = np.stack([np.linspace(0, 255, count), np.linspace(255, 40, count), np.linspace(9, 99, count)], axis=1)
    table = np.rint(table).astype(np.uint8)
    stored = levels(unit(1), bits)
    shown = table[stored[..., 0]] / 255
    yield Odd(f"{bits} bit palette", png(stored, bits, PALETTE, (b"PLTE", table.tobytes())), shown)
    seen = np.linspace(0, 255, count).astype(np.uint8)
    transparent = png(stored, bits, PALETTE, (b"PLTE", table.tobytes()), (b"tRNS", seen.tobytes()))
    alpha = seen[stored[..., 0]][..., None] / 255
    yield Odd(f"{bits} bit palette tRNS", transparent, np.concatenate([shown, alpha], axis=2))
