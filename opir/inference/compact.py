"""A restoration in a fraction of its memory, for a server that keeps it between clicks."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from opir.inference.levels import Level
from opir.inference.restoration import Restoration
from opir.ops.colours import in_grey_values


def compacted(result: Restoration) -> Restoration:
    """Return a restoration without what is drawn once: scale weights, and maps and pictures made when asked for.

    The result of an 8-bit photo in colour becomes grey values, as its file is rounded; what lies between half
    precision.
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
