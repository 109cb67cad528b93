"""Train and compare variants at an equal budget. After a stop the same command goes on.

    python -m benchmarks.ablations figure1|table5|table7|all --data DATA --budget small
    python -m benchmarks.ablations plan --data DATA --budget small     # how long it would take here
    python -m benchmarks.ablations tables [--check]                    # docs/results.md from the results

DATA holds `train/clean` and `validation/clean`; `train/derain_pairs`, `train/rain_streaks` and `train/depth` are used
if they exist.
"""

import argparse
import os
import time
from pathlib import Path

import torch
from tqdm import tqdm

from benchmarks.ablations.budget import BUDGETS, training_data
from benchmarks.ablations.plots import draw_curves, draw_differences
from benchmarks.ablations.results import read_results, write_rows
from benchmarks.ablations.running import describe_data, make_jobs, run_jobs
from benchmarks.ablations.tables import PUBLISHED, render, renew
from benchmarks.ablations.timing import estimate
from benchmarks.ablations.variants import TABLES, variants_of

ROOT = Path(__file__).resolve().parent.parent.parent
_GPU_WORKERS = 4


def _default_workers() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(_GPU_WORKERS, cores) if torch.cuda.is_available() else cores


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=(*TABLES, "all", "plan", "tables"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--budget", choices=BUDGETS, default="small")
    parser.add_argument("--work", type=Path, default=Path("runs/ablations"), help="where runs keep their state")
    parser.add_argument("--results", type=Path, help="JSON file, benchmarks/results/ablations.json unless on trial")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "results.md")
    parser.add_argument("--workers", type=int, default=_default_workers(), help="runs side by side")
    parser.add_argument("--stop-after", type=float, metavar="MINUTES", help="save and stop; call again to go on")
    parser.add_argument(
        "--check", action="store_true", help="with tables: change nothing, exit with 1 if out of date"
    )
    options = parser.parse_args()
    if options.results is None:
        trial = options.budget == "trial"
        published = ROOT / "benchmarks" / "results"
        options.results = (options.work if trial else published) / "ablations.json"
    return options


def _run(options: argparse.Namespace) -> None:
    """Train and measure what a table shows, writing the results file after every run."""
    budget = BUDGETS[options.budget]
    deadline = None if options.stop_after is None else time.time() + 60 * options.stop_after
    names = [variant.name for variant in variants_of(options.what)]
    jobs = make_jobs(names, budget, options.data, options.work, deadline)
    data = describe_data(training_data(options.data))
    published = read_results(options.results)["budgets"].get(budget.name, {}).get("rows", [])
    rows = [job.finished_row() or job.row_among(published) for job in jobs]
    finished = [row for row in rows if row is not None]
    waiting = [job for job, row in zip(jobs, rows, strict=True) if row is None]
    write_rows(options.results, budget, data, finished)
    with tqdm(total=len(jobs), initial=len(finished), desc=f"{options.what}, {budget.name}", unit="run") as progress:
        for row in run_jobs(waiting, options.workers):
            if row is not None:
                write_rows(options.results, budget, data, [row])
                progress.update()
        if progress.n < len(jobs):
            print(
                f"{len(jobs) - progress.n} of {len(jobs)} runs are not finished: the same command goes on with them"
            )


def _write_tables(options: argparse.Namespace) -> None:
    results = read_results(options.results)
    if options.budget == "trial":
        print(render(results, ("trial",)))
        return
    stale = renew(options.page, results, options.check)
    if options.check:
        if stale:
            raise SystemExit(f"out of date: {options.page.name}; run python -m benchmarks.ablations tables")
        return
    for name in PUBLISHED:
        found = results["budgets"].get(name)
        if found is not None:
            draw_curves(found, options.page.parent / "images" / f"figure1-{name}.png")
            draw_differences(found, options.page.parent / "images" / f"ablations-{name}.png")


def main() -> None:
    """Run from the command line."""
    options = _parse()
    try:
        if options.what == "plan":
            print(estimate(BUDGETS[options.budget], options.data, options.workers))
            return
        if options.what != "tables":
            _run(options)
        _write_tables(options)
    except ValueError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
