"""One pixel's operator as HTML: where it looks, its kernels in numbers and colours, and what came of it.

C kernel channels, S scales.
"""

import base64
import io
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from app.look import sentences, words
from app.look.theme import NEGATIVE_RGB, POSITIVE_RGB, SCALE_COLOURS
from opir.inference import PixelInspection, Restoration, StageOperator
from opir.photo import to_picture
from opir.tasks import Task

Floats = NDArray[np.float32]

_STRONGEST = 0.6  # opacity under which numbers can be read on every colour, light or dark
_SHARE_SIDE = 1000  # pixels: how many are less uncertain is counted on a map no larger than that
_FULL_COLOUR_AT = 1.0  # how far from neutral a number has the full colour: fixed, so that pixels can be compared


def draw(result: Restoration, pixel: PixelInspection, what_if: Mapping[Task, PixelInspection] | None = None) -> str:
    """Draw what made one pixel.

    Args:
        result: the photo that the pixel is of.
        pixel: from `result.inspect`.
        what_if: the same pixel under other tasks; left out where there are none.
    """
    seen = (result.photo.compact_rgb, result.stage1_rgb)
    stages = "".join(_stage(index, stage, pixel, seen[index]) for index, stage in enumerate(pixel.stages))
    smaller = 1 << (max(result.width, result.height) // _SHARE_SIDE).bit_length()
    percentile = float((result.uncertainty_in(smaller) <= pixel.stages[0].uncertainty).mean())
    return (
        f'<div class="operator" data-across="{(pixel.x + 0.5) / result.width:.6f}" '
        f'data-down="{(pixel.y + 0.5) / result.height:.6f}">'
        f"<h3>{sentences.pixel_title(pixel.x, pixel.y, pixel.level)}</h3>"
        f'<p class="note">{sentences.percentile_sentence(pixel.stages[0].uncertainty, percentile)}</p>'
        f"{_way(pixel)}{stages}{_legend()}{_what_if(pixel, what_if or {})}</div>"
    )


def _way(pixel: PixelInspection) -> str:
    """Draw the colours from the photo to the result."""
    colours = [(words.BEFORE, pixel.before), (words.STAGE_1, pixel.stage1)]
    if len(pixel.stages) > 1:
        colours.append((words.STAGE_2, pixel.after))
    return f'<div class="way">{"<b>→</b>".join(_colour(name, colour) for name, colour in colours)}</div>'


def _colour(name: str, colour: Floats, more: str = "") -> str:
    values = " ".join(str(round(255 * float(value))) for value in colour)
    return (
        f'<div class="colour"><i class="swatch" style="background:rgb({values})"></i>'
        f"<span>{name}<br><code>{values}</code>{more}</span></div>"
    )


def _stage(index: int, stage: StageOperator, pixel: PixelInspection, seen: Tensor) -> str:
    names = _colour_names(stage)
    rows = (
        (words.KERNEL, stage.kernels, 0.0),
        (words.MODULATION, stage.modulation, 1.0),
        (words.MODULATED, stage.modulated_kernels, 0.0),
    )
    cells = ["<div></div>", *(f'<div class="head">{name}</div>' for name in names)]
    for title, kernels, neutral in rows:
        cells.append(f"<div>{title}</div>")
        cells += [_grid(kernel, neutral) for kernel in kernels]
    cells.append(f"<div>{words.GAIN}</div>")
    cells += [f'<div class="head"><code>× {gain:.3f}</code></div>' for gain in stage.gain]
    where = _stencil(stage, pixel, seen) + _bars(stage.scale_weights, pixel.scales)
    return (
        f"<h4>{sentences.stage_title(index + 1, stage.uncertainty)}</h4>"
        f'<div class="stage"><figure>{where}</figure>'
        f'<div class="kernels" style="grid-template-columns:auto repeat({len(names)},minmax(0,1fr))">'
        f"{''.join(cells)}</div></div>"
    )


def _colour_names(stage: StageOperator) -> tuple[str, ...]:
    return words.COLOURS if len(stage.kernels) == len(words.COLOURS) else words.ALL_COLOURS


def _stencil(stage: StageOperator, pixel: PixelInspection, seen: Tensor) -> str:
    """Draw the pixel's surroundings, and where the 9 samples of every distance lie; outside the photo is empty.

    All in pixels of the photo: a sample of level n is a square of 2ⁿ.
    """
    sample = 2**pixel.level
    middle_x, middle_y = ((place // sample + 0.5) * sample for place in (pixel.x, pixel.y))
    radius = max(pixel.scales) + 1.5 * sample
    height, width = seen.shape[-2:]
    top, left = (max(int(middle - radius), 0) for middle in (middle_y, middle_x))
    part = seen[:, top : min(int(middle_y + radius), height), left : min(int(middle_x + radius), width)]
    buffer = io.BytesIO()
    to_picture(part).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    squares = []
    for index in reversed(range(len(pixel.scales))):
        scale, weight = pixel.scales[index], float(stage.scale_weights[index])
        places = [(dx * scale, dy * scale) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        squares += [
            f'<rect x="{dx - sample / 2:g}" y="{dy - sample / 2:g}" width="{sample}" height="{sample}" '
            f'stroke="{_scale_colour(index)}" style="stroke-width:{0.22 * sample:g}" '
            f'stroke-opacity="{0.35 + 0.65 * weight:.2f}"/>'
            for dx, dy in places
        ]
    return (
        f'<svg class="stencil" role="img" aria-label="{words.STENCIL}" '
        f'viewBox="{-radius:g} {-radius:g} {2 * radius:g} {2 * radius:g}">'
        f'<image x="{left - middle_x:g}" y="{top - middle_y:g}" width="{part.shape[2]}" '
        f'height="{part.shape[1]}" preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
        f"{''.join(squares)}</svg>"
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
        f'<span>{sentences.reach(reach)}</span><span class="bar"><i style="width:{weight:.1%};'
        f'background:{_scale_colour(index)}"></i></span><span>{weight:.0%}</span>'
        for index, (weight, reach) in enumerate(zip(weights, reaches, strict=True))
    )
    return f'<div class="bars">{bars}</div>'


def _scale_colour(index: int) -> str:
    return SCALE_COLOURS[index % len(SCALE_COLOURS)]


def _what_if(pixel: PixelInspection, others: Mapping[Task, PixelInspection]) -> str:
    if not others:
        return ""
    shown = [(words.AS_RESTORED, pixel), *((words.WEATHER_NAMES[task], other) for task, other in others.items())]
    colours = "".join(
        _colour(name, other.after, f"<br><code>× {' '.join(f'{gain:.2f}' for gain in other.stages[-1].gain)}</code>")
        for name, other in shown
    )
    return f'<h4>{words.WHAT_IF}</h4><p class="note">{words.WHAT_IF_NOTE}</p><div class="way">{colours}</div>'


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
    return f"rgb({red} {green} {blue} / {min(abs(position), 1.0) ** 0.7 * _STRONGEST:.2f})"
