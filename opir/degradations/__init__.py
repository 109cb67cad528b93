"""Rain, snow and haze for clean photos (Eqs. 1–5): seeded, in batches, on the photo's device."""

from torch import Generator, Tensor

from opir.degradations.camera import jpeg, take_photo
from opir.degradations.haze import haze, haze_over_distance, imagined_depth
from opir.degradations.rain import rain
from opir.degradations.snow import snow
from opir.tasks import Task

__all__ = ["degrade", "haze", "haze_over_distance", "imagined_depth", "jpeg", "rain", "snow", "take_photo"]

_REFERENCE_SIDE = 480  # short side of a photo whose streaks and flakes have the sizes named in rain.py and snow.py

_USUAL_WIDTHS = {Task.RAIN: 1.8, Task.SNOW: 4.7}
"""In pixels of such a photo: how wide streaks are (at half of their brightness), and flakes of the middle layer."""


def weather_size(height: int, width: int) -> float:
    """Return how large weather is drawn on a photo of this size, 1 for a short side of 480 pixels."""
    return float(max(1.0, min(height, width) / _REFERENCE_SIDE) ** 0.7)


def degrade(photo: Tensor, task: Task, seed: int, size: float | None = None) -> Tensor:
    """Put one kind of weather on whole photos; the same seed gives the same weather.

    Args:
        photo: J, (B, 3, H, W) in [0, 1].
        task: which weather; `Task.CLEAN` returns the photo.
        seed: any integer.
        size: for rain and snow, how wide most streaks or flakes are, in pixels; None for what fits the photo.

    Returns:
        I, (B, 3, H, W) in [0, 1].

    Raises:
        ValueError: for a size that is not above 0 or larger than the photo, or of weather that has none.
    """
    if size is not None and task not in _USUAL_WIDTHS:
        raise ValueError(f"rain and snow alone have a size, got {size:g} for {task.label}; leave it out")
    side = min(photo.shape[-2:])
    if size is not None and not 0 < size <= side:
        raise ValueError(
            f"size is a width in pixels above 0, and at most the photo's short side of {side}, got {size:g}"
        )
    generator = Generator(device=photo.device).manual_seed(seed)
    times_larger = weather_size(*photo.shape[-2:]) if size is None else size / _USUAL_WIDTHS[task]
    if task is Task.RAIN:
        return rain(photo, generator, weather_size=times_larger)
    if task is Task.SNOW:
        return snow(photo, generator, weather_size=times_larger)
    if task is Task.HAZE:
        return haze(photo, generator)
    if task is Task.CLEAN:
        return photo
    raise ValueError(f"expected a weather that can be drawn, got {task.label}; add a branch to `degrade`")
