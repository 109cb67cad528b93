"""Measure how well the shipped weights restore, and whether their uncertainty tells the error; writes JSON.

    python benchmarks/quality.py DATA --output benchmarks/results/quality.json

DATA holds `validation/clean` (photos to degrade with fixed seeds) and `benchmark/<set>/{input,target}`; what is not
there is left out. Nothing is trained or chosen by these figures.
"""

import argparse
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from torch import Tensor
from tqdm import tqdm

from opir.data import list_photos, pair_photos
from opir.degradations import degrade
from opir.images import load_photo
from opir.metrics import Space, ause, psnr, rank_correlation, ssim
from opir.restorer import Restorer
from opir.tasks import Task

SETS: tuple[tuple[str, Space, Task], ...] = (
    ("Rain100L", "y", Task.RAIN),
    ("SOTS-indoor-10scenes", "rgb", Task.HAZE),
)


@dataclass(frozen=True)
class Case:
    """One photo with its truth."""

    degraded: Tensor
    clean: Tensor
    task: Task


def synthetic_cases(folder: Path, task: Task) -> Iterator[Case]:
    """Degrade each photo of a folder; photo n gets seed n, in 8 bits as `opir degrade` saves it."""
    for seed, path in enumerate(list_photos(folder)):
        clean = load_photo(path).rgb
        degraded = (degrade(clean[None], task, seed)[0] * 255).round() / 255
        yield Case(degraded, clean, task)


def paired_cases(folder: Path, task: Task) -> Iterator[Case]:
    """Read the pairs of a published set."""
    for degraded, clean in pair_photos(folder / "input", folder / "target"):
        yield Case(load_photo(degraded).rgb, load_photo(clean).rgb, task)


def _local_gradient(photo: Tensor) -> np.ndarray[Any, Any]:
    rows, columns = np.gradient(photo.mean(dim=0).numpy())
    return np.hypot(rows, columns)


def score(restorer: Restorer, case: Case, space: Space) -> dict[str, float]:
    """Restore one photo blindly and compare it, and its uncertainty, with the truth."""
    result = restorer.restore(case.degraded)
    restored, first = result.restored_rgb.clamp(0, 1), result.stage1_rgb.clamp(0, 1)
    error = (restored - case.clean).abs().mean(dim=0).numpy()
    change = (restored - case.degraded).abs().mean(dim=0).numpy()
    maps = {"uncertainty": result.uncertainty, "gradient": _local_gradient(case.degraded), "change": change}
    scores = {
        "input_psnr": psnr(case.degraded, case.clean, space),
        "input_ssim": ssim(case.degraded, case.clean, space),
        "stage1_psnr": psnr(first, case.clean, space),
        "psnr": psnr(restored, case.clean, space),
        "ssim": ssim(restored, case.clean, space),
        "recognised": float(result.task == case.task.label),
    }
    for name, values in maps.items():
        scores[f"rank_correlation_{name}"] = rank_correlation(values, error)
        scores[f"ause_{name}"] = ause(values, error)
    return scores


def measure(restorer: Restorer, data: Path) -> dict[str, dict[str, Any]]:
    """Score every set that is there; the figures are means over photos."""
    cases: dict[str, tuple[Space, list[Case]]] = {}
    if (data / "validation" / "clean").is_dir():
        for task in Task:
            cases[f"validation, synthetic {task.label}"] = (
                "rgb",
                list(synthetic_cases(data / "validation" / "clean", task)),
            )
    for name, space, task in SETS:
        if (data / "benchmark" / name).is_dir():
            cases[name] = (space, list(paired_cases(data / "benchmark" / name, task)))
    if not cases:
        raise SystemExit(
            f"nothing to measure in {data}: expected validation/clean or benchmark/<set>/input and target"
        )
    results = {}
    for name, (space, photos) in cases.items():
        rows = [score(restorer, case, space) for case in tqdm(photos, desc=name)]
        finite = {key: [row[key] for row in rows if np.isfinite(row[key])] for key in rows[0]}
        means = {key: round(fmean(values), 4) for key, values in finite.items() if values}
        results[name] = {"space": space, "photos": len(photos), **means}
    return results


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    restorer = Restorer.from_pretrained(options.checkpoint)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    assert restorer.info is not None
    report = {
        "command": f"python benchmarks/quality.py DATA --checkpoint {options.checkpoint}",
        "date": date.today().isoformat(),
        "commit": commit,
        "weights_sha256": restorer.info.sha256,
        "results": measure(restorer, options.data),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
