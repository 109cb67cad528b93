"""Compare native operators with those of a copy 2 and 4 times smaller, on streaks of several widths; writes JSON.

    python -m benchmarks.quality.upsampled PHOTOS --output benchmarks/results/upsampled.json [--megapixels 2 12 48]

PHOTOS is a folder of clean photos. Each is enlarged to the size asked for (bicubic), gets streaks of a fixed seed,
and is restored blindly. PSNR is of RGB from 8-bit outputs. Every line is written as soon as it is measured; after a
stop the same command goes on.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from benchmarks.cost.timing import origin
from benchmarks.report.provenance import write_report
from opir.data import list_photos
from opir.evaluation import psnr
from opir.inference import OPERATOR_SCALES, Restorer
from opir.photo import load_photo

STREAKS = (1, 3, 10, 30)
"""Widths in pixels; a streak is 12 times as long."""
COVERED = 0.06  # of the photo
PIXELS_EACH = 24  # megapixels of photos for each size and width: the largest are measured once


def enlarged(photo: Tensor, megapixels: float) -> Tensor:
    """Return (3, H, W) with about so many pixels, sides in proportion."""
    factor = (megapixels * 1e6 / (photo.shape[1] * photo.shape[2])) ** 0.5
    size = [round(side * factor) for side in photo.shape[1:]]
    return F.interpolate(photo[None], size=size, mode="bicubic", align_corners=False)[0].clamp(0, 1)


def with_streaks(clean: Tensor, width: int, seed: int) -> Tensor:
    """Add bright, slanted streaks of one width, in 8 bits."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = clean.shape[1:]
    length = 12 * width
    count = max(round(COVERED * rows * columns / (length * width)), 1)
    light = torch.zeros(rows, columns)
    tops = torch.randint(-length, rows, (count,), generator=generator).tolist()
    lefts = torch.randint(-width, columns, (count,), generator=generator).tolist()
    strengths = (0.2 + 0.4 * torch.rand(count, generator=generator)).tolist()
    for top, left, strength in zip(tops, lefts, strengths, strict=True):
        for step in range(0, length, width):
            start, side = top + step, left + step // 4
            patch = light[max(start, 0) : max(start + width, 0), max(side, 0) : max(side + width, 0)]
            patch.clamp_(min=strength)
    streaked = clean + light * (1 - clean)
    return (streaked * 255).round() / 255


def compare(restorer: Restorer, clean: Tensor, width: int, seed: int) -> dict[str, float]:
    """Restore one photo at every operator scale."""
    degraded = with_streaks(clean, width, seed)
    row = {"input": psnr(degraded, clean, "rgb")}
    for scale in OPERATOR_SCALES:
        started = time.perf_counter()
        restored = restorer.restore(degraded, operator_scale=scale).restored_rgb.float()
        row[f"seconds_{scale}"] = time.perf_counter() - started
        row[f"psnr_{scale}"] = psnr(restored, clean, "rgb")
    return row


def photos_at(megapixels: float, most: int) -> int:
    """Return how many photos are enough at a size: all of them together show about as many pixels."""
    return max(1, min(most, round(PIXELS_EACH / megapixels)))


def measure(restorer: Restorer, clean: list[Tensor], sizes: list[float], output: Path) -> None:
    """Compare at every size and width that the file does not have yet of this commit and these weights."""
    here = origin(quick=False) | {"photos": len(clean)}
    report: dict[str, Any] = json.loads(output.read_text()) if output.is_file() else {}
    if any(report.get(key) != here[key] for key in ("commit", "weights_sha256", "processor", "photos")):
        report = here | {"results": []}
    done = {(row["megapixels"], row["streak_width"]) for row in report["results"]}
    cases = [(size, width) for size in sizes for width in STREAKS if (size, width) not in done]
    for megapixels, width in tqdm(cases, disable=None):
        chosen = clean[: photos_at(megapixels, len(clean))]
        rows = [compare(restorer, enlarged(photo, megapixels), width, seed) for seed, photo in enumerate(chosen)]
        means = {key: round(fmean(row[key] for row in rows), 3) for key in rows[0]}
        found = {"megapixels": megapixels, "streak_width": width, "photos": len(rows), **means}
        report["results"] = sorted(
            [*report["results"], found], key=lambda row: (row["megapixels"], row["streak_width"])
        )
        write_report(report, output)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[2, 12, 48])
    parser.add_argument("--count", type=int, default=4, help="how many photos at most")
    options = parser.parse_args()
    restorer = Restorer.from_pretrained("lite", "cpu")
    clean = [load_photo(path).rgb for path in list_photos(options.photos)[: options.count]]
    measure(restorer, clean, options.megapixels, options.output)


if __name__ == "__main__":
    main()
