"""The photos of a folder, told by their bytes, and everything else in it, by the reason why it is left out."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from opir.photo.formats import ENDINGS, SNIFFED, format_of_bytes

OWN_MARK = b"OPIR restored this photo"
"""What results of a restoration say of themselves, where their format has room for it."""
_TAIL = 65_536
_SIDE_FILES = frozenset(
    {
        *(".ds_store", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", ".nomedia", ".localized"),
        *(".directory", ".picasa.ini", "picasa.ini", ".bridgesort", ".bridgelabelsandratings", "icon\r"),
    }
)
_SIDE_FOLDERS = frozenset(
    {
        *("@eadir", "#recycle", ".thumbnails", ".trashes", ".spotlight-v100", ".fseventsd", "__macosx", ".dtrash"),
        *("$recycle.bin", "system volume information", ".picasaoriginals", ".trash", ".temporaryitems", "lost+found"),
    }
)
"""What systems and programs put beside photos, in lower case; passed over in silence, like names in "._"."""
_RAW = frozenset(
    {
        *(".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".dng", ".orf", ".rw2", ".raf", ".pef"),
        *(".srw", ".x3f", ".rwl", ".iiq", ".3fr"),
    }
)


BELOW, RAW = "folders below, for --recursive", "camera raw files"
"""Reasons why something is left out for which there is a cure."""


@dataclass
class Found:
    """What is in a folder."""

    photos: list[Path] = field(default_factory=list)
    """Sorted."""
    left_out: dict[str, list[Path]] = field(default_factory=dict)
    """By reason: "camera raw files", ..."""

    def leave_out(self, reason: str, path: Path) -> None:
        """Count a file or folder that is no photo to work on."""
        self.left_out.setdefault(reason, []).append(path)

    def describe_left_out(self) -> str:
        """Say in a line what is left out and why; empty for nothing."""
        return describe_left_out(self.left_out)


def describe_left_out(left_out: dict[str, list[Path]]) -> str:
    """Say in a line what is left out and why; empty for nothing."""
    parts = []
    for reason, paths in left_out.items():
        shown = ", ".join(sorted({path.name for path in paths})[:3])
        parts.append(f"{reason}: {len(paths)} ({shown}{', ...' if len(paths) > 3 else ''})")
    return "; ".join(parts)


def find_photos(
    folder: Path,
    recursive: bool = False,
    passed: Callable[[Path], bool] = lambda path: False,
    own_results: bool = False,
) -> Found:
    """Return the photos of a folder.

    A photo is what is one by its bytes, and what is called one: that of these which can not be read is told later.

    Args:
        folder: where to look.
        recursive: look into the folders below it too; not into linked ones.
        passed: folders and files that are passed over in silence, such as the folder of the results.
        own_results: take results of a restoration for photos too.

    Raises:
        ValueError: where the folder can not be read.
    """
    found = Found()
    try:
        for entry in _walk(folder, recursive, passed, found):
            _sort_in(entry, found, own_results)
    except OSError as error:
        raise ValueError(f"{error.filename or folder}: can not be read ({error.strerror or error})") from error
    found.photos.sort()
    return found


def is_side_file(name: str) -> bool:
    """Tell what systems put beside photos."""
    return name.startswith("._") or name.lower() in _SIDE_FILES or name.lower() in _SIDE_FOLDERS


def _walk(folder: Path, recursive: bool, passed: Callable[[Path], bool], found: Found) -> Iterator[Path]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if is_side_file(entry.name) or passed(path):
            continue
        if not entry.is_dir():
            yield path
        elif entry.is_symlink():
            found.leave_out("linked folders", path)
        elif recursive:
            try:
                yield from _walk(path, recursive, passed, found)
            except PermissionError:
                found.leave_out("folders that can not be read", path)
        else:
            found.leave_out(BELOW, path)


def looks_like_photo(path: Path) -> bool:
    """Tell a photo, by its bytes or at least by its name, from what else lies in folders."""
    return not is_side_file(path.name) and (path.suffix.lower() in ENDINGS or _is_photo(path))


def _sort_in(path: Path, found: Found, own_results: bool) -> None:
    ending = path.suffix.lower()
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except OSError:
        found.leave_out("links to nothing", path)
        return
    if not is_file:
        found.leave_out("things that are no files", path)
    elif ending in _RAW:
        found.leave_out(RAW, path)
    elif not own_results and _is_own_result(path):
        found.leave_out("results of an earlier run", path)
    elif ending in ENDINGS or _is_photo(path):
        found.photos.append(path)
    else:
        found.leave_out(f"{ending} files" if ending else "files that are no photos", path)


def _is_photo(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return format_of_bytes(file.read(SNIFFED)) is not None
    except OSError:
        return False


def _is_own_result(path: Path) -> bool:
    """Look for the mark of our own results at both ends of a file."""
    try:
        with open(path, "rb") as file:
            if OWN_MARK in file.read(SNIFFED):
                return True
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            return OWN_MARK in file.read(_TAIL)
    except OSError:
        return False
