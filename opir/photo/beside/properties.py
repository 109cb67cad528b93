"""What a photo file holds besides pixels, as far as it stays with the photo."""

from __future__ import annotations

from dataclasses import dataclass, field

from opir.photo.beside.described import Described


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What a decoder reads of it and an encoder writes."""

    described: Described = field(default_factory=Described)
    """What the pixels' colours mean; nothing for sRGB."""
    xmp: bytes = b""
    iptc: bytes = b""
    texts: tuple[tuple[bytes, bytes], ...] = ()
    """PNG's text chunks, their types and contents, and a JPEG's comments as b"COM"."""
    dpi: tuple[float, float] | None = None
    aspect: tuple[float, float] | None = None
    """Pixels across and down in a unit that is not named, where no resolution in inches is: their shape."""
    depth: int = 8
    """Bits of a colour in the file."""
    chroma: str = "4:2:0"
    """Of a lossy format: 4:4:4, 4:2:2, 4:2:0 or 4:0:0."""
    lossless: bool = False
    compression: str = ""
    """Of a TIFF that is written in it again: "jpeg" or "webp"."""
    jpeg_quality: int | None = None
    """1 to 100, None for what holds no JPEG."""
    jpeg_tables: tuple[tuple[int, ...], ...] = ()
    """Quantization tables, one or two, in which it comes back where no quality is asked for."""
    left_out: tuple[str, ...] = ()
    """What is in the file and does not come back, in words."""


@dataclass(frozen=True, kw_only=True)
class FileProperties(Stored):
    """What a file holds besides pixels, as far as it is kept."""

    file_format: str = "PNG"
    """What the file is by its bytes: a name of `opir.photo.formats.FORMATS`."""
    name: str = ""
    """File name, empty for a picture that came from memory."""
    exif: bytes = b""
    """Without orientation, thumbnail and maker notes, and without position unless it was asked for."""
    bytes_a_pixel: float | None = None
    """What the photo took in its file, None for a picture from memory."""
    had_position: bool = False
    """Which was left out."""
    modified: float | None = None
    """When the file was last changed, in seconds since 1970."""

    @property
    def icc(self) -> bytes | None:
        """The ICC profile in the file."""
        return self.described.icc
