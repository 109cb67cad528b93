"""Measures methods without learning on the same photos, after tuning them on validation photos. Writes JSON.

    python -m benchmarks.quality.classical DATA [--checkpoint lite] [--quick]

Every method is tuned by PSNR, for each weather, on crops of DATA/validation/clean with other seeds than are measured;
that these are the same photographs favours it. Nothing is tuned on the published sets. Functions take and return
a photo (3, H, W) in [0, 1].
"""

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from skimage.filters import median as median_of
from skimage.morphology import disk
from skimage.restoration import denoise_bilateral, denoise_nl_means
from torch import Tensor
from tqdm import tqdm

from benchmarks.quality.cases import Case, data_sets, synthetic_cases
from benchmarks.report.provenance import RESULTS, provenance, spread, write_report
from opir.evaluation import dehaze_by_dark_channel, psnr, smooth_by_guided_filter, ssim
from opir.inference import Restorer
from opir.tasks import Task

TUNING_SEED = 500
_TUNING_SIDE = 256
_WEATHERS = (Task.RAIN, Task.SNOW, Task.HAZE)


def dark_channel_prior(photo: Tensor, strength: float) -> Tensor:
    """Dehaze with the published constants, and mix the result with the photo."""
    return torch.lerp(photo, dehaze_by_dark_channel(photo), strength)


def bilateral(photo: Tensor, sigma_colour: float, sigma_pixels: float) -> Tensor:
    """Smooth among pixels that are near and alike (Tomasi and Manduchi 1998)."""
    picture = photo.permute(1, 2, 0).numpy()
    return _to_photo(denoise_bilateral(picture, sigma_color=sigma_colour, sigma_spatial=sigma_pixels, channel_axis=2))


def median(photo: Tensor, radius: int) -> Tensor:
    """Take the median of a disc, colour by colour."""
    window = disk(radius)  # type: ignore[no-untyped-call]
    planes = [median_of(plane.numpy(), window) for plane in photo]  # type: ignore[no-untyped-call]
    return torch.stack([torch.from_numpy(np.asarray(plane)) for plane in planes])


def non_local_means(photo: Tensor, strength: float, reach: int) -> Tensor:
    """Average over patches that look alike (Buades et al. 2005)."""
    picture = photo.permute(1, 2, 0).numpy()
    return _to_photo(
        denoise_nl_means(picture, patch_size=5, patch_distance=reach, h=strength, fast_mode=True, channel_axis=2)
    )


def _to_photo(picture: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float().clamp(0, 1)


Method = Callable[..., Tensor]
METHODS: dict[str, tuple[Method, tuple[dict[str, Any], ...]]] = {
    "dark channel prior": (dark_channel_prior, tuple({"strength": share} for share in (0.25, 0.5, 0.75, 1.0))),
    "guided filter": (
        smooth_by_guided_filter,
        tuple({"radius": radius, "epsilon": epsilon} for radius in (1, 2, 4) for epsilon in (1e-3, 1e-2, 1e-1)),
    ),
    "bilateral filter": (
        bilateral,
        tuple({"sigma_colour": c, "sigma_pixels": p} for c in (0.05, 0.1, 0.2) for p in (1.0, 2.0)),
    ),
    "median filter": (median, tuple({"radius": radius} for radius in (1, 2, 3))),
    "non-local means": (
        non_local_means,
        tuple({"strength": strength, "reach": reach} for strength in (0.03, 0.06, 0.1) for reach in (5, 9)),
    ),
}
"""Every method with the settings that are tried."""


def _tuning_crops(folder: Path, task: Task, quick: bool) -> list[Case]:
    crops = []
    for case in islice(synthetic_cases(folder, task, TUNING_SEED, quick), 0, None, 1 if quick else 2):
        top, left = (max(0, (length - _TUNING_SIDE) // 2) for length in case.clean.shape[-2:])
        window = (slice(None), slice(top, top + _TUNING_SIDE), slice(left, left + _TUNING_SIDE))
        crops.append(Case(case.degraded[window], case.clean[window], task))
    return crops


def tune(folder: Path, task: Task, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Return for each method the settings and their mean PSNR on tuning crops, the best first."""
    crops = _tuning_crops(folder, task, quick)
    tried = {}
    for name, (method, settings) in tqdm(METHODS.items(), desc=f"tuning, {task.label}"):
        rows = []
        for options in settings[: 2 if quick else None]:
            scores = [psnr(method(case.degraded, **options), case.clean) for case in crops]
            rows.append({"settings": options, "psnr": round(fmean(scores), 4)})
        tried[name] = sorted(rows, key=lambda row: -row["psnr"])
    return tried


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--quick", action="store_true", help="only see that it runs: small crops of two photos")
    parser.add_argument("--photos", type=int, help="at most so many of each set, evenly picked")
    parser.add_argument("--output", type=Path, default=RESULTS / "classical.json")
    options = parser.parse_args(arguments)
    restorer = Restorer.from_pretrained(options.checkpoint)
    tuned = {task: tune(options.data / "validation" / "clean", task, options.quick) for task in _WEATHERS}
    results = {}
    for name, space, task, cases in data_sets(options.data, _WEATHERS, options.quick, options.photos):
        scores: dict[str, list[tuple[float, float]]] = {}
        for case in tqdm(cases, desc=name):
            outputs = {"untouched": case.degraded, "OPIR": restorer.restore(case.degraded).restored_rgb}
            for method, tried in tuned[task].items():
                outputs[method] = METHODS[method][0](case.degraded, **tried[0]["settings"])
            for method, output in outputs.items():
                scores.setdefault(method, []).append(
                    (psnr(output, case.clean, space), ssim(output, case.clean, space))
                )
        results[name] = {
            "space": space,
            "task": task.label,
            "methods": {
                method: {"psnr": spread([row[0] for row in rows]), "ssim": spread([row[1] for row in rows])}
                for method, rows in scores.items()
            },
        }
    command = f"python -m benchmarks.quality.classical DATA --checkpoint {options.checkpoint}"
    report = provenance(command, restorer, (0, TUNING_SEED), options.quick)
    report["tuned"] = {task.label: tried for task, tried in tuned.items()}
    report["results"] = results
    write_report(report, options.output)


if __name__ == "__main__":
    main()
