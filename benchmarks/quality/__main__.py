"""Measure how well the shipped weights restore, and whether their uncertainty tells the error; writes JSON.

    python -m benchmarks.quality DATA --output benchmarks/results/quality.json
    python -m benchmarks.quality --set Rain100L=FOLDER    # prints one row of the README, of a set as published

DATA holds `validation/clean` (photos to degrade with fixed seeds) and `benchmark/<set>/{input,target}`; rows of
missing sets are kept as they are. Nothing is trained or chosen by these figures.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.quality.cases import Case, data_sets, paired_cases
from benchmarks.quality.uncertainty import local_gradient
from benchmarks.report.provenance import SOURCE, provenance, spread, write_report
from benchmarks.report.quality_table import quality_row
from opir.data import LAYOUTS, find_pairs
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


def measure(restorer: Restorer, cases: Iterable[Case], name: str, space: Space) -> dict[str, Any]:
    """Score one set; the figures are means over photos, "sd" has their standard deviations."""
    rows, sizes = [], Counter[str]()
    for case in tqdm(cases, desc=name):
        rows.append(score(restorer, case, space))
        sizes[f"{max(case.clean.shape[1:])}×{min(case.clean.shape[1:])}"] += 1
    found = {key: spread([row[key] for row in rows]) for key in rows[0]}
    means, deviations = ({key: v[part] for key, v in found.items() if part in v} for part in ("mean", "sd"))
    return {"space": space, "photos": len(rows), "size": sizes.most_common(1)[0][0], **means, "sd": deviations}


def measure_all(restorer: Restorer, data: Path, before: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """Return the report with the rows of every set that is there made anew; the others keep their own source.

    Args:
        restorer: with weights from a file.
        data: where the sets lie.
        before: the report so far, or nothing.
        source: of the new rows: command, date, commit, weights.
    """
    earlier_source = {key: before[key] for key in SOURCE if key in before}
    results = {name: {"source": earlier_source, **row} for name, row in before.get("results", {}).items()}
    for name, space, _, cases in data_sets(data):
        own = {key: source[key] for key in SOURCE}
        results[name] = {"source": own, **measure(restorer, cases, name, space)}
    return source | {"results": results}


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--set", metavar="NAME=FOLDER", help="measure this published set alone and print its row")
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    if options.set:
        name, _, folder = options.set.partition("=")
        pairs, layout = find_pairs(name, folder or "."), LAYOUTS[name]
        restorer = Restorer.from_pretrained(options.checkpoint)
        print(quality_row(name, measure(restorer, paired_cases(pairs, layout.task), name, layout.space)))
        return
    if options.data is None or options.output is None:
        parser.error("expected DATA and --output FILE, or --set NAME=FOLDER")
    restorer = Restorer.from_pretrained(options.checkpoint)
    command = f"python -m benchmarks.quality DATA --checkpoint {options.checkpoint}"
    before = json.loads(options.output.read_text()) if options.output.is_file() else {}
    write_report(measure_all(restorer, options.data, before, provenance(command, restorer, (0,))), options.output)


if __name__ == "__main__":
    main()
