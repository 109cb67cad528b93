"""Visitors' files on the server: one folder, no more than so many bytes, none older than allowed, gone at the end."""

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

LOG = logging.getLogger(__name__)

PREFIX = "opir-page-"
SWEEPS_PER_LIFETIME = 20
LEAST_BYTES = 65_536
"""What a file counts at least: a thousand empty ones in one request take their folders and their places on the disk
too, and so many that each look at all of them would take long."""
_OPEN_UPLOAD_SECONDS = 600
"""An upload that was broken off leaves its part; nobody can ask for it, so it goes earlier."""


class VisitorFiles:
    """The folder of everything that visitors upload and that is made for them."""

    def __init__(self, parent: str, max_bytes: float, lifetime_seconds: float) -> None:
        """Make the folder, and remove what killed servers left beside it.

        Args:
            parent: where to make it; empty for the system's folder for such files.
            max_bytes: how much all of it may take.
            lifetime_seconds: how old a file may get.
        """
        parent_folder = Path(parent or tempfile.gettempdir())
        parent_folder.mkdir(parents=True, exist_ok=True)
        self.max_bytes, self.lifetime_seconds = max_bytes, lifetime_seconds
        remove_leftovers(parent_folder, lifetime_seconds)
        self.root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent_folder)).resolve()
        self.folder = self.root / "visitors"
        self.folder.mkdir(mode=0o700)
        self.page_files: Collection[str] = ()
        """Files of the page itself."""
        self._over = threading.Event()

    def take_over(self) -> None:
        """Make this folder what Gradio and Python's `tempfile` use from now on, so that no file lies elsewhere."""
        os.environ["GRADIO_TEMP_DIR"] = str(self.folder)
        tempfile.tempdir = str(self.folder)

    def start_sweeping(self) -> None:
        """Remove old files from now on, in a thread of its own."""
        threading.Thread(target=self._sweep_until_over, name="visitor files", daemon=True).start()

    def _sweep_until_over(self) -> None:
        while not self._over.wait(self.lifetime_seconds / SWEEPS_PER_LIFETIME):
            try:
                self.sweep()
            except OSError:
                LOG.exception("old files could not be removed")

    def sweep(self) -> int:
        """Remove files that would be too old before the next time; returns how many."""
        limit = self.lifetime_seconds * (1 - 1.5 / SWEEPS_PER_LIFETIME)
        removed = remove_older(self.folder, limit, self.page_files)
        if removed:
            LOG.info("old files removed", extra={"facts": {"files": removed, "left_bytes": self.used_bytes()}})
        return removed

    def used_bytes(self) -> int:
        """Return what visitors' files count for together: their sizes, small ones more."""
        return sum(max(size, LEAST_BYTES) for _, size, _ in _files(self.folder))

    def has_room(self, more_bytes: float) -> bool:
        """Say whether so many bytes more are within the limit and fit the disk with a tenth to spare."""
        free = shutil.disk_usage(self.folder).free
        return more_bytes * 1.1 < free and self.used_bytes() + more_bytes <= self.max_bytes

    def remove(self) -> None:
        """Remove everything."""
        self._over.set()
        shutil.rmtree(self.root, ignore_errors=True)


def remove_leftovers(parent: Path, lifetime_seconds: float) -> None:
    """Remove what is too old in the folders of servers that were killed before they could tidy up."""
    for root in parent.glob(f"{PREFIX}*"):
        if root.is_dir() and not root.is_symlink():
            remove_older(root, lifetime_seconds)
            _remove_if_empty(root)


def remove_older(folder: Path, seconds: float, spared: Collection[str] = ()) -> int:
    """Remove files that are older, and folders that are then empty; returns how many files."""
    now, removed = time.time(), 0
    for path, _, born in list(_files(folder)):
        allowed = min(seconds, _OPEN_UPLOAD_SECONDS) if path.parent == folder else seconds
        if now - born > allowed and str(path) not in spared:
            path.unlink(missing_ok=True)
            removed += 1
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if now - inner.lstat().st_ctime > min(seconds, _OPEN_UPLOAD_SECONDS):
            _remove_if_empty(inner)
    return removed


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return


def _files(folder: Path) -> Iterator[tuple[Path, int, float]]:
    """Yield every file below a folder with its size and when it was written or put there."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            # A copy keeps the time of its original, but not the time at which it came here.
            yield path, status.st_size, status.st_ctime
