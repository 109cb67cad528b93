"""JPEG to JPEG from 0.25 to 48 megapixels: time and peak memory, each run in a process of its own.

python -m benchmarks.cost.files make FILE WIDTH HEIGHT
python -m benchmarks.cost.files restore FILE LEVEL [LEVEL ...]
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.cost.nafnet import NAFNet
from benchmarks.cost.ratio import SIDE
from benchmarks.cost.timing import interleaved, median_and_iqr
from opir.inference import Restorer

SIZES = ((612, 408), (866, 577), (1224, 816), (1920, 1080), (2448, 1632), (4000, 3000), (6000, 4000), (8000, 6000))
"""Width and height in pixels: 0.25, 0.5, 1, 2, 4, 12, 24 and 48 megapixels."""
FINEST, COARSE, ALL_SIZES = (0,), (2,), (0, 1, 2)
"""Levels that work: for weather of the photo's own size, for broad weather, and for weather of every size."""
COARSE_FROM_MEGAPIXELS, ALL_SIZES_FROM_MEGAPIXELS = 10, 40
"""Sizes from which on the latter two are measured too."""
_ALONE = (sys.executable, "-m", "benchmarks.cost.files")


@dataclass(frozen=True)
class Case:
    """A photo's size, the levels that work, and how often it is restored."""

    width: int
    height: int
    levels: tuple[int, ...]
    runs: int

    @property
    def name(self) -> str:
        suffix = "" if self.levels == FINEST else f", levels {', '.join(map(str, self.levels))}"
        return f"{self.width}x{self.height}{suffix}"


def cases(quick: bool) -> Iterator[Case]:
    """Return what is measured, small photos first."""
    for width, height in SIZES[:1] if quick else SIZES:
        megapixels = width * height / 1e6
        runs = 1 if quick else 5 if megapixels < 5 else 3 if megapixels < 20 else 2
        yield Case(width, height, FINEST, runs)
        if megapixels > COARSE_FROM_MEGAPIXELS:
            yield Case(width, height, COARSE, runs)
        if megapixels > ALL_SIZES_FROM_MEGAPIXELS:
            yield Case(width, height, ALL_SIZES, runs)


def measure_files(quick: bool, found: dict[str, Any], save: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Restore JPEGs with `lite` on all cores; weights are loaded before the clock starts.

    Args:
        quick: only the smallest photo, once.
        found: the results of an earlier measurement that was stopped.
        save: called with all results so far after each size.
    """
    report = found or {"threads": torch.get_num_threads(), "yardstick_ms": _yardstick_ms(), "photos": {}}
    for case in cases(quick):
        if case.name in report["photos"]:
            continue
        runs = [json.loads(_run_alone(case)) for _ in range(case.runs)]
        median = median_and_iqr([run["seconds"] for run in runs])
        report["photos"][case.name] = median | {
            "width": case.width,
            "height": case.height,
            "levels": list(case.levels),
            "tiles": runs[0]["tiles"],
            "peak_mb": max(run["peak_mb"] for run in runs),
            "yardsticks": round(median["median_ms"] / report["yardstick_ms"], 2),
        }
        save(report)
    return report


def _yardstick_ms() -> float:
    """Return the time of NAFNet-w32 at 256×256, eager, one thread: a unit that makes times of machines comparable."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model, photo = NAFNet().eval(), torch.rand(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        times = interleaved({"NAFNet-w32": partial(model, photo)}, 3)["NAFNet-w32"]
    torch.set_num_threads(threads)
    return median_and_iqr(times)["median_ms"]


def _run_alone(case: Case) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "photo.jpg")
        subprocess.run([*_ALONE, "make", file, str(case.width), str(case.height)], check=True)
        command = [*_ALONE, "restore", file, *map(str, case.levels)]
        return str(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def make_file(file: Path, width: int, height: int) -> None:
    """Write a JPEG with structure and noise."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    random = np.random.default_rng(0)
    picture = np.empty((height, width, 3), np.uint8)
    for colour in range(3):
        wave = 128 + 80 * np.sin(rows / (40 + 9 * colour)) * np.cos(columns / 60)
        picture[..., colour] = (wave + random.normal(0, 6, (height, width))).clip(0, 255)
    Image.fromarray(picture).save(file, quality=92)


def restore_file(file: Path, levels: Sequence[int]) -> dict[str, Any]:
    """Restore a JPEG to a JPEG; return seconds, this process's peak memory, and how it was done."""
    restorer = Restorer.from_pretrained("lite", "cpu")
    restorer.restore(torch.rand(3, 64, 64))
    started = time.perf_counter()
    out = restorer.restore(file, levels=levels)
    out.save(file.with_name("restored.jpg"))
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_mb": round(peak_mb()), "tiles": out.tiles}


def peak_mb() -> float:
    """Return the peak memory of this process, in MB of 10⁶ bytes.

    It is read from /proc, because the peak of `getrusage` includes that of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main() -> None:
    """Run from the command line."""
    if sys.argv[1] == "make":
        make_file(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        print(json.dumps(restore_file(Path(sys.argv[2]), [int(level) for level in sys.argv[3:]])))


if __name__ == "__main__":
    main()
