"""What a restored photo is: the result, and all that the model knows about it.

D embedding size, H height, W width, S scales.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from opir.devices import computing_in
from opir.inference.error_bounds import Calibration
from opir.inference.pixel import PixelInspection, inspect_pixel
from opir.model import OPIR
from opir.ops.levels import in_unit, keep
from opir.ops.window import Window
from opir.photo.photo import Photo, save_photo, to_picture
from opir.tasks import Task

DOUBTFUL_FROM, DOUBTFUL_TO = 1.5, 3.0
"""The uncertainty from which `protect` starts to keep the input, and from which it keeps it wholly."""
_ROWS_AT_A_TIME = 256  # a large photo is never copied as a whole


@dataclass(frozen=True, eq=False)
class Restoration:
    """A restored photo and what the model knows about it."""

    photo: Photo
    """The input."""
    stage1_rgb: Tensor
    """Ĵ1, (3, H, W), sRGB in [0, 1]: float32, or float16 for an 8-bit photo of 16 megapixels and more;
    `restored_rgb` itself after one stage."""
    restored_rgb: Tensor
    """The last stage's result, Ĵ2 or Ĵ1, as `stage1_rgb`; uint8 levels where the photo is kept so and is not grey."""
    uncertainty: NDArray[np.float32 | np.float16]
    """UM of stage 1, (H, W): 1 where nothing is changed, larger where it is hard to reconstruct. Typed as Ĵ1."""
    scale_weights: NDArray[np.float16] | None
    """α of the last stage, (S, H, W), where it was asked for."""
    task: str
    """The task asked for, or the likeliest one; "auto" where the model has no task-aware module."""
    task_probabilities: dict[str, float]
    """What the photo itself looks like; empty for a model without the task-aware module."""
    embedding: NDArray[np.float32] | None
    """The photo's own embedding e_t, (D,)."""
    task_embedding: NDArray[np.float32] | None
    """What both stages were told, (D,): the photo's own embedding, or the prototype of the task asked for."""
    tiles: int
    seconds: float
    model: OPIR = field(repr=False)
    """What made it, to look at single pixels again."""
    precision: torch.dtype
    """What the convolutions computed in."""
    operator_scale: int = 1
    """How many times smaller than the photo the copy was to be that the operators were predicted on."""
    predicted_scale: int = 1
    """How many times smaller it was: that of a hazy photo goes by the scene."""
    stages: int = 2
    """How many stages were run."""
    calibration: Calibration | None = field(default=None, repr=False)
    """What the uncertainty means in grey levels, where the weights come with it."""

    @property
    def width(self) -> int:
        """In pixels."""
        return self.photo.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.photo.height

    @property
    def scales(self) -> tuple[int, ...]:
        """The dilations s that `scale_weights` are for."""
        return self.model.config.scales

    @cached_property
    def image(self) -> Image.Image:
        """The result as an 8-bit sRGB picture; `save` keeps the photo's own depth and profile."""
        return to_picture(self.restored_rgb, self.photo.alpha)

    @cached_property
    def stage1(self) -> Image.Image:
        """Stage 1's result as an 8-bit sRGB picture."""
        return to_picture(self.stage1_rgb, self.photo.alpha)

    @cached_property
    def stage2_embedding(self) -> NDArray[np.float32] | None:
        """The embedding of stage 1's result, (D,), made when asked for: no stage uses it. None after one stage."""
        if self.stages == 1:
            return None
        with torch.inference_mode(), computing_in(self.precision, self._device):
            embedding = self.model.embed(self.stage1_rgb[None].to(self._device))
        return None if embedding is None else embedding[0].float().cpu().numpy()

    @property
    def stage2_change(self) -> NDArray[np.float32]:
        """What stage 2 added to each colour, (3, H, W); zero after one stage."""
        return (in_unit(self.restored_rgb) - in_unit(self.stage1_rgb)).numpy()

    @property
    def error_bound(self) -> NDArray[np.float32] | None:
        """The error that nine pixels of ten stay below: mean over colours in levels of 255, float32 (H, W).

        None where the weights carry no calibration, and for a result that it was not made for: of fewer stages,
        or with an `operator_scale` other than 1. A hazy photo's small copy is part of what it is made for.
        """
        made_for_this = self.calibration is not None and self.calibration.stages == self.stages
        if self.calibration is None or not made_for_this or self.operator_scale != 1:
            return None
        return self.calibration.bound(self.uncertainty, self.task)

    def blend(self, strength: float = 1.0, protect: bool = False) -> Image.Image:
        """Show the photo and its restoration mixed.

        Args:
            strength: 0 is the photo, 1 the restoration.
            protect: keep the photo where the uncertainty is high.
        """
        return to_picture(self._mixed(strength, protect), self.photo.alpha)

    def cut(self, part: Window, strength: float = 1.0, protect: bool = False) -> tuple[Image.Image, Image.Image]:
        """Show a part of the photo and the same part of `blend`, as 8-bit sRGB without transparency.

        Args:
            part: inside the photo.
            strength: 0 is the photo, 1 the restoration.
            protect: keep the photo where the uncertainty is high.
        """
        before = in_unit(part.of(self.photo.rgb))
        return to_picture(before), to_picture(self._mixed_part(part, strength, protect))

    def save(
        self,
        path: str | os.PathLike[str],
        strength: float = 1.0,
        protect: bool = False,
        quality: int | None = None,
    ) -> None:
        """Write the mix of `blend` with the photo's own depth, profile, transparency, date and camera.

        The ending of the path chooses the format. Raises ValueError as `opir.photo.save_photo` does.
        """
        save_photo(self.photo.with_rgb(self._mixed(strength, protect)), path, quality)

    def inspect(self, x: int, y: int, task: str | None = None) -> PixelInspection:
        """Return the operator of one pixel.

        Args:
            x: column, 0 is the left one.
            y: row, 0 is the top one.
            task: "rain", "snow", "haze" or "clean": what the operator would be if every stage were told this
                task; None for what it was.

        Raises:
            ValueError: for a pixel outside the photo, an unknown task, a model without the task-aware module, or
                an `operator_scale` other than 1.
        """
        if self.operator_scale != 1:
            raise ValueError(f"to look at a pixel, restore with operator_scale=1, not {self.operator_scale}")
        with torch.inference_mode(), computing_in(self.precision, self._device):
            told = self._told(self._device) if task is None else self._prototype(task)
            photo = self.photo.rgb.to(self._device)  # as it is kept: only the part that is looked at is computed with
            stages = inspect_pixel(self.model, photo, told, x, y, self.stages, self.predicted_scale)
        named = self.task if task is None else task
        return PixelInspection(x, y, named, self.scales, in_unit(self.photo.rgb[:, y, x]).numpy(), stages)

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _told(self, device: torch.device) -> Tensor | None:
        return None if self.task_embedding is None else torch.from_numpy(self.task_embedding)[None].to(device)

    def _prototype(self, task: str) -> Tensor:
        prototype = self.model.prototype(Task.parse(task))
        if prototype is None:
            raise ValueError(f'this model has no task-aware module, so it knows no task, got "{task}"')
        return prototype

    def _mixed(self, strength: float, protect: bool) -> Tensor:
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be between 0 (the photo) and 1 (the restoration), got {strength}")
        if strength == 1 and not protect:
            return self.restored_rgb
        mixed = torch.empty_like(self.restored_rgb)
        for top in range(0, self.height, _ROWS_AT_A_TIME):
            rows = Window(top, 0, min(top + _ROWS_AT_A_TIME, self.height), self.width)
            keep(self._mixed_part(rows, strength, protect), rows.of(mixed))
        return mixed

    def _mixed_part(self, part: Window, strength: float, protect: bool) -> Tensor:
        share: Tensor | float = strength
        if protect:
            uncertainty = part.of(torch.from_numpy(self.uncertainty)).float()
            doubt = (uncertainty - DOUBTFUL_FROM) / (DOUBTFUL_TO - DOUBTFUL_FROM)
            share = strength * (1 - doubt.clamp(0, 1))
        return torch.lerp(in_unit(part.of(self.photo.rgb)), in_unit(part.of(self.restored_rgb)), share)
