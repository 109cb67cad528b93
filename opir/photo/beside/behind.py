"""What stands in a file besides its picture and can not come back with it, told in words."""

from __future__ import annotations

from collections.abc import Iterable

GAIN_MAP, MOTION, SECOND = "a gain map (HDR)", "the motion of a motion photo", "a second picture"
ORIGIN = "a signed proof of origin (C2PA), which holds for the photo as it was"
DAMAGED_PROFILE = "a damaged colour profile"
PATHS = "clipping paths"
_PATHS = range(2000, 2998)
"""Numbers of Photoshop's resources that hold one."""
_FILLING = b"\0\xff\r\n\t "
_GAIN_MAP_MARK = b"hdrgm"


def paths_in(resources: Iterable[int]) -> list[str]:
    """Say whether clipping paths are among Photoshop's resources of these numbers."""
    return [PATHS] if any(number in _PATHS for number in resources) else []


def behind(data: bytes, end: int, xmp: bytes = b"") -> list[str]:
    """Say what stands behind the end of a picture; nothing for what only fills up.

    Args:
        data: the whole file.
        end: where its picture ends.
        xmp: of the picture, which may tell of what follows.
    """
    rest = data[end:].lstrip(b"\0")
    if not rest.strip(_FILLING):
        return []
    left_out = []
    if b"ftyp" in rest[:64] or b"MotionPhoto_Data" in rest or b"mpv2" in rest[:64] or b"MotionPhoto" in xmp:
        left_out.append(MOTION)
    if b"\xff\xd8\xff" in rest[:64]:
        is_map = _GAIN_MAP_MARK in data[:end] or _GAIN_MAP_MARK in rest[:4096]
        left_out.append(GAIN_MAP if is_map else SECOND)
    count = len(data) - end
    return left_out or [f"{count:,} byte{'' if count == 1 else 's'} behind the picture"]
