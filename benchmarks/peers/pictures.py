"""The page's pictures: parts of its examples at 100 %, as they are and as each method makes them."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from benchmarks.peers.sets import EXAMPLES, read_png
from opir.evaluation import dehaze_by_dark_channel
from opir.inference import Restorer
from opir.photo import to_picture

WIDTH, HEIGHT = 220, 330
"""Pixels of each part; four fit side by side on a page at their own size."""
_GAP, _TEXT = 4, 14


def draw_pictures(restorer: Restorer, names: Sequence[str], work: Path, folder: Path) -> list[Path]:
    """Draw each example that MAXIM has restored.

    Args:
        restorer: with our weights.
        names: of the examples.
        work: where they and MAXIM's results lie.
        folder: for the pictures.
    """
    drawn = []
    for name in names:
        restored = work / EXAMPLES[name] / "examples" / f"{name}.png"
        if restored.is_file():
            photo = read_png(work / "input" / "examples" / f"{name}.png")
            parts = {
                "the photo": to_picture(photo),
                "dark channel prior": to_picture(dehaze_by_dark_channel(photo)),
                "MAXIM": Image.open(restored),
                "OPIR": restorer.restore(photo).image,
            }
            drawn.append(folder / f"peers-{name}.jpg")
            side_by_side(parts).save(drawn[-1], quality=90, subsampling=0)
    return drawn


def side_by_side(parts: dict[str, Image.Image]) -> Image.Image:
    """Return the middle of each picture at its own size, under its name."""
    font, step = ImageFont.load_default(_TEXT), WIDTH + _GAP
    page = Image.new("RGB", (len(parts) * step - _GAP, HEIGHT + _TEXT + 2 * _GAP), "white")
    draw = ImageDraw.Draw(page)
    for column, (name, picture) in enumerate(parts.items()):
        left, top = (picture.width - WIDTH) // 2, (picture.height - HEIGHT) // 2
        draw.text((column * step, _GAP // 2), name, "black", font)
        part = picture.convert("RGB").crop((left, top, left + WIDTH, top + HEIGHT))
        page.paste(part, (column * step, _TEXT + 2 * _GAP))
    return page
