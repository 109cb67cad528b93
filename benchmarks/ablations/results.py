"""The results file: for each budget its settings, a row for every variant and seed, and what follows from them."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.ablations.budget import Budget
from benchmarks.ablations.claims import judge
from benchmarks.ablations.significance import mean_and_spread
from benchmarks.ablations.variants import VARIANTS
from opir.tasks import Task


def read_results(path: Path) -> dict[str, Any]:
    """Return the file's content; without a file, results without any budget."""
    results: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {"budgets": {}}
    return results


def write_rows(path: Path, budget: Budget, data: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Put rows into the file in place of older ones of the same budget, variant and seed; the file appears whole.

    Args:
        path: of the results; other budgets in it stay.
        budget: of the rows.
        data: from `describe_data`.
        rows: of `run_job`.

    Raises:
        ValueError: if the file holds rows of another budget of this name, which must not be mixed.
    """
    results = read_results(path)
    settings, old = {**budget.to_dict(), "data": data}, results["budgets"].get(budget.name)
    if old is not None and old["settings"] != settings:
        raise ValueError(
            f'{path} holds rows of another budget "{budget.name}": remove the file, or name another with --results'
        )
    merged = {(row["variant"], row["seed"]): row for row in (old["rows"] if old else [])}
    merged |= {(row["variant"], row["seed"]): row for row in rows}
    order = list(VARIANTS)
    kept = sorted(
        (row for row in merged.values() if row["variant"] in VARIANTS),
        key=lambda row: (order.index(row["variant"]), row["seed"]),
    )
    results["command"] = "python -m benchmarks.ablations all --data DATA --budget BUDGET"
    results["budgets"][budget.name] = {"settings": settings, "summary": summarise(kept), "rows": kept}
    temporary = path.with_suffix(".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_text(json.dumps(results, indent=1) + "\n")
    os.replace(temporary, path)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return means and spreads over seeds for each variant, and each claim's difference with its verdict."""
    variants = {}
    for name in dict.fromkeys(row["variant"] for row in rows):
        own = [row for row in rows if row["variant"] == name]
        mean, spread = mean_and_spread([row["psnr"] for row in own])
        variants[name] = {
            "seeds": [row["seed"] for row in own],
            "psnr": _rounded(mean),
            "psnr_spread": _rounded(spread),
            "ssim": _rounded(fmean(row["ssim"] for row in own)),
            "tasks": {task.label: _rounded(fmean(row["tasks"][task.label]["psnr"] for row in own)) for task in Task},
        }
    claims = [
        {
            "table": finding.claim.table,
            "claim": finding.claim.text,
            "variant": finding.claim.variant,
            "baseline": finding.claim.baseline,
            "paper_gain": finding.claim.paper_gain,
            "gain": _rounded(finding.difference.mean),
            "standard_error": _rounded(finding.difference.standard_error),
            "shared_standard_error": _rounded(finding.difference.noise),
            "seeds": finding.difference.seeds,
            "real": finding.difference.real,
            "verdict": finding.verdict,
        }
        for finding in judge(rows)
    ]
    return {"variants": variants, "claims": claims}
