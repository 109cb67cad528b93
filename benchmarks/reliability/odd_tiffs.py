"""TIFFs in the layouts that photo programs, scanners and cameras write, each with the picture that it shows."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

HEIGHT, WIDTH = 20, 34
_ONE_VALUE = {3: "H", 4: "I"}


@dataclass(frozen=True, eq=False)
class Odd:
    """A sound file of an unusual layout."""

    name: str
    data: bytes
    shown: NDArray[np.float64]
    """(H, W, C) in [0, 1]: grey, grey + alpha, RGB or RGBA."""
    bits: int = 8
    """What it is to be kept with."""


def unit(channels: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.float64]:
    """Return a soft picture with an edge and different colours, (H, W, C) in [0, 1]."""
    rows, columns, planes = np.mgrid[0:height, 0:width, 0:channels]
    values = 0.5 + 0.35 * np.sin(0.4 * rows + 1.7 * planes) * np.cos(0.23 * columns) + 0.15 * (columns > width // 2)
    clipped: NDArray[np.float64] = np.clip(values, 0, 1)
    return clipped


def levels(values: NDArray[np.float64], bits: int) -> NDArray[Any]:
    """Round a picture in [0, 1] to integer samples of so many bits."""
    dtype = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    rounded: NDArray[Any] = np.rint(values * (2**bits - 1)).astype(dtype)
    return rounded


def written(pixels: NDArray[Any], **options: Any) -> bytes:
    """Return what tifffile writes."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, metadata=None, **options)
    return file.getvalue()


def by_hand(tags: dict[int, tuple[int, tuple[int, ...]]], strip: bytes, order: str = "<") -> bytes:
    """Return a TIFF of one strip, where tags do not say otherwise, with tags as {number: (type 3 or 4, values)}."""
    tags = {273: (4, (8,)), 279: (4, (len(strip),))} | tags
    start = 8 + len(strip) + len(strip) % 2
    after = start + 2 + 12 * len(tags) + 4
    rows, values = b"", b""
    for tag, (kind, numbers) in sorted(tags.items()):
        data = struct.pack(f"{order}{len(numbers)}{_ONE_VALUE[kind]}", *numbers)
        held = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(f"{order}I", after + len(values))
        values += data if len(data) > 4 else b""
        rows += struct.pack(f"{order}HHI", tag, kind, len(numbers)) + held
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(f"{order}I", start) + strip + b"\0" * (len(strip) % 2)
    return head + struct.pack(f"{order}H", len(tags)) + rows + bytes(4) + values


def packed(pixels: NDArray[Any], bits: int) -> bytes:
    """Return rows of samples of so many bits, each row filled to whole bytes."""
    flat = pixels.reshape(pixels.shape[0], -1).astype(np.uint32)
    ones = (flat[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(ones.reshape(len(flat), -1).astype(np.uint8), axis=1).tobytes()


def packed_tiff(values: NDArray[np.float64], bits: int, photometric: int = 1, order: str = "<") -> bytes:
    """Return an uncompressed TIFF of so many bits a sample, 1 is black is zero, 0 white is zero, 2 RGB."""
    height, width, channels = values.shape
    stored = levels(1 - values if photometric == 0 else values, bits)
    strip = packed(stored, bits)
    if bits == 16:
        strip = stored.astype(f"{order}u2").tobytes()
    tags = {
        **{256: (4, (width,)), 257: (4, (height,)), 258: (3, (bits,) * channels), 259: (3, (1,))},
        **{262: (3, (photometric,)), 277: (3, (channels,)), 278: (4, (height,))},
    }
    return by_hand(tags, strip, order)


def odd_tiffs() -> Iterator[Odd]:
    """Yield every layout."""
    yield from _of_depths()
    yield from _of_planes()
    yield from _of_extra_samples()
    yield from _of_compressions()
    yield from _of_palettes_and_inks()
    yield from _of_fractions()
    yield from _of_pages()


def _of_depths() -> Iterator[Odd]:
    for bits in (1, 2, 4, 6, 8, 10, 12, 14, 16):
        for photometric, name in ((1, "black is zero"), (0, "white is zero"), (2, "RGB")):
            if photometric == 2 and bits == 1:
                continue
            values = np.rint(unit(3 if photometric == 2 else 1) * (2**bits - 1)) / (2**bits - 1)
            for order in "<>" if bits in (12, 16) else "<":
                data = packed_tiff(values, bits, photometric, order)
                yield Odd(f"{bits} bit {name} {order}", data, values, 8 if bits <= 8 else 16)


def _of_planes() -> Iterator[Odd]:
    for bits in (8, 16):
        values = levels(unit(3), bits)
        shown = values / (2**bits - 1)
        apart = np.ascontiguousarray(values.transpose(2, 0, 1))
        for order in "<>":
            for tile in (None, (16, 16)):
                name = f"{bits} bit planes {order}{' tiles' if tile else ''}"
                options = {"photometric": "rgb", "byteorder": order, "tile": tile}
                yield Odd(name, written(apart, planarconfig="separate", **options), shown, bits)
                yield Odd(
                    f"{name} deflated",
                    written(apart, planarconfig="separate", compression="zlib", predictor=True, **options),
                    shown,
                    bits,
                )
                yield Odd(name.replace("planes", "pixels"), written(values, **options), shown, bits)
        yield Odd(f"{bits} bit big", written(values, photometric="rgb", bigtiff=True), shown, bits)


def _of_extra_samples() -> Iterator[Odd]:
    for bits in (8, 16):
        most = 2**bits - 1
        for channels, photometric in ((4, "rgb"), (2, "minisblack")):
            values = levels(unit(channels), bits)
            shown = values / most
            name = f"{bits} bit {photometric}"
            for order in "<>":
                options = {"photometric": photometric, "planarconfig": "contig", "byteorder": order}
                straight = written(values, extrasamples=["unassalpha"], **options)
                yield Odd(f"{name} unassociated alpha {order}", straight, shown, bits)
                unnamed = written(values, extrasamples=["unspecified"], **options)
                yield Odd(f"{name} unspecified sample {order}", unnamed, shown[..., :-1], bits)
                alpha = shown[..., -1:]
                multiplied = levels(np.concatenate([shown[..., :-1] * alpha, alpha], axis=2), bits)
                associated = written(multiplied, extrasamples=["assocalpha"], **options)
                yield Odd(f"{name} associated alpha {order}", associated, shown, bits)
        five = levels(unit(5), bits)
        both = written(five, photometric="rgb", planarconfig="contig", extrasamples=["unspecified", "unassalpha"])
        yield Odd(f"{bits} bit RGB, a mask and alpha", both, (five / most)[..., [0, 1, 2, 4]], bits)


def _of_compressions() -> Iterator[Odd]:
    for bits in (8, 16):
        values = levels(unit(3), bits)
        for compression in ("lzw", "zlib", "packbits", "zstd", "lzma"):
            for predictor in (False, True) if compression in ("lzw", "zlib") else (False,):
                for tile in (None, (16, 32)):
                    data = written(values, photometric="rgb", compression=compression, predictor=predictor, tile=tile)
                    name = f"{bits} bit {compression}{' predicted' if predictor else ''}{' tiles' if tile else ''}"
                    yield Odd(name, data, values / (2**bits - 1), bits)


def _of_palettes_and_inks() -> Iterator[Odd]:
    indices = levels(unit(1), 8)[..., 0]
    table = np.stack([np.arange(256), 255 - np.arange(256), np.arange(256) // 2])
    for scale, name in ((257, "16"), (256, "8 shifted")):
        data = written(indices, photometric="palette", colormap=(table * scale).astype(np.uint16))
        yield Odd(f"palette of {name} bits", data, table.T[indices] / 255, 8)
    for bits in (8, 16):
        inks = levels(unit(4), bits)
        light = 1 - inks / (2**bits - 1)
        for planar in ("contig", "separate"):
            stored = inks if planar == "contig" else np.ascontiguousarray(inks.transpose(2, 0, 1))
            data = written(stored, photometric="separated", planarconfig=planar)
            yield Odd(f"{bits} bit CMYK {planar}", data, light[..., :3] * light[..., 3:], bits)


def _of_fractions() -> Iterator[Odd]:
    for channels in (1, 3):
        values = unit(channels)
        stored = values if channels == 3 else values[..., 0]
        kind = "rgb" if channels == 3 else "minisblack"
        for dtype in (np.float16, np.float32, np.float64):
            for order in "<>":
                data = written(stored.astype(dtype), photometric=kind, byteorder=order)
                rounded: NDArray[np.float64] = values.astype(dtype).astype(np.float64)
                yield Odd(f"{np.dtype(dtype).name} {kind} {order}", data, rounded, 32)
        data = written(stored.astype(np.float32), photometric=kind, compression="zlib", predictor=True)
        yield Odd(f"float32 {kind} predicted", data, values, 32)


def _of_pages() -> Iterator[Odd]:
    values = levels(unit(3), 16)
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as pages:
        pages.write(values, photometric="rgb", metadata=None)
        pages.write(values[::4, ::4], photometric="rgb", metadata=None, subfiletype=1)
    yield Odd("thumbnail page behind", file.getvalue(), values / 65535, 16)
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as pages:
        pages.write(levels(unit(3), 8)[::4, ::4], photometric="rgb", metadata=None, subfiletype=1)
        pages.write(values, photometric="rgb", metadata=None)
    yield Odd("thumbnail page before", file.getvalue(), values / 65535, 16)
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as pages:
        pages.write(values, photometric="rgb", metadata=None)
        pages.write(levels(unit(3), 8)[::4, ::4], photometric="rgb", metadata=None)
    yield Odd("thumbnail page that does not say so", file.getvalue(), values / 65535, 16)
