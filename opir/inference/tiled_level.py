"""Runs the stages of one level tile by tile, to fit the memory; the result is that of the whole level at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from opir.devices import computing_in, empty_apart
from opir.inference.tiling import check_tile, cut_window, plan_parts
from opir.model import OPIR
from opir.ops.colours import in_unit, store
from opir.ops.padding import crop, pad_to_multiple
from opir.ops.window import Window

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class LevelSettings:
    """How a level is computed and what of it is kept; the same for all levels of a photo."""

    num_stages: int
    precision: torch.dtype
    """Of the convolutions."""
    fused: bool
    """Whether to filter in one compiled pass, where that can be."""
    kept: torch.dtype
    """Type of results and uncertainty."""
    rounds: bool
    """Whether results of a picture in grey values (uint8) are rounded to such: at 48 megapixels it saves 144 MB and
    costs 0.01 dB."""
    keeps_scale_weights: bool
    window_pixels: int
    """Of a part on a CPU (`opir.inference.tiling.choose_window_pixels`)."""


@dataclass(frozen=True)
class TiledResult:
    """What the stages made of a level, on the device, at the level's size."""

    first: Tensor
    """Ĵ1, (1, 3, h, w), not clamped where it is floats."""
    restored: Tensor
    """The last stage's result, likewise."""
    uncertainty: Tensor
    """UM of stage 1, (1, 1, h, w)."""
    scale_weights: Tensor | None
    """α of the last stage, float16 (1, S, h, w) on the processor, where it was asked for."""
    tiles: int
    """In how many parts the last stage was computed: more than planned where memory was short."""


@dataclass
class _Stage:
    """What a stage works on and what its tiles make together, at the size of the padded picture."""

    index: int
    image: Tensor
    guide: Tensor | None
    restored: Tensor
    uncertainty: Tensor | None
    scale_weights: Tensor | None


class TiledLevel:
    """Runs the stages of a photo's levels, each on one part of its picture after the other."""

    def __init__(
        self,
        model: OPIR,
        settings: LevelSettings,
        tile: int | str = "auto",
        progress: Progress | None = None,
    ) -> None:
        """Prepare for one photo.

        Args:
            model: in eval mode.
            settings: how to compute, and what to keep.
            tile: side of the parts; 0 for the whole level at once, "auto" to go by the free memory.
            progress: called with the number of parts done and of those known to be needed.

        Raises:
            ValueError: for a `tile` that is none.
        """
        check_tile(tile, model.stride)
        self.model, self.settings, self.tile = model, settings, tile
        self.count = _Count(progress)

    def restore(self, picture: Tensor, task_embedding: Tensor | None) -> TiledResult:
        """Restore a level.

        Args:
            picture: x_n, (1, 3, h, w), floats or uint8 grey values.
            task_embedding: e_t for all stages, (1, D).
        """
        height, width = picture.shape[-2:]
        image = pad_to_multiple(picture, self.model.stride)
        rows, columns = image.shape[-2:]
        number_bytes, window = self.settings.precision.itemsize, self.settings.window_pixels
        tiles = plan_parts(self.model, rows, columns, self.tile, image.device, number_bytes, window)
        self.count.expect(self.settings.num_stages * len(tiles))
        stages: list[_Stage] = []
        for index in range(self.settings.num_stages):
            stage = self._begin(index, image, stages[-1].uncertainty if stages else None)
            tiles = self._run(stage, task_embedding, tiles)
            image = stage.restored
            stages.append(stage)
        first, last, weights = stages[0], stages[-1], stages[-1].scale_weights
        assert first.uncertainty is not None
        return TiledResult(
            crop(first.restored, height, width),
            crop(last.restored, height, width),
            crop(first.uncertainty, height, width),
            None if weights is None else crop(weights, height, width),
            len(tiles),
        )

    def _begin(self, index: int, image: Tensor, guide: Tensor | None) -> _Stage:
        settings, device, (height, width) = self.settings, image.device, image.shape[-2:]
        uncertainty = empty_apart((1, 1, height, width), settings.kept, device) if index == 0 else None
        colours = torch.uint8 if image.dtype == torch.uint8 and settings.rounds else settings.kept
        weights = None
        if settings.keeps_scale_weights and index == settings.num_stages - 1:
            scales = len(self.model.config.scales)
            weights = empty_apart((1, scales, height, width), torch.float16, torch.device("cpu"))
        return _Stage(index, image, guide, empty_apart(image.shape, colours, device), uncertainty, weights)

    def _run(self, stage: _Stage, task_embedding: Tensor | None, tiles: list[Window]) -> list[Window]:
        """Run a stage tile by tile, and return the tiles, which are smaller than planned if memory was short."""
        done: list[Window] = []
        waiting = tiles[::-1]
        while waiting:
            tile = waiting.pop()
            if self._run_tile(stage, task_embedding, tile):
                done.append(tile)
                self.count.advance()
                continue
            finer = self._halved([tile, *reversed(waiting)])
            self.count.expect((len(finer) - len(waiting) - 1) * (self.settings.num_stages - stage.index))
            waiting = finer[::-1]
        return done

    def _run_tile(self, stage: _Stage, task_embedding: Tensor | None, tile: Window) -> bool:
        """Run a stage on a tile; False where a GPU has too little memory for it.

        The tile is computed with as much around it as the stage sees, so there are no seams.
        """
        model = self.model
        window = tile.grown(model.halo, *stage.image.shape[-2:])
        seen = in_unit(window.of(stage.image))
        guide = None if stage.guide is None else window.of(stage.guide).float()
        inner = tile.within(window)
        try:
            with computing_in(self.settings.precision, stage.image.device):
                for strip in model.stage_strips(
                    stage.index, seen, task_embedding, guide, inner, fused=self.settings.fused
                ):
                    rows = slice(tile.top + strip.top, tile.top + strip.top + strip.restored.shape[-2])
                    columns = slice(tile.left, tile.right)
                    store(strip.restored, stage.restored[..., rows, columns])
                    if stage.uncertainty is not None:
                        stage.uncertainty[..., rows, columns] = strip.uncertainty
                    if stage.scale_weights is not None:
                        stage.scale_weights[..., rows, columns] = strip.scale_weights
            return True
        except torch.OutOfMemoryError:
            if window.longest <= 2 * model.halo + model.stride:
                raise
        if stage.image.device.type == "cuda":
            torch.cuda.empty_cache()
        return False

    def _halved(self, tiles: list[Window]) -> list[Window]:
        """Return the remaining tiles, cut into parts of half the side of the first."""
        stride = self.model.stride
        half = max(tiles[0].longest // 2 // stride, 1) * stride
        return [part for tile in tiles for part in cut_window(tile, half, stride)]


class _Count:
    """Counts finished parts for a progress callback; their number becomes known level by level."""

    def __init__(self, progress: Progress | None) -> None:
        """Begin with none."""
        self.progress, self.total, self.done = progress, 0, 0

    def expect(self, more: int) -> None:
        """Add to the number of expected parts."""
        self.total += more

    def advance(self) -> None:
        """Count one more finished part, and report it."""
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)
