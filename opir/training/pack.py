"""All that training needs in a few small files, for a machine that has nothing else.

    python -m opir.training.pack configs/lite.toml OUT [key=value ...]

writes OUT/pack-0.zip, OUT/pack-1.zip … of at most 40 MiB each: photos with depths, pairs, streaks. The first can be
trained on alone; later ones add photos.
"""

import io
import sys
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from opir.data.pairs import list_photos, match_names, pair_photos
from opir.degradations.plain import draw_plain
from opir.photo.photo import load_rgb8
from opir.photo.reading import read_values
from opir.training.config import DataConfig, load_training_config

PART_BYTES = 40 * 2**20
DEPTH_UNIT = 1.7
"""What 255 stands for in a stored depth: near 0 is close, 1 far, and the sky lies beyond (docs/paper.md)."""
_PHOTO_QUALITY, _DEPTH_QUALITY = 80, 90
_LONGEST_SHORT_SIDE = 900  # of photos in a pack
_DEPTH_SIDE = 320  # short side of depths in a pack
_FAINTEST_STREAK = 3  # grey values that are residue, not rain
_RAINY_FROM = 0.6  # grey values of mean streak below which a photo shows no rain to learn from
_PLAIN_SIDE = 384


@dataclass
class TrainingPictures:
    """Decoded pictures by what they are for; every list's order is that of the files."""

    photos: list[Tensor] = field(default_factory=list)
    """Clean, (3, H, W) uint8."""
    depths: list[Tensor | None] = field(default_factory=list)
    """Of the photos, (1, h, w) uint8 in `DEPTH_UNIT` / 255."""
    plain: list[Tensor] = field(default_factory=list)
    """Drawn or photographed, without weather and without distance."""
    pair_inputs: list[Tensor] = field(default_factory=list)
    """Really rainy, (3, H, W) uint8."""
    pair_targets: list[Tensor] = field(default_factory=list)
    streaks: list[Tensor] = field(default_factory=list)
    """Recorded, (1, H, W) uint8."""
    fields: list[Tensor] = field(default_factory=list)
    """Distances without photos, (1, H, W) uint8: metres = 1001^(v / 255) - 1."""
    validation: list[tuple[Tensor, Tensor | None]] = field(default_factory=list)
    """Photos that are only looked at, with their depth."""
    validation_plain: list[Tensor] = field(default_factory=list)

    def describe(self) -> str:
        """Say in a line what is trained on, for the weights' metadata."""
        known = sum(depth is not None for depth in self.depths)
        return (
            f"{len(self.photos)} clean photos under synthetic weather, {known} of them with depth, "
            f"{len(self.plain)} plain pictures, {len(self.pair_inputs)} rainy pairs, "
            f"{len(self.streaks)} recorded streak layers, {len(self.fields)} fields of distance"
        )


def read_depth(path: Path) -> Tensor:
    """Read a depth map of 8 bits as it is, or of 16 bits in any unit so that 1 is far: (1, H, W) uint8."""
    values = read_values(path)
    if values.dtype != np.uint8:
        values = _filled(values.astype(np.float32))
        far = max(float(np.quantile(values, 0.95)), 1e-6)
        values = (values / far / DEPTH_UNIT * 255).clip(1, 255).round().astype(np.uint8)
    return torch.from_numpy(values)[None]


def _filled(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give holes (zeros) the mean depth around them."""
    for cell in (4, 16, 64, 256):
        if (depth > 0).all():
            break
        rows, columns = (-(-size // cell) for size in depth.shape)
        padded = np.pad(depth, ((0, rows * cell - depth.shape[0]), (0, columns * cell - depth.shape[1])))
        cells = padded.reshape(rows, cell, columns, cell)
        mean = cells.sum(axis=(1, 3)) / np.maximum((cells > 0).sum(axis=(1, 3)), 1)
        around = np.repeat(np.repeat(mean, cell, axis=0), cell, axis=1)[: depth.shape[0], : depth.shape[1]]
        depth = np.where(depth > 0, depth, around).astype(np.float32)
    return depth


def _read_rgb(path: Path, short_side: int) -> Tensor:
    """Read a photo as (3, H, W) uint8, no larger than wanted."""
    rgb = load_rgb8(path)
    height, width = rgb.shape[-2:]
    share = short_side / min(height, width)
    return rgb if share >= 1 else _resized(rgb, round(width * share), round(height * share))


def _resized(rgb: Tensor, width: int, height: int) -> Tensor:
    picture = Image.fromarray(rgb.permute(1, 2, 0).numpy()).resize((width, height), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def _streaks_between(rainy: Path, restored: Path) -> Tensor:
    """Return the streaks that a rainy photo has and its restoration, of perhaps another size, has not: (1, H, W)."""
    target = load_rgb8(restored)
    given = _resized(load_rgb8(rainy), target.shape[2], target.shape[1])
    difference = (given.float() - target.float()).mean(dim=0, keepdim=True)
    return (difference - _FAINTEST_STREAK).clamp(0, 255).round().byte()


def gather(data: DataConfig) -> Iterator[tuple[str, Tensor]]:
    """Read all that a run's settings name, one picture after the other: (what it is for, uint8 tensor)."""
    for photos, maps in data.photos:
        depths = {path.stem: path for path in list_photos(maps)} if maps else {}
        for path in list_photos(photos):
            yield "photo", _read_rgb(path, _LONGEST_SHORT_SIDE)
            yield "depth", read_depth(depths[path.stem]) if path.stem in depths else torch.zeros(1, 1, 1).byte()
    for _, inputs, targets in data.pairs:
        for pair in pair_photos(inputs, targets):
            yield "pair-input", load_rgb8(pair.degraded)
            yield "pair-target", load_rgb8(pair.clean)
    for inputs, targets in data.streak_pairs:
        for given, target in match_names(inputs, targets):
            streaks = _streaks_between(given, target)
            if streaks.float().mean() > _RAINY_FROM:
                yield "streaks", streaks
    for path in list_photos(data.streaks) if data.streaks else []:
        layer = load_rgb8(path).float().mean(dim=0, keepdim=True)
        yield "streaks", (layer - _FAINTEST_STREAK).clamp_min(0).round().byte()
    for path in list_photos(data.fields) if data.fields else []:
        yield "field", load_rgb8(path)[:1]
    for seed in range(data.plain):
        yield "plain", torch.from_numpy(draw_plain(seed, _PLAIN_SIDE)).permute(2, 0, 1).contiguous()
    validation_depths = (
        {path.stem: path for path in list_photos(data.validation_depth)} if data.validation_depth else {}
    )
    for path in list_photos(data.validation)[::3] if data.validation else []:
        yield "validation", load_rgb8(path)
        known = path.stem in validation_depths
        yield "validation-depth", read_depth(validation_depths[path.stem]) if known else torch.zeros(1, 1, 1).byte()
    for path in list_photos(data.validation_plain) if data.validation_plain else []:
        yield "validation-plain", load_rgb8(path)


_FIRST_OF_TWO = {"photo", "pair-input", "validation"}


def _encoded(kind: str, pixels: Tensor) -> bytes:
    picture = Image.fromarray(pixels.permute(1, 2, 0).numpy() if len(pixels) == 3 else pixels[0].numpy())
    if kind == "depth" and min(picture.size) > _DEPTH_SIDE:
        share = _DEPTH_SIDE / min(picture.size)
        picture = picture.resize((round(picture.width * share), round(picture.height * share)))
    lossless = kind.startswith("validation") and len(pixels) == 3
    quality = _DEPTH_QUALITY if len(pixels) == 1 else _PHOTO_QUALITY
    if kind == "field":
        quality = 95
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=quality, lossless=lossless, method=4)
    return buffer.getvalue()


def write_pack(data: DataConfig, folder: Path, part_bytes: int = PART_BYTES) -> list[Path]:
    """Write the parts of a pack; the first holds all but photos, and as many of those as find room.

    Args:
        data: of a run.
        folder: where to write.
        part_bytes: the most that a part may take.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        encoded = list(pool.map(lambda item: (item[0], _encoded(*item)), gather(data)))
    groups: list[list[tuple[str, bytes]]] = []
    for kind, content in encoded:
        if kind in _FIRST_OF_TWO or not groups or kind in ("streaks", "field", "plain", "validation-plain"):
            groups.append([])
        groups[-1].append((kind, content))
    photos = [group for group in groups if group[0][0] == "photo"]
    order = np.random.default_rng(0).permutation(len(photos))  # so that each part has some of every folder
    groups = [group for group in groups if group[0][0] != "photo"] + [photos[index] for index in order]
    parts: list[list[tuple[str, bytes]]] = [[]]
    room = part_bytes
    for group in groups:
        size = sum(len(content) + 200 for _, content in group)
        if size > room:
            parts.append([])
            room = part_bytes
        parts[-1].extend(group)
        room -= size
    written = []
    for number, part in enumerate(parts):
        path = folder / f"pack-{number}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for index, (kind, content) in enumerate(part):
                archive.writestr(f"{index:05d}-{kind}.webp", content)
        written.append(path)
    return written


def find_parts(folders: Sequence[str]) -> list[Path]:
    """Return the parts of a pack in these folders, sorted; raises ValueError if there are none."""
    paths = sorted(path for folder in folders for path in Path(folder).glob("pack-*.zip"))
    if not paths:
        raise ValueError(
            f"no pack-*.zip in {', '.join(folders)}: make one with python -m opir.training.pack CONFIG OUT"
        )
    return paths


def read_pack(paths: list[Path]) -> TrainingPictures:
    """Decode the parts of a pack.

    Args:
        paths: of the parts, in any number, the first among them.
    """
    items: list[tuple[str, bytes]] = []
    for path in sorted(paths):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                items.append((name.partition("-")[2].removesuffix(".webp"), archive.read(name)))
    with ThreadPoolExecutor() as pool:
        return collect(pool.map(_decoded, items))


def _decoded(item: tuple[str, bytes]) -> tuple[str, Tensor]:
    kind, content = item
    with Image.open(io.BytesIO(content)) as opened:
        pixels = torch.from_numpy(np.array(opened.convert("RGB"))).permute(2, 0, 1)
    of_one = "depth" in kind or kind in ("streaks", "field")
    return kind, (pixels[1:2] if of_one else pixels).contiguous()


def collect(items: Iterator[tuple[str, Tensor]]) -> TrainingPictures:
    """Sort pictures by what they are for."""
    pictures = TrainingPictures()
    lists = {
        "photo": pictures.photos,
        "pair-input": pictures.pair_inputs,
        "pair-target": pictures.pair_targets,
        "streaks": pictures.streaks,
        "field": pictures.fields,
        "plain": pictures.plain,
        "validation-plain": pictures.validation_plain,
    }
    for kind, pixels in items:
        if kind == "depth":
            pictures.depths.append(pixels if pixels.shape[-1] > 1 else None)
        elif kind == "validation":
            pictures.validation.append((pixels, None))
        elif kind == "validation-depth":
            photo = pictures.validation[-1][0]
            pictures.validation[-1] = photo, (pixels if pixels.shape[-1] > 1 else None)
        else:
            lists[kind].append(pixels)
    return pictures


def main(arguments: list[str]) -> None:
    """Write the pack of a run's settings and say how large its parts are."""
    if len(arguments) < 2:
        raise SystemExit("usage: python -m opir.training.pack CONFIG OUT [key=value ...]")
    data = load_training_config(arguments[0], arguments[2:]).data
    for path in write_pack(data, Path(arguments[1])):
        print(f"{path}  {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
