"""Does the uncertainty map tell where the result is wrong, and do its error bounds hold? Writes JSON and a plot.

    python -m benchmarks.quality.uncertainty DATA [--checkpoint lite] [--quick]

UM is compared with two maps that cost nothing (the input's local gradient, the change that was made) and with one
that costs four times as much (the spread of the results for the photo and its three mirror images). Error bounds are
tested on photos that were not used for calibration: the published pairs, and synthetic weather on
DATA/benchmark/Rain100L/target.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.quality.cases import Case, data_sets, synthetic_cases
from benchmarks.quality.evenness import grid_energy
from benchmarks.report.provenance import IMAGES, RESULTS, provenance, spread, write_report
from opir.data import list_photos
from opir.evaluation import ause, rank_correlation, sparsification_curve
from opir.inference import Restoration, Restorer
from opir.tasks import Task

MAPS = ("uncertainty", "gradient", "change", "mirrored")
FRACTIONS = np.linspace(0, 1, 51)[1:]
UNSEEN = ("benchmark", "Rain100L", "target")
UNSEEN_SEED = 5000
PLAIN = ("validation", "plain")


def local_gradient(photo: torch.Tensor) -> NDArray[Any]:
    """Return how steep a photo (3, H, W) is at each pixel, (H, W)."""
    rows, columns = np.gradient(photo.mean(dim=0).numpy())
    return np.asarray(np.hypot(rows, columns))


def mirrored_spread(restorer: Restorer, case: Case, result: Restoration) -> NDArray[Any]:
    """Return the standard deviation of the results for a photo and its mirror images, mean over colours, (H, W)."""
    results = [result.restored_rgb]
    for axes in ((-1,), (-2,), (-2, -1)):
        results.append(restorer.restore(case.degraded.flip(axes)).restored_rgb.flip(axes))
    return np.asarray(torch.stack(results).std(dim=0, correction=0).mean(dim=0).numpy())


def _on_fractions(curve: NDArray[Any]) -> NDArray[Any]:
    """Return a sparsification curve at `FRACTIONS` of the blocks, as a share of the error of all."""
    places = np.arange(1, len(curve) + 1) / len(curve)
    return np.asarray(np.interp(FRACTIONS, places, curve) / max(curve[-1], 1e-12))


def _coverage(result: Restoration, case: Case) -> tuple[float, float] | None:
    """Return the share of pixels below their bound and the median bound."""
    bound = result.error_bound
    if bound is None:
        return None
    error = (result.restored_rgb - case.clean).abs().mean(dim=0).numpy() * 255
    return float((error <= bound).mean()), float(np.median(bound))


def _bounds(found: list[tuple[float, float] | None]) -> dict[str, Any]:
    known = [values for values in found if values is not None]
    if not known:
        return {}
    return {"coverage": spread([share for share, _ in known]), "median_bound": spread([bound for _, bound in known])}


def measure_maps(restorer: Restorer, cases: Iterable[Case]) -> dict[str, Any]:
    """Compare every map's order of the blocks with the error's, and the bounds with the error."""
    scores: dict[str, dict[str, list[float]]] = {name: {"rank_correlation": [], "ause": []} for name in MAPS}
    curves: dict[str, list[NDArray[Any]]] = {name: [] for name in (*MAPS, "error")}
    bounds = []
    for case in cases:
        result = restorer.restore(case.degraded)
        error = (result.restored_rgb - case.clean).abs().mean(dim=0).numpy()
        maps = {
            "uncertainty": result.uncertainty,
            "gradient": local_gradient(case.degraded),
            "change": (result.restored_rgb - case.degraded).abs().mean(dim=0).numpy(),
            "mirrored": mirrored_spread(restorer, case, result),
        }
        for name, values in maps.items():
            scores[name]["rank_correlation"].append(rank_correlation(values, error))
            scores[name]["ause"].append(ause(values, error))
            curves[name].append(_on_fractions(sparsification_curve(values, error)))
        curves["error"].append(_on_fractions(sparsification_curve(error, error)))
        bounds.append(_coverage(result, case))
    return {
        "maps": {name: {kind: spread(values) for kind, values in kinds.items()} for name, kinds in scores.items()},
        "curves": {
            name: [round(float(value), 4) for value in np.mean(rows, axis=0)] for name, rows in curves.items()
        },
        "bounds": _bounds(bounds),
    }


def measure_bounds(restorer: Restorer, data: Path, quick: bool, at_most: int | None = None) -> dict[str, Any]:
    """Try the error bounds on photos that neither the weights nor the calibration ever saw."""
    folder = data.joinpath(*UNSEEN)
    if not folder.is_dir():
        return {}
    found = {}
    for task in Task:
        cases = synthetic_cases(folder, task, UNSEEN_SEED, quick, at_most)
        found[task.label] = _bounds(
            [_coverage(restorer.restore(case.degraded), case) for case in tqdm(cases, desc=f"bounds, {task.label}")]
        )
    return found


def measure_evenness(restorer: Restorer, data: Path, quick: bool) -> dict[str, dict[str, float]]:
    """Return how much the grid shows in UM and α of pictures without weather, restored at their own size."""
    folder = data.joinpath(*PLAIN)
    found = {}
    for path in tqdm(list_photos(folder)[: 2 if quick else None] if folder.is_dir() else [], desc="evenness"):
        result = restorer.restore(path, task="rain", levels=[0], scale_weights=True)
        assert result.scale_weights is not None
        maps = [
            torch.as_tensor(np.asarray(values, np.float32)) for values in (result.uncertainty, *result.scale_weights)
        ]
        energies = [grid_energy(values) for values in maps]
        found[path.stem] = {str(period): round(max(one[period] for one in energies), 2) for period in energies[0]}
    return found


def plot(report: dict[str, Any], path: Path) -> None:
    """Draw the sparsification curves of every set."""
    from matplotlib.figure import Figure

    results = report["results"]
    columns = min(3, len(results))
    rows = -(-len(results) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.4 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    styles = {
        "uncertainty": ("UM", "#0b6fc2", "-"),
        "gradient": ("gradient of the input", "#e0a030", "-"),
        "change": ("change made", "#a78bfa", "-"),
        "mirrored": ("four mirrored results", "#d1495b", "--"),
        "error": ("the error itself: best", "#34a873", ":"),
    }
    for axis, (name, found) in zip(axes[: len(results)], results.items(), strict=True):
        for kind, (label, colour, line) in styles.items():
            axis.plot(FRACTIONS, found["curves"][kind], line, color=colour, label=label)
        axis.axhline(1, color="#94a3b8", linewidth=1)
        axis.set(title=name, xlabel="share of blocks kept, surest first", ylabel="their error / that of all")
        axis.set_ylim(bottom=0)
    for axis in axes[len(results) :]:
        axis.set_visible(False)
    axes[0].legend(fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--quick", action="store_true", help="only see that it runs: small crops of two photos")
    parser.add_argument("--photos", type=int, help="at most so many of each set, evenly picked")
    parser.add_argument("--output", type=Path, default=RESULTS / "uncertainty.json")
    parser.add_argument("--plot", type=Path, default=IMAGES / "sparsification.png")
    options = parser.parse_args(arguments)
    restorer = Restorer.from_pretrained(options.checkpoint)
    results = {}
    for name, _, _, cases in data_sets(options.data, tuple(Task), options.quick, options.photos):
        results[name] = measure_maps(restorer, tqdm(cases, desc=name))
    command = f"python -m benchmarks.quality.uncertainty DATA --checkpoint {options.checkpoint}"
    report: dict[str, Any] = provenance(command, restorer, (0, UNSEEN_SEED), options.quick)
    report["results"] = results
    report["bounds_on_unseen_photos"] = measure_bounds(restorer, options.data, options.quick, options.photos)
    report["evenness"] = measure_evenness(restorer, options.data, options.quick)
    assert restorer.info is not None
    calibration = restorer.calibration
    report["calibration"] = None if calibration is None else {"share": calibration.share, **calibration.made_from}
    write_report(report, options.output)
    plot(report, options.plot)


if __name__ == "__main__":
    main()
