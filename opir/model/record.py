"""How long and on what weights were trained, summed over the runs that led to them, as their file records it.

    python -m opir.model.record FILE RUNS.json

writes earlier runs, a list of {"step", "hours", "commit", "data"}, into a file whose training did not record them.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opir.model.checkpoint import load_model, save_model

RUNS = "history"
"""Key of the metadata: every run, the last one included, each with the keys of `_OF_A_RUN`."""
_IN_WORDS = "runs"
"""Key of older files: the runs in a sentence."""
_OF_A_RUN = ("step", "hours", "commit", "data", _IN_WORDS)


def run_entry(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the last run of weights, by their metadata."""
    return {key: metadata[key] for key in _OF_A_RUN if key in metadata}


def all_runs(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every run that is recorded; of older files the last one alone."""
    runs: list[dict[str, Any]] = metadata.get(RUNS) or [run_entry(metadata)]
    return [run for run in runs if run.get("step")]


@dataclass(frozen=True)
class TrainingRecord:
    """How long weights were trained."""

    steps: int
    hours: float
    num_runs: int
    data: str
    """What the last run was trained on."""
    is_whole: bool
    """False where the weights started from others that are not counted."""
    in_words: str = ""
    """What a file says in words of runs that are not counted."""

    def describe(self) -> str:
        """Return it as one line."""
        runs = "" if self.num_runs == 1 else f" in {self.num_runs} runs"
        counted = f"{self.steps:,} steps{runs}, {self.hours:.1f} hours"
        if self.in_words:
            return f"{counted} at last. {self.in_words}"
        return counted if self.is_whole else f"{counted} at last; the weights that it started from are not counted"


def training_record(metadata: dict[str, Any]) -> TrainingRecord | None:
    """Return what a checkpoint's metadata says of its training; None if it says nothing."""
    runs = all_runs(metadata)
    if not runs:
        return None
    is_whole = RUNS in metadata or not metadata.get("settings", {}).get("start_from")
    in_words = str(runs[0].get(_IN_WORDS, ""))
    hours = sum(float(run.get("hours", 0)) for run in runs)
    steps = sum(int(run["step"]) for run in runs)
    return TrainingRecord(steps, hours, len(runs), str(runs[-1].get("data", "")), is_whole and not in_words, in_words)


def main(arguments: list[str]) -> None:
    """Write earlier runs into a file, before the one that it records."""
    if len(arguments) != 2:
        raise SystemExit("usage: python -m opir.model.record FILE RUNS.json")
    path = Path(arguments[0])
    model, info = load_model(path)
    earlier = json.loads(Path(arguments[1]).read_text())
    save_model(model, path, info.metadata | {RUNS: [*earlier, run_entry(info.metadata)]})
    print(f"{path}: {len(earlier) + 1} runs")


if __name__ == "__main__":
    main(sys.argv[1:])
