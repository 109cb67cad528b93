"""Restores a photo as it is, mirrored, upside down and both, and averages the results: slower and a little better.

H height, W width.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from opir.inference.restoration import Restoration
from opir.inference.restorer import Restorer
from opir.inference.tiled_level import Progress
from opir.ops.colours import in_unit, store
from opir.photo import Photo, Source, load_photo
from opir.tasks import AUTO

WAYS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))
"""The axes of (3, H, W) that are turned round: nothing, left and right, top and bottom, both."""


def restore_thoroughly(
    restorer: Restorer, photo: Source | Photo, task: str = AUTO, *, progress: Progress | None = None, **options: Any
) -> Restoration:
    """Restore a photo in four ways and average the results, in four times the time.

    Args:
        restorer: what restores.
        photo: as for `Restorer.restore`.
        task: as there. All ways work on the levels that the photo as it is works on.
        progress: called with the parts done and those known to be needed, of all ways.
        options: more of `Restorer.restore`.

    Returns:
        The restoration of the photo as it is, with the average as its result, and `spread`: where the results differ,
        none can be trusted. If no level works for the photo as it is, it is returned, with a spread of 0.

    Raises:
        ValueError: as `Restorer.restore` does.
    """
    started = time.perf_counter()
    photo = photo if isinstance(photo, Photo) else load_photo(photo)
    plain = restorer.restore(photo, task, progress=_part_of(progress, 0), **options)
    total = in_unit(plain.restored_rgb).to(torch.float32, copy=True)
    squares = total.square().sum(dim=0)
    numbers = [level.number for level in plain.working_levels]
    if not numbers:
        return replace(plain, spread=torch.zeros_like(squares).numpy(), seconds=time.perf_counter() - started)
    same_levels = options | {"levels": numbers, "scale_weights": False}
    for number, axes in enumerate(WAYS[1:], start=1):
        turned = replace(photo, pixels=np.ascontiguousarray(np.flip(photo.pixels, axes)))
        made = restorer.restore(turned, task, progress=_part_of(progress, number), **same_levels)
        result = in_unit(made.restored_rgb).flip(axes)
        total += result
        squares += result.square().sum(dim=0)
    total /= len(WAYS)
    variance = (squares / len(WAYS) - total.square().sum(dim=0)) / len(total)
    mean = torch.empty_like(plain.restored_rgb)
    store(total, mean)
    spread = 255 * variance.clamp_(min=0).sqrt_().numpy()
    return replace(plain, restored_rgb=mean, spread=spread, seconds=time.perf_counter() - started)


def _part_of(progress: Progress | None, number: int) -> Progress | None:
    """Return a callback for one way that tells the parts of all of them."""
    if progress is None:
        return None
    tell = progress

    def report(done: int, total: int) -> None:
        tell(number * total + done, len(WAYS) * total)

    return report
