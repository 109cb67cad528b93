"""What of a file's own information the result carries, and what is left out on purpose."""

from app.look import words
from opir.photo import Described, Photo, read_exif

_DATE_TAGS = (0x0132, 0x9003)
_CAMERA_TAG = 0x0110


def kept_and_removed(photo: Photo) -> tuple[list[str], list[str]]:
    """Name what of a photo is kept in its result and what is removed; both empty for a plain picture."""
    exif = read_exif(photo.file.exif)
    tags = exif.main | exif.details
    named = {
        words.KEPT_DATE: any(tag in tags for tag in _DATE_TAGS),
        words.KEPT_CAMERA: _CAMERA_TAG in tags,
        words.KEPT_PROFILE: photo.file.described != Described(),
        words.KEPT_ALPHA: photo.alpha is not None,
        words.KEPT_DEPTH: photo.bits > 8,
    }
    removed = [*photo.file.left_out, *([words.REMOVED_POSITION] if photo.file.had_position else [])]
    return [name for name, holds in named.items() if holds], removed
