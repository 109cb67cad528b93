"""Hand thousands of bad files in at every door: each has to end in a result or one clear error.

    python -m benchmarks.reliability.fuzz --output benchmarks/results/fuzz.json [--share 0.1] [--keep FOLDER]

Exits with 1 where a file did not. Doors run side by side, each in a process of its own with a cap on its memory.
"""

import argparse
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.reliability.case import Case
from benchmarks.reliability.corpus import corpus
from benchmarks.reliability.doors import ADDRESS_SPACE_MB, LIMIT_SECONDS, files_left, hand_in_all
from benchmarks.reliability.model import write_tiny_model
from benchmarks.reliability.outcome import Outcome
from benchmarks.reliability.results import SummaryRow, write_results
from benchmarks.reliability.server import call_all

API = "API"
DOORS = ("Python, file", "Python, picture", "command line", "page", "page, many", API)
RESIDENT_CAP_MB = 2048
"""What a process may take in RAM while it sees the corpus."""


@dataclass(frozen=True)
class DoorReport:
    """What became of the corpus at one door."""

    door: str
    outcomes: list[Outcome]
    left: list[str]
    seconds: float

    @property
    def slowest(self) -> Outcome:
        return max(self.outcomes, key=lambda outcome: outcome.seconds)

    def summary(self, cases: list[Case]) -> dict[str, Any]:
        """Return the figures of this door for JSON."""
        endings = Counter(outcome.ending for outcome in self.outcomes)
        return {
            "files": len(self.outcomes),
            **{ending: endings[ending] for ending in ("result", "refused", "broken")},
            "slowest_seconds": round(self.slowest.seconds, 2),
            "slowest_file": ascii(cases[self.slowest.index].name),
            "peak_mb": round(max(outcome.peak_mb for outcome in self.outcomes)),
            "files_left": self.left,
            "run_seconds": round(self.seconds),
        }


def write_corpus(cases: list[Case], folder: Path) -> dict[int, Path]:
    """Write each file into a folder of its own, so that names do not meet."""
    paths = {}
    for index, case in enumerate(cases):
        own = folder / f"{index:05d}"
        own.mkdir(parents=True)
        paths[index] = own / case.name
        paths[index].write_bytes(case.data)
    return paths


def report_on(door: str, paths: dict[int, Path], checkpoint: Path, scratch: Path) -> DoorReport:
    """Hand the whole corpus in at one door."""
    started = time.monotonic()
    own = scratch / door.replace(", ", "-").replace(" ", "-")
    left: list[str] = []
    outcomes = list(
        call_all(paths, checkpoint, own, left) if door == API else hand_in_all(door, paths, checkpoint, own)
    )
    return DoorReport(door, outcomes, left + files_left(own), time.monotonic() - started)


def counts(cases: list[Case], reports: list[DoorReport]) -> list[dict[str, Any]]:
    """Return for every format and mutation how many files there are, and their results and errors by door."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for case in cases:
        row = rows.setdefault((case.file_format, case.mutation), {"files": 0, "doors": {}})
        row["files"] += 1
    for report in reports:
        for outcome in report.outcomes:
            case = cases[outcome.index]
            tally = rows[case.file_format, case.mutation]["doors"].setdefault(
                report.door, {"result": 0, "refused": 0, "broken": 0}
            )
            tally[outcome.ending] += 1
    return [{"format": kind, "mutation": mutation, **row} for (kind, mutation), row in sorted(rows.items())]


def broken(cases: list[Case], reports: list[DoorReport], keep: Path | None) -> list[dict[str, Any]]:
    """Return what went wrong, and keep a copy of each such file."""
    found = []
    for report in reports:
        for outcome in report.outcomes:
            if outcome.ending == "broken" or outcome.seconds > _limit(report.door):
                case = cases[outcome.index]
                found.append(
                    {"door": report.door, "file": ascii(case.name), "mutation": case.mutation, "told": outcome.text}
                )
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{outcome.index:05d}{Path(case.name).suffix[:8]}").write_bytes(case.data)
    return found


def _limit(door: str) -> float:
    """Return how long a file may take; at the server it waits for the ones before it."""
    return LIMIT_SECONDS * (4 if door == API else 1)


def fuzz(doors: list[str], share: float, keep: Path | None = None) -> tuple[list[SummaryRow], dict[str, Any]]:
    """Run it all: rows for the README, and the report."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="opir-fuzz-") as made:
        scratch = Path(made)
        cases = corpus(share)
        paths = write_corpus(cases, scratch / "corpus")
        checkpoint = write_tiny_model(scratch)
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda door: report_on(door, paths, checkpoint, scratch), doors))
    wrong = broken(cases, reports, keep)
    summaries = {report.door: report.summary(cases) for report in reports}
    peak = max(summary["peak_mb"] for summary in summaries.values())
    slowest = max(summary["slowest_seconds"] for summary in summaries.values())
    left = sum(len(report.left) for report in reports)
    handed = sum(len(report.outcomes) for report in reports)
    row = SummaryRow(
        f"{len(cases):,} damaged and hostile files at {len(doors)} doors",
        f"{handed:,} ends: {handed - len(wrong):,} in a result or one clear error; slowest {slowest:.1f} s, "
        f"at most {peak:,} MB, {left} temporary files left",
        not wrong and not left and peak <= RESIDENT_CAP_MB,
    )
    report = {
        "files": len(cases),
        "share": share,
        "run_seconds": round(time.monotonic() - started),
        "limits": {
            "seconds": LIMIT_SECONDS,
            "resident_mb": RESIDENT_CAP_MB,
            "address_space_mb": ADDRESS_SPACE_MB,
        },
        "doors": summaries,
        "counts": counts(cases, reports),
        "broken": wrong,
    }
    return [row], report


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the corpus, above 0 and at most 1")
    parser.add_argument("--door", action="append", choices=DOORS, help="only this one; may be given again")
    parser.add_argument("--keep", type=Path, help="a folder for the files that went wrong")
    options = parser.parse_args()
    rows, report = fuzz(options.door or list(DOORS), options.share, options.keep)
    write_results(options.output, "make fuzz", rows, report)
    print(rows[0].figure)
    for wrong in report["broken"]:
        print(f"{wrong['door']}: {wrong['file']} ({wrong['mutation']}): {wrong['told']}")
    if not rows[0].held:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
