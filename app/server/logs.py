"""The server's log: one JSON object a line, which never holds a photo or the name of one.

What this project says is logged with its own words. Of everything else (Gradio, Pillow, tifffile, the web server)
only the place and the kind of trouble are kept, because their messages quote file names.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Any

from app.server import gradio_insides

OWN = ("app", "opir")
"""Loggers whose messages we write ourselves."""

REQUESTS = logging.getLogger("app.requests")
"""One line a request, whatever became of it."""


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON; `extra={"facts": {...}}` adds to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if record.name.split(".")[0] in OWN:
            line["message"] = record.getMessage()
        else:
            line |= {"logger": record.name, "where": f"{record.module}:{record.lineno}"}
        line |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[0] is not None:
            line |= what_went_wrong(record.exc_info[1], record.exc_info[2])
        return json.dumps(line, default=str)


def what_went_wrong(error: BaseException | None, trace: TracebackType | None = None) -> dict[str, Any]:
    """Return the kind of an error and where it arose, without its message."""
    frames = traceback.extract_tb(trace or getattr(error, "__traceback__", None))
    places = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "trace": places[-12:]}


def start_logging(level: str, stream: IO[str] | None = None) -> None:
    """Send every log of this process, warnings and Gradio's tracebacks too, to one stream as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, getattr(logging, level.upper())))
    for name in OWN:
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(True)
    gradio_insides.log_tracebacks(_log_event_error)


def take_over_web_server_log() -> None:
    """Send what the web server says, once it is started, the same way."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True


def _log_event_error(error: BaseException | None) -> None:
    logging.getLogger("app.gradio").error("an event failed", extra={"facts": what_went_wrong(error)})


def log_request(level: int = logging.INFO, **facts: Any) -> None:
    """Write the line of one request; `None` values are left out."""
    REQUESTS.log(
        level, "request", extra={"facts": {name: value for name, value in facts.items() if value is not None}}
    )
