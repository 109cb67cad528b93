"""Sentences of the page that hold figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.look import words
from opir.tasks import Task

NOTHING_FOUND = "No weather found: the photo is as it was."
_SIZES = ("at full size", "at half the size", "at a quarter of the size", "at an eighth of the size")
_STRENGTHS = {
    Task.RAIN: ("a little rain", "rain", "heavy rain"),
    Task.SNOW: ("a little snow", "snow", "heavy snow"),
    Task.HAZE: ("a breath of haze", "haze", "dense haze"),
}
_STRONGER_FROM = {Task.RAIN: (1.0, 6.0), Task.SNOW: (1.0, 6.0), Task.HAZE: (6.0, 25.0)}
"""What weather took from the photo, in grey values on the average, from which the second and the third name hold."""
_SHAPES = {Task.RAIN: ("fine", "broad", "streaks"), Task.SNOW: ("small", "large", "flakes")}
"""Of what is removed at full size, of what is removed at a coarser one, and what it is."""
_AS_CHOSEN = {
    Task.RAIN: "Restored as rain",
    Task.SNOW: "Restored as snow",
    Task.HAZE: "Restored as haze",
    Task.CLEAN: "Treated as a clear photo",
}


@dataclass(frozen=True)
class Found:
    """What one level of a photo took for weather and removed."""

    weather: Task | None
    """None where the weights know no weather."""
    level: int
    change: float
    """In grey values, the mean of the level."""


def weather_sentence(task: Task | None, found: Sequence[Found], chosen: bool, in_doubt: bool = False) -> str:
    """Say which weather was found in the photo, how much, and at what size.

    Args:
        task: the one that was chosen, or None.
        found: what each level that worked removed, from coarse to fine.
        chosen: whether a visitor named the weather.
        in_doubt: whether it may be none.
    """
    if chosen and task is not None:
        where = f" {_join([size_name(one.level) for one in found])}" if found else ""
        return f"{_AS_CHOSEN[task]}{where}, as you chose."
    if not found:
        return NOTHING_FOUND
    weathers = [one.weather for one in found if one.weather is not None]
    if not weathers:
        return "Restored."
    falling_first = sorted(dict.fromkeys(weathers), key=lambda weather: weather is Task.HAZE)
    described = [
        _describe_weather(weather, [one for one in found if one.weather is weather]) for weather in falling_first
    ]
    text = ("perhaps " if in_doubt else "") + "; ".join(described)
    return f"{text[0].upper()}{text[1:]}."


def _describe_weather(weather: Task, found: Sequence[Found]) -> str:
    """Name a weather by how much of it there was, what it looked like, and where it was found."""
    taken = sum(one.change for one in found)
    strength = _STRENGTHS[weather][sum(taken >= least for least in _STRONGER_FROM[weather])]
    if weather not in _SHAPES:
        return strength
    small, large, shape = _SHAPES[weather]
    widths = dict.fromkeys(small if one.level == 0 else large for one in found)
    return f"{strength}, {_join(list(widths))} {shape}, found {_join([size_name(one.level) for one in found])}"


def size_name(level: int) -> str:
    """Name the size of a level of the pyramid."""
    return _SIZES[level] if level < len(_SIZES) else f"at 1/{2**level} of the size"


def taken_caption(found: Found) -> str:
    """Name the picture of what a level took away."""
    weather = words.WEATHER_NAMES[found.weather] if found.weather is not None else words.TAKEN
    return f"{weather} {size_name(found.level)}: {found.change:.1f} grey values on average"


def privacy_sentence(minutes: float) -> str:
    """Say where photos stay, and for how long at most."""
    hours = minutes / 60
    if hours == 1:
        time = "an hour"
    elif hours > 1:
        time = f"{hours:.3g} hours"
    else:
        time = f"{minutes:.2g} minutes" if minutes != 1 else "a minute"
    return f"Photos stay on the machine that runs this page, for {time} at most."


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
    seconds_of = {name: max(1, round(full * words.QUALITY_COSTS[name])) for name in others}
    times = [f"{name} about {took}\N{NO-BREAK SPACE}s" for name, took in seconds_of.items()]
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
    return f"Pixel {x}, {y}" if level == 0 else f"Pixel {x}, {y} {size_name(level)}"


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
