"""The folder layouts of published data sets: a set's name and a folder give pairs of files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from opir.data.pairs import Pair, Size, pair_photos
from opir.tasks import Task

Space = Literal["rgb", "y"]

_INPUT_TARGET = ("input", "target")


@dataclass(frozen=True)
class Layout:
    """Where the pairs of one published set are below the folder that a person names."""

    task: Task
    folders: tuple[tuple[str, str], ...]
    """(degraded, clean) folders, for each way in which the set is distributed; the first that exists is used.

    A last part with "*" names the photos, where both lie in one folder.
    """
    known_border: tuple[Size, int] | None = None
    """A size, and how many pixels more clean photos of it have on every side than the degraded ones."""
    scenes: frozenset[str] = frozenset()
    """For a part of a set: names, without endings, of the clean photos that belong to it; empty takes all."""

    @property
    def space(self) -> Space:
        """What the set is scored on in the literature: luma for rain, RGB for the others."""
        return "y" if self.task is Task.RAIN else "rgb"


class PairFolders(NamedTuple):
    """Where pairs of one weather lie."""

    task: Task
    inputs: str | Path
    targets: str | Path
    known_border: tuple[Size, int] | None = None
    scenes: frozenset[str] = frozenset()
    """Both as in `Layout`."""

    def pairs(self) -> list[Pair]:
        """Return the files; raises ValueError as `pair_photos` does."""
        pairs = pair_photos(self.inputs, self.targets, self.known_border)
        return [pair for pair in pairs if not self.scenes or pair.clean.stem in self.scenes]


_NYU_BORDER = ((640, 480), 10)
"""RESIDE's indoor photos: hazy ones were cropped to 620x460, clean ones were not."""


# Yang et al.: rain-001.png beside norain-001.png, or rain/ and norain/, or rainy/ in the folder of clean ones.
_AUTHORS_RAIN = (("rain-*", "norain-*"), ("rain", "norain"), ("rainy", "norain-*"))


def _rain_test(name: str) -> Layout:
    places = (f"test/{name}/", f"{name}/", "")
    ways = (_INPUT_TARGET, *(_AUTHORS_RAIN if name.startswith("Rain100") else ()))
    return Layout(Task.RAIN, tuple((place + given, place + truth) for place in places for given, truth in ways))


def _snow(split: str, *others: tuple[str, str]) -> Layout:
    return Layout(Task.SNOW, ((f"{split}/Snow", f"{split}/Gt"), *others, ("Snow", "Gt"), ("synthetic", "gt")))


def _sots(*names: str) -> tuple[tuple[str, str], ...]:
    """Return where one half of SOTS may be: in SOTS/, in a folder of its own, or in the folder itself."""
    places = [f"{above}{name}/" for above in ("SOTS/", "") for name in names]
    return tuple((f"{place}hazy", f"{place}gt") for place in (*places, ""))


# Rain: the folders of MPRNet. Snow: those of FocalNet (2,500 and 2,000 drawn pairs), else the authors' own.
# Haze: those of RESIDE.
LAYOUTS: dict[str, Layout] = {
    "Rain13K": Layout(
        Task.RAIN, (("train/Rain13K/input", "train/Rain13K/target"), ("train/input", "train/target"), _INPUT_TARGET)
    ),
    **{name: _rain_test(name) for name in ("Rain100L", "Rain100H", "Test100", "Test1200")},
    "Snow100K-train": _snow("train2500", ("all/synthetic", "all/gt")),
    "Snow100K-test": _snow(
        "test2000",
        ("Snow100K-L/synthetic", "Snow100K-L/gt"),
        ("overlapping/test/Snow100K-L/synthetic", "overlapping/test/Snow100K-L/gt"),
    ),
    "SRRS-train": _snow("train2500"),
    "SRRS-test": _snow("test2000"),
    "CSD-train": _snow("train2500", ("Train/Snow", "Train/Gt")),
    "CSD-test": _snow("test2000", ("Test/Snow", "Test/Gt")),
    "ITS": Layout(Task.HAZE, (("ITS/hazy", "ITS/clear"), ("hazy", "clear"), ("train/hazy", "train/gt")), _NYU_BORDER),
    "OTS": Layout(Task.HAZE, (("OTS/hazy", "OTS/clear"), ("hazy", "clear"), ("train/hazy", "train/gt"))),
    "SOTS-indoor": Layout(Task.HAZE, _sots("indoor", "nyuhaze500"), _NYU_BORDER),
    "SOTS-indoor-10scenes": Layout(
        Task.HAZE,
        (*_sots("indoor", "nyuhaze500"), _INPUT_TARGET),
        _NYU_BORDER,
        frozenset(str(number) for number in range(1400, 1450, 5)),
    ),
    "SOTS-outdoor": Layout(Task.HAZE, _sots("outdoor")),
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
        if _holds(folder, inputs) and _holds(folder, targets):
            return PairFolders(layout.task, folder / inputs, folder / targets, layout.known_border, layout.scenes)
    looked_for = ", or ".join(f"{inputs} and {targets}" for inputs, targets in layout.folders)
    raise ValueError(f"{name} is not in {folder}: expected there {looked_for}")


def _holds(folder: Path, below: str) -> bool:
    """Tell whether a folder, or a photo of this pattern, is there."""
    return any(folder.glob(below)) if "*" in below else (folder / below).is_dir()


def find_pairs(name: str, folder: str | Path) -> list[Pair]:
    """Return a published set's pairs; raises ValueError like `find_folders` and `pair_photos`."""
    return find_folders(name, folder).pairs()
