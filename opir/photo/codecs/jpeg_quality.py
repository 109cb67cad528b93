"""How a JPEG was saved, told by its quantization table: so that a result is about as large as its photo."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from PIL import Image, JpegImagePlugin

WORST_KEPT_QUALITY, BEST_KEPT_QUALITY = 80, 98
"""Between these a JPEG comes back as it was saved: a coarser one would lose what was restored."""
# Luminance steps of the JPEG standard, table K.1, row by row.
_STANDARD = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)


@cache
def _sums() -> tuple[int, ...]:
    """Return the sum of libjpeg's luminance steps at quality 1 to 100."""
    sums = []
    for quality in range(1, 101):
        scale = 5000 // quality if quality < 50 else 200 - 2 * quality
        sums.append(sum(min(max((step * scale + 50) // 100, 1), 255) for step in _STANDARD))
    return tuple(sums)


def estimate_quality(table: Sequence[int]) -> int:
    """Return the libjpeg quality, 1 to 100, whose luminance steps add up to those of a table.

    Args:
        table: the 64 steps of the luminance, in any order.
    """
    total = sum(table)
    return min(range(1, 101), key=lambda quality: abs(_sums()[quality - 1] - total))


def jpeg_chroma(picture: Image.Image) -> str:
    """Return 4:4:4, 4:2:2 or 4:2:0, for another sampling the one that loses nothing, the last for what is no JPEG."""
    if not isinstance(picture, JpegImagePlugin.JpegImageFile):
        return "4:2:0"
    sampling = JpegImagePlugin.get_sampling(picture)
    if sampling == -1 and len(picture.layer) == 3:  # such as 4:4:0, a photo of 4:2:2 turned without loss, and 4:1:1
        (_, across, down, _), *others = picture.layer
        if across <= max(layer[1] for layer in others):
            return "4:4:4"
        return "4:2:2" if down <= max(layer[2] for layer in others) else "4:2:0"
    return {0: "4:4:4", 1: "4:2:2"}.get(sampling, "4:2:0")


def jpeg_quality(picture: Image.Image) -> int | None:
    """Return the quality that a JPEG is to come back at; None for what is no JPEG."""
    tables = getattr(picture, "quantization", None)
    if not isinstance(picture, JpegImagePlugin.JpegImageFile) or not tables or 0 not in tables:
        return None
    return _kept(estimate_quality(tables[0]))


def jpeg_tables(picture: Image.Image) -> tuple[tuple[int, ...], ...]:
    """Return the quantization tables that a JPEG is to come back with, none where its quality says enough.

    Its own, so that what was left alone is rounded to where it was; those of a coarse one are halved, which hold the
    same values and more.
    """
    tables = getattr(picture, "quantization", None)
    if not isinstance(picture, JpegImagePlugin.JpegImageFile) or not tables or 0 not in tables:
        return ()
    own = [tuple(tables[number]) for number in (0, 1) if number in tables]
    while estimate_quality(own[0]) < WORST_KEPT_QUALITY:
        own = [tuple(max(step // 2, 1) for step in table) for table in own]
    if estimate_quality(own[0]) > BEST_KEPT_QUALITY or max(map(max, own)) > 255:
        return ()
    return tuple(own)


def quality_of_tables(stream: bytes) -> int | None:
    """Return the quality of the first quantization table in a JPEG stream, as a TIFF holds them; None for none."""
    at = stream.find(b"\xff\xdb")
    if at < 0 or len(stream) < at + 5 + 64 or stream[at + 4] >> 4:
        return None
    return _kept(estimate_quality(stream[at + 5 : at + 5 + 64]))


def _kept(quality: int) -> int:
    return min(max(quality, WORST_KEPT_QUALITY), BEST_KEPT_QUALITY)
