"""What one step of training sees.

B batch, S side of a crop. Crops of one task lie side by side, in the order of `Task`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opir.tasks import Task

LARGEST_WEATHER = 4.5
"""How many times larger than usual weather may be so that one level can still remove all of it."""


@dataclass(frozen=True)
class TrainingBatch:
    """What one step sees, (B, 3, S, S) in [0, 1]."""

    degraded: Tensor
    clean: Tensor
    """The target: the photo without weather, but with what haze hides completely (`haze_over_distance`)."""
    tasks: Tensor
    """(B,), values of `Task`."""
    sizes: Tensor
    """(B,), how many times larger than usual the weather is; above `LARGEST_WEATHER` a coarser level removes it."""
    named: Tensor
    """(B,), bool: whether e_t is the prototype of their task instead of their own embedding."""
    counts: tuple[int, ...]
    """How many of each task."""

    @property
    def without_weather(self) -> slice:
        """Where the crops of `Task.CLEAN` lie."""
        first = sum(self.counts[: Task.CLEAN])
        return slice(first, first + self.counts[Task.CLEAN])


def count_tasks(shares: Sequence[float], size: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return how many crops of a batch each task gets, by systematic sampling: every batch has about these shares."""
    ticks = (np.arange(size) + random.random()) / size
    chosen = np.searchsorted(np.cumsum(np.asarray(shares) / np.sum(shares)), ticks)
    return np.bincount(chosen, minlength=len(shares))


def in_task_order(
    pairs: Mapping[Task, tuple[Tensor, Tensor]], counts: NDArray[np.int64]
) -> list[tuple[Tensor, Tensor]]:
    """Return degraded crops and targets, each (b, 3, S, S), in the order of `Task`.

    Raises:
        ValueError: where crops of a task are asked for and there are none.
    """
    for task in Task:
        if counts[task] and task not in pairs:
            raise ValueError(f"expected crops of {task.label}, got none; add a branch to BatchSource._make")
    return [pairs[task] for task in sorted(pairs)]


def join_batches(batches: Sequence[TrainingBatch]) -> TrainingBatch:
    """Return several batches as one, with the crops of a task side by side."""
    if len(batches) == 1:
        return batches[0]

    def in_order(values: Sequence[Tensor]) -> Tensor:
        parts = [torch.split(value, list(batch.counts)) for value, batch in zip(values, batches, strict=True)]
        return torch.cat([part[task] for task in Task for part in parts])

    return TrainingBatch(
        in_order([batch.degraded for batch in batches]),
        in_order([batch.clean for batch in batches]),
        in_order([batch.tasks for batch in batches]),
        in_order([batch.sizes for batch in batches]),
        in_order([batch.named for batch in batches]),
        tuple(sum(counts) for counts in zip(*(batch.counts for batch in batches), strict=True)),
    )
