"""What a restored photo is: the result, and all that the model knows about it.

D embedding size, H height, W width, S scales.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from opir.devices import computing_in, lack_of_memory_told
from opir.inference.error_bounds import Calibration
from opir.inference.inspector import Inspector
from opir.inference.levels import Level, carried_up, finished, joined_scale_weights, joined_uncertainty, scales_of
from opir.inference.mixing import mix, mix_part
from opir.inference.pixel import OperatorField, PixelInspection
from opir.model import OPIR
from opir.ops.colours import in_unit
from opir.ops.window import Window
from opir.photo import Photo, marked_as_own, save_photo, to_picture, write_photo
from opir.tasks import AUTO

Embedding = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Restoration:
    """A restored photo and what the model knows about it."""

    photo: Photo
    """The input."""
    levels: tuple[Level, ...]
    """What each level of the photo saw and did, from coarse to fine; the last one is the photo's own size."""
    restored_rgb: Tensor
    """The result, (3, H, W), sRGB in [0, 1]: float32, or uint8 grey values for an 8-bit photo of 8 megapixels and
    more (float16 for a grey one)."""
    asked: str
    """The task asked for, or "auto"."""
    seconds: float
    model: OPIR = field(repr=False)
    """What made it, on the processor, to look at single pixels again."""
    precision: torch.dtype
    """What the convolutions computed in."""
    stages: int = 2
    """How many stages were run on each level that worked."""
    keeps_scale_weights: bool = False
    """Whether α of the last stage was asked for."""
    spread: NDArray[np.float32] | None = None
    """Standard deviation of the results of `restore_thoroughly`, in grey values, (H, W)."""
    calibration: Calibration | None = field(default=None, repr=False)
    """What the uncertainty means in grey values; None for weights without a calibration."""

    @property
    def width(self) -> int:
        """In pixels."""
        return self.photo.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.photo.height

    @property
    def working_levels(self) -> tuple[Level, ...]:
        """The levels that did something, from coarse to fine."""
        return tuple(level for level in self.levels if level.worked)

    @property
    def decisive_level(self) -> Level:
        """The level that changed the photo most; where none worked, that of the photo's own size."""
        return max(self.working_levels, key=lambda level: level.change, default=self.levels[-1])

    @property
    def task(self) -> str:
        """The task asked for, or what looked likeliest to the decisive level; "auto" without a task-aware module."""
        return self.decisive_level.task if self.asked == AUTO else self.asked

    @property
    def task_probabilities(self) -> dict[str, float]:
        """What the photo looked like to the decisive level; empty for a model without the task-aware module."""
        return self.decisive_level.probabilities

    @property
    def embedding(self) -> Embedding | None:
        """e_t of what the decisive level saw, (D,)."""
        return self.decisive_level.embedding

    @property
    def task_embedding(self) -> Embedding | None:
        """e_t as the stages of the decisive level were given it, (D,)."""
        level = self.decisive_level
        return level.embedding if level.work is None else level.work.task_embedding

    @property
    def tiles(self) -> int:
        """In how many parts the finest level that worked was computed."""
        return next((level.work.tiles for level in reversed(self.levels) if level.work), 0)

    @cached_property
    def stage1_rgb(self) -> Tensor:
        """The result as it is before the last stage, as `restored_rgb`: Ĵ1 of the finest level that worked.

        That of a coarser level is applied to the photo as its result was. If no level worked, it is the photo.
        """
        for level in reversed(self.levels):
            if level.work is not None and level.number == 0:
                return level.work.first
            if level.work is not None:
                return finished(carried_up(self.photo.compact_rgb, level.number, level.work.first), self.photo)
        return self.photo.compact_rgb

    @cached_property
    def uncertainty(self) -> NDArray[np.float32 | np.float16]:
        """UM of stage 1, (H, W): 1 where nothing is changed, larger where it is hard to reconstruct.

        Of several levels that worked the largest at each pixel, each enlarged bilinearly; 1 where none worked.
        """
        return self.uncertainty_in()

    def uncertainty_in(self, smaller: int = 1) -> NDArray[np.float32 | np.float16]:
        """Return `uncertainty` so many times smaller, which must be a power of two, in less memory."""
        made = joined_uncertainty(self.levels, self.width, self.height, smaller)
        if made is None:
            size = -(-self.height // smaller), -(-self.width // smaller)
            return np.ones(size, np.float16 if self.photo.is_large else np.float32)
        return made.numpy()

    @property
    def scales(self) -> tuple[int, ...]:
        """The dilations that `scale_weights` are for, in pixels of the photo: s·2ⁿ of every level n that worked."""
        return scales_of(self.levels, self.model.config.scales)

    @cached_property
    def scale_weights(self) -> NDArray[np.float16] | None:
        """α of the last stage, (S, H, W), where it was asked for: the mean of the levels that worked."""
        return self.scale_weights_in()

    def scale_weights_in(self, smaller: int = 1) -> NDArray[np.float16] | None:
        """Return `scale_weights` so many times smaller, which must be a power of two, in less memory."""
        if not self.keeps_scale_weights:
            return None
        return joined_scale_weights(self.levels, self.model.config.scales, self.width, self.height, smaller).numpy()

    @property
    def nbytes(self) -> int:
        """The memory that it holds at the moment: pictures, what is kept of levels, and maps that were asked for."""
        held = [self.photo.pixels, *vars(self).values(), *self._inspector.begun.values()]
        for level in self.levels:
            held += [] if level.work is None else vars(level.work).values()
        sizes = {one.data_ptr(): one.nbytes for one in held if isinstance(one, Tensor)}
        sizes |= {one.ctypes.data: one.nbytes for one in held if isinstance(one, np.ndarray)}
        return sum(sizes.values())

    @cached_property
    def image(self) -> Image.Image:
        """The result as an 8-bit sRGB picture; `save` keeps the photo's own depth and profile."""
        return to_picture(self.restored_rgb, self.photo.alpha)

    @cached_property
    def stage1(self) -> Image.Image:
        """Stage 1's result as an 8-bit sRGB picture."""
        return to_picture(self.stage1_rgb, self.photo.alpha)

    @property
    def stage2_change(self) -> NDArray[np.float32]:
        """What stage 2 added to each colour, (3, H, W); zero after one stage."""
        return (in_unit(self.restored_rgb) - in_unit(self.stage1_rgb)).numpy()

    @property
    def error_bound(self) -> NDArray[np.float32] | None:
        """The error that nine pixels of ten stay below, mean over colours in grey values, (H, W); None if unknown."""
        return self.error_bound_of(self.uncertainty)

    def error_bound_of(self, uncertainty: NDArray[Any]) -> NDArray[np.float32] | None:
        """Return the bound for a map of this photo's uncertainty; None if unknown."""
        if self.calibration is None or self.calibration.stages != self.stages:
            return None
        return self.calibration.bound(uncertainty, self.task)

    def embed_stage1(self) -> Embedding | None:
        """Run the task encoder on stage 1's result at the decisive level: (D,), which no stage uses.

        The level's own embedding again where no level worked, and None after one stage.
        """
        work = self.decisive_level.work
        if self.stages == 1 or work is None:
            return None if self.stages == 1 else self.embedding
        first = work.first[None]
        with torch.inference_mode(), computing_in(self.precision, first.device):
            embedding = self.model.embed(first if first.dtype == torch.uint8 else first.clamp(0, 1))
        return None if embedding is None else embedding[0].float().numpy()

    def blend(self, strength: float = 1.0, protect: bool = False) -> Image.Image:
        """Show the photo and its restoration mixed.

        Args:
            strength: 0 is the photo, 1 the restoration.
            protect: keep the photo where the uncertainty is high.
        """
        return to_picture(self._mixed(strength, protect), self.photo.alpha)

    def cut(self, part: Window, strength: float = 1.0, protect: bool = False) -> tuple[Image.Image, Image.Image]:
        """Show a part of the photo, and the same part of the mix of `blend`, both without transparency."""
        uncertainty = self.uncertainty if protect else None
        mixed = mix_part(self.photo, self.restored_rgb, part, strength, uncertainty)
        return to_picture(self.photo.rgb_of(part)), to_picture(mixed)

    @lack_of_memory_told()
    def save(
        self,
        path: str | os.PathLike[str],
        strength: float = 1.0,
        protect: bool = False,
        quality: int | None = None,
        *,
        file_format: str | None = None,
        keep_time: bool = False,
    ) -> tuple[str, ...]:
        """Write the mix of `blend` with the photo's own depth, profile, transparency, date and camera.

        The ending of the path chooses the format, where `file_format` does not. Returns what the file lacks of the
        photo, and raises ValueError, as `opir.photo.save_photo` does.
        """
        rgb = self._mixed(strength, protect)
        return save_photo(marked_as_own(self.photo), path, quality, file_format, keep_time, rgb)

    @lack_of_memory_told()
    def write(self, file: BinaryIO, file_format: str | None = None, strength: float = 1.0) -> tuple[str, ...]:
        """Write the mix of `blend` to an open file, in the photo's own format where none is named; else as `save`."""
        return write_photo(marked_as_own(self.photo), file, file_format, rgb=self._mixed(strength))

    def _mixed(self, strength: float, protect: bool = False) -> Tensor:
        return mix(self.photo, self.restored_rgb, strength, self.uncertainty if protect else None)

    def inspect(self, x: int, y: int, task: str | None = None, level: int | None = None) -> PixelInspection:
        """Return the operator of one pixel.

        Args:
            x: column, 0 is the left one.
            y: row, 0 is the top one.
            task: "rain", "snow", "haze" or "clean": what the operator would be if every stage were given
                this task; None for what it was.
            level: whose operator, 0 for the photo's own size; None for the level that changed the pixel most.

        Raises:
            ValueError: for a pixel outside the photo, an unknown task or level, or a task of a model without the
                task-aware module.
        """
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise ValueError(f"expected a pixel inside the photo of {self.width}x{self.height}, got x={x}, y={y}")
        return self._inspector.pixel(x, y, self.task, task, level)

    def levels_at(self, x: int, y: int) -> tuple[Level, ...]:
        """Return the levels that did something, the one that changed this pixel most first."""
        return self._inspector.levels_at(x, y)

    def begun_with(self, level: int) -> Tensor:
        """Return what a level began with, x_n, (3, h, w): made again when first asked for, and kept."""
        return self._inspector.begun_with(level)

    def operators(
        self, window: tuple[int, int, int, int], task: str | None = None, level: int | None = None
    ) -> OperatorField:
        """Return the operators of all pixels of a part of the photo, as arrays: some 700 bytes a pixel.

        Args:
            window: left, top, right and bottom, the ends excluded.
            task: as of `inspect`.
            level: whose operators, 0 for the photo's own size; None for `decisive_level`.

        Raises:
            ValueError: for a window that is not inside the photo or has more than a million operators; else as
                `inspect`.
        """
        left, top, right, bottom = window
        if not (0 <= left < right <= self.width and 0 <= top < bottom <= self.height):
            raise ValueError(
                f"expected left, top, right, bottom inside the photo of {self.width}x{self.height}, got {window}"
            )
        number = self.decisive_level.number if level is None else level
        return self._inspector.window(Window(top, left, bottom, right), task, number)

    @cached_property
    def _inspector(self) -> Inspector:
        return Inspector(self.photo, self.levels, self.model, self.precision, self.stages)
