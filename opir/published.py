"""The layouts that published data sets are handed around in: a name and a folder give pairs of files."""

from dataclasses import dataclass
from pathlib import Path

from opir.data import pair_photos
from opir.tasks import Task

_INPUT_TARGET = ("input", "target")


@dataclass(frozen=True)
class Layout:
    """Where the pairs of one published set lie below the folder that a person names."""

    task: Task
    folders: tuple[tuple[str, str], ...]
    """(degraded, clean) folders by the ways in which the set is shared; the first that exists is used."""


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
    "ITS": Layout(Task.HAZE, (("ITS/hazy", "ITS/clear"), ("hazy", "clear"), ("train/hazy", "train/gt"))),
    "OTS": Layout(Task.HAZE, (("OTS/hazy", "OTS/clear"), ("hazy", "clear"), ("train/hazy", "train/gt"))),
    "SOTS-indoor": Layout(Task.HAZE, (("SOTS/indoor/hazy", "SOTS/indoor/gt"), ("indoor/hazy", "indoor/gt"))),
    "SOTS-outdoor": Layout(Task.HAZE, (("SOTS/outdoor/hazy", "SOTS/outdoor/gt"), ("outdoor/hazy", "outdoor/gt"))),
}


def find_folders(name: str, folder: str | Path) -> tuple[Task, Path, Path]:
    """Return a set's task, and its degraded and clean folders.

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
            return layout.task, folder / inputs, folder / targets
    looked_for = ", or ".join(f"{inputs} and {targets}" for inputs, targets in layout.folders)
    raise ValueError(f"{name} is not in {folder}: expected there the folders {looked_for}")


def find_pairs(name: str, folder: str | Path) -> list[tuple[Path, Path]]:
    """Return a published set's (degraded, clean) files; raises ValueError like `find_folders` and `pair_photos`."""
    _, inputs, targets = find_folders(name, folder)
    return pair_photos(inputs, targets)
