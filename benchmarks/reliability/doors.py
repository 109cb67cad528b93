"""Hands the corpus to a door whose process may crash, hang or run out of memory, without ending the run."""

import json
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reliability.outcome import Outcome

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 10.0
START_SECONDS = 180.0
ADDRESS_SPACE_MB = 8192
"""Limit of what a process may map, libraries and reserved pages included; in RAM it has far less."""
CAPPED = [sys.executable, "-m", "benchmarks.reliability.capped", str(ADDRESS_SPACE_MB), sys.executable]
"""Python under that cap."""


class DoorProcess:
    """`benchmarks.reliability.door` as a process of its own."""

    def __init__(self, door: str, checkpoint: Path, scratch: Path) -> None:
        for name in ("results", "temporary"):
            (scratch / name).mkdir(parents=True, exist_ok=True)
        self.log = (scratch / "stderr").open("ab")
        self.process = subprocess.Popen(
            [*CAPPED, "-m", "benchmarks.reliability.door", door, str(checkpoint), str(scratch / "results")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            cwd=ROOT,
            env=environment(scratch / "temporary"),
        )
        self.fresh = True

    def ask(self, index: int, path: Path) -> Outcome | None:
        """Hand in one file; a process that crashed or hangs is at its end afterwards."""
        started = time.monotonic()
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps([index, str(path)]).encode() + b"\n")
            self.process.stdin.flush()
            line = self._answer(LIMIT_SECONDS + (START_SECONDS if self.fresh else 0))
        except BrokenPipeError:
            line = b""
        self.fresh = False
        seconds = time.monotonic() - started
        if line is None:
            self.end()
            return Outcome(index, "broken", f"no answer within {LIMIT_SECONDS:g} s", seconds, 0)
        if not line:
            return Outcome(index, "broken", f"the process died with {self.process.wait()}", seconds, 0)
        values = json.loads(line)
        return Outcome(**values) if "ending" in values else None

    def _answer(self, seconds: float) -> bytes | None:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        return self.process.stdout.readline() if ready else None

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
        self.log.close()


def environment(temporary: Path) -> dict[str, str]:
    """Return the environment of a door: this code, one thread, and temporary files in a folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRADIO")}
    uploads = temporary / "gradio"
    uploads.mkdir(parents=True, exist_ok=True)
    return kept | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(temporary),
        "GRADIO_TEMP_DIR": str(uploads),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def hand_in_all(door: str, paths: dict[int, Path], checkpoint: Path, scratch: Path) -> Iterator[Outcome]:
    """Hand in files one after the other; whatever ends the process, the next file gets a new one."""
    waiting = deque(paths.items())
    process: DoorProcess | None = None
    try:
        while waiting:
            if process is None or not process.alive:
                process = DoorProcess(door, checkpoint, scratch)
            index, path = waiting.popleft()
            outcome = process.ask(index, path)
            if outcome is not None:
                yield outcome
    finally:
        if process is not None and process.alive:
            process.end()


def files_left(scratch: Path) -> list[str]:
    """Return what a door's process left behind among temporary files and results."""
    found = [path for name in ("temporary", "results") for path in (scratch / name).rglob("*") if path.is_file()]
    return [str(path.relative_to(scratch)) for path in found]
