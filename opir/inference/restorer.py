"""Restoring photos of any size on any device: photo in, `Restoration` out.

D embedding size, H height, W width, S scales.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opir.devices import (
    choose_device,
    choose_precision,
    computing_in,
    give_back_freed_memory,
    reuse_freed_memory,
    work_after_forks,
)
from opir.inference.error_bounds import find_calibration
from opir.inference.level_choice import LevelChoice, parse_levels
from opir.inference.levels import Level, LevelWork, mean_change
from opir.inference.restoration import Restoration
from opir.inference.tiled_level import LevelSettings, Progress, TiledLevel, TiledResult
from opir.inference.tiling import Memory
from opir.model import OPIR, fused_tail
from opir.model.checkpoint import SHIPPED_FOLDER, CheckpointInfo, load_model
from opir.ops.colours import in_grey_values
from opir.ops.pyramid import Change, change_of, down, enlarged, write_changed
from opir.photo.photo import Photo, Source, is_compact, load_photo
from opir.tasks import AUTO, Task


class _View(NamedTuple):
    """What a level looks like after what coarser levels did."""

    picture: Tensor
    """x_n, (1, 3, h, w)."""
    embedding: Tensor | None
    """e_t of it, (1, D)."""
    probabilities: dict[str, float]


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
                0 for the whole at once, "auto" for parts above 4 megapixels that fit the free memory. Where a GPU
                runs out of memory, parts are halved and the work goes on.
            stages: how many stages to run; None for all, 1 for a fast result.
            scale_weights: keep those of the last stage.
            progress: called with the number of parts done and of those known to be needed.

        Raises:
            ValueError: for a photo that can not be read, or an option out of range.
        """
        choice = LevelChoice(parse_levels(levels), self._parse_task(task))
        num_stages = self._parse_stages(stages)
        photo = photo if isinstance(photo, Photo) else load_photo(photo, compact=True)
        started = time.perf_counter()
        kept = torch.float16 if is_compact(photo) else torch.float32
        settings = LevelSettings(num_stages, self.precision, self.fused, kept, not photo.is_grey, scale_weights)
        run = TiledLevel(self.model, settings, Memory.for_photo(photo, self.device), tile, progress)
        done, restored = self._climb(photo, choice, run)
        _spare_memory(photo)
        return Restoration(
            photo=photo,
            levels=tuple(done),
            restored_rgb=_finish(restored[0].cpu(), photo),
            asked=task,
            seconds=time.perf_counter() - started,
            model=self.model,
            precision=self.precision,
            stages=num_stages,
            keeps_scale_weights=scale_weights,
            calibration=self.calibration,
        )

    def _climb(self, photo: Photo, choice: LevelChoice, run: TiledLevel) -> tuple[list[Level], Tensor]:
        """Work from coarse to fine: what each level did, and Ĵ_0, (1, 3, H, W)."""
        pyramid = [photo.rgb[None].to(self.device)]
        for _ in range(1, choice.count_levels(photo.height, photo.width)):
            pyramid.append(down(pyramid[-1]).to(run.settings.kept))
        views = [self._look(picture) for picture in pyramid]
        choice.look([view.probabilities for view in views])
        done: list[Level] = []
        while views:
            _spare_memory(photo)
            done.append(self._pass_level(photo, choice, run, pyramid, views))
        return done, pyramid[0]

    def _pass_level(
        self, photo: Photo, choice: LevelChoice, run: TiledLevel, pyramid: list[Tensor], views: list[_View]
    ) -> Level:
        """Do what is to be done at the coarsest level that is left, and take it from both lists.

        Every finer level then begins with its change. At the photo's own size the result takes the photo's place.
        """
        view, number = views.pop(), len(views)
        works = choice.works(number, view.probabilities)
        task_embedding = (
            None if view.embedding is None else self.model.choose_task_embedding(view.embedding, choice.task)
        )
        made = run.restore(view.picture, task_embedding) if works else None
        if number == 0:
            pyramid[0] = view.picture if made is None else made.restored
        elif made is not None:
            self._carry_up(change_of(pyramid[number], made.restored), pyramid, views)
            choice.look([finer.probabilities for finer in views])
        del pyramid[max(number, 1) :]
        return _level(number, view, task_embedding, made, photo)

    def _carry_up(self, change: Change, pyramid: list[Tensor], views: list[_View]) -> None:
        """Let every finer level begin with the change of the last one, and look at it anew."""
        for number in reversed(range(len(views))):
            picture = torch.empty_like(pyramid[number])
            write_changed(pyramid[number], change, picture)
            views[number] = self._look(picture)
            if number:
                change = enlarged(change, *picture.shape[-2:])

    def _look(self, picture: Tensor) -> _View:
        embedding = self.embed(picture)
        return _View(picture, embedding, self._task_probabilities(embedding))

    @torch.inference_mode()
    def embed(self, photos: Tensor) -> Tensor | None:
        """Return what the weather of whole photos looks like to the model, computed as photos are restored.

        Args:
            photos: (B, 3, H, W) on the restorer's device, in [0, 1], or uint8 grey values.

        Returns:
            e_t, float32 (B, D); None for a model without the task-aware module.
        """
        with computing_in(self.precision, self.device):
            return self.model.embed(photos)

    def _task_probabilities(self, embedding: Tensor | None) -> dict[str, float]:
        if embedding is None:
            return {}
        probabilities = self.model.task_probabilities(embedding)[0].tolist()
        return {task.label: probability for task, probability in zip(Task, probabilities, strict=True)}

    def _parse_task(self, name: str) -> Task | None:
        if name == AUTO:
            return None
        task = Task.parse(name)
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


def _spare_memory(photo: Photo) -> None:
    """Give freed memory back before more is made of a large photo: holes are seldom of the size that it asks for."""
    if is_compact(photo):
        give_back_freed_memory()


def _level(number: int, view: _View, task_embedding: Tensor | None, made: TiledResult | None, photo: Photo) -> Level:
    """Say what a level saw and did, with all that is kept of it on the processor."""
    height, width = view.picture.shape[-2:]
    work, change = None, 0.0
    if made is not None:
        change = mean_change(view.picture, made.restored)
        first, restored = made.first[0].cpu(), made.restored[0].cpu()
        if number == 0:
            first, restored = _finish(first, photo), _finish(restored, photo)
        elif is_compact(photo):
            first, restored = in_grey_values(first), in_grey_values(restored)
        weights = None if made.scale_weights is None else made.scale_weights[0]
        work = LevelWork(
            _to_array(task_embedding), first, restored, made.uncertainty[0, 0].cpu(), weights, made.tiles
        )
    return Level(
        number,
        width,
        height,
        view.probabilities,
        _to_array(view.embedding),
        change,
        work,
    )


def _finish(rgb: Tensor, photo: Photo) -> Tensor:
    """Clamp a result of the photo's size, (3, H, W); a grey photo's stays grey."""
    return photo.with_rgb(rgb.clamp(0, 1) if rgb.is_floating_point() else rgb).rgb


def _to_array(embedding: Tensor | None) -> NDArray[np.float32] | None:
    return None if embedding is None else embedding[0].float().cpu().numpy()
