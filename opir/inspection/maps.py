"""What a restoration shows of itself, as pictures with stated scales.

Colours mean the same in every picture and for every photo: ranges are fixed, not stretched to each map.

H height, W width, S scales.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from opir.inference.restoration import Restoration
from opir.ops.colours import in_grey_values, in_unit

_ROWS_AT_A_TIME = 256
CHANGE_GAIN, TAKEN_GAIN = 8.0, 2.0
MAPS = ("stage1", "change", "uncertainty", "error_bound", "spread", "scales")


@dataclass(frozen=True)
class ColourScale:
    """Which values the darkest and the brightest colour stand for; values beyond take the end's colour."""

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    open_ended: bool = False
    """Whether values above `high` occur."""

    def label(self, tick: float) -> str:
        """Return a tick's text."""
        return f"{tick:g}+" if self.open_ended and tick == self.high else f"{tick:g}"


UNCERTAINTY_SCALE = ColourScale("Uncertainty: 1 = as if untouched", 1.0, 3.0, (1.0, 1.5, 2.0, 2.5, 3.0), True)
ERROR_SCALE = ColourScale("Mean error of the colours, in grey values", 0.0, 64.0, (0.0, 16.0, 32.0, 48.0, 64.0), True)
BOUND_SCALE = ColourScale(
    "Nine pixels of ten err by less, in grey values", 0.0, 64.0, (0.0, 16.0, 32.0, 48.0, 64.0), True
)
SPREAD_SCALE = ColourScale(
    "Results of mirrored copies lie so far apart, in grey values", 0.0, 8.0, (0, 2, 4, 6, 8), True
)
WEIGHT_SCALE = ColourScale("Weight of this scale", 0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))


def reach_scale(scales: tuple[int, ...]) -> ColourScale:
    """Return the colours of the reach of these dilations."""
    return ColourScale("Reach in pixels", float(min(scales)), float(max(scales)), tuple(map(float, scales)))


def pictures(restoration: Restoration, names: Iterable[str]) -> dict[str, Image.Image]:
    """Draw what a restoration shows of itself.

    Args:
        restoration: made with `scale_weights=True` for "scales".
        names: some of `MAPS`.

    Returns:
        Pictures by name; "scales" becomes those of `scale_pictures`.

    Raises:
        ValueError: for an unknown name, "scales" where their weights were not kept, or "error_bound" or "spread"
            where there is none.
    """
    drawn: dict[str, Image.Image] = {}
    for name in names:
        if name == "stage1":
            drawn[name] = restoration.stage1
        elif name == "change":
            drawn[name] = change_picture(restoration)
        elif name == "uncertainty":
            drawn[name] = uncertainty_picture(restoration)
        elif name == "error_bound":
            drawn[name] = error_bound_picture(restoration)
        elif name == "spread":
            drawn[name] = spread_picture(restoration)
        elif name == "scales":
            drawn |= scale_pictures(restoration)
        else:
            raise ValueError(f'unknown map "{name}": use some of {", ".join(MAPS)}')
    return drawn


def change_picture(restoration: Restoration, smaller: int = 1) -> Image.Image:
    """Draw what stage 2 changed, `CHANGE_GAIN` times as strong, so many times smaller; middle grey is no change."""
    return _signed(restoration.stage1_rgb, restoration.restored_rgb, CHANGE_GAIN, smaller)


def taken_pictures(restoration: Restoration, smaller: int = 1) -> dict[int, Image.Image]:
    """Draw what each level that worked took away, `TAKEN_GAIN` times as strong: by its number, from coarse to fine.

    Brighter than middle grey was taken away, darker was added, each at the level's own size, or so many times smaller
    than the photo where that is less.
    """
    return {
        level.number: _signed(
            level.work.restored, restoration.begun_with(level.number), TAKEN_GAIN, max(1, smaller >> level.number)
        )
        for level in restoration.levels
        if level.work is not None
    }


def _signed(before: Tensor, after: Tensor, gain: float, smaller: int) -> Image.Image:
    """Draw after - before of two pictures (3, h, w), strip by strip, so many times smaller."""
    strips = []
    for top in range(0, before.shape[1], _ROWS_AT_A_TIME):
        rows = slice(top, top + _ROWS_AT_A_TIME)
        change = in_unit(after[:, rows]) - in_unit(before[:, rows])
        change = F.avg_pool2d(change, smaller, ceil_mode=True) if smaller > 1 else change
        strips.append(in_grey_values(0.5 + gain * change))
    return Image.fromarray(torch.cat(strips, dim=1).permute(1, 2, 0).contiguous().numpy())


def uncertainty_picture(restoration: Restoration) -> Image.Image:
    """Draw the uncertainty of stage 1 with its colour bar."""
    return heatmap(restoration.uncertainty, UNCERTAINTY_SCALE)


def trust_pair(restoration: Restoration, smaller: int = 1) -> tuple[Image.Image, Image.Image]:
    """Draw a result, and of the same size where not to trust it, to be laid over each other; both with the bar."""
    uncertainty = restoration.uncertainty_in(smaller)
    bound = restoration.error_bound_of(uncertainty)
    values, scale = (uncertainty, UNCERTAINTY_SCALE) if bound is None else (bound, BOUND_SCALE)
    return _with_colour_bar(restoration.image.reduce(smaller).convert("RGB"), scale), heatmap(values, scale)


def spread_picture(restoration: Restoration, smaller: int = 1) -> Image.Image:
    """Draw how far the results of mirrored copies lie apart, with its colour bar.

    Raises:
        ValueError: where the photo was restored in one way only.
    """
    if restoration.spread is None:
        raise ValueError("no spread to draw: restore with --thorough, in Python by restore_thoroughly")
    spread = torch.from_numpy(restoration.spread)[None]
    return heatmap(F.avg_pool2d(spread, smaller, ceil_mode=True)[0].numpy(), SPREAD_SCALE)


def error_bound_picture(restoration: Restoration) -> Image.Image:
    """Draw the error that nine pixels of ten stay below, with its colour bar.

    Raises:
        ValueError: where the restoration has none.
    """
    bound = restoration.error_bound
    if bound is None:
        raise ValueError(
            'no error bound to draw: it takes all stages, levels="auto" and weights with a calibration; '
            "make one with opir calibrate"
        )
    return heatmap(bound, BOUND_SCALE)


def error_picture(error: NDArray[Any]) -> Image.Image:
    """Draw a mean |restored - clean|, (H, W) in [0, 1], with its colour bar."""
    return heatmap(error * 255, ERROR_SCALE)


def scale_pictures(restoration: Restoration, smaller: int = 1) -> dict[str, Image.Image]:
    """Draw how the last stage fused its scales: "reach", then "scale 1", "scale 2", ... after the dilations.

    So many times smaller than the photo, which must be a power of two.

    Raises:
        ValueError: where the scale weights were not kept.
    """
    weights, scales = restoration.scale_weights_in(smaller), restoration.scales
    if weights is None:
        raise ValueError("no scale weights to draw: restore with scale_weights=True")
    drawn = {"reach": heatmap(effective_reach(weights, scales), reach_scale(scales))}
    for scale, weight in zip(scales, weights, strict=True):
        drawn[f"scale {scale}"] = heatmap(weight, WEIGHT_SCALE)
    return drawn


def effective_reach(scale_weights: NDArray[Any], scales: tuple[int, ...]) -> NDArray[np.float32]:
    """Return how far each pixel's operator reaches on average, Σ α_s·s in pixels: (S, H, W) → (H, W)."""
    reach = np.zeros(scale_weights.shape[1:], dtype=np.float32)
    for scale, weight in zip(scales, scale_weights, strict=True):
        reach += scale * weight
    return reach


def heatmap(values: NDArray[Any], scale: ColourScale, colour_bar: bool = True) -> Image.Image:
    """Draw (H, W) in the colours of `scale`, which people with any colour vision can order (cividis)."""
    shares = (values.astype(np.float32) - scale.low) / max(scale.high - scale.low, 1e-6)
    picture = Image.fromarray(_cividis()[(shares.clip(0, 1) * 255).round().astype(np.uint8)])
    return _with_colour_bar(picture, scale) if colour_bar else picture


@cache
def _cividis() -> NDArray[np.uint8]:
    """Return the 256 colours, (256, 3)."""
    from matplotlib import colormaps  # on first use: it takes a while to load

    return np.asarray(colormaps["cividis"](np.arange(256), bytes=True)[:, :3])


def _with_colour_bar(picture: Image.Image, scale: ColourScale) -> Image.Image:
    """Add a strip below a picture: title, colours, ticks. A narrow picture gets a margin on its right."""
    # In proportion to the picture; of a line of 100,000 pixels the strip would be gigabytes.
    text = max(12, min(picture.width // 60, picture.height // 4))
    width, margin = max(picture.width, 22 * text), 2 * text
    framed = Image.new("RGB", (width, picture.height + 5 * text), "white")
    framed.paste(picture)
    bar = Image.fromarray(np.tile(_cividis()[None], (1, 1, 1))).resize((width - 2 * margin, text))
    top = picture.height + text * 9 // 4
    framed.paste(bar, (margin, top))
    draw, font = ImageDraw.Draw(framed), ImageFont.load_default(text)
    draw.text((margin, picture.height + text // 2), scale.title, "black", font)
    for tick in scale.ticks:
        share = (tick - scale.low) / max(scale.high - scale.low, 1e-6)
        place = (margin + share * (bar.width - 1), top + text * 5 // 4)
        draw.text(place, scale.label(tick), "black", font, anchor="ma")
    return framed
