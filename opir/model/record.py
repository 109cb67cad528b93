"""What weights were trained for and on, summed over the runs that led to them, as their file tells it."""

from dataclasses import dataclass
from typing import Any

RUNS = "history"
"""Key of the metadata: every run, the last one included, each with the keys of `_OF_A_RUN`."""
_OF_A_RUN = ("step", "hours", "commit", "data")


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

    def describe(self) -> str:
        """Return it as one line."""
        runs = "" if self.num_runs == 1 else f" in {self.num_runs} runs"
        counted = f"{self.steps:,} steps{runs}, {self.hours:.1f} hours"
        return counted if self.is_whole else f"{counted} at last; the weights that it started from are not counted"


def training_record(metadata: dict[str, Any]) -> TrainingRecord | None:
    """Return what a checkpoint's metadata says of its training; None if it says nothing."""
    runs = all_runs(metadata)
    if not runs:
        return None
    is_whole = RUNS in metadata or not metadata.get("settings", {}).get("start_from")
    hours = sum(float(run.get("hours", 0)) for run in runs)
    steps = sum(int(run["step"]) for run in runs)
    return TrainingRecord(steps, hours, len(runs), str(runs[-1].get("data", "")), is_whole)
