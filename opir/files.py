"""Files that appear whole or not at all, whatever happens to the process that writes them."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from opir.errors import not_written

if sys.platform != "win32":
    import fcntl

_UNFINISHED = re.compile(r"\..{0,20}\.[0-9a-f]{32}\.part", re.DOTALL)
_PROBE_BYTES = 4096
_KEPT_OF_THE_NAME = 20  # characters, at most 80 bytes: file systems allow 255 with all that is added


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A new file beside ``path`` that takes its place when all went well, and is removed when not.

    Raises:
        ImageError: where it can not be written; the message names the cure.
    """
    temporary = path.with_name(f".{path.name[:_KEPT_OF_THE_NAME]}.{uuid.uuid4().hex}.part")
    try:
        with open(temporary, "x+b") as file:
            _lock(file)
            yield file
        os.replace(temporary, path)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there yet; raises ImageError with the cure."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(folder, error) from error


def prepare_folders(folders: Iterable[Path]) -> None:
    """Make folders for results, and remove what a killed process left unfinished in them.

    Raises:
        ImageError: for a folder that can not be made or written to; the message names the cure.
    """
    for folder in dict.fromkeys(folders):
        make_folder(folder)
        try:
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(bytes(_PROBE_BYTES))
            _remove_abandoned(folder)
        except OSError as error:
            raise not_written(folder, error) from error


def _remove_abandoned(folder: Path) -> None:
    """Remove unfinished files that nobody is writing any more: the system frees the lock of a process that ends."""
    for entry in os.scandir(folder):
        if _UNFINISHED.fullmatch(entry.name):
            with contextlib.suppress(OSError), open(entry.path, "rb") as file:
                if _lock(file):
                    os.unlink(entry.path)


def _lock(file: BinaryIO) -> bool:
    """Hold a file until it is closed; False where another process holds it, or the system has no such locks."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
