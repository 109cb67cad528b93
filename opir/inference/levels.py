"""What each level of a photo's pyramid saw and did, and the maps and pictures of the photo that follow from it.

D embedding size, H height, W width of the photo; h, w of a level; S scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from opir.ops.colours import in_unit
from opir.ops.pyramid import build_pyramid, change_of, enlarged, write_changed
from opir.photo import Photo
from opir.tasks import AUTO, Task

_ROWS_AT_A_TIME = 256


@dataclass(frozen=True, eq=False)
class LevelWork:
    """What the stages made of a level that worked, on the processor, at the level's size."""

    task_embedding: NDArray[np.float32] | None = field(repr=False)
    """e_t as the stages were given it, (D,): `OPIR.choose_task_embedding` of the level's own embedding."""
    first: Tensor = field(repr=False)
    """Ĵ1, (3, h, w): floats, or uint8 grey values of a very large photo."""
    restored: Tensor = field(repr=False)
    """The last stage's result, Ĵ2 or Ĵ1, likewise."""
    uncertainty: Tensor = field(repr=False)
    """UM of stage 1, (h, w)."""
    scale_weights: Tensor | None = field(repr=False)
    """α of the last stage, (S, h, w), where it was asked for."""
    tiles: int
    """In how many parts it was computed."""


@dataclass(frozen=True, eq=False)
class Level:
    """What one level of a photo saw, and what it did."""

    number: int
    """n: a pixel is the mean of 2ⁿ×2ⁿ pixels of the photo; 0 is the photo's own size."""
    width: int
    height: int
    probabilities: dict[str, float]
    """How probable each weather is at this size, after what coarser levels did; empty without a task-aware module."""
    embedding: NDArray[np.float32] | None = field(repr=False)
    """e_t of what the level looked like, (D,)."""
    change: float
    """By how much the level changed it, in grey values: the mean over pixels and colours. 0 where it did nothing."""
    work: LevelWork | None
    """None where the level was passed by."""

    @property
    def worked(self) -> bool:
        """Whether the level's stages ran; else what came from coarser levels was passed on."""
        return self.work is not None

    @property
    def task(self) -> str:
        """The likeliest weather at this size; "auto" for a model without the task-aware module."""
        return max(self.probabilities, key=lambda name: self.probabilities[name], default="auto")

    @property
    def weather(self) -> str:
        """The likeliest of rain, snow and haze at this size; "auto" for a model without the task-aware module."""
        weathers = [name for name in self.probabilities if name != Task.CLEAN.label]
        return max(weathers, key=lambda name: self.probabilities[name], default=AUTO)

    @property
    def certainty(self) -> float:
        """How probable `weather` is; 1 for a model without the task-aware module."""
        return self.probabilities.get(self.weather, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Return numbers that JSON can hold."""
        return {
            "level": self.number,
            "width": self.width,
            "height": self.height,
            "probabilities": {name: round(value, 4) for name, value in self.probabilities.items()},
            "worked": self.worked,
            "change": round(self.change, 3),
        }


def carried_up(photo: Tensor, source: int, restored: Tensor, target: int = 0) -> Tensor:
    """Return what a finer level begins with after a level's result, if no level between them works: x_n.

    Args:
        photo: (3, H, W) in [0, 1], or uint8 grey values.
        source: number of the level.
        restored: its result Ĵ, or that of its first stage, (3, h, w).
        target: number of the finer level.

    Returns:
        (3, ., .) at the size of the finer level, of the photo's type for the photo's own size.
    """
    if source == target:
        return restored
    pyramid = build_pyramid(photo[None], source + 1)
    change = change_of(pyramid[source], in_unit(restored[None]))
    for finer in range(source - 1, target, -1):
        change = enlarged(change, *pyramid[finer].shape[-2:])
    made = torch.empty_like(pyramid[target])
    write_changed(pyramid[target], change, made)
    return made[0]


def finished(rgb: Tensor, photo: Photo) -> Tensor:
    """Clamp a result of a photo's size, (3, H, W); a grey photo's stays grey."""
    return photo.greyed(rgb.clamp(0, 1) if rgb.is_floating_point() else rgb)


def enlarge_map(values: Tensor, level: Level, width: int, height: int, smaller: int = 1) -> Tensor:
    """Return a map of a level, (C, h, w), at the photo's size, bilinearly: (C, height, width) of the same type.

    `smaller`, a power of two, makes the result so many times smaller; a level that is larger than that is averaged.
    """
    factor = 2**level.number
    if factor == smaller:
        return values
    if factor < smaller:
        return F.avg_pool2d(values[None].float(), smaller // factor, ceil_mode=True)[0].to(values.dtype)
    grown = F.interpolate(values[None].float(), scale_factor=factor / smaller, mode="bilinear", align_corners=False)
    return grown[0, :, : -(-height // smaller), : -(-width // smaller)].to(values.dtype)


def joined_uncertainty(levels: Sequence[Level], width: int, height: int, smaller: int = 1) -> Tensor | None:
    """Return the largest UM of the levels that worked at each pixel of the photo, (H, W); None where none worked.

    `smaller`, a power of two, makes the result so many times smaller than the photo, in less memory.
    """
    joined = None
    for level in levels:
        if level.work is not None:
            enlarged_map = enlarge_map(level.work.uncertainty[None], level, width, height, smaller)[0]
            joined = enlarged_map if joined is None else torch.maximum(joined, enlarged_map)
    return joined


def scales_of(levels: Sequence[Level], dilations: Sequence[int]) -> tuple[int, ...]:
    """Return a model's dilations in pixels of the photo: s·2ⁿ of every level n that worked."""
    factors = [2**level.number for level in levels if level.worked] or [1]
    return tuple(sorted({factor * dilation for factor in factors for dilation in dilations}))


def joined_scale_weights(
    levels: Sequence[Level], dilations: Sequence[int], width: int, height: int, smaller: int = 1
) -> Tensor:
    """Return the mean α of the levels that worked, float16 (S, H, W) in the order of `scales_of`.

    `smaller` is as for `joined_uncertainty`.
    The weights of a pixel add up to 1. If no level worked, the first scale has the weight 1.
    """
    scales = scales_of(levels, dilations)
    kept = [
        (level, level.work.scale_weights)
        for level in levels
        if level.work is not None and level.work.scale_weights is not None
    ]
    if len(kept) == 1:
        level, weights = kept[0]
        return enlarge_map(weights, level, width, height, smaller)
    mixed = torch.zeros(len(scales), -(-height // smaller), -(-width // smaller), dtype=torch.float16)
    if not kept:
        mixed[0] = 1
    for level, weights in kept:
        for dilation, share in zip(dilations, enlarge_map(weights, level, width, height, smaller), strict=True):
            mixed[scales.index(dilation * 2**level.number)] += share / len(kept)
    return mixed


def mean_change(before: Tensor, after: Tensor) -> float:
    """Return the mean |after - before| in grey values, of colours (..., H, W) as they are kept."""
    total = 0.0
    for top in range(0, before.shape[-2], _ROWS_AT_A_TIME):
        rows = slice(top, top + _ROWS_AT_A_TIME)
        total += float((in_unit(after[..., rows, :]) - in_unit(before[..., rows, :])).abs().sum())
    return 255 * total / before.numel()
