"""Measure what restoring costs, and write JSON.

    python -m benchmarks.cost --output benchmarks/results/cost.json [--quick] [--again] [--steps ratio engines ...]

Steps: `ratio` times our models against yardsticks, `engines` compares engines by time and PSNR, `shares` tells where
the time goes, `files` restores JPEGs of 0.25 to 48 megapixels. Results are written after each step, and after each
size of `files`; after a stop the same command goes on. A step that was measured at this commit with these weights is
only measured again with `--again`. Run it on idle cores.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.cost.engines import measure_engines
from benchmarks.cost.files import measure_files
from benchmarks.cost.ratio import measure_ratio
from benchmarks.cost.shares import measure_shares
from benchmarks.cost.timing import origin
from benchmarks.report.provenance import write_report

MEASURES: dict[str, Callable[[bool], dict[str, Any]]] = {
    "ratio": measure_ratio,
    "engines": measure_engines,
    "shares": measure_shares,
}
STEPS = (*MEASURES, "files")
_SAME = ("commit", "weights_sha256", "processor", "quick")


def is_of(found: dict[str, Any], here: dict[str, Any]) -> bool:
    """Tell whether something was measured with this commit, these weights and this processor."""
    return all(found.get(key) == here[key] for key in _SAME)


def measure(steps: tuple[str, ...], output: Path, quick: bool = False, again: bool = False) -> None:
    """Measure the steps that the file does not have yet; its results of other steps stay."""
    report: dict[str, Any] = json.loads(output.read_text()) if output.is_file() else {}
    threads = torch.get_num_threads()
    here = origin(quick)

    def save(step: str, measured: dict[str, Any], *, complete: bool) -> None:
        report[step] = here | measured | {"complete": complete}
        write_report(report, output)

    for step in steps:
        found = {} if again else report.get(step, {})
        if is_of(found, here) and found["complete"]:
            print(f"{step}: measured already at this commit, left as it is")
            continue
        print(f"{step} ...", flush=True)
        torch.set_num_threads(threads)
        if step == "files":
            begun = {key: found[key] for key in ("threads", "yardstick_ms", "photos")} if is_of(found, here) else {}
            measured = measure_files(quick, begun, partial(save, step, complete=False))
        else:
            measured = MEASURES[step](quick)
        save(step, measured, complete=True)
    torch.set_num_threads(threads)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--quick", action="store_true", help="few repeats, small photos: to see that it runs")
    parser.add_argument("--again", action="store_true", help="measure again what was measured at this commit")
    options = parser.parse_args()
    measure(tuple(options.steps), options.output, options.quick, options.again)


if __name__ == "__main__":
    main()
