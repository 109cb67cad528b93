"""What a decoder hands on: the pixels of a file as they stand in it, and everything beside them.

H height, W width, C channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGBA).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from opir.errors import ImageError, TooLargeError
from opir.photo.beside.exif import Exif
from opir.photo.beside.properties import Stored


@dataclass(frozen=True)
class Allowed:
    """How large a photo may be, and what it is called in what is told of it."""

    name: str
    max_megapixels: float

    def check(self, width: int, height: int) -> None:
        """Refuse a picture without pixels, and one with more than are allowed; before it is decoded."""
        if width < 1 or height < 1:
            raise ImageError(f"{self.name}: expected a photo, got {width}x{height} pixels; export it again")
        if width * height > self.max_megapixels * 1e6:
            raise self.too_large(f"{width}x{height} = {width * height / 1e6:.3g}")

    def too_large(self, got: str) -> TooLargeError:
        """Return the error that says that a picture has too many pixels."""
        most = f"{self.max_megapixels:g}"
        return TooLargeError(f"{self.name}: expected at most {most} megapixels, got {got}; make it smaller first")

    def still(self, frames: str) -> ImageError:
        """Return the error that says that a picture moves or has pages."""
        return ImageError(f"{self.name}: expected a still picture, got {frames}; export one of them")

    def unsupported(self, what: str, cure: str = "export it as PNG or TIFF in RGB") -> ImageError:
        """Return the error that names a layout that is not read."""
        return ImageError(f"{self.name}: {what} can not be read; {cure}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Raw(Stored):
    """A decoded file, before anything of it is turned, converted or left out."""

    pixels: NDArray[Any]
    """(H, W, C) of uint8, uint16 or float32; CMYK, (H, W, 4) of ink, where `is_cmyk`."""
    is_cmyk: bool = False
    exif: Exif = field(default_factory=Exif)
    orientation: int | None = None
    """1 to 8 where it is not for the Exif data to say."""
