"""Computes parts of a restoration again: what a level began with, and the operators of its pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from opir.devices import computing_in
from opir.inference.levels import Level, carried_up
from opir.inference.pixel import OperatorField, PixelInspection, inspect_window
from opir.model import OPIR
from opir.ops.colours import in_unit
from opir.ops.pyramid import build_pyramid
from opir.ops.window import Window
from opir.photo import Photo
from opir.tasks import Task

_MOST_OPERATORS = 1_000_000
_PROCESSOR = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Inspector:
    """Computes operators again, of a pixel or of a window."""

    photo: Photo
    levels: tuple[Level, ...]
    model: OPIR
    """On the processor."""
    precision: torch.dtype
    stages: int
    begun: dict[int, Tensor] = field(default_factory=dict)
    """What levels began with, x_n, (3, h, w), by their numbers: computed when first needed, and kept."""

    def pixel(self, x: int, y: int, named: str, task: str | None, level: int | None) -> PixelInspection:
        """Return the operator of one pixel; `named` is the task of the restoration, the others as `inspect` has."""
        if level is not None:
            self._level(level)
        with torch.inference_mode(), computing_in(self.precision, _PROCESSOR):
            number = (*self.levels_at(x, y), self.levels[-1])[0].number if level is None else level
            place = Window(y >> number, x >> number, (y >> number) + 1, (x >> number) + 1)
            found = self._looked_at(place, task, number)
        stages = tuple(stage.at(0, 0) for stage in found.stages)
        shown = named if task is None else task
        return PixelInspection(x, y, shown, number, found.worked, found.scales, found.before[:, 0, 0], stages)

    def window(self, part: Window, task: str | None, level: int) -> OperatorField:
        """Return the operators of a part of the photo, given in its pixels."""
        self._level(level)
        size = 2**level
        window = Window(part.top // size, part.left // size, -(-part.bottom // size), -(-part.right // size))
        count = (window.bottom - window.top) * (window.right - window.left)
        if count > _MOST_OPERATORS:
            raise ValueError(f"expected a window of at most {_MOST_OPERATORS:,} operators, got {count:,}: take parts")
        with torch.inference_mode(), computing_in(self.precision, _PROCESSOR):
            return self._looked_at(window, task, level)

    def _looked_at(self, window: Window, task: str | None, number: int) -> OperatorField:
        level = self._level(number)
        task_embedding = self._task_embedding_of(level) if task is None else self._prototype(task)
        picture = self.begun_with(number)
        stages = inspect_window(self.model, picture, task_embedding, window, self.stages)
        before = in_unit(window.of(picture)).clamp(0, 1).float().numpy()
        scales = tuple(scale * 2**number for scale in self.model.config.scales)
        return OperatorField(number, level.worked, window, scales, before, stages)

    def _level(self, number: int) -> Level:
        by_number = {one.number: one for one in self.levels}
        if number not in by_number:
            raise ValueError(f"expected a level from 0 to {len(by_number) - 1} of this photo, got {number}")
        return by_number[number]

    @torch.inference_mode()
    def levels_at(self, x: int, y: int) -> tuple[Level, ...]:
        """Return the levels that did something, the one that changed a pixel most first."""

        def change(level: Level) -> float:
            assert level.work is not None
            row, column = y >> level.number, x >> level.number
            both = level.work.restored, self.begun_with(level.number)
            after, before = (in_unit(picture[:, row, column]).clamp(0, 1) for picture in both)
            return float((after - before).abs().mean())

        return tuple(sorted((level for level in self.levels if level.worked), key=change, reverse=True))

    @torch.inference_mode()
    def begun_with(self, number: int) -> Tensor:
        """Return x_n of a level, (3, h, w)."""
        if number not in self.begun:
            photo = self.photo.compact_rgb
            made = photo if number == 0 else build_pyramid(photo[None], number + 1)[-1][0]
            for level in reversed(self.levels):
                if level.number > number and level.work is not None:
                    made = carried_up(photo, level.number, level.work.restored, number)
                    break
            self.begun[number] = made
        return self.begun[number]

    def _task_embedding_of(self, level: Level) -> Tensor | None:
        embedding = level.embedding if level.work is None else level.work.task_embedding
        return None if embedding is None else torch.from_numpy(embedding)[None]

    def _prototype(self, task: str) -> Tensor:
        prototype = self.model.prototype(Task.parse(task))
        if prototype is None:
            raise ValueError(f'this model has no task-aware module, so it knows no task, got "{task}"')
        return prototype
