"""Photographs to train on: clean folders, real pairs, recorded streaks and depths, cut into seeded crops.

B batch, H height, W width. Pictures are decoded once and kept as bytes in memory.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from opir.data.pairs import Pair, list_photos, match_names
from opir.data.published import PairFolders
from opir.errors import ImageError
from opir.photo.photo import LUMA, load_photo, load_rgb8
from opir.photo.reading import read_values
from opir.tasks import Task

# Of crops at a photo's own resolution, where streaks meet real texture. The rest shows more of the scene: its mist.
_NATIVE_SHARE = 0.4
_MOST_DRAWS = 20
_log = logging.getLogger("opir.data")


def read_streaks(folder: str | Path) -> list[Tensor]:
    """Read recorded streak maps, (H, W) in [0, 1] each; residue below 3 grey values is cut off."""
    maps = [torch.einsum("c,chw->hw", LUMA, load_photo(path).rgb) for path in list_photos(folder)]
    return [(streaks - 3 / 255).clamp_min(0) for streaks in maps]


def _read_depth(path: Path) -> Tensor:
    """Decode a depth map of any unit to (H, W), mean 1; holes (zeros) take the depth around them."""
    depth = torch.from_numpy(read_values(path).astype(np.float32))
    known = (depth > 0).float()
    depth = depth / depth[depth > 0].mean().clamp_min(1e-6)
    filled, weight = (depth * known)[None, None], known[None, None]
    for cell in (4, 16, 64, 256):
        share = F.avg_pool2d(weight, cell, ceil_mode=True, stride=cell)
        total = F.avg_pool2d(filled * weight, cell, ceil_mode=True, stride=cell)
        # Interpolated, so that a hole gets no edges that its scene does not have.
        total, share = (F.interpolate(plane, size=depth.shape, mode="bilinear") for plane in (total, share))
        filled = torch.where(weight > 0, filled, total / share.clamp_min(1e-6))
        weight = torch.where(share > 1e-3, torch.ones_like(weight), weight)
    return filled[0, 0].clamp_min(0.02)


def _read_labels(path: Path) -> Tensor:
    return torch.from_numpy(read_values(path))


def imagine_segment_depth(labels: Tensor, random: np.random.Generator) -> Tensor:
    """Give every segment of a photo a depth: higher in the picture is farther, with chance: (H, W) → (H, W)."""
    height = labels.shape[0]
    index = labels.long()
    rows = torch.linspace(1, 0, height)[:, None].expand(labels.shape)
    area = torch.bincount(index.flatten())
    centre = torch.bincount(index.flatten(), rows.flatten()) / area.clamp_min(1)
    tilt, jitter = random.uniform(0.3, 2.0), random.uniform(0.1, 1.0)
    level = 0.1 + tilt * centre + jitter * torch.from_numpy(random.random(len(area))).float()
    depth = level[index] + random.uniform(0, 0.6) * rows
    return F.avg_pool2d(depth[None, None], 3, 1, 1, count_include_pad=False)[0, 0]


@dataclass(frozen=True)
class Batch:
    """Crops for one training step, on the CPU, before the weather."""

    clean: Tensor
    """(B, 3, H, W) in [0, 1]."""
    tasks: Tensor
    """(B,), values of `Task`."""
    depth: Tensor
    """(B, 1, H, W), zero where a photo has none."""
    paired: Tensor
    """(B, 3, H, W): the real degraded photo where `has_pair`, else zeros."""
    has_pair: Tensor
    """(B,), whether the weather is real or still to be made."""


class TrainingPhotos:
    """Everything to train on, as random crops that depend on the seed, the step and nothing else."""

    def __init__(
        self,
        clean: str | Path | None,
        pairs: Sequence[PairFolders | tuple[Task, str | Path, str | Path]] = (),
        depths: Sequence[tuple[str | Path, str | Path]] = (),
        segments: str | Path | None = None,
        pair_share: float = 0.2,
        depth_share: float = 0.35,
        max_zoom: float = 4.0,
        haze_part: float = 0.6,
        turn_share: float = 0.15,
        memory_gb: float = 16.0,
    ) -> None:
        """Index the folders; pictures are decoded when first needed.

        Args:
            clean: folder of clean photos to put weather on; None trains on pairs alone.
            pairs: (task, input folder, target folder) of real pairs, and what `find_folders` says of published ones.
            depths: (photo folder, depth folder), matched by name.
            segments: folder of label maps named as the clean photos, for pseudo-depth.
            pair_share: share of a task's crops that come from its pairs.
            depth_share: share of haze crops that come from photos with a measured depth.
            max_zoom: crops come from windows of up to this many times their side, if the photo is as large.
            haze_part: those of haze from at least this share of the photo's short side.
            turn_share: share of crops that are turned by quarter circles.
            memory_gb: decoded photos that are kept, in 10⁹ bytes; the rest is decoded each time.
        """
        self._clean = [] if clean is None else list_photos(clean)
        self._pairs: dict[Task, list[Pair]] = {}
        for folders in (PairFolders(*named) for named in pairs):
            self._pairs.setdefault(folders.task, []).extend(folders.pairs())
        self._depths = [matched for photos, maps in depths for matched in match_names(photos, maps)]
        labels = list_photos(segments) if segments else []
        self._labels = {path.stem: path for path in labels}
        self._pair_share, self._depth_share = pair_share, depth_share
        self._max_zoom, self._haze_part, self._turn_share = max_zoom, haze_part, turn_share
        self._memory: dict[Path, Tensor] = {}
        self._broken: set[str] = set()
        self._bytes_left = int(memory_gb * 1e9)

    def __len__(self) -> int:
        return len(self._clean)

    def describe(self) -> str:
        """Say in a line what is trained on, for the weights' metadata."""
        pairs = [f"{len(found)} pairs of {task.label}" for task, found in self._pairs.items()]
        counts = [f"{len(self._clean)} clean photos under synthetic weather", *pairs]
        return ", ".join([*counts, f"{len(self._depths)} photos with depth, {len(self._labels)} with segments"])

    def _recall(self, path: Path, read: Callable[[Path], Tensor]) -> Tensor:
        if path in self._memory:
            return self._memory[path]
        picture = read(path)
        if picture.nbytes <= self._bytes_left:
            self._bytes_left -= picture.nbytes
            self._memory[path] = picture
        return picture

    def batch(self, task_shares: dict[Task, float], size: int, crop: int, seed: int) -> Batch:
        """Cut `size` crops of crop×crop pixels; the same seed gives the same batch."""
        random = np.random.default_rng(seed)
        tasks = list(task_shares)
        weights = np.array([task_shares[task] for task in tasks], dtype=float)
        # Systematic sampling: shares hold within a batch, so steps differ less than with independent draws.
        ticks = (np.arange(size) + random.random()) / size
        chosen = [tasks[int(i)] for i in np.searchsorted(np.cumsum(weights / weights.sum()), ticks)]
        items = [self._sound_item(task, crop, random) for task in chosen]
        clean, depth, paired = (torch.stack(tensors) for tensors in zip(*items, strict=True))
        return Batch(clean, torch.tensor(chosen), depth, paired, paired.amax(dim=(1, 2, 3)) > 0)

    def _sound_item(self, task: Task, crop: int, random: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `_item` does, of another photo where one turns out to be broken; that is logged once."""
        for draw in range(_MOST_DRAWS):
            try:
                return self._item(task, crop, random)
            except ImageError as error:
                if draw == _MOST_DRAWS - 1:
                    raise
                if str(error) not in self._broken:
                    self._broken.add(str(error))
                    _log.warning("left out: %s", error)
        raise AssertionError("unreachable")

    def _item(self, task: Task, crop: int, random: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return one clean crop, its depth and its real degraded twin; zeros where there is none."""
        pairs = self._pairs.get(task, [])
        if not pairs and not self._clean:
            raise ValueError(f"no photos to train {task.label} on: name a folder of clean photos or pairs for it")
        if pairs and (not self._clean or random.random() < self._pair_share):
            pair = pairs[random.integers(len(pairs))]
            planes = [pair.cut(self._recall(pair.clean, load_rgb8)), self._recall(pair.degraded, load_rgb8)]
            clean, paired = self._cut(planes, crop, random, largest=round(crop * min(1.3, self._max_zoom)))
            return clean, torch.zeros(1, crop, crop), paired
        depth = None
        if task is Task.HAZE and self._depths and random.random() < self._depth_share:
            photo_path, depth_path = self._depths[random.integers(len(self._depths))]
            depth = self._recall(depth_path, _read_depth)
        else:
            photo_path = self._clean[random.integers(len(self._clean))]
            if task is Task.HAZE and photo_path.stem in self._labels and random.random() < 0.7:
                labels = self._recall(self._labels[photo_path.stem], _read_labels)
                depth = imagine_segment_depth(labels, random)
        photo = self._recall(photo_path, load_rgb8)
        planes = [photo] if depth is None else [photo, _matching(depth[None], photo)]
        if task is Task.HAZE:
            scene = min(photo.shape[-2:])
            crops = self._cut(planes, crop, random, round(scene * self._haze_part), scene, native_share=0)
        else:
            crops = self._cut(planes, crop, random, largest=round(crop * self._max_zoom))
        nothing = torch.zeros(3, crop, crop)
        return crops[0], crops[1].clamp_min(1e-3) if depth is not None else nothing[:1], nothing

    def _cut(
        self,
        planes: list[Tensor],
        crop: int,
        random: np.random.Generator,
        least: int = 0,
        largest: int = 0,
        native_share: float = _NATIVE_SHARE,
    ) -> list[Tensor]:
        """Cut a window of a photo's own resolution, or one of `least` to `largest` pixels, within the photo."""
        largest = min(max(largest, crop), *planes[0].shape[-2:])
        least = min(max(least, crop), largest)
        window = crop if random.random() < native_share else round(random.uniform(least, largest))
        return _crop_together(planes, window, crop, random, self._turn_share)


def _matching(plane: Tensor, photo: Tensor) -> Tensor:
    if plane.shape[-2:] == photo.shape[-2:]:
        return plane
    return F.interpolate(plane[None], size=photo.shape[-2:], mode="nearest")[0]


def _crop_together(
    planes: list[Tensor], window: int, crop: int, random: np.random.Generator, turn_share: float
) -> list[Tensor]:
    """Cut the same random square of `window` pixels from planes (C, H, W), shrink it to crop×crop, mirror and turn.

    Bytes become [0, 1].
    """
    height, width = planes[0].shape[-2:]
    window = min(window, height, width)
    top, left = int(random.integers(height - window + 1)), int(random.integers(width - window + 1))
    mirror, turn = random.random() < 0.5, int(random.random() < turn_share) * int(random.integers(1, 4))
    result = []
    for plane in planes:
        piece = plane[:, top : top + window, left : left + window]
        piece = piece.float() / 255 if piece.dtype == torch.uint8 else piece
        if window != crop:
            piece = F.interpolate(
                piece[None], size=(crop, crop), mode="bilinear", antialias=True, align_corners=False
            )[0]
        piece = piece.flip(-1) if mirror else piece
        result.append(piece.rot90(turn, (-2, -1)) if turn else piece)
    return result
