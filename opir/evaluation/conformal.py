"""Calibrates the uncertainty map: which error in grey values does it stand for? By split conformal prediction.

Photos that the weights were not trained on get synthetic weather and are restored blind. Pixels are grouped by the
recognised task and by uncertainty. The conformal quantile of the error in a group is a bound that the pixels of a new
photo stay below with the chosen probability (Vovk et al. 2005; by group: Mondrian conformal prediction). Pixels of a
photo depend on each other, so the sample size in the quantile's correction is the number of restored photos.

H height, W width, N sampled pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from opir.data.pairs import list_photos
from opir.degradations import degrade
from opir.inference.error_bounds import ANY_TASK, Calibration, ErrorCurve
from opir.inference.restorer import Restorer
from opir.photo.photo import load_photo
from opir.tasks import Task

SHARE = 0.9
CROP_SIDE = 256
"""Side of the crops in pixels: small ones are fast, so there can be many draws of the weather."""
FIRST_SEED = 1000
"""Calibration uses seeds from here on; published figures use smaller ones."""
PARTS = 4
"""The photos are split into so many parts; each is tested with curves from the others."""
_PIXELS = 2048  # of each restored crop
_BINS = 16
_FEWEST_CROPS = 12  # a task with fewer has no curve of its own
_LEAST_ERROR = 0.05  # grey values; a bound of zero would stay zero whatever it is multiplied by


@dataclass(frozen=True, eq=False)
class Sample:
    """Pixels of one restored crop."""

    weather: Task
    """What was put on it."""
    recognised: str
    """What the model took it for."""
    uncertainty: NDArray[np.float32]
    """(N,)."""
    error: NDArray[np.float32]
    """Mean |restored - clean| over colours in grey values, (N,)."""


def calibrate(
    restorer: Restorer,
    folder: str | Path,
    seeds: int = 9,
    side: int = CROP_SIDE,
    progress: Callable[[int, int], object] | None = None,
) -> Calibration:
    """Make the curves of these weights from clean photos, and measure how many pixels they cover.

    Args:
        restorer: with the weights to calibrate.
        folder: clean photos that the weights were not trained on.
        seeds: how many draws of every weather each photo gets.
        side: the largest side of the crops in pixels.
        progress: called with the number of crops done and their total.

    Returns:
        The calibration, from all photos. `made_from["coverage"]` has the share of pixels below their bound, for each
        weather and part of the photos, with curves made from the other parts alone.

    Raises:
        ValueError: without weights from a file, or for fewer than two photos.
    """
    if restorer.info is None:
        raise ValueError("expected weights from a file to calibrate, got a model without any")
    photos = list_photos(folder)
    if len(photos) < 2:
        raise ValueError(f"expected at least 2 photos in {folder}, to try with one what the others say, got 1")
    parts: list[list[Sample]] = [[] for _ in range(min(PARTS, len(photos)))]
    done, total = 0, len(photos) * seeds * len(Task)
    for number, path in enumerate(photos):
        photo = load_photo(path).rgb
        for seed in range(FIRST_SEED + number * seeds, FIRST_SEED + (number + 1) * seeds):
            random = np.random.default_rng(seed)
            clean = _crop(photo, side, random)
            for task in Task:
                parts[number % len(parts)].append(sample_errors(restorer, clean, task, seed, random))
                done += 1
                if progress is not None:
                    progress(done, total)
    made = Calibration(
        restorer.info.sha256,
        SHARE,
        restorer.model.config.num_stages,
        fit_curves([sample for part in parts for sample in part]),
    )
    made_from: dict[str, Any] = {
        "photos": len(photos),
        "seeds": [FIRST_SEED, FIRST_SEED + len(photos) * seeds - 1],
        "draws_of_each_photo": seeds,
        "crop_side": side,
        "coverage": _cross_coverage(made, parts),
    }
    return replace(made, made_from=made_from)


def _cross_coverage(made: Calibration, parts: list[list[Sample]]) -> dict[str, list[float]]:
    """Judge each part by curves from the others: for each weather the share below its bound, part by part."""
    shares: dict[str, list[float]] = {task.label: [] for task in Task}
    for number, part in enumerate(parts):
        others = [sample for other in parts[:number] + parts[number + 1 :] for sample in other]
        for weather, share in coverage_by_weather(replace(made, curves=fit_curves(others)), part).items():
            shares[weather].append(share)
    return shares


def sample_errors(restorer: Restorer, clean: Tensor, task: Task, seed: int, random: np.random.Generator) -> Sample:
    """Put weather on a photo (3, H, W), restore it blind and sample the errors of its pixels."""
    degraded = (degrade(clean[None], task, seed)[0] * 255).round() / 255
    result = restorer.restore(degraded)
    error = (result.restored_rgb - clean).abs().mean(dim=0).numpy() * 255
    chosen = random.integers(error.size, size=_PIXELS)
    return Sample(task, result.task, result.uncertainty.ravel()[chosen].astype(np.float32), error.ravel()[chosen])


def _crop(photo: Tensor, side: int, random: np.random.Generator) -> Tensor:
    height, width = photo.shape[-2:]
    top, left = (int(random.integers(max(0, length - side) + 1)) for length in (height, width))
    return photo[:, top : top + side, left : left + side]


def fit_curves(samples: Sequence[Sample], share: float = SHARE) -> dict[str, ErrorCurve]:
    """Return the curve of every task that was recognised often enough, and the common one.

    Curves are for the recognised task, because that is all that is known of a new photo.
    """
    curves = {ANY_TASK: fit_curve(samples, share)}
    for task in Task:
        own = [sample for sample in samples if sample.recognised == task.label]
        if len(own) >= _FEWEST_CROPS:
            curves[task.label] = fit_curve(own, share)
    return curves


def fit_curve(samples: Sequence[Sample], share: float = SHARE) -> ErrorCurve:
    """Return the rising bound that `share` of the pixels stay below, conformally.

    The pixels are sorted by uncertainty into bins of equal size, and the bound of a bin is its quantile. Neighbouring
    bins between which the bound would fall are joined. All bounds are then multiplied by one factor, so that the
    conformal share of all pixels is below its bound.
    """
    uncertainty = np.concatenate([sample.uncertainty for sample in samples])
    error = np.concatenate([sample.error for sample in samples])
    quantile = min(1.0, share * (1 + 1 / len(samples)))
    order = np.argsort(uncertainty, kind="stable")
    groups: list[NDArray[np.intp]] = []
    for part in np.array_split(order, min(_BINS, len(order))):
        groups.append(part)
        while len(groups) > 1 and _not_rising(groups[-2], groups[-1], uncertainty, error, quantile):
            last = groups.pop()
            groups[-1] = np.concatenate([groups[-1], last])
    corners = [float(np.median(uncertainty[group])) for group in groups]
    bounds = [max(_LEAST_ERROR, float(np.quantile(error[group], quantile))) for group in groups]
    factor = float(np.quantile(error / ErrorCurve(tuple(corners), tuple(bounds)).at(uncertainty), quantile))
    factor = factor if math.isfinite(factor) and factor > 0 else 1.0
    return ErrorCurve(
        tuple(round(corner, 5) for corner in corners), tuple(round(factor * bound, 3) for bound in bounds)
    )


def _not_rising(
    lower: NDArray[np.intp],
    upper: NDArray[np.intp],
    uncertainty: NDArray[np.float32],
    error: NDArray[np.float32],
    quantile: float,
) -> bool:
    same = np.median(uncertainty[upper]) - np.median(uncertainty[lower]) < 1e-4
    return bool(same or np.quantile(error[upper], quantile) <= np.quantile(error[lower], quantile))


def coverage_by_weather(calibration: Calibration, samples: Sequence[Sample]) -> dict[str, float]:
    """Return the share of pixels below their bound for each weather that was put on."""
    shares: dict[str, list[float]] = {}
    for sample in samples:
        bound = calibration.bound(sample.uncertainty, sample.recognised)
        shares.setdefault(sample.weather.label, []).append(float((sample.error <= bound).mean()))
    return {weather: round(fmean(values), 4) for weather, values in shares.items()}
