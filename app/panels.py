"""Small pieces of HTML: the summary of a result, and one pixel's operator in numbers and colours.

C kernel channels, S scales.
"""

import base64
import html
import io
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app import words
from app.look import NEGATIVE_RGB, POSITIVE_RGB, TASK_COLOURS
from opir.pixel import PixelInspection, StageOperator
from opir.restoration import Restoration
from opir.tasks import TASK_NAMES, Task

Floats = NDArray[np.float32]

_PATCH_RADIUS = 8  # pixels around the chosen one that the small pictures show
_FULL_COLOUR_AT = 1.0  # how far from neutral a number has the full colour: fixed, so that pixels can be compared


def hint(text: str) -> str:
    """Say quietly what to do next."""
    return f'<p class="hint">{html.escape(text)}</p>'


def summary(result: Restoration, chosen: bool, kept: list[str], removed: list[str]) -> str:
    """Say in a line or two what was done: the weather, the size and time, and what of the file was kept.

    Args:
        result: the restored photo.
        chosen: whether the visitor chose the weather.
        kept: names of what the download carries over.
        removed: names of what it leaves out.
    """
    task = Task.parse(result.task) if result.task in TASK_NAMES else None
    weather = words.weather_sentence(task, result.task_probabilities.get(result.task, 1.0), chosen)
    cost = words.cost_sentence(result.width, result.height, result.tiles, result.seconds)
    rest = html.escape(f"{cost} {words.kept_sentence(kept, removed)}".strip())
    dot = f'<i class="dot" style="background:{TASK_COLOURS[task]}"></i>' if task is not None else ""
    return f"<p>{dot}<b>{weather}</b> {rest}</p>"


def operator(result: Restoration, pixel: PixelInspection) -> str:
    """Draw what made one pixel: its surroundings, and each stage's kernels, weights and uncertainty."""
    seen = [(words.BEFORE, result.blend(0.0), pixel.before), (words.STAGE_1, result.stage1, pixel.stage1)]
    if len(pixel.stages) > 1:
        seen.append((words.STAGE_2, result.image, pixel.after))
    patches = "".join(_patch(name, picture, pixel, colour) for name, picture, colour in seen)
    stages = "".join(_stage(number, stage, pixel.scales) for number, stage in enumerate(pixel.stages, start=1))
    return (
        f'<div class="operator"><h3>{words.pixel_title(pixel.x, pixel.y)}</h3>'
        f'<div class="where">{patches}</div>{stages}{_legend()}</div>'
    )


def _stage(number: int, stage: StageOperator, scales: Sequence[int]) -> str:
    names = words.COLOURS if len(stage.kernels) == len(words.COLOURS) else words.ALL_COLOURS
    rows = (
        (words.KERNEL, stage.kernels, 0.0),
        (words.MODULATION, stage.modulation, 1.0),
        (words.MODULATED, stage.modulated_kernels, 0.0),
    )
    cells = ["<div></div>", *(f'<div class="head">{name}</div>' for name in names)]
    for title, kernels, neutral in rows:
        cells.append(f"<div>{title}</div>")
        cells += [_grid(kernel, neutral) for kernel in kernels]
    gains = ", ".join(f"{name} {gain:.2f}" for name, gain in zip(names, stage.gain, strict=True))
    return (
        f"<h3>{words.stage_title(number, stage.uncertainty)}</h3>"
        f'<div class="kernels" style="grid-template-columns:64px repeat({len(names)},minmax(0,1fr))">'
        f"{''.join(cells)}</div><p class='note'>{words.gain_sentence(gains)}</p>"
        f"{_bars(stage.scale_weights, scales)}"
    )


def _grid(values: Floats, neutral: float) -> str:
    rows = ""
    for row in values:
        cells = (
            f'<td style="background:{_diverging((value - neutral) / _FULL_COLOUR_AT)}">{_short(value)}</td>'
            for value in row
        )
        rows += f"<tr>{''.join(cells)}</tr>"
    return f'<table class="grid">{rows}</table>'


def _bars(weights: Iterable[float], reaches: Iterable[int]) -> str:
    bars = "".join(
        f'<span>{words.reach(reach)}</span><span class="bar"><i style="width:{weight:.1%}"></i></span>'
        f"<span>{weight:.0%}</span>"
        for weight, reach in zip(weights, reaches, strict=True)
    )
    return f'<div class="bars">{bars}</div>'


def _patch(name: str, picture: Image.Image, pixel: PixelInspection, colour: Floats) -> str:
    box = (
        pixel.x - _PATCH_RADIUS,
        pixel.y - _PATCH_RADIUS,
        pixel.x + _PATCH_RADIUS + 1,
        pixel.y + _PATCH_RADIUS + 1,
    )
    buffer = io.BytesIO()
    picture.convert("RGB").crop(box).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    levels = [round(255 * float(value)) for value in colour]
    return (
        f'<figure><span class="lens"><img class="patch" alt="" src="data:image/png;base64,{data}"></span>'
        f'<figcaption>{name}<br><i class="swatch" style="background:rgb({",".join(map(str, levels))})"></i>'
        f"{' '.join(map(str, levels))}</figcaption></figure>"
    )


def _legend() -> str:
    stops = ",".join(_diverging(place) for place in np.linspace(-1, 1, 9))
    low, high = words.GRID_ENDS
    ramp = f'<i class="ramp" style="background:linear-gradient(90deg,{stops})"></i>'
    return f'<div class="scale"><span>{low}</span>{ramp}<span>{high}</span></div>'


def _short(value: float) -> str:
    """Write a number so that nine of them fit side by side: 1.02, 1, .97, −.03, 0."""
    text = f"{abs(value):.2f}".removesuffix(".00")
    return text if text == "0" else ("−" if value < 0 else "") + text.removeprefix("0")


def _diverging(position: float) -> str:
    red, green, blue = POSITIVE_RGB if position > 0 else NEGATIVE_RGB
    return f"rgb({red} {green} {blue} / {min(abs(position), 1.0) ** 0.7 * 0.85:.2f})"
