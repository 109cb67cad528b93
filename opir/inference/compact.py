"""A restoration in a fraction of its memory, for a server that keeps it between clicks."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from opir.inference.levels import Level
from opir.inference.restoration import Restoration
from opir.ops.colours import in_unit, store


def compacted(result: Restoration) -> Restoration:
    """Return a restoration without what is drawn once: scale weights, and maps and pictures made when asked for.

    Of an 8-bit photo in colour, photo and result become grey values, what lies between them half precision. The
    result is rounded as its file is, the photo only where that changes nothing.
    """
    photo = result.photo
    if photo.bits != 8 or photo.is_grey:
        levels = tuple(_lighter(level, None) for level in result.levels)
        return replace(result, levels=levels, keeps_scale_weights=False)
    restored = _grey_values(result.restored_rgb)
    levels = tuple(_lighter(level, restored) for level in result.levels)
    rounded = _grey_values(photo.rgb)
    is_same = torch.equal(photo.rgb, in_unit(rounded).to(photo.rgb.dtype)) if photo.rgb.is_floating_point() else True
    return replace(
        result,
        photo=replace(photo, rgb=rounded) if is_same else photo,
        restored_rgb=restored,
        levels=levels,
        keeps_scale_weights=False,
    )


def _lighter(level: Level, restored: Tensor | None) -> Level:
    if level.work is None:
        return level
    work = replace(level.work, scale_weights=None)
    if restored is not None:
        own = restored if level.number == 0 else work.restored.half()
        work = replace(work, first=work.first.half(), restored=own, uncertainty=work.uncertainty.half())
    return replace(level, work=work)


def _grey_values(rgb: Tensor) -> Tensor:
    if rgb.dtype == torch.uint8:
        return rgb
    made = torch.empty_like(rgb, dtype=torch.uint8)
    store(rgb, made)
    return made
