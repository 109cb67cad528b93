"""Contact sheets with zoomed details, after the paper's Figures 4 to 7, from the photographs in assets/.

    python -m benchmarks.quality.contact_sheets [--checkpoint lite] [--output docs/images]

Figure 4: one model, blind. Figure 5: the weather named. Figure 6: real haze. Figure 7: mixed weather.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from benchmarks.report.provenance import IMAGES, ROOT
from opir.degradations import degrade
from opir.evaluation import dehaze_by_dark_channel, psnr, smooth_by_guided_filter
from opir.inference import Restoration, Restorer
from opir.inspection import BOUND_SCALE, UNCERTAINTY_SCALE, heatmap
from opir.photo import load_photo, to_picture
from opir.tasks import AUTO, Task

ASSETS = ROOT / "assets"
WIDTH = 300
"""Pixels of each picture on a sheet."""
_SIDE = 640  # of the photos, long side
_ZOOM, _DETAIL = 2, 120  # times, and the detail's height in the photo's pixels
_GAP, _TEXT, _MARK = 8, 17, (255, 77, 109)


@dataclass(frozen=True)
class Scene:
    """A photo, the weather put on it in order, and the detail to enlarge."""

    file: str
    weathers: tuple[Task, ...]
    seed: int
    detail: tuple[float, float]
    """Its centre, as shares of width and height."""


RAIN, SNOW, HAZE = (
    Scene("clean/bridge.jpg", (Task.RAIN,), 8, (0.55, 0.45)),
    Scene("clean/bridge.jpg", (Task.SNOW,), 5, (0.55, 0.45)),
    Scene("clean/bridge.jpg", (Task.HAZE,), 6, (0.55, 0.45)),
)
SHEETS: dict[str, tuple[Scene, ...]] = {
    "figure4": (RAIN, SNOW, HAZE),
    "figure5": (
        Scene("clean/palace.jpg", (Task.RAIN,), 7, (0.5, 0.6)),
        Scene("clean/neuschwanstein.jpg", (Task.SNOW,), 5, (0.5, 0.4)),
        Scene("clean/canyon.jpg", (Task.HAZE,), 6, (0.45, 0.4)),
    ),
    "figure6": (Scene("examples/coast.jpg", (), 0, (0.5, 0.5)), Scene("examples/pagoda.jpg", (), 0, (0.5, 0.45))),
    "figure7": (
        Scene("clean/village.jpg", (Task.HAZE, Task.RAIN), 4, (0.5, 0.5)),
        Scene("clean/bridge.jpg", (Task.SNOW, Task.RAIN), 9, (0.55, 0.45)),
    ),
}


def load(scene: Scene) -> tuple[Tensor, Tensor]:
    """Return a scene's clean photo and the photo under its weather, (3, H, W); the same if it has none."""
    clean = load_photo(ASSETS / scene.file).rgb[None]
    clean = F.interpolate(clean, scale_factor=min(1, _SIDE / max(clean.shape[-2:])), mode="area")
    degraded = clean
    for weather in scene.weathers:
        degraded = degrade(degraded, weather, scene.seed)
    return clean[0], ((degraded[0] * 255).round() / 255).clamp(0, 1)


def draw_row(restorer: Restorer, scene: Scene, named: bool) -> list[tuple[str, Image.Image]]:
    """Restore a scene and return captions with pictures, each with its detail below it."""
    clean, degraded = load(scene)
    task = scene.weathers[0].label if named and scene.weathers else AUTO
    result = restorer.restore(degraded, task)
    simple, by = (
        (dehaze_by_dark_channel, "dark channel prior")
        if Task.HAZE in scene.weathers or not scene.weathers
        else (smooth_by_guided_filter, "guided filter")
    )
    weather = " + ".join(task.label for task in scene.weathers) or "real"
    columns = [
        (f"{weather}{_score(degraded, clean, scene)}", to_picture(degraded)),
        (f"{by}{_score(simple(degraded), clean, scene)}", to_picture(simple(degraded))),
        (f"stage 1{_score(result.stage1_rgb, clean, scene)}", result.stage1),
        (f"OPIR ({result.task}){_score(result.restored_rgb, clean, scene)}", result.image),
        uncertainty_picture(result),
    ]
    if scene.weathers:
        columns.append(("truth", to_picture(clean)))
    return [(caption, with_detail(picture, scene.detail)) for caption, picture in columns]


def uncertainty_picture(result: Restoration) -> tuple[str, Image.Image]:
    """Return the error bound with its caption; the uncertainty where the weights have no calibration."""
    if result.error_bound is not None:
        return f"error bound, 0 to {BOUND_SCALE.high:.0f} grey values", heatmap(
            result.error_bound, BOUND_SCALE, colour_bar=False
        )
    title = f"UM, {UNCERTAINTY_SCALE.low:.0f} to {UNCERTAINTY_SCALE.high:.0f}"
    return title, heatmap(result.uncertainty, UNCERTAINTY_SCALE, colour_bar=False)


def _score(picture: Tensor, clean: Tensor, scene: Scene) -> str:
    return f" {psnr(picture, clean):.1f} dB" if scene.weathers else ""


def with_detail(picture: Image.Image, centre: tuple[float, float]) -> Image.Image:
    """Return a picture of `WIDTH` pixels with a marked detail, and the detail enlarged below it."""
    picture = picture.convert("RGB")
    wide, high = min(WIDTH // _ZOOM, picture.width), min(_DETAIL, picture.height)
    left = round(min(max(centre[0] * picture.width - wide / 2, 0), picture.width - wide))
    top = round(min(max(centre[1] * picture.height - high / 2, 0), picture.height - high))
    box = (left, top, left + wide, top + high)
    detail = picture.crop(box).resize((WIDTH, round(high * WIDTH / wide)), Image.Resampling.LANCZOS)
    share = WIDTH / picture.width
    whole = picture.resize((WIDTH, round(picture.height * share)), Image.Resampling.LANCZOS)
    ImageDraw.Draw(whole).rectangle([round(edge * share) for edge in box], outline=_MARK, width=2)
    ImageDraw.Draw(detail).rectangle((0, 0, detail.width - 1, detail.height - 1), outline=_MARK, width=2)
    together = Image.new("RGB", (WIDTH, whole.height + _GAP // 2 + detail.height), "white")
    together.paste(whole)
    together.paste(detail, (0, whole.height + _GAP // 2))
    return together


def sheet(rows: list[list[tuple[str, Image.Image]]]) -> Image.Image:
    """Put rows of captioned pictures on one white sheet."""
    font = ImageFont.load_default(_TEXT)
    heights = [max(picture.height for _, picture in row) + _TEXT + 2 * _GAP for row in rows]
    columns = max(len(row) for row in rows)
    page = Image.new("RGB", (columns * (WIDTH + _GAP) + _GAP, sum(heights) + _GAP), "white")
    draw, top = ImageDraw.Draw(page), _GAP
    for row, height in zip(rows, heights, strict=True):
        for column, (caption, picture) in enumerate(row):
            left = _GAP + column * (WIDTH + _GAP)
            draw.text((left, top), caption, "black", font)
            page.paste(picture, (left, top + _TEXT + _GAP // 2))
        top += height
    return page


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--output", type=Path, default=IMAGES)
    parser.add_argument("--only", choices=list(SHEETS), help="draw one figure")
    options = parser.parse_args(arguments)
    restorer = Restorer.from_pretrained(options.checkpoint)
    options.output.mkdir(parents=True, exist_ok=True)
    for name, scenes in SHEETS.items():
        if options.only in (None, name):
            with torch.inference_mode():
                rows = [draw_row(restorer, scene, named=name == "figure5") for scene in scenes]
            sheet(rows).save(options.output / f"{name}.jpg", quality=88)
            print(options.output / f"{name}.jpg")


if __name__ == "__main__":
    main()
