"""What to tell a person about a file: one line that says what is wrong and names the cure."""

from __future__ import annotations

import errno

_CURES = {
    errno.ENOSPC: "free some space or choose another disk",
    errno.EDQUOT: "free some space or choose another disk",
    errno.EFBIG: "free some space or choose another disk",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENOTDIR: "choose a folder, not a place below a file",
    errno.EEXIST: "choose a folder, not a place below a file",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def printable(text: str) -> str:
    """Return one line of a text, with what could act on a terminal or can not be encoded spelt out as in \\x1b."""
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(_spelt(character) for character in line)


def _spelt(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


class ImageError(ValueError):
    """A photo that can not be read or written; its text is one line for the person who chose it."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class TooLargeError(ImageError):
    """A photo of more pixels than are allowed."""


def not_written(place: object, error: OSError) -> ImageError:
    """Return the error that says why a file or folder could not be written, and what to do."""
    cure = _CURES.get(error.errno or 0, "check the folder")
    return ImageError(f"{place}: can not be written ({error.strerror or error}); {cure}")
