"""BMP: pixels of 16 and 32 bits are read by their masks and written with alpha; Pillow does the others.

Microsoft: BITMAPINFOHEADER, BITMAPV4HEADER, BITMAPV5HEADER. H height, W width, C channels.
"""

from __future__ import annotations

import io
import struct
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image

from opir.photo.beside.behind import behind
from opir.photo.beside.described import Described, by_gamma
from opir.photo.beside.properties import FileProperties
from opir.photo.pixels.pictures import array_of
from opir.photo.raw import Allowed, Raw

_INFO, _V3, _V4, _V5 = 40, 56, 108, 124
_HEAD = 14
_PLAIN, _MASKED, _OTHER_FILES = 0, (3, 6), {4: "JPEG", 5: "PNG"}
_USUAL_MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_WITH_ALPHA = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
# What bV4CSType says, backwards as it stands in the file.
_CALIBRATED, _PROFILE, _LINKED, _SRGB = bytes(4), b"DEBM", b"KNIL", b"BGRs"
_METRE = 0.0254  # of an inch


def read(data: bytes, allowed: Allowed) -> Raw:
    """Decode a BMP; raises ImageError where it is too large, and what Pillow raises for damage."""
    (header,) = struct.unpack_from("<I", data, _HEAD)
    bits, compression = struct.unpack_from("<HI", data, _HEAD + 14) if header >= _INFO else (0, 0)
    if bits == 0 and compression in _OTHER_FILES:
        raise allowed.unsupported(f"a BMP around a {_OTHER_FILES[compression]}")
    picture = BmpImagePlugin.BmpImageFile(io.BytesIO(_with_known_masks(data)))
    allowed.check(*picture.size)
    left_out: list[str] = []
    if bits in _USUAL_MASKS and compression in (_PLAIN, *_MASKED):
        pixels, end = _masked(data, header, bits, compression, left_out, allowed)
    else:
        pixels, end = array_of(picture), int.from_bytes(data[2:6], "little")
    described, end = _described(data, header, end, left_out)
    return Raw(
        pixels=pixels,
        described=described,
        dpi=picture.info.get("dpi"),
        lossless=True,
        left_out=(*left_out, *(behind(data, end) if 0 < end <= len(data) else ())),
    )


def _described(data: bytes, header: int, end: int, left_out: list[str]) -> tuple[Described, int]:
    """Return what headers of version 4 and 5 say of the colours, and where the file ends with a profile."""
    kind = data[_HEAD + 56 : _HEAD + 60] if header >= _V4 else _SRGB
    described = Described()
    if kind == _CALIBRATED:
        described = _calibrated(data)
    elif kind == _LINKED:
        left_out.append("a colour profile that stands in another file")
    elif kind == _PROFILE and header >= _V5:
        place, size = struct.unpack_from("<II", data, _HEAD + 112)
        described = Described(icc=data[_HEAD + place : _HEAD + place + size] or None)
        end = max(end, _HEAD + place + size)
    if described != Described():
        left_out.append("its colour profile: it comes back in sRGB")
    return described, end


def _calibrated(data: bytes) -> Described:
    """Return the primaries and the curve in a header; nothing where it leaves them empty.

    Some programs write X, Y and Z, others x, y and z; a curve as 2.2 or as 1/2.2. White is D65, as browsers take it.
    """
    numbers = struct.unpack_from("<9i3I", data, _HEAD + 60)
    values = [31270, 32900]
    for at in (0, 3, 6):
        whole = sum(numbers[at : at + 3]) or 1
        values += [round(100_000 * number / whole) for number in numbers[at : at + 2]]
    curve = numbers[10] / 65536
    return by_gamma(round(100_000 * min(curve, 1 / curve)), tuple(values)) if curve and all(values) else Described()


def _with_known_masks(data: bytes) -> bytes:
    """Return a file whose header Pillow takes, whatever its masks are."""
    (header,) = struct.unpack_from("<I", data, _HEAD)
    if header < _INFO or struct.unpack_from("<HI", data, _HEAD + 14) not in ((16, 3), (32, 3), (16, 6), (32, 6)):
        return data
    return data[: _HEAD + 16] + bytes(4) + data[_HEAD + 20 :]


def _masked(
    data: bytes, header: int, bits: int, compression: int, left_out: list[str], allowed: Allowed
) -> tuple[NDArray[np.uint8], int]:
    """Return pixels of 16 or 32 bits (H, W, C) by where each colour lies in them, and where they end."""
    (start,), (width, height) = struct.unpack_from("<I", data, 10), struct.unpack_from("<ii", data, _HEAD + 4)
    masks = _USUAL_MASKS[bits]
    if compression in _MASKED:
        masks = struct.unpack_from("<4I", data, _HEAD + _INFO)
        if header < _V3 and compression == 3:
            masks = (*masks[:3], 0)
    row = (width * bits + 31) // 32 * 4
    end = start + row * abs(height)
    if end > len(data):
        raise ValueError(f"{end - len(data)} bytes are missing")
    stored = np.frombuffer(data, np.uint8, row * abs(height), start).reshape(abs(height), row)
    values = stored.view(f"<u{bits // 8}")[:, :width][:: -1 if height > 0 else 1]
    if any(mask // (mask & -mask) > 255 for mask in masks[:3] if mask):
        left_out.append("all but 8 bits of each colour")
    colours = np.stack([_channel(values, mask, allowed) for mask in masks[:3]], axis=2)
    if masks[3]:
        alpha = _channel(values, masks[3], allowed)
        # Programs that know no alpha leave it empty: such a picture is to be seen.
        return (np.concatenate([colours, alpha[..., None]], axis=2) if alpha.any() else colours), end
    unused = 0xFFFFFFFF & ~(masks[0] | masks[1] | masks[2])
    if bits == 32 and np.ptp(values & unused) > 0:
        left_out.append("a channel beside the colours")
    return colours, end


def _channel(values: NDArray[Any], mask: int, allowed: Allowed) -> NDArray[np.uint8]:
    shift = (mask & -mask).bit_length() - 1 if mask else 0
    most = mask >> shift
    if most == 255:
        return (values >> shift).astype(np.uint8)
    if most & (most + 1):
        raise allowed.unsupported(f"a BMP with the mask {mask:#x}")
    channel: NDArray[np.uint8] = np.rint(((values & mask) >> shift) * (255 / max(most, 1))).astype(np.uint8)
    return channel


def write(file: BinaryIO, pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> None:
    """Write (H, W, C) of uint8, in sRGB; with alpha 32 bits a pixel and a header of version 4, which has it."""
    if pixels.shape[2] in (1, 3):
        options = {"dpi": properties.dpi} if properties.dpi else {}
        Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[..., 0]).save(file, format="BMP", **options)
        return
    height, width, channels = pixels.shape
    rows = pixels[::-1][..., [2, 1, 0, 3] if channels == 4 else [0, 0, 0, 1]].tobytes()
    across, down = (round(value / _METRE) for value in properties.dpi or (0, 0))
    header = struct.pack("<IiiHHIIiiII", _V4, width, height, 1, 32, 3, len(rows), across, down, 0, 0)
    header += struct.pack("<4I", *_WITH_ALPHA) + _SRGB + bytes(48)
    file.write(struct.pack("<2sIHHI", b"BM", _HEAD + _V4 + len(rows), 0, 0, _HEAD + _V4) + header + rows)
