"""The inverse operators of a pixel or of a part of a photo, computed again from the pixels that they depend on.

C kernel channels (1 or 3), D embedding size, H height, W width, S scales; h, w of the part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, cat

from opir.model import OPIR
from opir.model.inverse_operator import Operators, Strip
from opir.ops.colours import in_unit
from opir.ops.padding import pad_to_multiple
from opir.ops.window import Window

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class StageOperator:
    """What one stage predicted for the pixel, and the colour it gave."""

    kernels: Floats
    """K, (C, 3, 3): rows and columns are δ from -1 to 1."""
    modulation: Floats
    """m, (C, 3, 3); all 1 in a model without the task-aware module."""
    modulated_kernels: Floats
    """K̃ = K·m, (C, 3, 3), what the photo was filtered with."""
    scale_weights: Floats
    """α, (S,), summing to 1."""
    gain: Floats
    """Σ K̃ of each kernel, (C,): above 1 it brightens an even surface, below 1 it darkens it."""
    uncertainty: float
    """UM of Eq. 11 times 9: 1 where nothing is changed."""
    restored: Floats
    """The stage's red, green and blue, (3,), not clamped."""

    def to_dict(self) -> dict[str, Any]:
        """Return lists and numbers that JSON can hold."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in values.items()}


@dataclass(frozen=True, eq=False)
class StageOperators:
    """The same of every pixel of a part of a level, all float32."""

    kernels: Floats
    """K, (C, 3, 3, h, w)."""
    modulation: Floats
    """m, (C, 3, 3, h, w)."""
    modulated_kernels: Floats
    """K̃, (C, 3, 3, h, w)."""
    scale_weights: Floats
    """α, (S, h, w)."""
    uncertainty: Floats
    """UM, (h, w)."""
    restored: Floats
    """Red, green and blue, (3, h, w), not clamped."""

    def at(self, row: int, column: int) -> StageOperator:
        """Return one pixel's."""
        values = {name: getattr(self, name)[..., row, column] for name in self.__dataclass_fields__}
        gain = values["modulated_kernels"].sum(axis=(1, 2))
        return StageOperator(**values | {"gain": gain, "uncertainty": float(values["uncertainty"])})


@dataclass(frozen=True, eq=False)
class OperatorField:
    """All operators of a part of a photo."""

    level: int
    """The level, n: each operator is for 2ⁿ×2ⁿ pixels of the photo."""
    worked: bool
    """Whether the level worked; else the operators are what they would have been."""
    window: Window
    """The part, in pixels of the level."""
    scales: tuple[int, ...]
    """The dilations, in pixels of the photo."""
    before: Floats
    """What the level begins with, (3, h, w) in [0, 1]."""
    stages: tuple[StageOperators, ...]


@dataclass(frozen=True, eq=False)
class PixelInspection:
    """One pixel of a photo on its way through the stages."""

    x: int
    y: int
    task: str
    level: int
    """The level, n: the operator is for 2ⁿ×2ⁿ pixels of the photo, on a grid that begins in its top left corner."""
    worked: bool
    """Whether the level worked; else the operator is what it would have been."""
    scales: tuple[int, ...]
    """The dilations, in pixels of the photo."""
    before: Floats
    """What the level begins with, red, green and blue, (3,) in [0, 1]: at the photo's own size, and where no coarser
    level worked, the photo's colour."""
    stages: tuple[StageOperator, ...]

    @property
    def stage1(self) -> Floats:
        """The colour after stage 1, (3,) in [0, 1]."""
        return np.clip(self.stages[0].restored, 0, 1)

    @property
    def after(self) -> Floats:
        """The colour that the level ends with, (3,) in [0, 1]."""
        return np.clip(self.stages[-1].restored, 0, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return lists and numbers that JSON can hold."""
        return {
            "x": self.x,
            "y": self.y,
            "task": self.task,
            "level": self.level,
            "worked": self.worked,
            "scales": list(self.scales),
            "before": self.before.tolist(),
            "stage1": self.stage1.tolist(),
            "after": self.after.tolist(),
            "stages": [stage.to_dict() for stage in self.stages],
        }

    def describe(self) -> str:
        """Return it as lines for a terminal; colours as grey values from 0 to 255."""
        size = "the photo's size" if self.level == 0 else f"1/{2**self.level} of the photo's size"
        place = f"pixel {self.x},{self.y}  task {self.task}  level {self.level} ({size})"
        if not self.worked:
            place += "  nothing was done there: the operator is what it would have been"
        lines = [place, f"before  {_grey_values(self.before)}"]
        for number, stage in enumerate(self.stages, start=1):
            weights = ", ".join(f"{w:.0%} at {s}" for s, w in zip(self.scales, stage.scale_weights, strict=True))
            lines += ["", f"stage {number}  uncertainty {stage.uncertainty:.3f}  reach {weights}"]
            colours = ("red", "green", "blue") if len(stage.gain) == 3 else ("all colours",)
            for colour, kernel, gain in zip(colours, stage.modulated_kernels, stage.gain, strict=True):
                lines.append(f"  {colour}  gain {gain:.3f}")
                lines += ["    " + " ".join(f"{value:8.4f}" for value in row) for row in kernel]
            lines.append(f"after stage {number}  {_grey_values(stage.restored)}")
        return "\n".join(lines)


def _grey_values(colour: Floats) -> str:
    return "RGB " + " ".join(f"{255 * value:.1f}" for value in colour)


def inspect_window(
    model: OPIR, picture: Tensor, task_embedding: Tensor | None, window: Window, stages: int = 2
) -> tuple[StageOperators, ...]:
    """Run the stages on the receptive field of a part of a level; the result equals that of the whole level.

    Args:
        model: in eval mode, on the processor.
        picture: x_n, (3, H, W) in [0, 1], or uint8 grey values.
        task_embedding: e_t, (1, D).
        window: the part.
        stages: how many to run.
    """
    stride = model.stride
    height, width = (-(-side // stride) * stride for side in picture.shape[-2:])  # as the whole picture is padded to
    # The part that each stage has to make, from the last stage back to the picture that stage 1 sees.
    windows = [window.aligned(stride)]
    for _ in range(stages):
        windows.append(windows[-1].grown(model.halo, height, width))
    around = windows.pop()
    # Only this part is padded: copying a large photo would take longer than computing the operator.
    image, uncertainty = pad_to_multiple(in_unit(around.of(picture[None])), stride), None
    made = []
    for index in range(stages):
        inner = windows.pop()
        looked_at, strips, operators = window.within(inner), [], []
        for strip in model.stage_strips(
            index, image, task_embedding, uncertainty, inner.within(around), with_operators=True
        ):
            operators += _within(strip, looked_at)  # those of all that stage 2 sees would take 100 MB
            strips.append((strip.restored, strip.uncertainty))
        image, uncertainty = (cat(parts, dim=2) for parts in zip(*strips, strict=True))
        made.append(_of_window(operators, looked_at.of(image)))
        around = inner
    return tuple(made)


def _within(strip: Strip, window: Window) -> list[Operators]:
    """Return the operators of a strip that lie in a window: one set, or none."""
    assert strip.operators is not None
    top, bottom = max(window.top - strip.top, 0), min(window.bottom - strip.top, strip.restored.shape[-2])
    if top >= bottom:
        return []
    return [strip.operators.cut(Window(top, window.left, bottom, window.right))]


def _of_window(operators: list[Operators], restored: Tensor) -> StageOperators:
    def joined(name: str) -> Floats:
        return cat([getattr(rows, name) for rows in operators], dim=2)[0].float().numpy()

    def kernels_of(values: Floats) -> Floats:
        return values.reshape(-1, 3, 3, *values.shape[-2:])

    kernels = kernels_of(joined("kernels"))
    return StageOperators(
        kernels=kernels,
        modulation=np.ones_like(kernels) if operators[0].modulation is None else kernels_of(joined("modulation")),
        modulated_kernels=kernels_of(joined("modulated")),
        scale_weights=joined("scale_weights"),
        uncertainty=joined("uncertainty")[0],
        restored=restored[0].float().numpy(),
    )
