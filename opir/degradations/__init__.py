"""The weather, made: rain, snow and haze on clean photos (Eqs. 1–5), seeded and batched on the photo's device."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from opir.degradations.camera import jpeg, take_photo
from opir.degradations.haze import ScenePart, haze, imagined_depth
from opir.degradations.rain import rain
from opir.degradations.snow import snow
from opir.tasks import Task

__all__ = ["degrade", "degrade_mixed", "haze", "jpeg", "rain", "snow", "take_photo"]

_REFERENCE_SIDE = 480  # short side of a photo whose streaks and flakes have the sizes named in rain.py and snow.py
_THICKEST_HAZE = 3.2  # optical depth of a crop in training: a part of a photo may lie in thicker haze than all of it


def pixel_scale(height: int, width: int) -> float:
    """Return how large weather is drawn on a photo of this size, 1 for a short side of 480 pixels."""
    return float(max(1.0, min(height, width) / _REFERENCE_SIDE) ** 0.7)


def degrade(photo: Tensor, task: Task, seed: int, depth: Tensor | None = None) -> Tensor:
    """Put one kind of weather on whole photos; the same seed gives the same weather.

    Args:
        photo: J, (B, 3, H, W) in [0, 1].
        task: which weather; `Task.CLEAN` returns the photo.
        seed: any integer.
        depth: for haze, (B, 1, H, W); None invents one.

    Returns:
        I, (B, 3, H, W) in [0, 1].
    """
    generator = Generator(device=photo.device).manual_seed(seed)
    scale = pixel_scale(*photo.shape[-2:])
    if task is Task.RAIN:
        return rain(photo, generator, pixel_scale=scale)
    if task is Task.SNOW:
        return snow(photo, generator, pixel_scale=scale)
    if task is Task.HAZE:
        return haze(photo, generator, depth)
    return photo


def degrade_mixed(
    clean: Tensor,
    tasks: Tensor,
    generator: Generator,
    depth: Tensor | None = None,
    recorded: Sequence[Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Put each photo's own weather on it, then the camera: what training sees.

    Args:
        clean: J, (B, 3, H, W) in [0, 1].
        tasks: (B,), values of `Task`.
        generator: source of randomness, on the device of `clean`.
        depth: (B, 1, H, W), used where it is positive everywhere; elsewhere a depth is invented.
        recorded: recorded streak maps for rain.

    Returns:
        The degraded photos and what a perfect model would return for them, both (B, 3, H, W).
    """
    degraded = clean.clone()
    for task in Task:
        chosen = (tasks == task).nonzero().flatten()
        if not len(chosen) or task is Task.CLEAN:
            continue
        photos = clean[chosen]
        if task is not Task.HAZE:
            # Mist is removed at a photo's own resolution, where a crop shows a part of the scene and its depth.
            depth_of_part = imagined_depth(photos, generator, ScenePart.draw(generator, len(photos)))
        if task is Task.RAIN:
            degraded[chosen] = rain(photos, generator, recorded, depth=depth_of_part)
        elif task is Task.SNOW:
            degraded[chosen] = snow(photos, generator, depth=depth_of_part)
        else:
            known = None if depth is None else depth[chosen]
            for group, chosen_depth in _by_depth(photos, known):
                degraded[chosen[group]] = haze(photos[group], generator, chosen_depth, _THICKEST_HAZE)
    return take_photo(degraded, clean, generator)


def _by_depth(photos: Tensor, depth: Tensor | None) -> list[tuple[Tensor, Tensor | None]]:
    """Split photos into those with a depth and those without."""
    everything = torch.arange(len(photos), device=photos.device)
    if depth is None:
        return [(everything, None)]
    known = depth.amin(dim=(1, 2, 3)) > 0
    groups = [(everything[known], depth[known]), (everything[~known], None)]
    return [(group, chosen) for group, chosen in groups if len(group)]
