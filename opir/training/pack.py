"""All pictures of a training run in a few files, for a machine without the folders.

    python -m opir.training.pack configs/lite.toml OUT [key=value ...]

writes OUT/pack-0.zip, OUT/pack-1.zip … of at most 40 MiB each, with all that `[data]` names. The first has everything
but some of the photos, and can be trained on alone; the others add photos.
"""

import io
import sys
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from opir.training.config import DataConfig, load_training_config
from opir.training.pictures import Item, TrainingPictures, list_pictures, read_groups

PART_BYTES = 40 * 2**20
_HEADER_BYTES = 200  # of a file in an archive
_PHOTO_QUALITY, _DEPTH_QUALITY, _FIELD_QUALITY = 80, 90, 95
_DEPTH_SIDE = 320  # short side of depths in a pack
_OF_ONE_CHANNEL = ("depth", "validation-depth", "streaks", "field")

Encoded = list[tuple[str, bytes]]


def _encoded(items: list[Item]) -> Encoded:
    return [(kind, _as_webp(kind, pixels)) for kind, pixels in items]


def _as_webp(kind: str, pixels: Tensor) -> bytes:
    picture = Image.fromarray(pixels.permute(1, 2, 0).numpy() if len(pixels) == 3 else pixels[0].numpy())
    if kind == "depth" and min(picture.size) > _DEPTH_SIDE:
        share = _DEPTH_SIDE / min(picture.size)
        picture = picture.resize((round(picture.width * share), round(picture.height * share)))
    lossless = kind.startswith("validation") and len(pixels) == 3
    quality = _DEPTH_QUALITY if len(pixels) == 1 else _PHOTO_QUALITY
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=_FIELD_QUALITY if kind == "field" else quality, lossless=lossless, method=4)
    return buffer.getvalue()


def write_pack(data: DataConfig, folder: Path, part_bytes: int = PART_BYTES) -> list[Path]:
    """Write the parts of a pack; the first has all pictures but photos, and as many photos as there is room for.

    Args:
        data: of a run.
        folder: where to write.
        part_bytes: the most that a part may take.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = list_pictures(data)
    with ThreadPoolExecutor() as pool:
        groups = [
            group
            for group in pool.map(_encoded, read_groups([*files.validation, *chain(*files.collections)]))
            if group
        ]
    photos = [group for group in groups if group[0][0] == "photo"]
    order = np.random.default_rng(0).permutation(len(photos))  # so that each part has some of every folder
    groups = [group for group in groups if group[0][0] != "photo"] + [photos[index] for index in order]
    parts: list[Encoded] = [[]]
    room = part_bytes
    for group in groups:
        size = sum(len(content) + _HEADER_BYTES for _, content in group)
        if size > room and parts[-1]:
            parts.append([])
            room = part_bytes
        parts[-1].extend(group)
        room -= size
    return [_write_part(folder / f"pack-{number}.zip", part) for number, part in enumerate(parts)]


def _write_part(path: Path, items: Encoded) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for index, (kind, content) in enumerate(items):
            archive.writestr(f"{index:05d}-{kind}.webp", content)
    return path


def find_parts(folders: Sequence[str]) -> list[Path]:
    """Return the parts of a pack in these folders, sorted; raises ValueError if there are none."""
    paths = sorted(path for folder in folders for path in Path(folder).glob("pack-*.zip"))
    if not paths:
        raise ValueError(
            f"no pack-*.zip in {', '.join(folders)}: make one with python -m opir.training.pack CONFIG OUT"
        )
    return paths


def read_pack(paths: Iterable[Path]) -> TrainingPictures:
    """Decode the parts of a pack.

    Args:
        paths: of the first part and any number of others.
    """
    items: Encoded = []
    for path in sorted(paths):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                items.append((name.partition("-")[2].removesuffix(".webp"), archive.read(name)))
    pictures = TrainingPictures()
    with ThreadPoolExecutor() as pool:
        for kind, pixels in pool.map(_decoded, items):
            pictures.add(kind, pixels)
    return pictures


def _decoded(item: tuple[str, bytes]) -> Item:
    kind, content = item
    with Image.open(io.BytesIO(content)) as opened:
        pixels = torch.from_numpy(np.array(opened.convert("RGB"))).permute(2, 0, 1)
    return kind, (pixels[1:2] if kind in _OF_ONE_CHANNEL else pixels).contiguous()


def main(arguments: list[str]) -> None:
    """Write the pack of a run's settings and say how large its parts are."""
    if len(arguments) < 2:
        raise SystemExit("usage: python -m opir.training.pack CONFIG OUT [key=value ...]")
    data = load_training_config(arguments[0], arguments[2:]).data
    for sentence in list_pictures(data).left_out:
        print(sentence)
    for path in write_pack(data, Path(arguments[1])):
        print(f"{path}  {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
