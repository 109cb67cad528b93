"""Trains and measures variants, each with several seeds, several at a time; a stopped run can go on.

Each run has a folder whose name has a fingerprint of all its settings, so runs of different settings never mix. The
folder has the state of the training, and `row.json` once the run is measured. A run whose row is in the results file
already, made with the same settings elsewhere, is not made again.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import redirect_stderr
from dataclasses import asdict, dataclass, replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks.ablations.budget import Budget, digest, training_data
from benchmarks.ablations.measuring import WEATHER, measure, write_validation
from benchmarks.ablations.variants import VARIANTS, Variant, count_multiply_adds, count_trainable
from benchmarks.report.provenance import processor
from opir.training.config import DataConfig, Phase, TrainingConfig
from opir.training.loop import Trainer
from opir.training.losses import LossWeights

_CURVE_POINTS = 9


@dataclass(frozen=True)
class Job:
    """One variant with one seed, and where everything lies."""

    variant: Variant
    seed: int
    budget: Budget
    data: Path
    """Holds `train` and `validation/clean`."""
    work: Path
    deadline: float | None = None
    """`time.time()` after which no run begins, and running ones save and stop."""

    @property
    def fingerprint(self) -> str:
        """A short name for all that the result depends on, besides code and seed."""
        return digest([self.budget.to_dict(), self.variant.settings(), describe_data(training_data(self.data))])

    @property
    def folder(self) -> Path:
        """Where the run keeps its state and its result."""
        return self.work / self.budget.name / f"{self.variant.name}-{self.fingerprint}" / f"seed-{self.seed}"

    @property
    def validation(self) -> Path:
        """Where the degraded validation photos lie, the same for all variants."""
        return self.work / self.budget.name / f"validation-{self.budget.side}"

    def finished_row(self) -> dict[str, Any] | None:
        """Return what an earlier call found, or None."""
        path = self.folder / "row.json"
        return json.loads(path.read_text()) if path.is_file() else None

    def row_among(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """Return the result of the same run, perhaps of another machine, among rows of the results file, or None."""
        own = self.variant.name, self.seed, self.fingerprint
        return next((row for row in rows if (row["variant"], row["seed"], row["settings"]) == own), None)


def describe_data(data: DataConfig) -> dict[str, Any]:
    """Return what was trained on as plain values, as JSON gives them back, that do not depend on where it lies."""
    kept = asdict(replace(data, validation=""))
    sources = sorted(name for name in ("photos", "pairs", "streaks", "fields") if kept.pop(name))
    described: dict[str, Any] = json.loads(json.dumps({**kept, "sources": sources}))
    return described


def describe_hardware() -> str:
    """Return processor or GPU, cores and PyTorch's version in one line."""
    gpu = f"{torch.cuda.get_device_name()}, " if torch.cuda.is_available() else ""
    return f"{gpu}{processor()}, {os.cpu_count()} cores, PyTorch {torch.__version__}"


def training_config(job: Job) -> TrainingConfig:
    """Return the run of one variant: all but the model, the uncertainty term and the seed is the budget's."""
    budget, variant = job.budget, job.variant
    model = variant.config(budget)
    data = training_data(job.data)
    if variant.draws_curve:
        data = replace(data, validation=str(job.data / "validation" / "clean"))
    # UM is trained in the second half only, when the errors are those of a trained model (docs/log.md).
    phases = [
        Phase(until, budget.crop, budget.batch, model.num_stages, factor, levels_every=variant.levels_every)
        for until, factor in ((0.5, 0.0), (1.0, 1.0))
    ]
    return TrainingConfig(
        model=model,
        data=data,
        loss=LossWeights(uncertainty=variant.uncertainty_term),
        phases=tuple(phases),
        output=str(job.folder),
        steps=budget.steps,
        optimizer="muon",
        learning_rate=budget.learning_rate,
        matrix_learning_rate=budget.matrix_learning_rate,
        warmup_steps=min(budget.warmup_steps, budget.steps // 4),
        ema_decay=budget.ema_decay,
        seed=job.seed,
        precision=budget.precision,
        save_every_minutes=1.0,
        validate_every_steps=max(1, budget.steps // _CURVE_POINTS),
        stop_after_minutes=0.0 if job.deadline is None else max(1e-6, (job.deadline - time.time()) / 60),
    )


def run_job(job: Job) -> dict[str, Any] | None:
    """Train and measure, going on where an earlier call stopped.

    Returns:
        The row, or None if the deadline came first.
    """
    row = job.finished_row()
    if row is not None or (job.deadline is not None and time.time() >= job.deadline):
        return row
    trainer = Trainer(training_config(job), job.variant.build)
    trainer.run()
    if trainer.share_done < 1:
        return None
    variant = job.variant
    row = {
        "variant": variant.name,
        "seed": job.seed,
        "settings": job.fingerprint,
        "commit": trainer.commit,
        "date": date.today().isoformat(),
        "hardware": describe_hardware(),
        "steps": trainer.state.step,
        "seconds": round(trainer.state.seconds),
        "parameters": count_trainable(variant, job.budget),
        "gmacs_256": round(count_multiply_adds(variant, job.budget), 4),
        **measure(
            trainer.averaged_model,
            job.validation,
            trainer.device,
            variant.has_uncertainty_map,
            pyramid=variant.levels_every > 0,
        ),
    }
    if variant.draws_curve:
        row["curve"] = read_curve(job.folder / "log.jsonl")
    temporary = job.folder / "row.json.part"
    temporary.write_text(json.dumps(row, indent=1) + "\n")
    os.replace(temporary, job.folder / "row.json")
    return row


def _run_quietly(job: Job) -> dict[str, Any] | None:
    """Run a job in a process of its own; its progress goes to a file."""
    job.folder.mkdir(parents=True, exist_ok=True)
    with (job.folder / "output.log").open("a") as log, redirect_stderr(log):
        return run_job(job)


def read_curve(log: Path) -> list[tuple[int, float]]:
    """Return (step, mean PSNR over rain, snow and haze) of a run's validations; a step seen twice counts once."""
    points = {}
    for record in map(json.loads, log.read_text().splitlines()):
        if record["kind"] == "validation":
            points[record["step"]] = sum(record[f"{task.label}/stage1"] for task in WEATHER) / len(WEATHER)
    return [(step, round(points[step], 4)) for step in sorted(points)]


def run_jobs(jobs: list[Job], workers: int) -> Iterator[dict[str, Any] | None]:
    """Run every job, several at a time; rows come as they are ready, None for what the deadline stopped.

    Args:
        jobs: in the order in which they are begun.
        workers: processes, each of one thread: faster than one process of many.
    """
    for job in jobs:
        write_validation(job.data / "validation" / "clean", job.validation, job.budget.side)
    if workers == 1:
        yield from map(run_job, jobs)
        return
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the new processes when they load PyTorch
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            for future in as_completed([pool.submit(_run_quietly, job) for job in jobs]):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after an error no further run begins


def make_jobs(names: list[str], budget: Budget, data: Path, work: Path, deadline: float | None = None) -> list[Job]:
    """Return a job for every variant and seed; all variants have their first seed before any has its second."""
    return [Job(VARIANTS[name], seed, budget, data, work, deadline) for seed in range(budget.seeds) for name in names]
