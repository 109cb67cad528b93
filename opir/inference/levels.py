"""What each level of a photo's pyramid saw and did, and what that makes of the photo.

D embedding size, H height, W width of the photo; h, w of a level; S scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from opir.ops.levels import in_unit
from opir.ops.pyramid import Change, build_pyramid, change_of, changed, changed_rows, enlarged, write_changed
from opir.ops.window import Window

_ROWS_AT_A_TIME = 256


@dataclass(frozen=True, eq=False)
class LevelWork:
    """What the stages made of a level that worked, on the processor, at the level's size."""

    told: NDArray[np.float32] | None
    """What every stage was told, (D,): the level's own embedding, or the prototype of the task asked for."""
    first: Tensor
    """Ĵ1, (3, h, w)."""
    restored: Tensor
    """The last stage's result, Ĵ2 or Ĵ1, (3, h, w)."""
    uncertainty: Tensor
    """UM of stage 1, (h, w)."""
    scale_weights: Tensor | None
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
    embedding: NDArray[np.float32] | None
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


class LevelPictures:
    """What each level began with, x_n, made again from the photo and what coarser levels made of it."""

    def __init__(self, photo: Tensor, levels: Sequence[Level]) -> None:
        """Go through the coarser levels.

        Args:
            photo: (3, H, W) in [0, 1], or uint8 grey values.
            levels: of the photo, from coarse to fine.
        """
        self._photo = photo[None]
        self._change: Change | None = None
        """What level 1 says of level 0."""
        self._coarser: dict[int, Tensor] = {}
        pyramid = build_pyramid(self._photo, len(levels))
        for level in levels[:-1]:
            coarse = pyramid[level.number].float()
            self._coarser[level.number] = coarse if self._change is None else changed(coarse, self._change)
            if self._change is not None:
                self._change = enlarged(self._change, level.height, level.width)
            if level.work is not None:
                self._change = change_of(coarse, level.work.restored[None].float())

    def part(self, number: int, window: Window) -> Tensor:
        """Return a part of a level, float32 (1, 3, rows, columns); its first row is even, and it may reach beyond."""
        if number > 0:
            return window.of(self._coarser[number])
        bottom = min(window.bottom, self._photo.shape[-2])
        if self._change is None:
            return in_unit(window.of(self._photo))
        rows = changed_rows(self._photo, self._change, window.top, bottom)
        return rows[..., window.left : window.right]

    def colour(self, number: int, place: tuple[int, int]) -> Tensor:
        """Return the colour at a row and column of a level, (3,), clamped to [0, 1]."""
        row, column = place
        top = row // 2 * 2
        return self.part(number, Window(top, column, top + 2, column + 1))[0, :, row - top, 0].clamp(0, 1)


def at_the_photos_size(photo: Tensor, levels: Sequence[Level], restored: Tensor) -> Tensor:
    """Return what the finest level that worked makes of the photo.

    Args:
        photo: (3, H, W) in [0, 1], or uint8 grey values.
        levels: of the photo, from coarse to fine.
        restored: of the finest level that worked, (3, h, w): its result, or that of its first stage.

    Returns:
        (3, H, W), typed as the photo, in [0, 1] where it is floats.
    """
    number = min(level.number for level in levels if level.worked)
    if number == 0:
        return restored
    pyramid = build_pyramid(photo[None], number + 1)
    change = change_of(pyramid[number].float(), restored[None].float())
    for finer in range(number - 1, 0, -1):
        change = enlarged(change, *pyramid[finer].shape[-2:])
    made = torch.empty_like(photo)
    write_changed(photo[None], change, made[None])
    return made.clamp_(0, 1) if made.is_floating_point() else made


def enlarge_map(values: Tensor, level: Level, width: int, height: int) -> Tensor:
    """Return a map of a level, (C, h, w), at the photo's size, bilinearly: (C, height, width) of the same type."""
    if level.number == 0:
        return values
    grown = F.interpolate(values[None].float(), scale_factor=2**level.number, mode="bilinear", align_corners=False)
    return grown[0, :, :height, :width].to(values.dtype)


def mean_change(before: Tensor, after: Tensor) -> float:
    """Return the mean |after - before| in grey values, of colours (..., H, W) as they are kept."""
    total = 0.0
    for top in range(0, before.shape[-2], _ROWS_AT_A_TIME):
        rows = slice(top, top + _ROWS_AT_A_TIME)
        total += float((in_unit(after[..., rows, :]) - in_unit(before[..., rows, :])).abs().sum())
    return 255 * total / before.numel()
