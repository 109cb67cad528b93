"""Measures how long a step of a training run takes on this machine: drawing a batch, and the step itself.

python -m benchmarks.gpu_steps configs/gpu.toml [--profile] [key=value ...]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch.profiler import ProfilerActivity, profile

from opir.training.config import Phase, TrainingConfig, load_training_config
from opir.training.loop import Trainer

_REPEATS = 8


def _finished() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _median_ms(run: Callable[[], object], repeats: int = _REPEATS) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        _finished()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def _kinds_of_step(phase: Phase) -> list[int]:
    """Return the number of one step of each kind: usual crops, large ones, pyramids."""
    every = range(max(1, phase.large_every, phase.levels_every))
    return list({phase.sizes(step): step for step in every}.values())


def measure(config: TrainingConfig, profiled: bool) -> None:
    """Print milliseconds for each kind of step, and what takes longest on the device."""
    trainer = Trainer(config)
    phase = config.phase(0)
    shares = trainer._task_shares(phase)
    for number in _kinds_of_step(phase):
        side, crops, num_levels = phase.sizes(number)
        drawn, _ = trainer.feed.draw(phase, number)

        def restore() -> None:
            loss, _ = trainer.step(drawn, phase.num_stages, phase.uncertainty, shares, num_levels)  # noqa: B023
            trainer.optimizer.zero_grad()
            trainer.accelerator.backward(loss)

        def update() -> None:
            trainer.accelerator.clip_grad_norm_(trainer.step.parameters(), 1.0)
            trainer.optimizer.step()
            trainer.ema.update_parameters(trainer.model)

        started = time.perf_counter()
        restore()
        _finished()
        first = time.perf_counter() - started
        draw_ms = _median_ms(lambda: trainer.feed.draw(phase, number))  # noqa: B023
        step_ms, update_ms = _median_ms(restore), _median_ms(update)
        per_second = crops * side**2 / 256**2 / (draw_ms + step_ms + update_ms) * 1000
        print(
            f"{crops} x {side}², {num_levels} levels: draw {draw_ms:.1f} ms, step {step_ms:.1f} ms, update "
            f"{update_ms:.1f} ms, first {first:.1f} s: {per_second:.0f} crops of 256² a second",
            flush=True,
        )
        if profiled and side == phase.crop:
            with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
                trainer.feed.draw(phase, number)
                restore()
                update()
                _finished()
            by = "self_cuda_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
            print(seen.key_averages().table(sort_by=by, row_limit=40, max_name_column_width=70))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    config = load_training_config(arguments.config, arguments.overrides)
    with tempfile.TemporaryDirectory() as folder:
        measure(replace(config, output=folder), arguments.profile)


if __name__ == "__main__":
    main()
