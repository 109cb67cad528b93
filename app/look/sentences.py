"""Sentences of the page that hold figures."""

from collections.abc import Sequence

from app.look import words
from opir.tasks import Task

_FOUND = {Task.RAIN: "rain", Task.SNOW: "snow", Task.HAZE: "haze", Task.CLEAN: "something"}
NOTHING_FOUND = "No weather found: the photo is as it was."
_SIZES = ("its own size", "half of its size", "a quarter of its size", "an eighth of its size")
_TOLD = {
    Task.RAIN: "Restored as rain",
    Task.SNOW: "Restored as snow",
    Task.HAZE: "Restored as haze",
    Task.CLEAN: "Treated as a clear photo",
}


def weather_sentence(task: Task | None, found: Sequence[tuple[Task | None, int]], chosen: bool) -> str:
    """Say which weather was found in the photo, and at what size.

    Args:
        task: the one that was chosen, or None.
        found: from coarse to fine, what each level that worked took the weather for, and its number.
        chosen: whether a visitor named the weather.
    """
    if chosen and task is not None:
        where = f" at {_join([_size(level) for _, level in found])}" if found else ""
        return f"{_TOLD[task]}{where}, as you chose."
    if not found:
        return NOTHING_FOUND
    if any(weather is None for weather, _ in found):
        return "Restored."
    sizes: dict[str, list[str]] = {}
    for weather, level in found:
        assert weather is not None
        sizes.setdefault(_FOUND[weather], []).append(_size(level))
    text = _join([f"{weather} found at {_join(names)}" for weather, names in sizes.items()])
    return f"{text[0].upper()}{text[1:]}."


def _size(level: int) -> str:
    return _SIZES[level] if level < len(_SIZES) else f"1/{2**level} of its size"


def privacy_sentence(minutes: float) -> str:
    """Say where photos stay, and for how long at most."""
    hours = minutes / 60
    if hours == 1:
        told = "an hour"
    elif hours > 1:
        told = f"{hours:.3g} hours"
    else:
        told = f"{minutes:.2g} minutes" if minutes != 1 else "a minute"
    return f"Photos stay on the machine that runs this page, for {told} at most."


def cost_sentence(
    width: int, height: int, seconds: float, quality: str = words.FULL, beforehand: bool = False
) -> str:
    """Say how large the photo is, and what the restoration took."""
    megapixels = width * height / 1e6
    size = f"{megapixels:.1f} megapixels" if megapixels >= 0.1 else f"{width} × {height} pixels"
    how = "" if quality == words.FULL else f"{quality.lower()} quality, "
    return f"{size}, {how}{'made ready before you came' if beforehand else f'{seconds:.1f} s'}."


def quality_times(seconds: float, quality: str) -> str:
    """Say how long a photo takes in the other qualities, by what it took in one."""
    full = seconds / words.QUALITY_COSTS[quality]
    others = [name for name in words.QUALITY_COSTS if name != quality]
    times = [f"{name} about {max(1, round(full * words.QUALITY_COSTS[name]))} s" for name in others]
    return f"For this photo: {', '.join(times)}."


def kept_sentence(kept: list[str], removed: list[str]) -> str:
    """Say what of the file's own information the download carries and what it does not; empty for nothing."""
    parts = []
    if kept:
        parts.append(f"{_join(kept)} kept")
    if removed:
        parts.append(f"{_join(removed)} removed")
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def pixel_title(x: int, y: int, level: int = 0) -> str:
    """Name a pixel, and the size of the photo at which its operator worked."""
    return f"Pixel {x}, {y}" if level == 0 else f"Pixel {x}, {y} at {_size(level)}"


def stage_title(number: int, uncertainty: float) -> str:
    """Name a stage's operator and say how uncertain it is."""
    return f"Stage {number} · uncertainty {uncertainty:.2f}"


def percentile_sentence(uncertainty: float, share: float) -> str:
    """Say how uncertain a pixel is among those of its photo."""
    return f"Uncertainty {uncertainty:.2f}: at least as high as at {share:.0%} of this photo's pixels."


def reach(pixels: int) -> str:
    """Say how far a filter looks."""
    return f"{pixels} px"


def pin(name: str) -> str:
    """Name the button that keeps a pixel."""
    return f"Pin {name}"


def scale_caption(name: str) -> str:
    """Name a map of the fusion: "reach", or "scale" and a distance."""
    return "Reach" if name == "reach" else f"Weight at {reach(int(name.split()[1]))}"


def busy(seconds_left: float) -> str:
    """Say how long it will still take."""
    return "Restoring, almost done" if seconds_left < 1 else f"Restoring, about {seconds_left:.0f} s left"


def prototype(weather: str) -> str:
    """Name what the model learned of a weather."""
    return f"{weather}, as the model learned it"


def separation(silhouette: float, neighbours: float, photos: int) -> str:
    """Say how well the kinds of weather lie apart on the map."""
    return (
        f"Of {photos} known photos, {neighbours:.0%} lie among five neighbours that are mostly of their own weather. "
        f"Silhouette: {silhouette:.2f} (1 is far apart, 0 is mixed)."
    )


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def zip_label(photos: int) -> str:
    """Name the download of so many results."""
    return f"Download {photos} {'photo' if photos == 1 else 'photos'} (zip)"


def left_out(names: list[str], more: int) -> str:
    """Say which files of a folder were left out: some names, and how many more there are."""
    return words.LEFT_OUT.replace("NAMES", _join([*names, *([f"{more} more"] if more else [])]))


def batch_sum(photos: int, weathers: dict[str, int], left: int, seconds: float) -> str:
    """Say what became of many photos: how many were restored, of which weather, and how long it took."""
    took = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    found = f": {_join([f'{count} {name.lower()}' for name, count in weathers.items()])}" if weathers else ""
    skipped = f" {left} {'was' if left == 1 else 'were'} not." if left else ""
    return f"{photos} {'photo' if photos == 1 else 'photos'} restored in {took}{found}.{skipped}"


def agreement(correlation: float, area: float) -> str:
    """Say how well the uncertainty tells where the error is."""
    return (
        f"Rank correlation of uncertainty and error: {correlation:.2f} (1 is the same order, 0 none). "
        f"Area above the best curve (AUSE): {area:.2f} (0 is as good as knowing the error, 1 is chance)."
    )
