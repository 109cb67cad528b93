"""Time and memory of OPIR, MAXIM and the dark channel prior, in turn, each in a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from torch import Tensor

from benchmarks.quality.sizes import enlarged, streaks
from benchmarks.reliability.outcome import peak_mb
from benchmarks.report.provenance import ROOT
from opir.photo import load_photo, to_picture

SIZES = {(480, 320): 5, (1224, 816): 2, (4000, 3000): 1}
"""Width and height in pixels, and how often each method has its turn."""
_STREAK = 3  # pixels wide, so that OPIR works at the photo's own size, which takes longest
_PACKAGE = "maxim-deraining"


@dataclass
class Contestant:
    """A program of `benchmarks.peers.turns`."""

    process: "subprocess.Popen[str]"
    conditions: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def answer(self) -> Any:
        """Return the next line of its output, parsed.

        Raises:
            RuntimeError: if it ended.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended with {self.process.wait()}")
        return json.loads(line)

    def take_turn(self) -> None:
        """Have the photo restored once."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.seconds.append(self.answer())

    def end(self) -> dict[str, Any]:
        """Stop it; return its times, memory and conditions."""
        memory = round(peak_mb(self.process.pid))
        self.process.communicate()
        return {
            "seconds": round(median(self.seconds), 3),
            "runs": len(self.seconds),
            "peak_mb": memory,
            **self.conditions,
        }


def rainy(width: int, height: int) -> Tensor:
    """Return a photo of this size with fine streaks, (3, H, W)."""
    photo = enlarged(load_photo(ROOT / "assets" / "clean" / "bridge.jpg").rgb, height, width)
    return streaks(_STREAK).draw(photo, 0).clamp(0, 1)


def measure_time(work: Path, python: Path, checkpoint: str) -> list[dict[str, Any]]:
    """Time all methods at each size.

    Args:
        work: with MAXIM's packages.
        python: of the environment that has TensorFlow.
        checkpoint: our weights.
    """
    found = []
    for (width, height), turns in SIZES.items():
        photo = work / "time" / f"{width}x{height}.png"
        photo.parent.mkdir(exist_ok=True)
        to_picture(rainy(width, height)).save(photo)
        found.append({"width": width, "height": height, "methods": _race(photo, work, python, checkpoint, turns)})
    return found


def _race(photo: Path, work: Path, python: Path, checkpoint: str, turns: int) -> dict[str, Any]:
    commands = {
        "OPIR": (sys.executable, checkpoint),
        "dark channel prior": (sys.executable, checkpoint),
        "MAXIM": (str(python), str(work / "packages" / _PACKAGE)),
    }
    contestants = {}
    for method, (program, using) in commands.items():
        words = [program, "-m", "benchmarks.peers.turns", method, str(photo), using]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        contestants[method] = Contestant(subprocess.Popen(words, text=True, cwd=ROOT, **pipes))  # type: ignore[call-overload]
        contestants[method].conditions = contestants[method].answer()
    for _ in range(turns):
        for contestant in contestants.values():
            contestant.take_turn()
    return {method: contestant.end() for method, contestant in contestants.items()}
