"""The page as visitors meet it: `python app.py` in a process of its own, for benchmarks and tests."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 900.0
"""Seconds that a start may take on a machine that does other things too."""


@dataclass
class ServerProcess:
    """A server that answers."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    start_seconds: float

    def health(self) -> dict[str, Any]:
        """Return what the server says of itself."""
        health: dict[str, Any] = httpx.get(f"{self.url}/health", timeout=PATIENCE).json()
        return health

    def log_lines(self) -> list[dict[str, Any]]:
        """Return what was logged so far; fails on a line that is not JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line]

    def stop(self) -> int:
        """Ask the server to stop as an init system does: its exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextmanager
def running_server(
    log: Path,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    cores: int | None = None,
    program: Sequence[str] = ("app.py",),
) -> Iterator[ServerProcess]:
    """Start a server and stop it at the end.

    Args:
        log: the file that its log is written to.
        arguments: for `app.py`.
        environment: settings, over those of this process.
        cores: how many processor cores it may use.
        program: what Python runs.
    """
    port = free_port()
    command = [sys.executable, *program, "--port", str(port), *arguments]
    began = time.monotonic()
    with open(log, "wb") as stream:
        given = {**os.environ, **(environment or {})}
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=subprocess.DEVNULL, stderr=stream)
        try:
            if cores is not None and hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:cores])
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process, log)
            yield ServerProcess(url, process, log, time.monotonic() - began)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}: {log.read_text()[-2000:]}")
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not answer within {PATIENCE:.0f} s: {log.read_text()[-2000:]}")
