"""Makes a restoration take less memory, for a server that keeps it between clicks."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from opir.inference.levels import Level
from opir.inference.restoration import Restoration
from opir.ops.colours import in_grey_values


def compacted(result: Restoration) -> Restoration:
    """Return a restoration without scale weights and without the maps and pictures that were made from it.

    For an 8-bit photo in colour the result is rounded to grey values, as in its file, and intermediate results and
    maps become float16.
    """
    restored, rounds = result.restored_rgb, result.photo.bits == 8 and not result.photo.is_grey
    if rounds and restored.is_floating_point():
        restored = in_grey_values(restored)
    levels = tuple(_lighter(level, restored, rounds) for level in result.levels)
    return replace(result, restored_rgb=restored, levels=levels, keeps_scale_weights=False)


def _lighter(level: Level, restored: Tensor, rounds: bool) -> Level:
    if level.work is None:
        return level
    work = replace(level.work, scale_weights=None)
    if rounds:
        own = restored if level.number == 0 else work.restored.half()
        work = replace(work, first=work.first.half(), restored=own, uncertainty=work.uncertainty.half())
    return replace(level, work=work)
