"""Restoring photos of any size on any device: photo in, `Restoration` out.

D embedding size, H height, W width, S scales.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from opir.devices import (
    choose_device,
    choose_precision,
    computing_in,
    lack_of_memory_told,
    reuse_freed_memory,
    work_after_forks,
)
from opir.inference.coarse_to_fine import CoarseToFine
from opir.inference.error_bounds import find_calibration
from opir.inference.level_choice import LevelChoice, parse_levels
from opir.inference.restoration import Restoration
from opir.inference.tiled_level import LevelSettings, Progress, TiledLevel
from opir.inference.tiling import choose_window_pixels
from opir.model import OPIR, fused_tail
from opir.model.checkpoint import SHIPPED_FOLDER, CheckpointInfo, load_model
from opir.photo import Photo, Source, load_photo
from opir.tasks import AUTO, Task


class Restorer:
    """A model on a device, ready for photos of any size. It keeps nothing of what it restores."""

    def __init__(
        self,
        model: OPIR,
        device: str = "auto",
        precision: str = "auto",
        info: CheckpointInfo | None = None,
        fused: bool = True,
    ) -> None:
        """Move a model to a device.

        Args:
            model: what restores; it is put into eval mode.
            device: "auto" takes a CUDA GPU where there is one; else as PyTorch names devices.
            precision: "fp32", "bf16", or "auto": bf16 where the device computes in it.
            info: where the weights come from.
            fused: on a CPU with Numba, filter in one compiled pass: the same result to 1e-5, sooner.

        Raises:
            ValueError: for an unknown device or precision.
        """
        self.fused = fused and fused_tail.is_available()
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        if self.device.type == "cpu":
            reuse_freed_memory()
            work_after_forks()
        self.model = model.eval()
        self.model.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        # A result may be inspected after a GPU was given back, so it gets a copy of the model on the CPU.
        self.model_on_processor = self.model if self.device.type == "cpu" else copy.deepcopy(self.model).cpu()
        self.info = info
        folders = [] if info is None else [info.path.parent, SHIPPED_FOLDER]
        self.calibration = None if info is None else find_calibration(info.sha256, folders)

    @classmethod
    def from_pretrained(cls, name: str = "lite", device: str = "auto", precision: str = "auto") -> Restorer:
        """Load weights by a shipped name, a folder, a .safetensors file or a hub id.

        Raises:
            ValueError: if there are none or they do not fit, or for an unknown device or precision.
        """
        model, info = load_model(name)
        return cls(model, device, precision, info)

    @lack_of_memory_told()
    @torch.inference_mode()
    def restore(
        self,
        photo: Source | Photo,
        task: str = AUTO,
        *,
        levels: Sequence[int] | str = "auto",
        tile: int | Literal["auto"] = "auto",
        stages: int | None = None,
        scale_weights: bool = False,
        progress: Progress | None = None,
    ) -> Restoration:
        """Restore one photo, from the coarsest level of its pyramid to the finest.

        x_n = I_n + ↑(Ĵ_{n+1} − I_{n+1}), and Ĵ_n is what the stages make of x_n, or x_n itself where they find
        nothing to do (`opir.inference.level_choice`).

        Args:
            photo: what `opir.photo.load_photo` reads, or a `Photo`.
            task: "rain", "snow", "haze" or "clean"; "auto" goes by each level's own embedding.
            levels: which levels work, such as (0, 2): 0 is the photo's own size, n the mean of 2ⁿ×2ⁿ pixels; "auto"
                for those that show weather.
            tile: side of the parts that are computed one at a time, which changes memory and not the result;
                0 for the whole at once, "auto" for parts above 2.5 megapixels that fit the free memory. Where a GPU
                runs out of memory, parts are halved and the work goes on.
            stages: how many stages to run; None for all, 1 for a fast result.
            scale_weights: keep those of the last stage.
            progress: called with the number of parts done and of those known to be needed.

        Raises:
            ValueError: for a photo that can not be read, or an option out of range.
            MemoryError: where the memory is too little.
        """
        choice = LevelChoice(parse_levels(levels), self._parse_task(task))
        num_stages = self._parse_stages(stages)
        photo = photo if isinstance(photo, Photo) else load_photo(photo)
        started = time.perf_counter()
        kept = torch.float16 if photo.is_large else torch.float32
        window = choose_window_pixels(photo.height * photo.width)
        rounds = not photo.is_grey
        settings = LevelSettings(num_stages, self.precision, self.fused, kept, rounds, scale_weights, window)
        run = TiledLevel(self.model, settings, tile, progress)
        levels_done, restored = CoarseToFine(photo, choice, run).restore()
        return Restoration(
            photo=photo,
            levels=levels_done,
            restored_rgb=restored,
            asked=task,
            seconds=time.perf_counter() - started,
            model=self.model_on_processor,
            precision=self.precision,
            stages=num_stages,
            keeps_scale_weights=scale_weights,
            calibration=self.calibration,
        )

    @torch.inference_mode()
    def embed(self, photos: Tensor) -> Tensor | None:
        """Return the embeddings of whole photos, computed in the same precision as for a restoration.

        Args:
            photos: (B, 3, H, W) on the restorer's device, in [0, 1], or uint8 grey values.

        Returns:
            e_t, float32 (B, D); None for a model without the task-aware module.
        """
        with computing_in(self.precision, self.device):
            return self.model.embed(photos)

    def _parse_task(self, name: str) -> Task | None:
        if name == AUTO:
            return None
        task = Task.parse(name, or_auto=True)
        if not self.model.config.task_aware:
            raise ValueError(f'this model has no task-aware module and takes no task: use "{AUTO}", got "{name}"')
        return task

    def _parse_stages(self, stages: int | None) -> int:
        available = self.model.config.num_stages
        if stages is None:
            return available
        if not 1 <= stages <= available:
            raise ValueError(f"stages must be 1 to {available} for this model, got {stages}")
        return stages
