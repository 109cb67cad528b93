"""TIFF: tifffile and imagecodecs decode every layout that photo programs write; what is left is named.

TIFF 6.0, its technical notes and supplements; H height, W width, S samples a pixel.
"""

from __future__ import annotations

import io
import struct
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from opir.photo.beside.behind import ORIGIN, behind, paths_in
from opir.photo.beside.described import Described
from opir.photo.beside.exif import KEPT, ORIENTATION, RESOLUTION, TURNED, UTF8, Exif, read_exif
from opir.photo.beside.private import IPTC_RESOURCE, resources_in
from opir.photo.beside.properties import FileProperties
from opir.photo.codecs.jpeg_quality import quality_of_tables
from opir.photo.codecs.sizes import quality_of_size
from opir.photo.codecs.tiff_samples import checked_fractions, looked_up, stored_samples
from opir.photo.pixels.lab import lab_to_srgb
from opir.photo.pixels.samples import spread, unmultiplied
from opir.photo.raw import Allowed, Raw

MOST_PAGES, MOST_SUBDIRECTORIES, MOST_SAMPLES = 64, 8, 16
MOST_SEGMENT = 4_000_000
"""Pixels of a strip or tile that a small photo may have all the same."""
XMP, IPTC, ICC, JPEG_TABLES, PHOTOSHOP = 700, 33723, 34675, 347, 34377
_TOLD = {
    37724: "layers",
    52545: ORIGIN,
    **dict.fromkeys((33550, 33922, 34264, 34735), "its place on a map (GeoTIFF)"),
}
"""Tags of what does not come back."""
_FIRST_PRIVATE = 0x8000
"""Tags from this one on belong to programs and later standards."""
_OF_THE_FILE = (32934, 32995, 32996, 32997, 33421, 50341, 59932, 59933)
"""Such tags that describe the file as it was: its layout, how to print it, room for more."""
_NOT_LOST = frozenset({*KEPT, *_TOLD, *_OF_THE_FILE, IPTC, ICC, PHOTOSHOP})
QUALITY = 95
_REDUCED, _MASK = 1, 4
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _INKS, _YCBCR, _LAB, _ICC_LAB = 0, 1, 2, 3, 5, 6, 8, 9
_WRITTEN_AGAIN = {7: "jpeg", 50001: "webp"}
_WIDEST_WEBP = 16383
_AS_SMALL_IN_DEFLATE = (1, 2, 3, 4, 5, 8, 32771, 32773, 32946, 34925, 34926, 34933, 50000, 50013)
_SUBDIRECTORIES, _SEGMENTS = 330, ((273, 279), (324, 325), (513, 514))
"""Tags of the directories below one, and of where strips, tiles and thumbnails start and of how long they are."""
_PLACES = (_SUBDIRECTORIES, *(tag for pair in _SEGMENTS for tag in pair))
_ASSOCIATED, _UNASSOCIATED = 1, 2
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _INKS: 4, _YCBCR: 3, _LAB: 3, _ICC_LAB: 3}
_CHROMA: dict[tuple[int, ...], str] = {(2, 2): "4:2:0", (2, 1): "4:2:2"}
_NAMES = {4: "a transparency mask", 10: "ITU LAB", 32803: "a camera's raw data", 34892: "a camera's raw data"}
_DAMAGE = (tifffile.TiffFileError, struct.error, IndexError, KeyError)


def read(data: bytes, allowed: Allowed) -> Raw:
    """Decode the first whole page of a TIFF.

    Raises:
        ImageError: where it is too large, has several pages, or a layout that is not read, which is named.
        tifffile.TiffFileError, ValueError: for damage.
    """
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page, left_out, directories = _photo_page(file, allowed)
        _check(page, allowed)
        exif = read_exif(data, page.offset)
        pixels, more = _pixels(page, data, allowed)
        icc, tables = _bytes_of(page, ICC), _bytes_of(page, JPEG_TABLES)
        if tables is None and page.dataoffsets:
            tables = data[page.dataoffsets[0] : page.dataoffsets[0] + 1024]
        is_cmyk = int(page.photometric) == _INKS
        compression = _WRITTEN_AGAIN.get(int(page.compression), "")
        if not _fits(compression, pixels[..., :3] if is_cmyk else pixels):
            compression = ""
        if not compression and int(page.compression) not in _AS_SMALL_IN_DEFLATE:
            name = getattr(page.compression, "name", page.compression)
            more.append(f"its compression ({name})")
        resources = resources_in(_bytes_of(page, PHOTOSHOP) or b"")
        more += paths_in(resources) + _private_tags(exif)
        more += behind(data, max(_end(data, place) for place in directories))
        return Raw(
            pixels=pixels,
            described=Described(icc=icc if int(page.photometric) not in (_LAB, _ICC_LAB) else None),
            is_cmyk=is_cmyk,
            exif=exif,
            xmp=_bytes_of(page, XMP) or b"",
            iptc=_bytes_of(page, IPTC) or resources.get(IPTC_RESOURCE, b""),
            dpi=exif.resolution,
            depth=_depth(page),
            chroma=_CHROMA.get(tuple(page.subsampling or ()), "4:4:4"),
            lossless=not compression or (compression == "webp" and b"VP8L" in (tables or b"")[:64]),
            compression=compression,
            jpeg_quality=quality_of_tables(tables or b"") or QUALITY if compression == "jpeg" else None,
            left_out=(*left_out, *more, *dict.fromkeys(what for tag, what in _TOLD.items() if tag in page.tags)),
        )


def size(file: BinaryIO, allowed: Allowed) -> tuple[int, int]:
    """Return the upright width and height of the photo in a TIFF; raises what `read` does for its pages."""
    with tifffile.TiffFile(file) as pages:
        page, *_ = _photo_page(pages, allowed)
        width, height = int(page.imagewidth), int(page.imagelength)
        return (height, width) if page.tags.valueof(ORIENTATION) in TURNED else (width, height)


def _photo_page(file: tifffile.TiffFile, allowed: Allowed) -> tuple[tifffile.TiffPage, list[str], list[int]]:
    """Return the page that is the photo, what the others are, and where each begins.

    Raises:
        ImageError: where several are photos.
    """
    whole: list[tifffile.TiffPage] = []
    left_out: list[str] = []
    places: list[int] = []
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
        places.append(page.offset)
        kind = int(page.tags.valueof(254, 0) or 0)
        is_old_copy = page.tags.valueof(255, 1) == 2
        if kind & _MASK:
            left_out.append("a mask of transparency")
        elif not (kind & _REDUCED or is_old_copy or (whole and _is_small(page, whole[0]))):
            whole.append(page)
        if index == MOST_PAGES or len(whole) > 1:
            raise allowed.still("several pages")
    if not places:
        raise ValueError("there is no page in it")
    if not whole:
        raise allowed.unsupported("a camera's raw file", "develop it and export the photo as TIFF")
    return whole[0], left_out, places


def _private_tags(exif: Exif) -> list[str]:
    """Say how many tags of other programs (a microscope's, ImageJ's) do not come back."""
    count = sum(tag >= _FIRST_PRIVATE and tag not in _NOT_LOST for tag in exif.main)
    return [f"{count} private tag{'' if count == 1 else 's'}"] if count else []


def _end(data: bytes, place: int, is_below: bool = False) -> int:
    """Return where a directory ends, with its values, pixels and the directories below it."""
    exif = read_exif(data, place)
    numbers = {tag: entry.numbers(exif.order) for tag, entry in exif.main.items() if tag in _PLACES}
    end = exif.end
    for starts, lengths in _SEGMENTS:
        pairs = zip(numbers.get(starts, ()), numbers.get(lengths, (len(data),)), strict=False)
        end = max([end, *(int(start + length) for start, length in pairs)])
    for below in () if is_below else numbers.get(_SUBDIRECTORIES, ())[:MOST_SUBDIRECTORIES]:
        end = max(end, _end(data, int(below), is_below=True))
    return end


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
    samples, more = stored_samples(page, data, allowed)
    if kind == _PALETTE:
        colours = looked_up(samples[..., 0], page.colormap)
        extra = samples[..., 1:]
        extra = spread(extra, _bits(page)) if extra.size else extra
    else:
        is_fraction = samples.dtype.kind == "f"
        samples = checked_fractions(samples, allowed) if is_fraction else spread(samples, _bits(page))
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
            colours = unmultiplied(colours, alpha) if meaning == _ASSOCIATED else colours
        else:
            more.append("a channel beside the colours")
    if alpha is None or kind == _INKS:
        return np.ascontiguousarray(colours), more + (["transparency of inks"] if alpha is not None else [])
    return np.concatenate([colours, alpha[..., None]], axis=2), more


def write(file: BinaryIO, pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> None:
    """Write (H, W, C) of uint8, uint16 or float32 without loss, or as JPEG what came as JPEG in a TIFF."""
    exif = read_exif(properties.exif) if properties.exif else Exif("<")
    channels = pixels.shape[2]
    resolution = exif.resolution or properties.dpi
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
        resolution=resolution or properties.aspect,
        resolutionunit="INCH" if resolution else "NONE",
        extratags=list(_extra_tags(exif, properties)),
        **_compression(pixels, properties, quality),
    )
    if pixels.nbytes <= 3_500_000_000:
        _append_directories(file, exif)


def _fits(compression: str, pixels: NDArray[Any]) -> bool:
    """Tell whether a compression takes pixels (H, W, C)."""
    if pixels.dtype != np.uint8:
        return False
    width, channels = pixels.shape[1:]
    return (compression == "jpeg" and channels in (1, 3)) or (
        compression == "webp" and channels in (3, 4) and width <= _WIDEST_WEBP
    )


def _compression(pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> dict[str, Any]:
    """Return how tifffile is to write pixels: in the JPEG or WebP that they came in in a TIFF, else without loss."""
    if not _fits(properties.compression, pixels):
        return {"compression": "zlib", "predictor": 3 if pixels.dtype == np.float32 else 2}
    options: dict[str, Any] = {"compression": properties.compression, "rowsperstrip": 256}
    if properties.compression == "jpeg":
        options["compressionargs"] = {"level": quality or properties.jpeg_quality}
        if pixels.shape[2] == 3:
            samplings = {name: sampling for sampling, name in _CHROMA.items()}
            options["subsampling"] = samplings.get(properties.chroma, (1, 1))
        return options
    if quality is None and not properties.lossless:
        quality = quality_of_size(_as_webp, pixels, properties.bytes_a_pixel or 0, 100)
    return options | {"compressionargs": {"lossless": properties.lossless, "level": quality}}


def _as_webp(pixels: NDArray[Any], quality: int) -> bytes:
    return bytes(imagecodecs.webp_encode(pixels, level=quality, lossless=False))


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
