"""Everything that the page takes of Gradio beyond its public interface, in one place.

`check` says at the start of the server whether it is still there. After an update of Gradio this file is read against
its source, and `MADE_FOR` is raised.
"""

import logging
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import datetime
from types import ModuleType, SimpleNamespace
from typing import Any

import gradio
from gradio import queueing, route_utils, routes
from gradio.components import file, upload_button
from gradio.context import LocalContext
from gradio.utils import get_upload_folder

LOG = logging.getLogger(__name__)

MADE_FOR = "6.31"
"""The version, major and minor, that this file was read against."""

_OF_QUEUE = (
    "active_jobs",
    "event_ids_to_events",
    "event_queue_per_concurrency_id",
    "pending_event_ids_session",
    "pending_messages_per_session",
)

__all__ = ["MADE_FOR", "Sessions", "check", "current_event", "get_upload_folder", "is_waited_for", "log_tracebacks"]


def check(page: Any) -> None:
    """Make sure that a page with a queue has all that is taken of it here.

    Raises:
        RuntimeError: for another version of Gradio that lacks some of it; the message says which was expected.
    """
    found = gradio.__version__
    lacking = [f"Queue.{name}" for name in _OF_QUEUE if not hasattr(page._queue, name)]
    lacking += [f"Blocks.{name}" for name in ("blocks", "fns", "state_holder") if not hasattr(page, name)]
    if lacking:
        raise RuntimeError(f"the page was made for Gradio {MADE_FOR}, and {found} lacks {', '.join(lacking)}")
    if not found.startswith(f"{MADE_FOR}."):
        LOG.warning("the page was made for Gradio %s, this is %s", MADE_FOR, found)


def functions_of(page: Any) -> dict[int, Any]:
    """Return a page's events by their numbers."""
    functions: dict[int, Any] = page.fns
    return functions


def own_files(page: Any) -> set[str]:
    """Return the files that the page itself shows."""
    return {path for block in page.blocks.values() for path in getattr(block, "keep_in_cache", ())}


def waiting_jobs(page: Any, concurrency_id: str) -> int:
    """Return how many jobs wait in one of a page's lines."""
    queue = page._queue.event_queue_per_concurrency_id.get(concurrency_id)
    return 0 if queue is None else len(queue.queue)


def all_jobs(page: Any) -> int:
    """Return how many jobs of any kind wait or run."""
    queue = page._queue
    return len(queue) + sum(job is not None for job in queue.active_jobs)


def current_event() -> tuple[str, Any, Any] | None:
    """Return the job that this function is called for: its id, its queue and what the queue knows of it.

    None where there is no server; no knowledge of the job where it was cancelled before it began.
    """
    blocks, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    if blocks is None or event_id is None:
        return None
    queue: Any = blocks._queue
    return event_id, queue, queue.event_ids_to_events.get(event_id)


def is_waited_for(queue: Any, event: Any) -> bool:
    """Say whether somebody still waits for a job."""
    return event is not None and event.alive and queue.event_ids_to_events.get(event._id) is event


class Sessions:
    """What Gradio remembers of the visitors of a page."""

    def __init__(self, page: Any) -> None:
        self._page = page

    def jobs(self, session: str) -> set[str]:
        """Return the ids of a session's jobs whose end nobody has asked for yet."""
        return set(self._page._queue.pending_event_ids_session.get(session, ()))

    def has_work(self, jobs: set[str]) -> bool:
        """Say whether somebody comes for one of these jobs: it is not known yet, or waits or runs."""
        events = [self._page._queue.event_ids_to_events.get(job) for job in jobs]
        return any(event is None or event.alive for event in events)

    def are_over(self, jobs: set[str]) -> bool:
        """Say whether none of these jobs is known any more."""
        return jobs.isdisjoint(self._page._queue.event_ids_to_events)

    def forget(self, session: str) -> None:
        """Make Gradio forget a session; should it go on, all of this is made anew.

        A result that the page may look into stays.
        """
        sessions, queue = self._page.app.state_holder, self._page._queue
        queue.pending_event_ids_session.pop(session, None)
        queue.pending_messages_per_session.pop(session, None)
        there = sessions.session_data.get(session)
        if there is not None and all(value is None or value == {} for value in there.state_data.values()):
            sessions.session_data.pop(session, None)
            sessions.time_last_used.pop(session, None)

    def last_used(self, session: str, otherwise: datetime) -> datetime:
        """Return when a session was last used."""
        used: datetime = self._page.state_holder.time_last_used.get(session, otherwise)
        return used

    def delete_state(self, session: str) -> None:
        """Let go of a session's values."""
        self._page.state_holder.delete_state(session)


class _TracebacksToLog:
    """Stands in for the module `traceback` where Gradio prints what events raise: their messages hold paths."""

    def __init__(self, log: Callable[[BaseException | None], None]) -> None:
        self._log = log

    def print_exc(self, *_: Any, **__: Any) -> None:
        self._log(sys.exc_info()[1])

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)


def log_tracebacks(log: Callable[[BaseException | None], None]) -> None:
    """Hand what events raise to `log` instead of printing it."""
    for module in (queueing, routes, route_utils):
        if isinstance(getattr(module, "traceback", None), ModuleType):
            module.traceback = _TracebacksToLog(log)  # type: ignore[attr-defined]


class _NamesOnly:
    """Stands in for the module `tempfile` where Gradio makes an empty file for each that it hands to an event.

    It uses none but its name, which it sets itself, and never removes it.
    """

    def NamedTemporaryFile(self, **_: Any) -> SimpleNamespace:
        return SimpleNamespace()

    def __getattr__(self, name: str) -> Any:
        return getattr(tempfile, name)


def spare_empty_files() -> None:
    """Keep Gradio from leaving an empty file behind for each photo that an event is given."""
    for module in (file, upload_button):
        module.tempfile = _NamesOnly()  # type: ignore[attr-defined]
