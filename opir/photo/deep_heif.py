"""What Pillow can not do: HEIC files of 10 and 12 bits per colour, which it cuts to 8.

H height, W width, C channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGBA).
"""

from __future__ import annotations

from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_MODES = {1: "L;16", 2: "LA;16", 3: "RGB;16", 4: "RGBA;16"}  # by number of channels
_WRITTEN_BITS = 10


def is_deep(picture: Image.Image) -> bool:
    """Whether a file that was opened is a HEIC of more than 8 bits per colour."""
    return picture.format == "HEIF" and int(picture.info.get("bit_depth") or 8) > 8


def read_deep(picture: Image.Image) -> NDArray[np.uint16]:
    """Return the pixels (H, W, C), over all of 0 to 65,535, of the file that a deep picture was opened from."""
    import pillow_heif  # on first use, as in `register_heif`

    file = pillow_heif.open_heif(cast(Any, picture).filename, convert_hdr_to_8bit=False)
    pixels: NDArray[np.uint16] = np.array(file, dtype=np.uint16)  # the bits are the uppermost, zeros follow
    pixels |= pixels >> int(file.info["bit_depth"])
    return pixels if pixels.ndim == 3 else pixels[..., None]


def write_deep(file: BinaryIO, pixels: NDArray[np.uint16], icc: bytes | None, exif: bytes, quality: int) -> None:
    """Write (H, W, C) as a HEIC of 10 bits with its profile and EXIF data.

    Args:
        file: open for writing.
        pixels: grey + alpha is written as RGBA: there is nothing else for it.
        icc: the profile.
        exif: as Pillow has it.
        quality: 1 to 100.
    """
    import pillow_heif

    most = 2**_WRITTEN_BITS - 1
    rounded = np.rint(pixels * np.float32(most / 65535)).astype(np.uint16) << (16 - _WRITTEN_BITS)
    height, width, channels = pixels.shape
    picture = pillow_heif.from_bytes(mode=_MODES[channels], size=(width, height), data=rounded.tobytes())
    kept: dict[str, Any] = {"icc_profile": icc} if icc else {}
    picture.save(file, quality=quality, exif=exif or None, **kept)
