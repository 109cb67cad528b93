"""How it ended when a file of the corpus was handed in at a door."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

Ending = Literal["result", "refused", "broken"]
LONGEST_TEXT = 600


@dataclass(frozen=True)
class Outcome:
    """One file at one door."""

    index: int
    """Of the file in the corpus."""
    ending: Ending
    """A result, one clear error, or broken: an exception, a crash, a hang, a broken result."""
    text: str
    """The message."""
    seconds: float
    peak_mb: float
    """The most memory that the process had so far."""

    def line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps(asdict(self))


def judged(index: int, refusal: str, seconds: float, peak_mb: float) -> Outcome:
    """Return a refusal, or "broken" where its text is not one line that can be shown to a person."""
    clear = 10 < len(refusal) < LONGEST_TEXT and refusal.isprintable() and "Traceback" not in refusal
    return Outcome(index, "refused" if clear else "broken", refusal[:LONGEST_TEXT], seconds, peak_mb)


def peak_mb(process: int | str = "self") -> float:
    """Return the most memory that a process has had in RAM."""
    with open(f"/proc/{process}/status", encoding="ascii", errors="replace") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines.get("VmHWM", "0 kB").split()[0]) / 1024
