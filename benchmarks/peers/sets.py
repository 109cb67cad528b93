"""The photos that all methods restore, with their truth, as PNG for programs that know nothing of each other.

H height, W width.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks.quality.cases import picked
from benchmarks.quality.sizes import enlarged
from benchmarks.report.provenance import ROOT
from opir.data import DEPTH_UNIT, list_photos, pair_photos, read_depth
from opir.degradations import degrade
from opir.evaluation import Space
from opir.photo import load_photo, to_picture
from opir.tasks import Task

SIDE = 480
"""Pixels of the long side that validation photos are brought to, by area."""
RAIN, INDOOR, OUTDOOR, BOTH = "maxim-deraining", "maxim-dehazing-indoor", "maxim-dehazing-outdoor", "maxim-both"
EXAMPLES = {"bridge-rain": RAIN, "coast": OUTDOOR, "pagoda": OUTDOOR}
"""Of assets/examples, shown on the page, and what MAXIM restores them with."""
THICKNESS, LIGHT = (0.6, 1.0, 1.6, 2.4), (0.8, 0.9, 1.0)
"""β and A of the haze in photo after photo; a distance of 1 is far."""
SHOWN = (384, 320)
"""Height and width of what is restored of each."""


@dataclass(frozen=True)
class Photo:
    """A photo and its truth, (3, H, W) in [0, 1]; the same if it has no weather."""

    name: str
    degraded: Tensor
    clean: Tensor


@dataclass(frozen=True)
class PeerSet:
    """Photos of one kind."""

    name: str
    """Of its folder."""
    title: str
    whose: str
    """Who was trained on its kind."""
    maxim: tuple[str, ...]
    """The methods of MAXIM that are tried on it."""
    photos: Callable[[Path, Path], Iterator[Photo]]
    """From DATA and PHOTOS."""
    space: Space = "rgb"
    harm: bool = False
    """Whether nothing should be changed."""


def pairs(name: str, count: int, times: int = 1, share: float = 1) -> Callable[[Path, Path], Iterator[Photo]]:
    """Return what reads so many pairs of a published set, evenly picked: their middle, enlarged.

    Args:
        name: of the set's folder.
        count: how many at most.
        times: how much larger they get.
        share: of height and width that is taken.
    """

    def read(data: Path, photos: Path) -> Iterator[Photo]:
        folder = data / "benchmark" / name
        if not folder.is_dir():
            return
        for _, pair in picked(pair_photos(folder / "input", folder / "target"), count):
            degraded, clean = (
                middle(photo, *(round(share * side) for side in photo.shape[1:])) for photo in pair.read()
            )
            height, width = (times * side for side in clean.shape[1:])
            if times > 1:
                degraded, clean = enlarged(degraded, height, width), enlarged(clean, height, width)
            yield Photo(pair.degraded.stem, degraded, clean)

    return read


def middle(photo: Tensor, height: int, width: int) -> Tensor:
    """Return the middle of a photo (3, H, W)."""
    top, left = (photo.shape[1] - height) // 2, (photo.shape[2] - width) // 2
    return photo[:, top : top + height, left : left + width]


Weather = Callable[[Tensor, int, Path], Tensor | None]
"""From a clean photo (3, H, W), its number and its file; None where it can not be drawn."""


def drawn(weather: Weather, count: int, plain: bool = False) -> Callable[[Path, Path], Iterator[Photo]]:
    """Return what puts weather on so many photos of a folder, evenly picked: PHOTOS or, beside it, `plain`."""

    def read(data: Path, photos: Path) -> Iterator[Photo]:
        folder = photos.parent / "plain" if plain else photos
        for number, path in picked(list_photos(folder), count) if folder.is_dir() else ():
            clean = smaller(load_photo(path).rgb)
            degraded = weather(clean, number, path)
            if degraded is not None:
                yield Photo(path.stem, in_8_bits(degraded), clean)

    return read


def smaller(photo: Tensor) -> Tensor:
    """Return a photo (3, H, W) with a long side of `SIDE`, the mean of what each pixel covers, in 8 bits."""
    share = SIDE / max(photo.shape[1:])
    size = [round(share * side) for side in photo.shape[1:]]
    return photo if share >= 1 else in_8_bits(F.interpolate(photo[None], size=size, mode="area")[0])


def in_8_bits(photo: Tensor) -> Tensor:
    """Return what a file of 8 bits holds."""
    return (photo.clamp(0, 1) * 255).round() / 255


def falling(task: Task) -> Weather:
    """Return rain or snow as `opir degrade` draws it."""
    return lambda clean, number, path: degrade(clean[None], task, number)[0]


def distant_haze(clean: Tensor, number: int, path: Path) -> Tensor | None:
    """Return even haze, I = J·t + A·(1 - t) with t = exp(-β·d); the folder `depth` beside the photo's own tells d."""
    file = path.parent.parent / "depth" / path.name
    if not file.is_file():
        return None
    distance = F.interpolate(read_depth(file)[None].float(), size=clean.shape[1:], mode="bilinear")[0]
    transmission = torch.exp(-THICKNESS[number % len(THICKNESS)] * distance * DEPTH_UNIT / 255)
    light = LIGHT[number // len(THICKNESS) % len(LIGHT)]
    return clean * transmission + light * (1 - transmission)


def mixed(clean: Tensor, number: int, path: Path) -> Tensor | None:
    """Return rain in haze, and in every second photo rain among snow."""
    below = distant_haze(clean, number, path) if number % 2 == 0 else degrade(clean[None], Task.SNOW, number)[0]
    return None if below is None else degrade(below[None], Task.RAIN, number + 1)[0]


def nothing(clean: Tensor, number: int, path: Path) -> Tensor:
    """Return the photo itself."""
    return clean


def example(name: str) -> Callable[[Path, Path], Iterator[Photo]]:
    """Return what reads the middle of one of the page's examples, which has no truth here."""

    def read(data: Path, photos: Path) -> Iterator[Photo]:
        photo = middle(load_photo(ROOT / "assets" / "examples" / f"{name}.jpg").rgb, *SHOWN)
        yield Photo(name, photo, photo)

    return read


EXAMPLE_SETS = tuple(
    PeerSet("examples", name, "neither's", (maxim,), example(name)) for name, maxim in EXAMPLES.items()
)
SETS = (
    PeerSet("rain100l", "Rain100L", "MAXIM's", (RAIN,), pairs("Rain100L", 10), "y"),
    PeerSet("sots", "SOTS-indoor", "MAXIM's", (INDOOR,), pairs("SOTS-indoor-10scenes", 8)),
    PeerSet("haze", "haze by distance", "both's", (OUTDOOR,), drawn(distant_haze, 8)),
    PeerSet("rain", "rain", "ours", (RAIN,), drawn(falling(Task.RAIN), 8)),
    PeerSet("snow", "snow", "ours", (RAIN,), drawn(falling(Task.SNOW), 8)),
    PeerSet("mixed", "two kinds at once", "neither's", (RAIN, BOTH), drawn(mixed, 8)),
    PeerSet("rain100l-2", "Rain100L, twice as large", "neither's", (RAIN,), pairs("Rain100L", 8, 2, 0.5), "y"),
    PeerSet("rain100l-4", "Rain100L, four times as large", "neither's", (RAIN,), pairs("Rain100L", 3, 4, 0.5), "y"),
    PeerSet("plain", "plain things", "ours", (RAIN, OUTDOOR), drawn(nothing, 8, plain=True), harm=True),
    PeerSet("clean", "clean photos", "both's", (RAIN, OUTDOOR), drawn(nothing, 8), harm=True),
)
"""In the order of the table."""
ROUNDS = {"rain100l-4": 3, "examples": 2}
"""The round of MAXIM's work in which the first photo of a set is restored, if not the first: these take long."""


def prepare(data: Path, photos: Path, work: Path, sets: Sequence[PeerSet] = (*SETS, *EXAMPLE_SETS)) -> None:
    """Write all photos and truths below `work`, and `photos.json`, which tells what MAXIM is to restore.

    The sets take turns, so that work that was stopped has some photos of each. Results of photos that have changed
    are removed.
    """
    wanted = []
    for group in sets:
        for number, photo in enumerate(group.photos(data, photos), ROUNDS.get(group.name, 1)):
            name = f"{group.name}/{photo.name}.png"
            if _write(photo.degraded, work / "input" / name):
                for stale in work.glob(f"maxim-*/{name}"):
                    stale.unlink()
            _write(photo.clean, work / "target" / name)
            wanted.append((number, {"set": group.name, "photo": name, "maxim": group.maxim}))
    in_rounds = [photo for _, photo in sorted(wanted, key=lambda turn: turn[0])]
    (work / "photos.json").write_text(json.dumps(in_rounds, indent=1))


def _write(photo: Tensor, path: Path) -> bool:
    """Write a PNG unless it is there with the same pixels; return whether it was written."""
    picture = to_picture(photo)
    if path.is_file() and np.array_equal(np.asarray(Image.open(path)), np.asarray(picture)):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return True


def read_png(path: Path) -> Tensor:
    """Read a photo, (3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1).float() / 255
