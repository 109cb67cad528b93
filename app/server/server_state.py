"""What the parts of the running server share, and what it says about its health."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from app.server import gradio_insides
from app.server.request_log import COUNTS
from app.server.settings import Settings
from app.server.visitor_files import VisitorFiles
from opir import __version__
from opir.model import CheckpointInfo

MODEL_QUEUE: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "model"}
"""Events that run the model wait for each other, so that photos do not compete for memory."""
UNHEARD_SECONDS = 10.0
"""How long a session is kept that nobody listens to: a browser listens anew after each job."""


@dataclass
class ServerState:
    """One running server."""

    settings: Settings
    files: VisitorFiles
    blocks: Any
    """The page, as Gradio knows it."""
    weights: CheckpointInfo | None
    device: str
    is_stopping: bool = False
    listening: dict[str, int] = field(default_factory=dict)
    """Sessions that are listened to, and by how many connections."""
    unheard: dict[str, tuple[set[str], float]] = field(default_factory=dict)
    """Sessions that nobody listens to any more, their jobs whose end nobody has asked for yet, and since when."""
    started: float = field(default_factory=time.monotonic)

    def waiting(self) -> int:
        """Return how many jobs wait for the model."""
        return gradio_insides.waiting_jobs(self.blocks, MODEL_QUEUE["concurrency_id"])

    def jobs(self) -> int:
        """Return how many jobs of any kind wait or run."""
        return gradio_insides.all_jobs(self.blocks)

    @contextmanager
    def listening_to(self, session: str) -> Iterator[None]:
        """Listen to a session, and let go of it afterwards unless another connection listens to it."""
        self.listening[session] = self.listening.get(session, 0) + 1
        self.unheard.pop(session, None)
        try:
            yield
        finally:
            self.listening[session] -= 1
            if not self.listening[session]:
                del self.listening[session]
                self._end_session(session)

    def _end_session(self, session: str) -> None:
        """Let go of what Gradio remembers of sessions that nobody listens to, half a megabyte, once they have no job.

        It happens when a session ends, no sooner than `UNHEARD_SECONDS` after nobody listened any more: a browser may
        be about to listen again. A result that the page may look into stays. A program's request is a session too.
        """
        sessions = gradio_insides.Sessions(self.blocks)
        jobs = sessions.jobs(session)
        if sessions.has_work(jobs):
            return  # its visitor comes for what has been asked for meanwhile
        now = time.monotonic()
        self.unheard[session] = jobs, now
        for name, (left, since) in list(self.unheard.items()):
            if now - since >= UNHEARD_SECONDS and sessions.are_over(left):
                del self.unheard[name]
                if left == sessions.jobs(name):  # nothing was asked for since
                    sessions.forget(name)

    def health(self) -> dict[str, Any]:
        """Return what /health says: whether work is taken, by what, and how much there is."""
        return {
            "status": "stopping" if self.is_stopping else "ok",
            "version": __version__,
            "weights": None if self.weights is None else self.weights.path.stem,
            "weights_sha256": None if self.weights is None else self.weights.sha256,
            "device": self.device,
            "queue": {
                "waiting": self.waiting(),
                "running": COUNTS.running,
                "length": self.settings.queue_length,
            },
            "restorations": dict(COUNTS.by_outcome),
            "files_mb": round(self.files.used_bytes() / 1e6, 3),
            "uptime_seconds": round(time.monotonic() - self.started, 1),
        }
