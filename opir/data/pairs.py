"""Folders of photos, and pairs of a degraded photo with its truth: matched by name, and of one size.

H height, W width.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torch import Tensor

from opir.errors import ImageError
from opir.photo.folders import find_photos
from opir.photo.formats import READABLE
from opir.photo.headers import read_size
from opir.photo.photo import load_photo

_log = logging.getLogger("opir.data")
Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Pair:
    """A degraded photo and its truth, as files."""

    degraded: Path
    clean: Path
    clean_border: int = 0
    """How many pixels more the truth has on every side; they are cut off when it is read."""

    def read(self) -> tuple[Tensor, Tensor]:
        """Return both photos (3, H, W) in [0, 1]; raises ValueError if one can not be read or they differ in size."""
        degraded, clean = load_photo(self.degraded).rgb, self.cut(load_photo(self.clean).rgb)
        check_sizes(_size(degraded), _size(clean), self.degraded.name, self.clean.name)
        return degraded, clean

    def cut(self, clean: Tensor) -> Tensor:
        """Return the part of the truth (..., H, W) that the degraded photo shows."""
        border, (width, height) = self.clean_border, _size(clean)
        return clean[..., border : height - border, border : width - border]


def check_sizes(degraded: Size, clean: Size, name: str, clean_name: str) -> None:
    """Raise a ValueError that names both photos if they are not of one size."""
    if degraded != clean:
        sizes = [f"{width}x{height}" for width, height in (degraded, clean)]
        raise ValueError(f"{name} is {sizes[0]} but its target {clean_name} is {sizes[1]}: a pair must have one size")


def list_photos(folder: str | Path) -> list[Path]:
    """Return the photos directly in a folder, sorted; what is left out, and why, is logged.

    Args:
        folder: of the photos; a last part with "*" is a pattern that their names have to match.

    Raises:
        ValueError: if there is no such folder, or no photo in it whose header can be read.
    """
    folder, pattern = Path(folder), "*"
    if "*" in folder.name:
        folder, pattern = folder.parent, folder.name
    if not folder.is_dir():
        raise ValueError(f"no such folder: {folder} (expected a folder of photos)")
    found = find_photos(folder, own_results=True)
    photos = []
    for path in (path for path in found.photos if path.match(pattern)):
        try:
            read_size(path)
            photos.append(path)
        except ImageError as error:
            _log.warning("left out: %s", error)
    if found.left_out:
        _log.warning("left out of %s: %s", folder, found.describe_left_out())
    if not photos:
        raise ValueError(f"no photos in {folder}: expected files of {READABLE}")
    return photos


def match_names(input_folder: str | Path, target_folder: str | Path) -> list[tuple[Path, Path]]:
    """Match each input with the target of the same name, or of its part before "_"; suffixes may differ.

    Names of published sets are known too: the truth of rain-001 and of norain-001x2 is norain-001.

    Raises:
        ValueError: if a folder is missing or empty, or an input has no target.
    """
    targets = {path.stem: path for path in list_photos(target_folder)}
    matched = []
    for path in list_photos(input_folder):
        target = next((targets[stem] for stem in _target_stems(path.stem) if stem in targets), None)
        if target is None:
            raise ValueError(
                f'no target for {path.name} in {target_folder}: expected "{path.stem}" or '
                f'"{path.stem.split("_")[0]}" with any photo suffix'
            )
        matched.append((path, target))
    return matched


def _target_stems(stem: str) -> Iterable[str]:
    """Return the names that the truth of an input may have, the likeliest first."""
    yield stem
    yield stem.partition("_")[0]
    if stem.startswith("rain-"):
        yield f"no{stem}"
    yield stem.removesuffix("x2")


def pair_photos(
    input_folder: str | Path, target_folder: str | Path, known_border: tuple[Size, int] | None = None
) -> list[Pair]:
    """Pair the photos of two folders, as `match_names` does; their sizes are compared by their headers.

    Args:
        input_folder: of degraded photos.
        target_folder: of their truths.
        known_border: a size of targets, and how many pixels such targets may have more on every side (RESIDE).

    Raises:
        ValueError: as `match_names`, for a file that is no photo, or for a pair of two sizes.
    """
    return list(_checked(match_names(input_folder, target_folder), known_border))


def _checked(matched: list[tuple[Path, Path]], known_border: tuple[Size, int] | None) -> Iterable[Pair]:
    size_of = cache(read_size)  # a truth can belong to many inputs
    for degraded, clean in matched:
        size, (width, height) = size_of(degraded), size_of(clean)
        if known_border is not None and known_border[0] == (width, height) != size:
            border = known_border[1]
            check_sizes(size, (width - 2 * border, height - 2 * border), degraded.name, f"{clean.name}, cut,")
            yield Pair(degraded, clean, border)
        else:
            check_sizes(size, (width, height), degraded.name, clean.name)
            yield Pair(degraded, clean)


def _size(picture: Tensor) -> Size:
    return picture.shape[-1], picture.shape[-2]
