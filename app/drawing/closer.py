"""A part of a photo before and after at its own pixels, for the browser to show."""

import base64
import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from opir.inference import DOUBTFUL_FROM, Restoration
from opir.ops import Window

LONGEST_SIDE = 2048
"""So many pixels of a side are cut at once, at most: more than a window shows."""
_OUTLINE = (255, 214, 10, 255)  # to be seen on any photo


def part_asked_for(asked: Any, width: int, height: int) -> Window:
    """Return the part of a photo that a browser asks for, inside the photo and no longer than `LONGEST_SIDE`.

    Args:
        asked: "across" and "down", where the middle of the part lies, 0 to 1, and its "width" and "height" in pixels.
        width: of the photo.
        height: of the photo.

    Raises:
        ValueError: for anything else.
    """
    across, down, wide, high = (_number(asked, name) for name in ("across", "down", "width", "height"))
    left, right = _span(across, wide, width)
    top, bottom = _span(down, high, height)
    return Window(top, left, bottom, right)


def number_of(asked: Any) -> float:
    """Return which question of the browser it is; raises ValueError for none."""
    return _number(asked, "number")


def _number(asked: Any, name: str) -> float:
    value = asked.get(name) if isinstance(asked, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected a number for {name}")
    return float(value)


def _span(middle: float, length: float, size: int) -> tuple[int, int]:
    length = int(min(max(length, 1), LONGEST_SIDE, size))
    first = round(min(max(middle, 0), 1) * size - length / 2)
    first = min(max(first, 0), size - length)
    return first, first + length


def cut(restoration: Restoration, part: Window, strength: float, protect: bool) -> dict[str, Any]:
    """Return a part's place, its photo's size, and as data URLs the part before, after, and where it is doubtful.

    The last is a picture of lines to lay over the others, empty where nothing is in doubt.
    """
    before, after = restoration.cut(part, strength, protect)
    return {
        "left": part.left,
        "top": part.top,
        "width": part.right - part.left,
        "height": part.bottom - part.top,
        "photo": [restoration.width, restoration.height],
        "before": _as_url(before, "JPEG", quality=93, subsampling=0),
        "after": _as_url(after, "JPEG", quality=93, subsampling=0),
        "doubt": _outline(restoration.uncertainty[part.top : part.bottom, part.left : part.right] >= DOUBTFUL_FROM),
    }


def _outline(doubtful: NDArray[np.bool_]) -> str:
    if not doubtful.any():
        return ""
    around = np.pad(doubtful, 1, mode="edge")
    inside = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    lines = np.zeros((*doubtful.shape, 4), np.uint8)
    lines[doubtful & ~inside] = _OUTLINE
    return _as_url(Image.fromarray(lines).quantize(2), "PNG")


def _as_url(picture: Image.Image, file_format: str, **options: Any) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return f"data:image/{file_format.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
