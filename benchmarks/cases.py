"""Photos with their truth: made weather on clean photos, and published pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from torch import Tensor

from opir.data import list_photos, pair_photos
from opir.degradations import degrade
from opir.images import load_photo
from opir.metrics import Space
from opir.tasks import Task

SETS: tuple[tuple[str, Space, Task], ...] = (
    ("Rain100L", "y", Task.RAIN),
    ("SOTS-indoor-10scenes", "rgb", Task.HAZE),
)
"""Folders of pairs below DATA/benchmark, what they are scored on and what they show."""
QUICK_PHOTOS, QUICK_SIDE = 2, 96


@dataclass(frozen=True)
class Case:
    """One photo with its truth."""

    degraded: Tensor
    clean: Tensor
    task: Task


def synthetic_cases(folder: Path, task: Task, first_seed: int = 0, quick: bool = False) -> Iterator[Case]:
    """Degrade each photo of a folder, in 8 bits as `opir degrade` saves it.

    Args:
        folder: of clean photos.
        task: the weather.
        first_seed: photo n gets this seed + n.
        quick: only small crops of a few photos.
    """
    for seed, path in enumerate(islice(list_photos(folder), QUICK_PHOTOS if quick else None), start=first_seed):
        clean = cut(load_photo(path).rgb, quick)
        degraded = (degrade(clean[None], task, seed)[0] * 255).round() / 255
        yield Case(degraded, clean, task)


def paired_cases(folder: Path, task: Task, quick: bool = False) -> Iterator[Case]:
    """Read the pairs of a published set; only small crops of a few if `quick`."""
    pairs = pair_photos(folder / "input", folder / "target")
    for degraded, clean in islice(pairs, QUICK_PHOTOS if quick else None):
        yield Case(cut(load_photo(degraded).rgb, quick), cut(load_photo(clean).rgb, quick), task)


def cut(photo: Tensor, quick: bool) -> Tensor:
    """Return the photo (3, H, W), or its upper left corner if `quick`."""
    return photo[:, :QUICK_SIDE, :QUICK_SIDE] if quick else photo


def data_sets(
    data: Path, tasks: tuple[Task, ...] = tuple(Task), quick: bool = False
) -> Iterator[tuple[str, Space, Task, Iterator[Case]]]:
    """Yield every set that is there: name, what it is scored on, weather and photos.

    Raises:
        SystemExit: if there is nothing to measure.
    """
    validation, found = data / "validation" / "clean", False
    if validation.is_dir():
        found = True
        for task in tasks:
            yield f"validation, synthetic {task.label}", "rgb", task, synthetic_cases(validation, task, quick=quick)
    for name, space, task in SETS:
        if (data / "benchmark" / name).is_dir() and task in tasks:
            found = True
            yield name, space, task, paired_cases(data / "benchmark" / name, task, quick)
    if not found:
        raise SystemExit(
            f"nothing to measure in {data}: expected validation/clean or benchmark/<set>/input and target"
        )
