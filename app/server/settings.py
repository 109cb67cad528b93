"""What whoever runs the page may set: environment variables, their defaults and what they mean."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

PREFIX = "OPIR_"
LOG_LEVELS = ("debug", "info", "warning", "error")


def _setting(default: Any, meaning: str, least: float | None = None) -> Any:
    return field(default=default, metadata={"meaning": meaning, "least": least})


@dataclass(frozen=True)
class Settings:
    """How the page is served; every field is the environment variable OPIR_<FIELD>."""

    host: str = _setting("", "address to listen on; empty for 127.0.0.1, or Gradio's own GRADIO_SERVER_NAME")
    port: int = _setting(0, "port to listen on; 0 for the first free one from 7860", 0)
    checkpoint: str = _setting("lite", "weights: a shipped name, a .safetensors file, a folder or a hub id")
    device: str = _setting("auto", "where to compute: auto, cpu or cuda")
    max_megapixels: float = _setting(100.0, "largest photo that is decoded, in megapixels", 0.001)
    max_upload_mb: float = _setting(30.0, "largest single file, in MB", 0.001)
    max_request_mb: float = _setting(300.0, "largest upload of several files at once, in MB", 0.001)
    max_disk_mb: float = _setting(
        4000.0, "room for all visitors' files together, in MB; uploads wait beyond it", 0.001
    )
    max_results_mb: float = _setting(
        100.0, "memory for results kept between clicks, in MB; the oldest go into files first", 0
    )
    queue_length: int = _setting(20, "jobs that may wait for the model; more are refused with one sentence", 1)
    temp_folder: str = _setting("", "where visitors' files lie while they live; empty for the system's own")
    temp_minutes: float = _setting(60.0, "how long a visitor's file lives at most, in minutes", 0.01)
    shutdown_seconds: float = _setting(25.0, "how long running jobs may go on after SIGTERM, in seconds", 0)
    allowed_origins: str = _setting(
        "", "other sites that may call the server, https://a.org https://b.org; * for all"
    )
    log_level: str = _setting("info", "least level that is logged: " + ", ".join(LOG_LEVELS))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read every OPIR_ variable.

        Raises:
            ValueError: for an unknown variable of that prefix, or a value of the wrong kind or out of range.
        """
        known = {PREFIX + one.name.upper(): one for one in fields(cls)}
        given = {name: text for name, text in environment.items() if name.startswith(PREFIX)}
        if unknown := sorted(given.keys() - known.keys()):
            raise ValueError(f"unknown setting {unknown[0]}: expected one of {', '.join(known)}")
        return cls(**{known[name].name: _parsed(name, text, known[name]) for name, text in given.items()})

    def __post_init__(self) -> None:
        """Refuse what no server could run with."""
        if self.log_level not in LOG_LEVELS:
            raise ValueError(f"{PREFIX}LOG_LEVEL: expected one of {', '.join(LOG_LEVELS)}, got '{self.log_level}'")
        for one in fields(self):
            least = one.metadata["least"]
            value = getattr(self, one.name)
            if least is not None and not least <= value < float("inf"):
                raise ValueError(
                    f"{PREFIX}{one.name.upper()}: expected a number of at least {least:g}, got {value:g}"
                )

    @property
    def temp_seconds(self) -> float:
        """How long a visitor's file lives at most."""
        return 60 * self.temp_minutes


def _parsed(name: str, text: str, described: Any) -> Any:
    kind = type(described.default)
    try:
        return kind(text.strip())
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name}: expected {what} ({described.metadata['meaning']}), got '{text}'") from None
