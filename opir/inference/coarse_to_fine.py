"""Restores a photo from the coarsest level of its pyramid to the finest: x_n = I_n + ↑(Ĵ_{n+1} − I_{n+1}).

D embedding size, H height, W width of the photo; h, w of a level.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from opir.devices import computing_in, empty_apart, give_back_freed_memory
from opir.inference.level_choice import LevelChoice
from opir.inference.levels import Level, LevelWork, finished, mean_change
from opir.inference.tiled_level import TiledLevel, TiledResult
from opir.ops.colours import in_grey_values
from opir.ops.pyramid import Change, change_of, down, enlarged, write_changed
from opir.photo import Photo
from opir.tasks import Task


class _View(NamedTuple):
    """What a level looks like after what coarser levels did."""

    picture: Tensor
    """x_n, (1, 3, h, w)."""
    embedding: Tensor | None
    """e_t of it, (1, D)."""
    probabilities: dict[str, float]


class CoarseToFine:
    """Restores one photo level by level. To save memory, it forgets a level that is done."""

    def __init__(self, photo: Photo, choice: LevelChoice, stages: TiledLevel) -> None:
        """Make the pyramid, on the model's device, and look at every level.

        Args:
            photo: to be restored.
            choice: which levels work.
            stages: what runs the model's stages on a level.
        """
        self.photo, self.choice, self.stages, self.model = photo, choice, stages, stages.model
        device = next(self.model.parameters()).device
        self._pyramid = [photo.compact_rgb[None].to(device)]
        for _ in range(1, choice.count_levels(photo.height, photo.width)):
            self._pyramid.append(down(self._pyramid[-1]).to(stages.settings.kept))
        self._views = [self._look(picture) for picture in self._pyramid]
        choice.look([view.probabilities for view in self._views])

    def restore(self) -> tuple[tuple[Level, ...], Tensor]:
        """Work from coarse to fine: what each level did, and Ĵ_0 on the processor, (3, H, W) in [0, 1]."""
        done: list[Level] = []
        while self._views:
            self._spare_memory()
            done.append(self._pass_level())
        self._spare_memory()
        return tuple(done), finished(self._pyramid[0][0].cpu(), self.photo)

    def _pass_level(self) -> Level:
        """Restore the coarsest level that is left, or pass it by; its change is applied to the finer ones.

        At the photo's own size the result takes the photo's place in the pyramid.
        """
        view, number = self._views.pop(), len(self._views)
        works = self.choice.works(number, view.probabilities)
        embedding = view.embedding
        if embedding is not None:
            embedding = self.model.choose_task_embedding(embedding, self.choice.task)
        made = self.stages.restore(view.picture, embedding) if works else None
        if number == 0:
            self._pyramid[0] = view.picture if made is None else made.restored
        elif made is not None:
            self._carry_up(change_of(self._pyramid[number], made.restored))
            self.choice.look([finer.probabilities for finer in self._views])
        del self._pyramid[max(number, 1) :]
        return _level(number, view, embedding, made, self.photo)

    def _carry_up(self, change: Change) -> None:
        """Apply the change of the last level to every finer one, and embed these anew."""
        for number in reversed(range(len(self._views))):
            photo = self._pyramid[number]
            picture = self._views[number].picture
            if picture is photo:
                picture = empty_apart(photo.shape, photo.dtype, photo.device)
            write_changed(photo, change, picture)
            self._views[number] = self._look(picture)
            if number:
                change = enlarged(change, *picture.shape[-2:])

    def _look(self, picture: Tensor) -> _View:
        with computing_in(self.stages.settings.precision, picture.device):
            embedding = self.model.embed(picture)
        if embedding is None:
            return _View(picture, None, {})
        shares = self.model.task_probabilities(embedding)[0].tolist()
        return _View(picture, embedding, {task.label: share for task, share in zip(Task, shares, strict=True)})

    def _spare_memory(self) -> None:
        """Give freed memory back to the system before a large photo needs more: the holes seldom fit."""
        if self.photo.is_large:
            give_back_freed_memory()


def _level(number: int, view: _View, embedding: Tensor | None, made: TiledResult | None, photo: Photo) -> Level:
    """Return what a level saw and did; its tensors are moved to the CPU."""
    height, width = view.picture.shape[-2:]
    work, change = None, 0.0
    if made is not None:
        change = mean_change(view.picture, made.restored)
        first, restored = made.first[0].cpu(), made.restored[0].cpu()
        if number == 0:
            first, restored = finished(first, photo), finished(restored, photo)
        elif photo.is_large:
            first, restored = in_grey_values(first), in_grey_values(restored)
        weights = None if made.scale_weights is None else made.scale_weights[0]
        work = LevelWork(_to_array(embedding), first, restored, made.uncertainty[0, 0].cpu(), weights, made.tiles)
    return Level(number, width, height, view.probabilities, _to_array(view.embedding), change, work)


def _to_array(embedding: Tensor | None) -> NDArray[np.float32] | None:
    return None if embedding is None else embedding[0].float().cpu().numpy()
