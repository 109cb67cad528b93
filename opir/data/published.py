"""The layouts that published data sets are handed around in: a name and a folder give pairs of files."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from opir.data.pairs import Pair, Size, pair_photos
from opir.tasks import Task

_INPUT_TARGET = ("input", "target")


@dataclass(frozen=True)
class Layout:
    """Where the pairs of one published set lie below the folder that a person names."""

    task: Task
    folders: tuple[tuple[str, str], ...]
    """(degraded, clean) folders by the ways in which the set is shared; the first that exists is used."""
    known_border: tuple[Size, int] | None = None
    """Clean photos of this size show so many pixels more on every side than the degraded ones."""


class PairFolders(NamedTuple):
    """Where pairs of one weather lie."""

    task: Task
    inputs: str | Path
    targets: str | Path
    known_border: tuple[Size, int] | None = None
    """As in `Layout`."""

    def pairs(self) -> list[Pair]:
        """Return the files; raises ValueError as `pair_photos` does."""
        return pair_photos(self.inputs, self.targets, self.known_border)


_NYU_BORDER = ((640, 480), 10)
"""RESIDE's indoor photos: what is hazy was cut to 620x460, its truth was not."""


def _rain_test(name: str) -> Layout:
    places = (f"test/{name}/", f"{name}/", "")
    return Layout(Task.RAIN, tuple((place + "input", place + "target") for place in places))


def _snow(split: str, *others: tuple[str, str]) -> Layout:
    return Layout(Task.SNOW, ((f"{split}/Snow", f"{split}/Gt"), *others, ("Snow", "Gt"), ("synthetic", "gt")))


# Rain: the folders of MPRNet. Snow: those of FocalNet (2,500 and 2,000 drawn pairs), else the authors' own.
# Haze: those of RESIDE.
LAYOUTS: dict[str, Layout] = {
    "Rain13K": Layout(
        Task.RAIN, (("train/Rain13K/input", "train/Rain13K/target"), ("train/input", "train/target"), _INPUT_TARGET)
    ),
    **{name: _rain_test(name) for name in ("Rain100L", "Rain100H", "Test100", "Test1200")},
    "Snow100K-train": _snow("train2500", ("all/synthetic", "all/gt")),
    "Snow100K-test": _snow("test2000", ("Snow100K-L/synthetic", "Snow100K-L/gt")),
    "SRRS-train": _snow("train2500"),
    "SRRS-test": _snow("test2000"),
    "CSD-train": _snow("train2500", ("Train/Snow", "Train/Gt")),
    "CSD-test": _snow("test2000", ("Test/Snow", "Test/Gt")),
    "ITS": Layout(Task.HAZE, (("ITS/hazy", "ITS/clear"), ("hazy", "clear"), ("train/hazy", "train/gt")), _NYU_BORDER),
    "OTS": Layout(Task.HAZE, (("OTS/hazy", "OTS/clear"), ("hazy", "clear"), ("train/hazy", "train/gt"))),
    "SOTS-indoor": Layout(
        Task.HAZE, (("SOTS/indoor/hazy", "SOTS/indoor/gt"), ("indoor/hazy", "indoor/gt")), _NYU_BORDER
    ),
    "SOTS-outdoor": Layout(Task.HAZE, (("SOTS/outdoor/hazy", "SOTS/outdoor/gt"), ("outdoor/hazy", "outdoor/gt"))),
}


def find_folders(name: str, folder: str | Path) -> PairFolders:
    """Return where a set's pairs lie, and what they show.

    Args:
        name: a key of `LAYOUTS`.
        folder: where the set was unpacked.

    Raises:
        ValueError: for an unknown name, or if none of the set's layouts is there; says what was looked for.
    """
    if name not in LAYOUTS:
        raise ValueError(f'unknown data set "{name}": expected one of {", ".join(LAYOUTS)}')
    folder, layout = Path(folder), LAYOUTS[name]
    for inputs, targets in layout.folders:
        if (folder / inputs).is_dir() and (folder / targets).is_dir():
            return PairFolders(layout.task, folder / inputs, folder / targets, layout.known_border)
    looked_for = ", or ".join(f"{inputs} and {targets}" for inputs, targets in layout.folders)
    raise ValueError(f"{name} is not in {folder}: expected there the folders {looked_for}")


def find_pairs(name: str, folder: str | Path) -> list[Pair]:
    """Return a published set's pairs; raises ValueError like `find_folders` and `pair_photos`."""
    return find_folders(name, folder).pairs()
