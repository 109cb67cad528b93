"""TIFF: tifffile and imagecodecs decode every layout that photo programs write; what is left is named.

TIFF 6.0, its technical notes and supplements; H height, W width, S samples a pixel.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import struct
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from opir.errors import ImageError
from opir.photo.described import Described
from opir.photo.exif import RESOLUTION, UTF8, Exif, read_exif
from opir.photo.jpeg_quality import quality_of_tables
from opir.photo.lab import lab_to_srgb
from opir.photo.pictures import array_of
from opir.photo.properties import FileProperties
from opir.photo.raw import Allowed, Raw

MOST_PAGES, MOST_SAMPLES = 64, 16
MOST_SEGMENT = 4_000_000
"""Pixels of a strip or tile that a small photo may have all the same."""
XMP, IPTC, ICC, JPEG_TABLES = 700, 33723, 34675, 347
QUALITY = 95
_REDUCED, _MASK = 1, 4
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _INKS, _YCBCR, _LAB, _ICC_LAB = 0, 1, 2, 3, 5, 6, 8, 9
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_JPEG = 7
_ASSOCIATED, _UNASSOCIATED = 1, 2
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _INKS: 4, _YCBCR: 3, _LAB: 3, _ICC_LAB: 3}
_CHROMA: dict[tuple[int, ...], str] = {(2, 2): "4:2:0", (2, 1): "4:2:2"}
_NAMES = {4: "a transparency mask", 10: "ITU LAB", 32803: "a camera's raw data", 34892: "a camera's raw data"}
logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it says of damage is raised as well
_DAMAGE = (tifffile.TiffFileError, struct.error, IndexError, KeyError)


def read(data: bytes, allowed: Allowed) -> Raw:
    """Decode the first whole page of a TIFF.

    Raises:
        ImageError: where it is too large, has several pages, or a layout that is not read, which is named.
        tifffile.TiffFileError, ValueError: for damage.
    """
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page, left_out = _photo_page(file, allowed)
        _check(page, allowed)
        exif = read_exif(data, page.offset)
        pixels, more = _pixels(page, data, allowed)
        icc, tables = _bytes_of(page, ICC), _bytes_of(page, JPEG_TABLES)
        if tables is None and page.dataoffsets:
            tables = data[page.dataoffsets[0] : page.dataoffsets[0] + 1024]
        is_jpeg = int(page.compression) == _JPEG
        return Raw(
            pixels=pixels,
            described=Described(icc=icc if int(page.photometric) not in (_LAB, _ICC_LAB) else None),
            is_cmyk=int(page.photometric) == _INKS,
            exif=exif,
            xmp=_bytes_of(page, XMP) or b"",
            iptc=_bytes_of(page, IPTC) or b"",
            dpi=exif.resolution,
            depth=_depth(page),
            chroma=_CHROMA.get(tuple(page.subsampling or ()), "4:4:4"),
            lossless=not is_jpeg,
            quality=quality_of_tables(tables or b"") or QUALITY if is_jpeg else None,
            left_out=(*left_out, *more),
        )


def _photo_page(file: tifffile.TiffFile, allowed: Allowed) -> tuple[tifffile.TiffPage, list[str]]:
    """Return the page that is the photo, and what the others are; raises ImageError where several are photos."""
    whole: list[tifffile.TiffPage] = []
    left_out: list[str] = []
    for index in range(MOST_PAGES + 1):
        try:
            page = file.pages[index]
        except IndexError:
            break
        except _DAMAGE:
            if index == 0:
                raise
            break
        if not isinstance(page, tifffile.TiffPage):
            raise ValueError("its pages are not whole")
        kind = int(page.tags.valueof(254, 0) or 0)
        is_old_copy = page.tags.valueof(255, 1) == 2
        if kind & _MASK:
            left_out.append("a mask of transparency")
        elif not (kind & _REDUCED or is_old_copy or (whole and _is_small(page, whole[0]))):
            whole.append(page)
        if index == MOST_PAGES or len(whole) > 1:
            raise allowed.still("several pages")
    if not whole:
        raise allowed.unsupported("a camera's raw file", "develop it and export the photo as TIFF")
    return whole[0], left_out


def _is_small(page: tifffile.TiffPage, photo: tifffile.TiffPage) -> bool:
    """Tell a thumbnail that does not say so."""
    return page.imagewidth * 2 <= photo.imagewidth and page.imagelength * 2 <= photo.imagelength


def _check(page: tifffile.TiffPage, allowed: Allowed) -> None:
    """Refuse by the header what is too large or not read, before anything is decoded."""
    width, height = int(page.imagewidth), int(page.imagelength)
    allowed.check(width, height)
    samples, kind = int(page.samplesperpixel), int(page.photometric)
    if kind not in _COLOURS:
        cure = "develop it and export the photo as TIFF" if kind > 32000 else "export it in RGB"
        raise allowed.unsupported(f"a TIFF of {_NAMES.get(kind, f'photometric interpretation {kind}')}", cure)
    if not _COLOURS[kind] <= samples <= MOST_SAMPLES:
        raise allowed.unsupported(f"a TIFF of {samples} samples a pixel")
    if page.imagedepth != 1 or page.tiledepth not in (0, 1):
        raise allowed.unsupported("a TIFF of a volume")
    across, down = int(page.tilewidth or width), int(page.tilelength or min(page.rowsperstrip, height))
    if across * down * samples > max(MOST_SEGMENT, 4 * width * height) * max(samples, 1):
        raise allowed.unsupported(f"a TIFF with tiles of {across}x{down} pixels")


def _bytes_of(page: tifffile.TiffPage, tag: int) -> bytes | None:
    value = page.tags.valueof(tag)
    if isinstance(value, tuple) and all(isinstance(part, int) for part in value):
        return struct.pack(f"{page.parent.byteorder}{len(value)}I", *value)  # IPTC is often typed as LONG
    return bytes(value) if isinstance(value, (bytes, bytearray, np.ndarray)) else None


def _bits(page: tifffile.TiffPage) -> int:
    bits = page.bitspersample
    return max(bits) if isinstance(bits, tuple) else int(bits)


def _depth(page: tifffile.TiffPage) -> int:
    return 8 if int(page.photometric) == _PALETTE else _bits(page)


def _pixels(page: tifffile.TiffPage, data: bytes, allowed: Allowed) -> tuple[NDArray[Any], list[str]]:
    """Return pixels (H, W, C) of uint8, uint16 or float32, or CMYK, and what is left out of them."""
    kind = int(page.photometric)
    alpha: NDArray[Any] | None = None
    colours: NDArray[Any]
    samples, more = _samples(page, data, allowed)
    if kind == _PALETTE:
        colours = _looked_up(samples[..., 0], page.colormap)
        extra = samples[..., 1:]
        extra = _spread(extra, _bits(page)) if extra.size else extra
    else:
        is_fraction = samples.dtype.kind == "f"
        samples = _checked_fractions(samples, allowed) if is_fraction else _spread(samples, _bits(page))
        count = min(_COLOURS[kind], samples.shape[2])
        colours, extra = samples[..., :count], samples[..., count:]
    if kind == _WHITE_IS_ZERO:
        colours = 1 - colours if colours.dtype.kind == "f" else np.iinfo(colours.dtype).max - colours
    if kind in (_LAB, _ICC_LAB):
        if colours.dtype.kind == "f":
            raise allowed.unsupported("a TIFF of LAB in decimal fractions")
        colours = lab_to_srgb(colours, is_signed=kind == _LAB)
    meanings = [int(value) for value in page.extrasamples or ()]
    for index in range(extra.shape[2]):
        meaning = meanings[index] if index < len(meanings) else 0
        if alpha is None and meaning in (_ASSOCIATED, _UNASSOCIATED) and extra.dtype == colours.dtype:
            alpha = extra[..., index]
            colours = _unmultiplied(colours, alpha) if meaning == _ASSOCIATED else colours
        else:
            more.append("a channel beside the colours")
    if alpha is None or kind == _INKS:
        return np.ascontiguousarray(colours), more + (["transparency of inks"] if alpha is not None else [])
    return np.concatenate([colours, alpha[..., None]], axis=2), more


def _samples(page: tifffile.TiffPage, data: bytes, allowed: Allowed) -> tuple[NDArray[Any], list[str]]:
    """Return the stored samples (H, W, S), by tifffile or, for what it does not decode, by Pillow in 8 bits."""
    bits, forms = page.bitspersample, page.tags.valueof(339, _UNSIGNED)
    form = max(forms) if isinstance(forms, tuple) else int(forms or _UNSIGNED)
    if form == _SIGNED and int(page.photometric) not in (_LAB, _ICC_LAB):
        raise allowed.unsupported("a TIFF of signed samples")
    if form not in (_UNSIGNED, _SIGNED, _FLOAT, 4):
        raise allowed.unsupported("a TIFF of complex numbers")
    is_plain_ycbcr = int(page.photometric) == _YCBCR and int(page.compression) not in (_JPEG, 34892, 33003, 33005)
    if is_plain_ycbcr or int(page.compression) == 6 or (isinstance(bits, tuple) and len(set(bits)) > 1):
        return _by_pillow(data, allowed), []
    pixels = page.asarray()
    if pixels is None:
        raise ValueError("there are no pixels in it")
    pixels = pixels.reshape(page.shape if page.shape == pixels.shape else pixels.shape)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    elif page.axes.startswith("S"):
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim != 3 or pixels.shape[:2] != (page.imagelength, page.imagewidth):
        raise allowed.unsupported(f"a TIFF with axes {page.axes}")
    if pixels.dtype.kind == "i":
        pixels = pixels.view(f"u{pixels.dtype.itemsize}")
    if pixels.dtype.kind == "b":
        pixels = pixels.astype(np.uint8)
    if pixels.dtype.kind in "iu" and pixels.dtype.itemsize > 2:
        kept = np.rint(pixels * (65535 / np.iinfo(pixels.dtype).max)).astype(np.uint16)
        return kept, ["all but 16 bits of each colour"]
    if pixels.dtype.kind not in "uf":
        raise allowed.unsupported(f"a TIFF of {pixels.dtype} samples")
    return pixels, []


@cache
def _silence_libtiff() -> None:
    """Keep the libtiff of Pillow's wheels from printing a line of its own before Pillow raises what says the same."""
    package = Path(Image.__file__).parent
    for library in (*package.parent.glob("pillow.libs/libtiff*"), *package.glob(".dylibs/libtiff*")):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(str(library)).TIFFSetErrorHandler(None)


def _by_pillow(data: bytes, allowed: Allowed) -> NDArray[Any]:
    _silence_libtiff()
    with TiffImagePlugin.TiffImageFile(io.BytesIO(data)) as picture:
        try:
            return array_of(picture)
        except ImageError:
            raise
        except ValueError as error:
            raise allowed.unsupported("a TIFF of this layout") from error


def _spread(samples: NDArray[Any], bits: int) -> NDArray[Any]:
    """Return samples of 1 to 16 bits over the whole range of uint8, or of uint16 above 8 bits."""
    dtype = np.uint8 if bits <= 8 else np.uint16
    if bits in (8, 16) or bits > 16:
        return samples
    most = np.iinfo(dtype).max
    levels = np.rint(np.arange(2**bits) * (most / (2**bits - 1))).astype(dtype)
    spread: NDArray[Any] = levels[np.minimum(samples, 2**bits - 1)]
    return spread


def _checked_fractions(samples: NDArray[Any], allowed: Allowed) -> NDArray[np.float32]:
    low, high = float(samples.min()), float(samples.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # NaN too
        raise ImageError(
            f"{allowed.name}: expected a TIFF with values from 0 to 1, got {low:g} to {high:g} (HDR, or no photo); "
            "export it with 16 bits"
        )
    return samples.astype(np.float32).clip(0, 1)


def _looked_up(indices: NDArray[Any], palette: Any) -> NDArray[np.uint8]:
    """Return the colours of a palette, whose values are of 16 bits, or of 8 in files of old programs."""
    if palette is None or palette.ndim != 2 or palette.shape[0] != 3:
        raise ValueError("its palette is missing")
    table = palette.T if palette.max() < 256 else palette.T >> 8
    colours: NDArray[np.uint8] = table.astype(np.uint8)[np.minimum(indices, len(table) - 1)]
    return colours


def _unmultiplied(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Undo what associated alpha did to colours."""
    most = 1.0 if colours.dtype.kind == "f" else float(np.iinfo(colours.dtype).max)
    result = np.empty_like(colours)
    for row in range(colours.shape[0]):
        share = np.maximum(alpha[row, :, None], 1e-6 if most == 1 else 1) / most
        straight = np.minimum(colours[row] / share, most)
        result[row] = straight if most == 1 else np.rint(straight)
    return result


def write(file: BinaryIO, pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> None:
    """Write (H, W, C) of uint8, uint16 or float32 without loss, or as JPEG what came as JPEG in a TIFF."""
    exif = read_exif(properties.exif) if properties.exif else Exif("<")
    channels = pixels.shape[2]
    as_jpeg = properties.jpeg_quality is not None and properties.file_format == "TIFF" and pixels.dtype == np.uint8
    as_jpeg &= channels in (1, 3)
    compression: dict[str, Any] = {"compression": "zlib", "predictor": 3 if pixels.dtype == np.float32 else 2}
    if as_jpeg:
        level = quality or properties.jpeg_quality
        compression = {"compression": "jpeg", "compressionargs": {"level": level}, "rowsperstrip": 256}
        if channels == 3:
            samplings = {name: sampling for sampling, name in _CHROMA.items()}
            compression["subsampling"] = samplings.get(properties.chroma, (1, 1))
    tifffile.imwrite(
        file,
        pixels if channels > 1 else pixels[..., 0],
        bigtiff=pixels.nbytes > 3_500_000_000,
        byteorder="<" if exif.order == "<" else ">",
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        metadata=None,
        software=False,
        iccprofile=properties.icc,
        resolution=exif.resolution or properties.dpi,
        resolutionunit="INCH" if exif.resolution or properties.dpi else None,
        extratags=list(_extra_tags(exif, properties)),
        **compression,
    )
    if pixels.nbytes <= 3_500_000_000:
        _append_directories(file, exif)


def _extra_tags(exif: Exif, properties: FileProperties) -> Any:
    for tag, entry in exif.main.items():
        if tag not in RESOLUTION:
            kind = 2 if entry.kind == UTF8 else entry.kind
            yield tag, kind, entry.count, entry.data, True
    for tag, data in ((XMP, properties.xmp), (IPTC, properties.iptc)):
        if data:
            yield tag, 1, len(data), data, True


def _append_directories(file: BinaryIO, exif: Exif) -> None:
    """Add the directories below the main one, which tifffile does not write, and the tags that point to them."""
    place = file.seek(0, io.SEEK_END)
    place += file.write(b"\0" * (place % 2))
    pointers, blocks = exif.below(place)
    if not pointers:
        return
    end = place + file.write(blocks)
    order = exif.order
    file.seek(4)
    file.seek(struct.unpack(f"{order}I", file.read(4))[0])
    (count,) = struct.unpack(f"{order}H", file.read(2))
    entries = [file.read(12) for _ in range(count)]
    entries += [struct.pack(f"{order}HHII", pointer, 4, 1, offset) for pointer, offset in pointers.items()]
    entries.sort(key=lambda entry: struct.unpack_from(f"{order}H", entry))
    file.seek(end)
    file.write(struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4))
    file.seek(4)
    file.write(struct.pack(f"{order}I", end))
