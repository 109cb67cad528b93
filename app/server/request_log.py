"""The log's line about one restoration: which request, how large, what for, how long, and what became of it."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.server.logs import log_request, what_went_wrong
from app.server.presence import Cancelled, Visit
from opir.inference import Restoration

DONE, REFUSED, CANCELLED, LEFT, FAILED = "done", "refused", "cancelled", "left", "failed"
"""Outcomes: restored; a photo that can not be; the visitor's wish; the visitor has gone; our mistake."""


class JobLog:
    """Takes down what happens to one restoration."""

    def __init__(self) -> None:
        self._arrived = time.monotonic()
        self._began: float | None = None
        self.result: Restoration | None = None

    def begin(self) -> None:
        """Say that it is the job's turn."""
        self._began = time.monotonic()

    def facts(self) -> dict[str, Any]:
        """Return the seconds of waiting for the model and of work; of a restored photo its weather and size too."""
        now, result = time.monotonic(), self.result
        began = now if self._began is None else self._began
        times = {"waited": round(began - self._arrived, 3), "seconds": round(now - began, 3)}
        if result is None:
            return times
        return {"found": result.task, "width": result.width, "height": result.height, "tiles": result.tiles, **times}


class Counts:
    """How many restorations ran and how they ended, since the server started."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self.running = 0
        self.by_outcome: dict[str, int] = {}

    def begin(self) -> None:
        """Count one that begins, or waits for its turn."""
        with self._turn:
            self.running += 1

    def end(self, outcome: str) -> None:
        """Count one that is over."""
        with self._turn:
            self.running -= 1
            self.by_outcome[outcome] = self.by_outcome.get(outcome, 0) + 1


COUNTS = Counts()
"""Of this process."""


@contextmanager
def logged_job(visit: Visit, task: str) -> Iterator[JobLog]:
    """Write one line about the restoration inside, however it ends, and count it."""
    job = JobLog()
    outcome = FAILED
    error: BaseException | None = None
    COUNTS.begin()
    try:
        yield job
        outcome = DONE
    except Cancelled:
        outcome = LEFT if visit.is_over() else CANCELLED
        raise
    except ValueError as raised:
        outcome, error = REFUSED, raised
        raise
    except BaseException as raised:
        error = raised
        raise
    finally:
        COUNTS.end(outcome)
        trouble = {} if error is None else what_went_wrong(error)
        if outcome == REFUSED:
            trouble.pop("trace")
        log_request(
            logging.ERROR if outcome == FAILED else logging.INFO,
            request=visit.request,
            door=visit.door,
            task=task,
            **job.facts(),
            outcome=outcome,
            **trouble,
        )
