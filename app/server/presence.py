"""Who asked for the work that runs now, and whether they are still there.

Gradio lets a job run on when its visitor closes the tab; the model is freed only if the job itself looks.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from app.server import gradio_insides


class Cancelled(Exception):
    """The visitor does not want the result any more."""


@dataclass(frozen=True, eq=False)
class Visit:
    """One job of one visitor, as Gradio's queue knows it."""

    request: str
    """A short name of the job for the log; not enough of it to ask for the job's result."""
    door: str
    """The public endpoint, or "page"."""
    queue: Any = None
    """None where there is no server."""
    event: Any = None
    """None where it was cancelled before it began."""

    def is_over(self) -> bool:
        """Say whether nobody waits for the result any more: the tab was closed, or the job was cancelled."""
        return self.queue is not None and not gradio_insides.is_waited_for(self.queue, self.event)


def current_visit() -> Visit:
    """Return the visit that this function is called for; one that never ends where there is no server."""
    current = gradio_insides.current_event()
    if current is None:
        return Visit(uuid.uuid4().hex[:8], "direct")
    event_id, queue, event = current
    door = f"/{event.fn.api_name}" if event is not None and event.fn.api_visibility == "public" else "page"
    return Visit(event_id[:8], door, queue, event)
