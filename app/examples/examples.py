"""The photos that the page offers to try, and their results, made beforehand for the weights in use.

Run as a command when the weights or the photos changed::

    python -m app.examples            # make examples
    python -m app.examples --check    # part of make check
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from app.examples import precomputed
from app.running.runner import Runner
from opir.evaluation import psnr
from opir.inference import Restoration, Restorer
from opir.model import CheckpointInfo
from opir.ops import in_unit

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "examples"

CAPTIONS = {
    "palace-rain.jpg": "Rain",
    "bridge-rain.jpg": "Rain, night",
    "village-rain-mist.jpg": "Rain, mist",
    "neuschwanstein-snow.jpg": "Snow",
    "bridge-snow.jpg": "Snow, night",
    "canyon-haze.jpg": "Haze",
    "temple.jpg": "Real haze",
    "pagoda.jpg": "Haze, missed",
    "facade-rain.jpg": "Broad streaks",
    "kingfisher-snow.jpg": "Large flakes",
    "stars.jpg": "Stars",
    "castle.jpg": "Clear",
}
"""File name → caption, in the order in which the page shows them."""

_THUMBNAIL = (240, 180)  # pixels
_LEAST_PSNR = 40.0
"""In dB, of a stored result against the one that was computed."""


@dataclass(frozen=True)
class Examples:
    """Photos in a folder, and below it in "results" what `app.examples.precomputed` made of them."""

    folder: Path = FOLDER
    captions: Mapping[str, str] = field(default_factory=lambda: CAPTIONS)

    @cached_property
    def photos(self) -> list[Path]:
        """The files, in the order in which they are shown."""
        return [self.folder / name for name in self.captions]

    def result_path(self, photo: Path) -> Path:
        """Return where the result of an example lies."""
        return self.folder / "results" / f"{photo.stem}.npz"

    def stale(self, weights: CheckpointInfo | None) -> list[Path]:
        """Return the examples whose result is missing, or of another photo or other weights."""
        return [
            photo
            for photo in self.photos
            if weights is None or not precomputed.fits(self.result_path(photo), photo, weights.sha256)
        ]

    def result(self, photo: Path, runner: Runner) -> Restoration:
        """Read the result of an example; raises ValueError where there is none."""
        return precomputed.load(self.result_path(photo), photo, runner.model, runner.precision, runner.calibration)

    @cached_property
    def thumbnails(self) -> list[tuple[str, str]]:
        """(Small picture, caption) of every example, so that opening the page does not load the photos."""
        folder = Path(tempfile.mkdtemp(prefix="opir-examples-"))
        made = []
        for path, caption in zip(self.photos, self.captions.values(), strict=True):
            with Image.open(path) as photo:
                small = photo.convert("RGB")
            small.thumbnail(_THUMBNAIL, Image.Resampling.LANCZOS)
            small.save(folder / f"{path.stem}.jpg", quality=85)
            made.append((str(folder / f"{path.stem}.jpg"), caption))
        return made

    def renew(self, restorer: Restorer) -> Iterator[str]:
        """Restore every example and store the results; yields a line about each."""
        assert restorer.info is not None
        for photo in self.photos:
            result, path = restorer.restore(photo, scale_weights=True), self.result_path(photo)
            precomputed.save(result, photo, restorer.info.sha256, path)
            again = precomputed.load(path, photo, restorer.model, restorer.precision)
            kept = psnr(in_unit(again.restored_rgb), in_unit(result.restored_rgb))
            if kept < _LEAST_PSNR:
                raise ValueError(f"{path}: stored with {kept:.1f} dB, expected at least {_LEAST_PSNR:g}")
            spread = " ".join(f"{value:.2f}" for value in np.percentile(result.uncertainty, (1, 50, 99)))
            size = f"{path.stat().st_size / 1000:.0f} kB, {kept:.1f} dB"
            yield f"{path.name}: {size}, {result.seconds:.1f} s, uncertainty (1, 50, 99 %) {spread}"


def main(arguments: list[str] | None = None) -> None:
    """Restore every example and store the results; --check only says whether they are up to date."""
    parser = argparse.ArgumentParser(prog="python -m app.examples", description=main.__doc__)
    parser.add_argument("--checkpoint", default="lite", help="a shipped name or a path (default: lite)")
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 if a result is out of date")
    options = parser.parse_args(arguments)
    examples, restorer = Examples(), Restorer.from_pretrained(options.checkpoint, device="cpu")
    if not options.check:
        for line in examples.renew(restorer):
            print(line)
    elif stale := [photo.name for photo in examples.stale(restorer.info)]:
        raise SystemExit(f"results of the examples are out of date: {', '.join(stale)}; run make examples")


if __name__ == "__main__":
    main()
