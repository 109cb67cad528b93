"""PNG: chunks are read and written here, so that none of them costs the photo; libpng decodes the pixels.

W3C Portable Network Graphics, third edition.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from opir.photo.beside.behind import DAMAGED_PROFILE, ORIGIN, behind
from opir.photo.beside.described import Described, by_gamma
from opir.photo.beside.exif import Exif, read_exif
from opir.photo.beside.properties import FileProperties
from opir.photo.pixels.samples import from_narrow
from opir.photo.raw import Allowed, Raw

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEY = b"XML:com.adobe.xmp"
MOST_TEXT = 16_000_000
"""Bytes of a profile or a text, unpacked; one that is longer is left out."""
_DECODED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
_DAMAGED = b""
_TOLD = {b"caBX": ORIGIN, _DAMAGED: "a damaged part beside the picture"}
"""Chunks of what does not come back."""
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Where each pass begins, from the left and from the top, and its steps across and down."""
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_INCHES_A_METRE = 1 / 0.0254


def read(data: bytes, allowed: Allowed) -> Raw:
    """Decode a PNG; raises ImageError where it is too large or moves, and what libpng raises for damage."""
    core: list[tuple[bytes, bytes]] = []
    beside: dict[bytes, bytes] = {}
    texts: list[tuple[bytes, bytes]] = []
    end = len(SIGNATURE)
    for kind, body, last in _chunks(data):
        end = last
        if kind == b"IHDR" and not core:
            allowed.check(*struct.unpack_from(">II", body))
        if kind in _DECODED:
            core.append((kind, body))
        elif kind in _TEXTS:
            texts.append((kind, body))
        else:
            beside.setdefault(kind, body)
    if len(beside.get(b"acTL", b"")) >= 4 and (frames := int.from_bytes(beside[b"acTL"][:4], "big")) > 1:
        raise allowed.still(f"{frames} frames")
    pixels = _decoded(core)
    if len(code := beside.get(b"cICP", b"")) == 4 and code[3] == 0:
        colours = pixels.shape[2] - (pixels.shape[2] in (2, 4))
        pixels = np.concatenate([from_narrow(pixels[..., :colours]), pixels[..., colours:]], axis=2)
    exif, xmp, iptc, kept, left_out = _sorted_texts(texts)
    left_out += behind(data, end, xmp) + [what for kind, what in _TOLD.items() if kind in beside]
    return Raw(
        pixels=pixels,
        described=_described(beside, left_out),
        exif=read_exif(beside[b"eXIf"]) if b"eXIf" in beside else exif,
        xmp=xmp,
        iptc=iptc,
        texts=tuple(kept),
        dpi=_resolution(beside.get(b"pHYs", b""), _INCHES_A_METRE, unit=1),
        aspect=_resolution(beside.get(b"pHYs", b""), 1, unit=0),
        depth=16 if pixels.dtype == np.uint16 else 8,
        lossless=True,
        left_out=tuple(left_out),
    )


def _decoded(core: list[tuple[bytes, bytes]]) -> NDArray[Any]:
    """Return the pixels of these chunks by libpng, which imagecodecs does not ask for interlaced ones."""
    header = next((body for kind, body in core if kind == b"IHDR"), b"")
    if len(header) == 13 and header[9] in (4, 6):  # those with alpha have no other transparency
        core = [part for part in core if part[0] != b"tRNS"]
    if len(header) == 13 and header[12] == 1:
        return _interlaced(header, core)
    whole = SIGNATURE + b"".join(_chunk(kind, body) for kind, body in [*core, (b"IEND", b"")])
    pixels: NDArray[Any] = imagecodecs.png_decode(whole)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _interlaced(header: bytes, core: list[tuple[bytes, bytes]]) -> NDArray[Any]:
    """Decode the seven passes of Adam7 (8.1 of the standard) as pictures of their own, and lay them together."""
    width, height, depth, colour_type = struct.unpack_from(">IIBB", header)
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    passes = []
    for left, top, across, down in _ADAM7:
        size = (-(-(width - left) // across), -(-(height - top) // down))
        if min(size) > 0:
            passes.append((left, top, across, down, size, size[1] * (1 + -(-size[0] * bits // 8))))
    packed = b"".join(body for kind, body in core if kind == b"IDAT")
    lines = zlib.decompressobj().decompress(packed, sum(length for *_, length in passes))
    beside = [(kind, body) for kind, body in core if kind in (b"PLTE", b"tRNS")]
    result: NDArray[Any] | None = None
    at = 0
    for left, top, across, down, size, length in passes:
        head = struct.pack(">II", *size) + header[8:12] + b"\0"
        body = (b"IDAT", zlib.compress(lines[at : at + length], 1))
        part = _decoded([(b"IHDR", head), *beside, body])
        if result is None:
            result = np.empty((height, width, part.shape[2]), part.dtype)
        result[top::down, left::across] = part
        at += length
    if result is None:
        raise ValueError("there are no pixels in it")
    return result


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield type, content and end of each chunk; damaged ones that are not decoded have the type `_DAMAGED`."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        end = at + 12 + size
        sound = end <= len(data) and struct.unpack_from(">I", data, end - 4)[0] == zlib.crc32(kind + body)
        if kind in _DECODED and not sound:
            raise ValueError(f"the chunk {kind.decode('latin-1')} is damaged")
        if kind == b"IEND":
            yield kind, body, end
            return
        yield kind if sound else _DAMAGED, body, end
        at = end


def _unpacked(packed: bytes) -> bytes | None:
    """Return what zlib packed, None where it is damaged or longer than `MOST_TEXT`."""
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(packed, MOST_TEXT)
    except zlib.error:
        return None
    return text if unpacking.eof else None


def _described(beside: dict[bytes, bytes], left_out: list[str]) -> Described:
    """Return what the chunks say of the colours; the earlier in 11.3.2 of the standard goes before the later."""
    code, profile = beside.get(b"cICP", b""), beside.get(b"iCCP", b"")
    if len(code) == 4:
        return Described(cicp=(code[0], code[1]))
    if profile:
        icc = _unpacked(profile.partition(b"\0")[2][1:])
        if icc is None:
            left_out.append(DAMAGED_PROFILE)
        return Described(icc=icc or None)
    if b"sRGB" in beside:
        return Described()
    gamma = int.from_bytes(beside.get(b"gAMA", b"")[:4], "big")
    corners = beside.get(b"cHRM", b"")
    return by_gamma(gamma, struct.unpack(">8I", corners) if len(corners) == 32 else ())


def _resolution(physical: bytes, divided_by: float, unit: int) -> tuple[float, float] | None:
    if len(physical) != 9 or physical[8] != unit:
        return None
    across, down = struct.unpack_from(">II", physical)
    return across / divided_by, down / divided_by


def _sorted_texts(
    texts: list[tuple[bytes, bytes]],
) -> tuple[Exif, bytes, bytes, list[tuple[bytes, bytes]], list[str]]:
    """Return the Exif data, XMP and IPTC that stand in texts, the other texts, and what was too long to keep."""
    exif, xmp, iptc, kept, left_out = Exif(), b"", b"", [], []
    room = MOST_TEXT
    for kind, body in texts:
        key = body.partition(b"\0")[0]
        if key == XMP_KEY:
            xmp = xmp or _text(kind, body) or b""
        elif key.lower().startswith(b"raw profile type "):  # as ImageMagick wrote them before there was eXIf
            name, profile = key.lower().split()[-1], _from_hex(_text(kind, body) or b"")
            if name in (b"exif", b"app1") and profile.startswith(b"Exif"):
                exif = read_exif(profile)
            elif name in (b"iptc", b"8bim"):
                iptc = profile[profile.find(b"\x1c") :] if b"\x1c" in profile else b""
            elif name in (b"xmp", b"app1") and b"<" in profile:
                xmp = xmp or profile[profile.find(b"<") :]
            else:
                left_out.append(f"a profile of type {name.decode('ascii', 'replace')} in its texts")
        elif len(body) <= room:
            room -= len(body)
            kept.append((kind, body))
        else:
            left_out.append(f"{len(body):,} bytes of text")
    return exif, xmp, iptc, kept, left_out


def _text(kind: bytes, body: bytes) -> bytes | None:
    rest = body.partition(b"\0")[2]
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _unpacked(rest[1:])
    is_packed, after = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    return _unpacked(after[-1]) if is_packed else after[-1]


def _from_hex(text: bytes) -> bytes:
    lines = text.split(b"\n")
    try:
        return bytes.fromhex(b"".join(lines[3:]).decode("ascii", "ignore"))
    except ValueError:
        return b""


def write(file: BinaryIO, pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> None:
    """Write (H, W, C) of uint8 or uint16 with its description, Exif data, XMP, texts and resolution."""
    encoded = imagecodecs.png_encode(pixels if pixels.shape[2] > 1 else pixels[..., 0])
    first = len(SIGNATURE) + 12 + 13
    file.write(encoded[:first])
    for kind, body in _ancillary(properties):
        file.write(_chunk(kind, body))
    file.write(encoded[first:])


def _ancillary(properties: FileProperties) -> Iterator[tuple[bytes, bytes]]:
    described = properties.described
    if properties.exif:
        yield b"eXIf", properties.exif.removeprefix(b"Exif\0\0")
    if described.cicp:
        yield b"cICP", bytes((*described.cicp, 0, 1))
    elif described.gamma or described.chromaticities:
        if described.gamma:
            yield b"gAMA", struct.pack(">I", described.gamma)
        if described.chromaticities:
            yield b"cHRM", struct.pack(">8I", *described.chromaticities)
    elif icc := described.icc:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(icc)
    if properties.dpi:
        yield b"pHYs", struct.pack(">IIB", *(round(value * _INCHES_A_METRE) for value in properties.dpi), 1)
    elif properties.aspect:
        yield b"pHYs", struct.pack(">IIB", *(round(value) for value in properties.aspect), 0)
    if properties.xmp:
        yield b"iTXt", XMP_KEY + b"\0\0\0\0\0" + properties.xmp
    for kind, body in properties.texts:
        if kind in _TEXTS:
            yield kind, body


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
