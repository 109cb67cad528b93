"""Whose files and results are whose, so that they go when their visitor does."""

import shutil
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import gradio as gr

from app.running.results import new_folder
from app.running.runner import Stops
from app.server.gradio_insides import Sessions

LEAVE_AFTER = 120.0
"""Seconds after which a visitor whose connection ended is gone: a phone that changes apps comes back sooner."""
_LAST_EVENTS = timedelta(seconds=1)  # what a page that closes may still ask for


class Visitors:
    """The files of all visitors, by the name that Gradio gives each opened page."""

    def __init__(self) -> None:
        self._folders: dict[str, set[Path]] = {}
        self._uploads: dict[str, set[Path]] = {}
        self._changing = threading.Lock()

    def new_folder(self, visitor: str) -> Path:
        """Return an empty folder among the files that Gradio serves, for one visitor."""
        folder = new_folder()
        with self._changing:
            self._folders.setdefault(visitor, set()).add(folder)
        return folder

    def has_uploaded(self, visitor: str, photo: Path) -> None:
        """Note whose upload a file is; Gradio stores equal files of several visitors once."""
        with self._changing:
            self._uploads.setdefault(visitor, set()).add(photo)

    def forget(self, visitor: str) -> None:
        """Delete a visitor's folders, and the uploads that nobody else holds."""
        with self._changing:
            folders, uploads = self._folders.pop(visitor, set()), self._uploads.pop(visitor, set())
            unshared = uploads.difference(*self._uploads.values())
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        for photo in unshared:
            photo.unlink(missing_ok=True)


def visitor_of(request: gr.Request | None) -> str:
    """Return the name of the opened page that an event came from; one name for all calls without a page."""
    return str(getattr(request, "session_hash", None) or "")


def forget_who_leaves(
    page: gr.Blocks, visitors: Visitors, stops: Stops, jobs: Callable[[str], tuple[str, ...]]
) -> None:
    """Free what a visitor had on the server some time after the page was closed.

    Args:
        page: whose visitors these are.
        visitors: their files.
        stops: ends what is still being computed for them.
        jobs: the names of a visitor's jobs.
    """

    sessions = Sessions(page)

    def forget(visitor: str, left: datetime) -> None:
        if sessions.last_used(visitor, left) > left + _LAST_EVENTS:
            return  # came back and went on
        for job in jobs(visitor):
            stops.stop(job)
        sessions.delete_state(visitor)
        visitors.forget(visitor)

    def leave(request: gr.Request) -> None:
        waiting = threading.Timer(LEAVE_AFTER, forget, [visitor_of(request), datetime.now()])
        waiting.daemon = True
        waiting.start()

    page.unload(leave)
