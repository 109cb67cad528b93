"""Measure whether weather of every size is removed: pairs enlarged, and streaks, flakes and haze on large photos.

    python -m benchmarks.quality.sizes DATA --photos FOLDER --output benchmarks/results/sizes.json [--every N]

DATA holds `benchmark/<set>/{input,target}`, FOLDER sharp clean photos. Pairs are enlarged bicubically; photos are
brought to 2, 6 and 12 megapixels and get streaks or flakes of one width, fixed seeds, in 8 bits. All is restored
blindly. PSNR is of RGB from 8-bit outputs; a photo that comes back as it was counts as 60 dB.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from benchmarks.report.provenance import IMAGES, provenance, write_report
from opir.data import list_photos, pair_photos
from opir.degradations import degrade
from opir.degradations.particles import flake_shape, scatter, streak_shape
from opir.evaluation import UNCHANGED_PSNR, psnr
from opir.inference import Restorer
from opir.photo import load_photo
from opir.tasks import Task

ENLARGED: dict[str, tuple[int, ...]] = {"Rain100L": (1, 2, 3, 4, 6), "SOTS-indoor-10scenes": (1, 2)}
"""How many times the pairs of a set are enlarged."""
MEGAPIXELS = (2.0, 6.0, 12.0)
STREAKS, FLAKES = (1, 3, 10, 30), (3, 10, 30, 60)
"""Widths in pixels."""
COVERED = 0.06  # of the photo, by streaks or flakes
_LONG, _SLANT, _LIGHT = 12, 0.25, 0.5  # a streak's length in widths, its angle in radians, and what it adds to black
_PER_SIGMA = 2.355  # a Gaussian's width at half of its height, in standard deviations


@dataclass(frozen=True)
class Weather:
    """What is drawn on a large photo."""

    name: str
    draw: Callable[[Tensor, int], Tensor]
    """From a photo (3, H, W) and a seed."""


def streaks(width: int) -> Weather:
    """Return rain whose streaks are so many pixels wide."""

    def draw(clean: Tensor, seed: int) -> Tensor:
        generator, (height, columns) = torch.Generator().manual_seed(seed), clean.shape[1:]
        length, thickness, angle = (_one(value) for value in (_LONG * width, width / _PER_SIGMA, _SLANT))
        layer = scatter(generator, streak_shape(height, columns, length, thickness, angle), _one(COVERED))
        return clean + _LIGHT * layer[0] * (1 - clean)

    return Weather(f"streaks of {width} px", draw)


def flakes(width: int) -> Weather:
    """Return snow whose flakes are so many pixels wide."""

    def draw(clean: Tensor, seed: int) -> Tensor:
        generator, (height, columns) = torch.Generator().manual_seed(seed), clean.shape[1:]
        shape = flake_shape(height, columns, _one(width / 2), _one(1.3), _one(_SLANT), _one(4.0))
        mask = 0.9 * scatter(generator, shape, _one(COVERED))[0]
        return (1 - mask) * clean + mask * 0.9

    return Weather(f"flakes of {width} px", draw)


def _one(value: float) -> Tensor:
    return torch.full((1, 1, 1, 1), float(value))


WEATHERS = (
    *(streaks(width) for width in STREAKS),
    *(flakes(width) for width in FLAKES),
    Weather("haze", lambda clean, seed: degrade(clean[None], Task.HAZE, seed)[0]),
    Weather("nothing", lambda clean, seed: clean),
)


def enlarged(photo: Tensor, height: int, width: int) -> Tensor:
    """Return a photo (3, H, W) at another size, in 8 bits."""
    grown = F.interpolate(photo[None], size=(height, width), mode="bicubic", antialias=True)[0]
    return (grown.clamp(0, 1) * 255).round() / 255


def score(restorer: Restorer, degraded: Tensor, clean: Tensor) -> dict[str, Any]:
    """Restore one photo blindly."""
    out = restorer.restore(degraded)
    return {
        "input": min(psnr(degraded, clean), UNCHANGED_PSNR),
        "psnr": min(psnr(out.restored_rgb, clean), UNCHANGED_PSNR),
        "seconds": out.seconds,
        "levels": ", ".join(str(level.number) for level in out.working_levels) or "none",
    }


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return means, the worst PSNR, and which levels worked on how many photos."""
    means = {key: round(fmean(row[key] for row in rows), 2) for key in ("input", "psnr", "seconds")}
    chosen = dict(Counter(row["levels"] for row in rows).most_common())
    return {"photos": len(rows), **means, "worst": round(min(row["psnr"] for row in rows), 2), "levels": chosen}


def measure_pairs(restorer: Restorer, folder: Path, times: Sequence[int], every: int) -> Iterator[dict[str, Any]]:
    """Restore the pairs of a folder, every so many of them, at each size."""
    pairs = pair_photos(folder / "input", folder / "target")[::every]
    for factor in times:
        rows = []
        for pair in tqdm(pairs, desc=f"{folder.name} ×{factor}", disable=None):
            photos = pair.read()
            height, width = (factor * side for side in photos[0].shape[1:])
            rows.append(score(restorer, *(enlarged(photo, height, width) for photo in photos)))
        yield {"times": factor, **summary(rows)}


def measure_drawn(
    restorer: Restorer, photos: Sequence[Path], megapixels: Sequence[float]
) -> Iterator[dict[str, Any]]:
    """Restore photos with every weather at each size."""
    for size in megapixels:
        for weather in tqdm(WEATHERS, desc=f"{size:g} megapixels", disable=None):
            rows = []
            for seed, path in enumerate(photos):
                photo = load_photo(path).rgb
                factor = (size * 1e6 / (photo.shape[1] * photo.shape[2])) ** 0.5
                clean = enlarged(photo, *(round(factor * side) for side in photo.shape[1:]))
                degraded = (weather.draw(clean, seed).clamp(0, 1) * 255).round() / 255
                rows.append(score(restorer, degraded, clean))
            yield {"megapixels": size, "weather": weather.name, **summary(rows)}


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw what is won at each size of the pairs."""
    from matplotlib.figure import Figure  # takes a while to load

    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    for name, rows in report["pairs"].items():
        axes.plot([row["times"] for row in rows], [row["psnr"] - row["input"] for row in rows], "o-", label=name)
    axes.axhline(0, color="#999999", linewidth=1)
    axes.set(xlabel="enlarged so many times", ylabel="dB won")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--photos", type=Path, help="sharp clean photos; without, only pairs are measured")
    parser.add_argument("--count", type=int, default=4, help="how many of the photos, evenly picked (default: 4)")
    parser.add_argument("--megapixels", type=float, nargs="+", default=list(MEGAPIXELS))
    parser.add_argument("--every", type=int, default=1, help="only every so many pairs (default: all)")
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    restorer = Restorer.from_pretrained(options.checkpoint)
    command = (
        f"python -m benchmarks.quality.sizes DATA --photos LARGE --every {options.every} --count {options.count}"
    )
    folders = {name: options.data / "benchmark" / name for name in ENLARGED}
    pairs = {
        name: list(measure_pairs(restorer, folder, ENLARGED[name], options.every))
        for name, folder in folders.items()
        if folder.is_dir()
    }
    found = list_photos(options.photos) if options.photos else []
    picked = found[:: max(1, len(found) // options.count)][: options.count]
    drawn = list(measure_drawn(restorer, picked, options.megapixels)) if picked else []
    report = provenance(command, restorer, range(len(picked))) | {"pairs": pairs, "drawn": drawn}
    write_report(report, options.output)
    draw(report, IMAGES / "sizes.png")


if __name__ == "__main__":
    main()
