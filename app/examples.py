"""The photos that the page offers to try, in the order in which it shows them."""

import tempfile
from functools import cache
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"

EXAMPLES = {
    "stream-rain.jpg": "Rain",
    "bridge-rain.jpg": "Rain, night",
    "meadow-rain-mist.jpg": "Rain, mist",
    "dogs-snow.jpg": "Snow",
    "bridge-snow.jpg": "Snow, night",
    "mountains-haze.jpg": "Haze",
    "coast.jpg": "Real haze",
    "pagoda.jpg": "Light haze",
    "castle.jpg": "Clear",
}
"""File name → caption."""

_THUMBNAIL = (320, 240)  # pixels


def example_path(index: int) -> Path:
    """Return the file of the example at this place."""
    return FOLDER / list(EXAMPLES)[index]


@cache
def thumbnails() -> list[tuple[str, str]]:
    """Return (small picture, caption) of every example, so that opening the page does not load the photos."""
    folder = Path(tempfile.mkdtemp(prefix="opir-examples-"))
    made = []
    for index, caption in enumerate(EXAMPLES.values()):
        path = example_path(index)
        with Image.open(path) as photo:
            small = photo.convert("RGB")
        small.thumbnail(_THUMBNAIL, Image.Resampling.LANCZOS)
        small.save(folder / path.name, quality=88)
        made.append((str(folder / path.name), caption))
    return made
