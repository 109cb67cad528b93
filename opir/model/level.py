"""One level of the pyramid: all stages, one after the other, on one picture (Eqs. 8, 12 and 13)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from opir.model.inverse_operator import StageResult
from opir.ops.padding import crop, pad_to_multiple

RunStage = Callable[[int, Tensor, Tensor | None, Tensor | None], StageResult]
"""`OPIR.run_stage`."""


@dataclass(frozen=True)
class LevelResult:
    """What one level computed for a batch, at the level's size."""

    picture: Tensor
    """x_n, what the level looks like after the coarser ones, (B, 3, h, w)."""
    stages: tuple[StageResult, ...]
    """Of all stages that were run; the last one's restoration is Ĵ_n."""


def restore_level(
    run_stage: RunStage, picture: Tensor, embedding: Tensor | None, num_stages: int, stride: int
) -> LevelResult:
    """Run the stages on a level.

    Args:
        run_stage: `OPIR.run_stage`.
        picture: x_n, (B, 3, h, w) of any size.
        embedding: e_t for the stages, (B, D).
        num_stages: how many to run.
        stride: of the model; the picture is padded to its multiples.
    """
    height, width = picture.shape[-2:]
    image, uncertainty = pad_to_multiple(picture, stride), None
    stages: list[StageResult] = []
    for index in range(num_stages):
        result = run_stage(index, image, embedding, uncertainty)
        image, uncertainty = result.restored, result.uncertainty
        stages.append(_cropped(result, height, width))
    return LevelResult(picture, tuple(stages))


def _cropped(result: StageResult, height: int, width: int) -> StageResult:
    cropped: dict[str, Any] = {
        name: None if values is None else crop(values, height, width) for name, values in vars(result).items()
    }
    return StageResult(**cropped)
