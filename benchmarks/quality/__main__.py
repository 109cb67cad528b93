"""Measure how well the shipped weights restore, and whether their uncertainty tells the error; writes JSON.

    python -m benchmarks.quality DATA --output benchmarks/results/quality.json

DATA holds `validation/clean` (photos to degrade with fixed seeds) and `benchmark/<set>/{input,target}`; what is not
there is left out. Nothing is trained or chosen by these figures.
"""

import argparse
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.quality.cases import Case, data_sets
from benchmarks.quality.uncertainty import local_gradient
from benchmarks.report.provenance import provenance, spread, write_report
from opir.evaluation import UNCHANGED_PSNR, Space, ause, psnr, rank_correlation, ssim
from opir.inference import Restorer


def score(restorer: Restorer, case: Case, space: Space) -> dict[str, float]:
    """Restore one photo blindly and compare it, and its uncertainty, with the truth."""
    result = restorer.restore(case.degraded)
    restored, first = result.restored_rgb.clamp(0, 1), result.stage1_rgb.clamp(0, 1)
    error = (restored - case.clean).abs().mean(dim=0).numpy()
    change = (restored - case.degraded).abs().mean(dim=0).numpy()
    maps = {"uncertainty": result.uncertainty, "gradient": local_gradient(case.degraded), "change": change}
    scores = {
        "input_psnr": psnr(case.degraded, case.clean, space),
        "input_ssim": ssim(case.degraded, case.clean, space),
        "stage1_psnr": min(psnr(first, case.clean, space), UNCHANGED_PSNR),
        "psnr": min(psnr(restored, case.clean, space), UNCHANGED_PSNR),
        "ssim": ssim(restored, case.clean, space),
        "recognised": float(result.task == case.task.label),
    }
    for name, values in maps.items():
        scores[f"rank_correlation_{name}"] = rank_correlation(values, error)
        scores[f"ause_{name}"] = ause(values, error)
    return scores


def measure(restorer: Restorer, data: Path) -> dict[str, dict[str, Any]]:
    """Score every set that is there; the figures are means over photos, "sd" has their standard deviations."""
    results = {}
    for name, space, _, cases in data_sets(data):
        rows = [score(restorer, case, space) for case in tqdm(cases, desc=name)]
        found = {key: spread([row[key] for row in rows]) for key in rows[0]}
        means, deviations = ({key: v[part] for key, v in found.items() if part in v} for part in ("mean", "sd"))
        results[name] = {"space": space, "photos": len(rows), **means, "sd": deviations}
    return results


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    restorer = Restorer.from_pretrained(options.checkpoint)
    command = f"python -m benchmarks.quality DATA --checkpoint {options.checkpoint}"
    report = provenance(command, restorer, (0,)) | {"results": measure(restorer, options.data)}
    write_report(report, options.output)


if __name__ == "__main__":
    main()
