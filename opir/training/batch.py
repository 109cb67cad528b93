"""What one step of training sees.

B batch, S side of a crop. Crops of one task lie side by side, in the order of `Task`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opir.tasks import Task

LARGEST = 4.5
"""How many times larger than usual weather may be for one level to see all of it."""


@dataclass(frozen=True)
class TrainingBatch:
    """What one step sees, (B, 3, S, S) in [0, 1]."""

    degraded: Tensor
    clean: Tensor
    """What can be had back."""
    tasks: Tensor
    """(B,), values of `Task`."""
    sizes: Tensor
    """(B,), how many times larger than usual the weather is; above `LARGEST` it is to be left to a coarser level."""
    named: Tensor
    """(B,), bool: restored under the prototype of their task."""
    counts: tuple[int, ...]
    """How many of each task."""

    @property
    def without_weather(self) -> slice:
        """Where the crops of `Task.CLEAN` lie."""
        first = sum(self.counts[: Task.CLEAN])
        return slice(first, first + self.counts[Task.CLEAN])


def count_tasks(shares: Sequence[float], size: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return how many crops of a batch each task gets: systematic sampling, so that shares hold in every batch."""
    ticks = (np.arange(size) + random.random()) / size
    chosen = np.searchsorted(np.cumsum(np.asarray(shares) / np.sum(shares)), ticks)
    return np.bincount(chosen, minlength=len(shares))


def joined(batches: Sequence[TrainingBatch]) -> TrainingBatch:
    """Return several batches as one, tasks side by side again."""
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
