"""Estimates how long the runs of a budget take on this machine."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.ablations.budget import Budget
from benchmarks.ablations.running import Job, training_config
from benchmarks.ablations.variants import VARIANTS, Variant, count_multiply_adds
from opir.training.loop import Trainer

_STEPS = 6
_UNTIMED = 2  # steps that still load photos and allocate memory


def _now() -> float:
    """Return the CPU time of this process, which does not depend on others; with a GPU, the time of the clock."""
    return time.perf_counter() if torch.cuda.is_available() else time.process_time()


def seconds_per_step(variant: Variant, budget: Budget, data: Path) -> float:
    """Train a few steps and return the seconds that one takes with a single thread."""
    with tempfile.TemporaryDirectory() as folder:
        job = Job(variant, 0, replace(budget, steps=_STEPS), data, Path(folder))
        config = replace(training_config(job), data=replace(training_config(job).data, validation=""))
        marks: list[float] = []
        trainer = Trainer(config, variant.build)
        trainer.step.register_forward_pre_hook(lambda *_: marks.append(_now()))
        trainer.run()
    timed = marks[_UNTIMED:]
    return (timed[-1] - timed[0]) / (len(timed) - 1)


def estimate(budget: Budget, data: Path, workers: int) -> str:
    """Return a table of what each variant costs here, and the hours of the whole.

    Args:
        budget: of the runs.
        data: as for a run.
        workers: how many runs at a time.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    lines, total = [f"{'variant':<16} {'GMACs @256²':>12} {'s/step':>8} {'minutes/run':>12}"], 0.0
    for variant in VARIANTS.values():
        seconds = seconds_per_step(variant, budget, data)
        total += seconds * budget.steps * budget.seeds
        multiply_adds = count_multiply_adds(variant, budget)
        lines.append(
            f"{variant.name:<16} {multiply_adds:>12.2f} {seconds:>8.3f} {seconds * budget.steps / 60:>12.1f}"
        )
    torch.set_num_threads(threads)
    hours = total / workers / 3600
    runs = budget.seeds * len(VARIANTS)
    lines.append(f"{runs} runs, {workers} at a time: about {hours:.1f} hours of training, measuring not counted")
    return "\n".join(lines)
