"""One level of the pyramid: all stages, one after the other, on one picture (Eqs. 8, 12 and 13)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from opir.model.inverse_operator import StageResult
from opir.ops.padding import crop, pad_to_multiple

RunStage = Callable[[int, Tensor, Tensor | None, Tensor | None], StageResult]
"""`OPIR.run_stage`."""


@dataclass(frozen=True)
class LevelResult:
    """What one level computed for a batch, at the level's size."""

    level: int
    """n: a pixel is the mean of 2ⁿ×2ⁿ pixels of the photo."""
    picture: Tensor
    """x_n, what the level looks like after the coarser ones, (B, 3, h, w)."""
    embedding: Tensor | None
    """e_t of the picture, (B, D), for all stages; None for a model without the task-aware module."""
    stages: tuple[StageResult, ...]
    restored: Tensor
    """Ĵ_n, (B, 3, h, w), not clamped: the last stage's result, or the picture where the level was passed by."""


def restore_level(
    run_stage: RunStage,
    level: int,
    picture: Tensor,
    embedding: Tensor | None,
    num_stages: int,
    stride: int,
    works: Tensor | None = None,
) -> LevelResult:
    """Run the stages on a level.

    Args:
        run_stage: `OPIR.run_stage`.
        level: n.
        picture: x_n, (B, 3, h, w) of any size.
        embedding: e_t for the stages, (B, D).
        num_stages: how many to run.
        stride: of the model; the picture is padded to its multiples.
        works: (B,) bool, False for photos whose level is passed by; None if it works for all.
    """
    height, width = picture.shape[-2:]
    image, uncertainty = pad_to_multiple(picture, stride), None
    stages: list[StageResult] = []
    for index in range(num_stages):
        result = run_stage(index, image, embedding, uncertainty)
        image, uncertainty = result.restored, result.uncertainty
        stages.append(_cropped(result, height, width))
    restored = stages[-1].restored
    if works is not None:
        restored = torch.where(works[:, None, None, None], restored, picture)
    return LevelResult(level, picture, embedding, tuple(stages), restored)


def _cropped(result: StageResult, height: int, width: int) -> StageResult:
    cropped: dict[str, Any] = {
        name: None if values is None else crop(values, height, width) for name, values in vars(result).items()
    }
    return StageResult(**cropped)
