"""Restoring photos of any size on any device: photo in, `Restoration` out.

D embedding size, H height, W width, S scales.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
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
    giving_back_freed_memory,
    reuse_freed_memory,
    work_after_forks,
)
from opir.inference.error_bounds import find_calibration
from opir.inference.operator_scales import SCENE_TILE, choose_operator_scale, scene_scale
from opir.inference.parts import memory_for, plan_parts
from opir.inference.restoration import Restoration
from opir.inference.tiling import cut_window
from opir.model import OPIR, fused_tail
from opir.model.checkpoint import SHIPPED_FOLDER, CheckpointInfo, load_model
from opir.ops.levels import in_unit, keep
from opir.ops.padding import crop, pad_to_multiple
from opir.ops.window import Window
from opir.photo.photo import Photo, Source, is_compact, load_photo
from opir.tasks import AUTO, Task

Progress = Callable[[int, int], object]


class _StageInput(NamedTuple):
    """What a stage works on, at the size of the padded photo."""

    stage: int
    image: Tensor
    task_embedding: Tensor | None
    uncertainty: Tensor | None
    operator_scale: int
    kept: torch.dtype
    """What the uncertainty is kept in."""
    colours: torch.dtype
    """What the result is kept in: uint8 for levels."""
    keeps_scale_weights: bool


class _StageOutput(NamedTuple):
    """What the tiles of one stage make together, at the size of the padded photo."""

    restored: Tensor
    uncertainty: Tensor | None
    """None after the last of two stages, where nothing asks for it."""
    scale_weights: Tensor | None


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
            info: where the weights come from; a calibration that was made for them is looked for beside them.
            fused: on a CPU with Numba, filter in one compiled pass: the same result to 1e-5, sooner.

        Raises:
            ValueError: for an unknown device or precision, or if a file beside the weights is named as a calibration
                and is none.
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
        self.calibration = None if info is None else find_calibration(info.sha256, (info.path.parent, SHIPPED_FOLDER))

    @classmethod
    def from_pretrained(cls, name: str = "lite", device: str = "auto", precision: str = "auto") -> Restorer:
        """Load weights by a shipped name, a folder, a .safetensors file or a hub id.

        Raises:
            ValueError: if there are none or they do not fit, or as for a new `Restorer`.
        """
        model, info = load_model(name)
        return cls(model, device, precision, info)

    @torch.inference_mode()
    def restore(
        self,
        photo: Source | Photo,
        task: str = AUTO,
        *,
        tile: int | Literal["auto"] = "auto",
        stages: int | None = None,
        scale_weights: bool = False,
        operator_scale: int | Literal["auto"] = 1,
        progress: Progress | None = None,
    ) -> Restoration:
        """Restore one photo.

        Args:
            photo: what `opir.photo.load_photo` reads, or a `Photo`.
            task: "rain", "snow", "haze" or "clean"; "auto" goes by the photo's own embedding.
            tile: side of the parts that are computed one at a time, which changes memory and not the result;
                0 for the whole at once, "auto" for parts above 4 megapixels that fit the free memory. Where a GPU
                runs out of memory, parts are halved and the work goes on.
            stages: how many stages to run; None for all, 1 for a fast result.
            scale_weights: keep those of the last stage.
            operator_scale: predict the operators on a copy of 1/1, 1/2 or 1/4 of the sides, and filter the photo
                itself with them at dilations as many times larger (Eq. 15): faster on a large photo. "auto"
                takes the least that leaves a copy of at most 12 megapixels, or 4. Those of a hazy photo are always
                predicted on a small copy (`scene_scale`): haze is told by the whole scene.
            progress: called with the number of parts done and their total.

        Raises:
            ValueError: for a photo that can not be read, or an option out of range.
        """
        chosen = self._parse_task(task)
        stages = self._parse_stages(stages)
        photo = photo if isinstance(photo, Photo) else load_photo(photo, compact=True)
        started = time.perf_counter()
        factor = choose_operator_scale(operator_scale, photo.width, photo.height)
        image = photo.rgb[None].to(self.device)
        own_embedding = self.embed(image)
        probabilities = self._task_probabilities(own_embedding)
        likeliest = max(probabilities, key=lambda name: probabilities[name], default=AUTO)
        task = likeliest if chosen is None else chosen.label
        scale = max(factor, scene_scale(photo.width, photo.height)) if task == Task.HAZE.label else factor
        image = pad_to_multiple(image, self.model.stride * scale)
        memory = memory_for(photo, self.device)
        height, width = (side // scale for side in image.shape[-2:])
        # The network sees next to nothing of a large hazy photo; what it makes is enlarged.
        longest = SCENE_TILE if scale > factor and is_compact(photo) else None
        tiles = plan_parts(self.model, height, width, tile, scale, memory, self.precision.itemsize, longest)
        report = _Count(progress, stages, stages * len(tiles))

        embedding = own_embedding if chosen is None else self.model.prototype(chosen)
        results: list[_StageOutput] = []
        kept = torch.float16 if is_compact(photo) else torch.float32
        if is_compact(photo):
            give_back_freed_memory()  # what decoding left
        with giving_back_freed_memory() if memory.is_short and len(tiles) > 1 else nullcontext():
            for index in range(stages):
                guide = results[-1].uncertainty if results else None
                is_last = index == stages - 1
                colours = torch.uint8 if is_last and photo.rgb.dtype == torch.uint8 and not photo.is_grey else kept
                keeps = is_last and scale_weights
                stage_input = _StageInput(index, image, embedding, guide, scale, kept, colours, keeps)
                results.append(self._run_stage(stage_input, tiles, report))
                image = results[-1].restored
            del image
        if is_compact(photo):
            give_back_freed_memory()  # before a file of it is written

        weights, uncertainty = results[-1].scale_weights, results[0].uncertainty
        assert uncertainty is not None
        return Restoration(
            photo=photo,
            stage1_rgb=_finish(results[0].restored, photo),
            restored_rgb=_finish(results[-1].restored, photo),
            uncertainty=crop(uncertainty, photo.height, photo.width)[0, 0].cpu().numpy(),
            scale_weights=None if weights is None else crop(weights, photo.height, photo.width)[0].numpy(),
            task=task,
            task_probabilities=probabilities,
            embedding=_to_array(own_embedding),
            task_embedding=_to_array(embedding),
            tiles=len(tiles),
            seconds=time.perf_counter() - started,
            model=self.model,
            precision=self.precision,
            operator_scale=factor,
            predicted_scale=scale,
            stages=stages,
            calibration=self.calibration,
        )

    @torch.inference_mode()
    def embed(self, photos: Tensor) -> Tensor | None:
        """Return what the weather of whole photos looks like to the model, computed as photos are restored.

        Args:
            photos: (B, 3, H, W) on the restorer's device, in [0, 1], or uint8 levels.

        Returns:
            e_t, float32 (B, D); None for a model without the task-aware module.
        """
        with computing_in(self.precision, self.device):
            return self.model.embed(photos)

    def _run_stage(self, given: _StageInput, tiles: list[Window], report: _Count) -> _StageOutput:
        """Run a stage tile by tile; each sees as far around it as the stage looks, so no seam can arise.

        `tiles`, of the copy that operators are predicted on, is left as worked through: finer where memory was short.
        """
        height, width = given.image.shape[-2:]
        restored = torch.empty_like(given.image, dtype=given.colours)
        uncertainty = given.image.new_empty(1, 1, height, width, dtype=given.kept) if given.stage == 0 else None
        weights = None
        if given.keeps_scale_weights:
            weights = torch.empty(1, len(self.model.config.scales), height, width, dtype=torch.float16)
        output = _StageOutput(restored, uncertainty, weights)
        done: list[Window] = []
        waiting = tiles[::-1]
        while waiting:
            tile = waiting.pop()
            if not self._run_tile(given, tile, output):
                finer = self._halved([tile, *reversed(waiting)])
                report.grow(len(finer) - len(waiting) - 1, given.stage)
                waiting = finer[::-1]
                continue
            done.append(tile)
            report.advance()
        tiles[:] = done
        return output

    def _run_tile(self, given: _StageInput, tile: Window, output: _StageOutput) -> bool:
        """Run a stage on a tile of the reduced copy; False where a GPU has too little memory for it."""
        factor = given.operator_scale
        height, width = (side // factor for side in given.image.shape[-2:])
        window = tile.grown(self.model.halo, height, width)
        around, place = window.scaled(factor), tile.scaled(factor)
        seen = around.of(given.image)
        if seen.dtype == torch.uint8:
            seen = in_unit(seen, torch.float16)
        guide = None if given.uncertainty is None else around.of(given.uncertainty).float()
        try:
            with computing_in(self.precision, self.device):
                strips = self.model.stage_strips(
                    given.stage,
                    seen,
                    given.task_embedding,
                    guide,
                    factor,
                    tile.within(window),
                    fused=self.fused,
                )
                for strip in strips:
                    rows = slice(place.top + strip.top, place.top + strip.top + strip.restored.shape[-2])
                    columns = slice(place.left, place.right)
                    keep(strip.restored, output.restored[..., rows, columns])
                    if output.uncertainty is not None:
                        output.uncertainty[..., rows, columns] = strip.uncertainty
                    if output.scale_weights is not None:
                        output.scale_weights[..., rows, columns] = strip.scale_weights
            return True
        except torch.OutOfMemoryError:
            if window.longest <= 2 * self.model.halo + self.model.stride:
                raise
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return False

    def _halved(self, tiles: list[Window]) -> list[Window]:
        """Return what is left to do in parts of half the side of the first."""
        stride = self.model.stride
        half = max(tiles[0].longest // 2 // stride, 1) * stride
        return [part for tile in tiles for part in cut_window(tile, half, stride)]

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


class _Count:
    """Counts finished parts for a progress callback."""

    def __init__(self, progress: Progress | None, stages: int, total: int) -> None:
        """Begin with the parts of all stages."""
        self.progress, self.stages, self.total, self.done = progress, stages, total, 0

    def grow(self, more: int, stage: int) -> None:
        """Count so many more parts in this stage and in each after it."""
        self.total += more * (self.stages - stage)

    def advance(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)


def _finish(padded: Tensor, photo: Photo) -> Tensor:
    """Crop a stage's result to the photo and clamp it, in place; a grey photo's stays grey."""
    rgb = crop(padded, photo.height, photo.width)[0]
    return photo.with_rgb((rgb.clamp_(0, 1) if rgb.is_floating_point() else rgb).cpu()).rgb


def _to_array(embedding: Tensor | None) -> NDArray[np.float32] | None:
    return None if embedding is None else embedding[0].float().cpu().numpy()
