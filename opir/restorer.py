"""Restoring photos of any size on any device: photo in, `Restoration` out.

D embedding size, H height, W width, S scales.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opir.checkpoints import CheckpointInfo, load_model
from opir.devices import choose_device, choose_precision, computing_in, reuse_freed_memory
from opir.images import Photo, Source, load_photo
from opir.model import OPIR
from opir.ops.padding import crop, pad_to_multiple
from opir.restoration import Restoration
from opir.tasks import AUTO, Task
from opir.tiles import Window, plan_tiles

WHOLE_UP_TO_PIXELS = 2_500_000
TILE_SIDE = 1024  # of larger photos, without the halo

Progress = Callable[[int, int], object]


class _StageInput(NamedTuple):
    """What a stage works on, at the size of the padded photo."""

    stage: int
    image: Tensor
    task_embedding: Tensor | None
    uncertainty: Tensor | None


class _StageOutput(NamedTuple):
    """What the tiles of one stage make together, at the size of the padded photo."""

    restored: Tensor
    uncertainty: Tensor
    scale_weights: Tensor | None


class Restorer:
    """A model on a device, ready for photos of any size. It keeps nothing of what it restores."""

    def __init__(
        self, model: OPIR, device: str = "auto", precision: str = "auto", info: CheckpointInfo | None = None
    ) -> None:
        """Move a model to a device.

        Args:
            model: what restores; it is put into eval mode.
            device: "auto" takes a CUDA GPU where there is one; else as PyTorch names devices.
            precision: "fp32", "bf16", or "auto": bf16 where the device computes in it.
            info: where the weights come from.

        Raises:
            ValueError: for an unknown device or precision.
        """
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        if self.device.type == "cpu":
            reuse_freed_memory()
        self.model = model.eval()
        self.model.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.info = info

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
        tile: int | Literal["auto"] = "auto",
        stages: int | None = None,
        scale_weights: bool = False,
        progress: Progress | None = None,
    ) -> Restoration:
        """Restore one photo.

        Args:
            photo: what `opir.images.load_photo` reads, or a `Photo`.
            task: "rain", "snow", "haze" or "clean"; "auto" goes by the photo's own embedding.
            tile: side of the parts that are computed one at a time, which changes memory and not the result;
                0 for the whole at once, "auto" for parts above 2.5 megapixels.
            stages: how many stages to run; None for all, 1 for a fast result.
            scale_weights: keep those of the last stage.
            progress: called with the number of parts done and their total.

        Raises:
            ValueError: for a photo that can not be read, or an option out of range.
        """
        chosen = self._parse_task(task)
        stages = self._parse_stages(stages)
        photo = photo if isinstance(photo, Photo) else load_photo(photo)
        started = time.perf_counter()
        image = pad_to_multiple(photo.rgb[None].to(self.device), self.model.stride)
        tiles = plan_tiles(image.shape[-2], image.shape[-1], self._tile_side(tile, photo), self.model.stride)
        report = _Count(progress, len(tiles) * stages)

        own_embeddings: list[Tensor | None] = []
        used_embeddings: list[Tensor | None] = []
        results: list[_StageOutput] = []
        for index in range(stages):
            seen = crop(image, photo.height, photo.width).clamp(0, 1)
            own_embeddings.append(self.model.embed(seen))
            used_embeddings.append(own_embeddings[-1] if chosen is None else self.model.prototype(chosen))
            stage_input = _StageInput(index, image, used_embeddings[-1], results[-1].uncertainty if results else None)
            keep = scale_weights and index == stages - 1
            results.append(self._run_stage(stage_input, tiles, keep, report))
            image = results[-1].restored

        probabilities = self._task_probabilities(own_embeddings[0])
        likeliest = max(probabilities, key=lambda name: probabilities[name], default=AUTO)
        weights = results[-1].scale_weights
        return Restoration(
            photo=photo,
            stage1_rgb=_finish(results[0].restored, photo),
            restored_rgb=_finish(results[-1].restored, photo),
            uncertainty=crop(results[0].uncertainty, photo.height, photo.width)[0, 0].cpu().numpy(),
            scale_weights=None if weights is None else crop(weights, photo.height, photo.width).numpy(),
            task=likeliest if chosen is None else chosen.label,
            task_probabilities=probabilities,
            embedding=_to_array(own_embeddings[0]),
            stage2_embedding=_to_array(own_embeddings[1]) if stages > 1 else None,
            task_embeddings=tuple(_to_array(embedding) for embedding in used_embeddings),
            tiles=len(tiles),
            seconds=time.perf_counter() - started,
            model=self.model,
            precision=self.precision,
        )

    def _run_stage(
        self, given: _StageInput, tiles: list[Window], keep_scale_weights: bool, report: _Count
    ) -> _StageOutput:
        """Run a stage tile by tile; each sees as far around it as the stage looks, so no seam can arise."""
        height, width = given.image.shape[-2:]
        restored = torch.empty_like(given.image)
        uncertainty = given.image.new_empty(1, 1, height, width)
        weights = None
        if keep_scale_weights:
            weights = torch.empty(len(self.model.config.scales), height, width, dtype=torch.float16)
        for tile in tiles:
            window = tile.grown(self.model.halo, height, width)
            image = window.of(given.image).contiguous(memory_format=torch.channels_last)
            guide = None if given.uncertainty is None else window.of(given.uncertainty)
            with computing_in(self.precision, self.device):
                result = self.model.run_stage(given.stage, image, given.task_embedding, guide)
            inner = tile.within(window)
            tile.of(restored).copy_(inner.of(result.restored))
            tile.of(uncertainty).copy_(inner.of(result.uncertainty))
            if weights is not None:
                tile.of(weights).copy_(inner.of(result.scale_weights)[0])
            report.advance()
        return _StageOutput(restored, uncertainty, weights)

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

    def _tile_side(self, tile: int | str, photo: Photo) -> int:
        if tile == "auto":
            return 0 if photo.width * photo.height <= WHOLE_UP_TO_PIXELS else TILE_SIDE
        if not isinstance(tile, int) or (tile != 0 and tile < self.model.stride):
            raise ValueError(
                f'tile must be "auto", 0 for the whole photo, or at least {self.model.stride} pixels, got {tile!r}'
            )
        return tile


class _Count:
    """Counts finished parts for a progress callback."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def advance(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)


def _finish(padded: Tensor, photo: Photo) -> Tensor:
    """Crop a stage's result to the photo and clamp it; a grey photo's stays grey."""
    rgb = crop(padded, photo.height, photo.width)[0].clamp(0, 1).cpu()
    return photo.with_rgb(rgb).rgb


def _to_array(embedding: Tensor | None) -> NDArray[np.float32] | None:
    return None if embedding is None else embedding[0].float().cpu().numpy()
