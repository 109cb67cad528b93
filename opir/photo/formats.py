"""The formats of photo files, one row each: how a file is told, what reads and writes it, and what it can hold."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from opir.errors import ImageError
from opir.photo.beside.properties import FileProperties
from opir.photo.raw import Allowed, Raw

__all__ = [
    "ENDINGS",
    "FORMATS",
    "LISTED",
    "READABLE",
    "Format",
    "format_of",
    "format_of_bytes",
    "named",
    "told_as",
]

SNIFFED = 4096
"""Bytes at the start of a file that tell its format."""


@dataclass(frozen=True)
class Format:
    """One format: what can be said of it without opening a file."""

    name: str
    endings: tuple[str, ...]
    """Of file names, in lower case; the first is the usual one."""
    is_it: Callable[[bytes], bool]
    """Tells it by the first `SNIFFED` bytes."""
    depths: tuple[int, ...]
    """Bits a colour that are written; 32 are fractions."""
    lossless: str
    """When nothing is lost in writing pixels: "always", "where it came so" or "never"."""
    alpha: bool = True
    colours: tuple[str, ...] = ("icc",)
    """The ways to describe colours that are written as they came: "icc", "cicp", "gamma" (with cHRM)."""
    exif: bool = True
    xmp: bool = True
    iptc: bool = False
    texts: tuple[bytes, ...] = ()
    """Kinds of text: PNG's chunks, b"COM"."""
    dpi: str = "in Exif"
    """Where the resolution stands: "own", "in Exif", or "" for nowhere."""
    reads_more: str = ""
    """Layouts that are read and come back as another, for the documentation."""

    def read(self, data: bytes, allowed: Allowed) -> Raw:
        """Decode a file.

        A codec calls `allowed.check` with the width and height in the header before it decodes, and raises for a
        file that is damaged or cut off: any of `DECODING_ERRORS` (opir/photo/reading.py) becomes a sentence.
        """
        raw: Raw = self._codec().read(data, allowed)
        return raw

    def write(self, file: BinaryIO, pixels: NDArray[Any], properties: FileProperties, quality: int | None) -> None:
        """Encode pixels (H, W, C) with what rides along.

        C is 1 for grey, 3 for RGB, and one more with alpha where the row has it; a format without grey writes it as
        RGB. A codec need not go by `quality`, 1 to 100 or None, where the format is lossless.
        """
        self._codec().write(file, pixels, properties, quality)

    def _codec(self) -> Any:
        return importlib.import_module(f"opir.photo.codecs.{self.name.lower()}")  # on first use: some take a while

    @property
    def deepest(self) -> int:
        """The most bits a colour that are written."""
        return max(self.depths)


def _is_bmp(start: bytes) -> bool:
    return start[:2] == b"BM" and int.from_bytes(start[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)


def _brands(start: bytes) -> set[bytes]:
    if start[4:8] != b"ftyp":
        return set()
    size = min(max(int.from_bytes(start[:4], "big"), 12), 256)
    return {start[8:12], *(start[at : at + 4] for at in range(16, size, 4))}


def _is_avif(start: bytes) -> bool:
    return bool(_brands(start) & {b"avif", b"avis"})


def _is_heif(start: bytes) -> bool:
    known = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
    return bool(_brands(start) & known) and not _is_avif(start)


FORMATS = {
    row.name: row
    for row in (
        Format(
            name="JPEG",
            endings=(".jpg", ".jpeg", ".jpe", ".jfif"),
            is_it=lambda start: start[:3] == b"\xff\xd8\xff",
            depths=(8,),
            lossless="never",
            alpha=False,
            iptc=True,
            texts=(b"COM",),
            dpi="own",
            reads_more="CMYK, 12 bits and lossless come back as 8-bit RGB",
        ),
        Format(
            name="PNG",
            endings=(".png",),
            is_it=lambda start: start[:8] == b"\x89PNG\r\n\x1a\n",
            depths=(8, 16),
            lossless="always",
            colours=("icc", "cicp", "gamma"),
            texts=(b"tEXt", b"zTXt", b"iTXt"),
            dpi="own",
            reads_more="palettes come back as RGB, 1, 2 and 4 bits as 8, tRNS as alpha, the narrow range of video "
            "as the whole one",
        ),
        Format(
            name="WEBP",
            endings=(".webp",),
            is_it=lambda start: start[:4] == b"RIFF" and start[8:12] == b"WEBP",
            depths=(8,),
            lossless="where it came so",
        ),
        Format(
            name="TIFF",
            endings=(".tif", ".tiff"),
            is_it=lambda start: start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") and start[8:10] != b"CR",
            depths=(8, 16, 32),
            lossless="always, but JPEG and lossy WebP in a TIFF",
            iptc=True,
            dpi="own",
            reads_more="palettes, CMYK and LAB (white is D50, as Photoshop has it) come back as RGB, "
            "1 to 7 bits as 8, 9 to 15 as 16; compressions other than "
            "JPEG and WebP as Deflate",
        ),
        Format(
            name="HEIF",
            endings=(".heic", ".heif", ".hif"),
            is_it=_is_heif,
            depths=(8, 10, 12),
            lossless="never",
            colours=("icc", "cicp"),
        ),
        Format(
            name="AVIF",
            endings=(".avif",),
            is_it=_is_avif,
            depths=(8, 10, 12),
            lossless="where it came so",
            colours=("icc", "cicp"),
        ),
        Format(
            name="BMP",
            endings=(".bmp",),
            is_it=_is_bmp,
            depths=(8,),
            lossless="always",
            colours=(),
            exif=False,
            xmp=False,
            dpi="own",
            reads_more="palettes and 16 bits a pixel come back as 24 bits, with alpha as 32; profiles and "
            "primaries as sRGB",
        ),
    )
}
ENDINGS = {ending: row.name for row in FORMATS.values() for ending in row.endings}
"""Endings of photo files, in lower case, and the formats that they ask for."""
_SPELLED = {"WEBP": "WebP", "HEIF": "HEIC"}
"""Names of formats as people know them, where they differ from those of the rows."""
_CALLED = [_SPELLED.get(name, name) for name in FORMATS]
LISTED = f"{', '.join(_CALLED[:-1])} or {_CALLED[-1]}"
"""The formats in a sentence."""
READABLE = f"a {LISTED} photo"
_RAW = "a camera's raw file"
_OTHERS = {
    b"GIF8": "a GIF",
    b"8BPS": "a Photoshop file",
    b"%PDF": "a PDF",
    b"\xff\x0a": "a JPEG XL",
    b"\0\0\0\x0cJXL ": "a JPEG XL",
    b"\0\0\0\x0cjP  ": "a JPEG 2000",
    b"\xff\x4f\xff\x51": "a JPEG 2000",
    **dict.fromkeys((b"FUJIFILMCCD-RAW", b"II*\0\x10\0\0\0CR", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb"), _RAW),
    b"<svg": "an SVG drawing",
    b"PK\x03\x04": "a ZIP archive",
}


def format_of_bytes(start: bytes) -> str | None:
    """Return the format of a file that starts with these bytes, None for none that is read."""
    return next((row.name for row in FORMATS.values() if row.is_it(start)), None)


def told_as(start: bytes) -> str:
    """Say what a file is that is no photo of ours, as far as its first bytes tell."""
    for mark, name in _OTHERS.items():
        if start.startswith(mark):
            return name
    if start[4:11] == b"ftypcrx":
        return _RAW
    return "a video" if start[4:8] == b"ftyp" else "something else or a damaged file"


def named(path: Path) -> str | None:
    """Return the format that a file name asks for, None where its ending is none of ours."""
    return ENDINGS.get(path.suffix.lower())


def format_of(path: Path) -> str:
    """Return the format that a file name asks for; raises `ImageError` for an unknown ending."""
    found = named(path)
    if found is None:
        raise ImageError(f"{path.name}: expected a name ending in one of {', '.join(ENDINGS)}; got '{path.suffix}'")
    return found
