"""What the parts of the running server share, and what it says about its health."""

import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from app.request_log import COUNTS
from app.settings import Settings
from app.tabs.parts import MODEL_QUEUE
from app.visitor_files import VisitorFiles
from opir.checkpoints import CheckpointInfo


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
    started: float = field(default_factory=time.monotonic)

    def waiting(self) -> int:
        """Return how many jobs wait for the model."""
        queue = self.blocks._queue.event_queue_per_concurrency_id.get(MODEL_QUEUE["concurrency_id"])
        return 0 if queue is None else len(queue.queue)

    def jobs(self) -> int:
        """Return how many jobs of any kind wait or run."""
        queue = self.blocks._queue
        return len(queue) + sum(job is not None for job in queue.active_jobs)

    def end_session(self, session: str) -> None:
        """Let go of what Gradio remembers of a session that holds no result and has no job: half a megabyte each.

        A program's request is such a session; a page's ends here too as long as it has nothing to look into.
        """
        sessions = self.blocks.app.state_holder
        there = sessions.session_data.get(session)
        if there is None or self.blocks._queue.pending_event_ids_session.get(session):
            return
        if all(value is None or value == {} for value in there.state_data.values()):
            sessions.session_data.pop(session, None)
            sessions.time_last_used.pop(session, None)

    def health(self) -> dict[str, Any]:
        """Return what /health says: whether work is taken, by what, and how much there is."""
        return {
            "status": "stopping" if self.is_stopping else "ok",
            "version": own_version(),
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


def own_version() -> str:
    """Return the installed version; "unknown" in a copy that is not installed, as on Hugging Face."""
    try:
        return version("opir")
    except PackageNotFoundError:
        return "unknown"
