"""Photos with their truth: made weather on clean photos, and published pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from torch import Generator, Tensor
from torch.nn import functional as F

from opir.data import DEPTH_UNIT, Pair, list_photos, pair_photos, read_depth
from opir.degradations import degrade, haze_over_distance
from opir.evaluation import Space
from opir.photo import load_photo
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


Item = TypeVar("Item")


def picked(items: Sequence[Item], at_most: int | None, quick: bool = False) -> Sequence[tuple[int, Item]]:
    """Return items with their numbers: all, or so many evenly picked ones; the first few if `quick`."""
    numbered = list(enumerate(items))
    if quick:
        return numbered[:QUICK_PHOTOS]
    return numbered if at_most is None else numbered[:: max(1, -(-len(numbered) // at_most))]


def synthetic_cases(
    folder: Path, task: Task, first_seed: int = 0, quick: bool = False, at_most: int | None = None
) -> Iterator[Case]:
    """Degrade each photo of a folder, in 8 bits as `opir degrade` saves it.

    Args:
        folder: of clean photos.
        task: the weather.
        first_seed: photo n gets this seed + n.
        quick: only small crops of a few photos.
        at_most: so many photos, evenly picked; None for all.
    """
    for number, path in picked(list_photos(folder), at_most, quick):
        clean = cut(load_photo(path).rgb, quick)
        degraded = (degrade(clean[None], task, first_seed + number)[0] * 255).round() / 255
        yield Case(degraded, clean, task)


def distance_cases(folder: Path, depths: Path, quick: bool = False, at_most: int | None = None) -> Iterator[Case]:
    """Put haze that grows with the distance on each photo that has a depth of the same stem; seeds are numbers.

    The truth is what can be had back (`opir.degradations.haze_over_distance`).
    """
    known = {path.stem: path for path in list_photos(depths)}
    photos = [path for path in list_photos(folder) if path.stem in known]
    for number, path in picked(photos, at_most, quick):
        clean = load_photo(path).rgb
        depth = read_depth(known[path.stem])[None].float() * DEPTH_UNIT / 255
        depth = F.interpolate(depth, size=clean.shape[-2:], mode="bilinear")
        seen, possible = haze_over_distance(clean[None], Generator().manual_seed(number), depth)
        degraded, truth = ((cut(picture[0], quick) * 255).round() / 255 for picture in (seen, possible))
        yield Case(degraded, truth, Task.HAZE)


def paired_cases(
    pairs: Sequence[Pair], task: Task, quick: bool = False, at_most: int | None = None
) -> Iterator[Case]:
    """Read the pairs of a published set; which ones as in `synthetic_cases`."""
    for _, pair in picked(pairs, at_most, quick):
        degraded, clean = pair.read()
        yield Case(cut(degraded, quick), cut(clean, quick), task)


def cut(photo: Tensor, quick: bool) -> Tensor:
    """Return the photo (3, H, W), or its upper left corner if `quick`."""
    return photo[:, :QUICK_SIDE, :QUICK_SIDE] if quick else photo


def data_sets(
    data: Path, tasks: tuple[Task, ...] = tuple(Task), quick: bool = False, at_most: int | None = None
) -> Iterator[tuple[str, Space, Task, Iterator[Case]]]:
    """Yield every set that is there: name, what it is scored on, weather and photos.

    Raises:
        SystemExit: if there is nothing to measure.
    """
    validation, found = data / "validation" / "clean", False
    if validation.is_dir():
        found = True
        for task in tasks:
            yield (
                f"validation, synthetic {task.label}",
                "rgb",
                task,
                synthetic_cases(validation, task, 0, quick, at_most),
            )
        depths = data / "validation" / "depth"
        if depths.is_dir() and Task.HAZE in tasks:
            cases = distance_cases(validation, depths, quick, at_most)
            yield "validation, synthetic haze by distance", "rgb", Task.HAZE, cases
    for name, space, task in SETS:
        if (data / "benchmark" / name).is_dir() and task in tasks:
            found = True
            pairs = pair_photos(data / "benchmark" / name / "input", data / "benchmark" / name / "target")
            yield name, space, task, paired_cases(pairs, task, quick, at_most)
    if not found:
        raise SystemExit(
            f"nothing to measure in {data}: expected validation/clean or benchmark/<set>/input and target"
        )
