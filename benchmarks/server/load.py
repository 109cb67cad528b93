"""Fifty visitors at once on two cores: whether anybody gets a wrong picture, and whether memory grows; writes JSON.

    python -m benchmarks.server.load --visitors 50 --seconds 600 --output benchmarks/results/load.json

The server is `python app.py` in a process of its own, held to two cores; the visitors are this process. Exits with 1
where one of the rows that it prints is not what was promised.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from benchmarks.reliability.results import SummaryRow, print_rows, write_results
from benchmarks.server.server_process import ServerProcess, running_server
from benchmarks.server.visitors import Seen, Visitor, find_event, visit

WARM_UP = 0.2
"""The first share of restorations is left out: caches and threads are made on first use."""
FLAT_MB_PER_100 = 2.0
"""Growth up to this is noise: over 500 restorations it is less than a small photo takes."""
FREE_SECONDS = 10.0
"""The model ends the part of a photo that it is working on, and then has the next visitor's photo to restore."""


@dataclass(frozen=True)
class Load:
    """How many come, for how long, with what."""

    visitors: int = 50
    seconds: float = 600.0
    restorations: int = 500
    """At least so many, however long they take."""
    width: int = 640
    height: int = 480
    leave_every: int = 20
    """One photo in so many is left alone once its turn has come; 0 for none."""
    pause: float = 5.0
    """Seconds after a refusal, on the average."""


async def press(server: ServerProcess, load: Load) -> tuple[Seen, list[tuple[int, float]]]:
    """Let visitors come: what they saw, and the server's memory in MB after so many restorations."""
    seen = Seen()
    memory: list[tuple[int, float]] = []
    process = psutil.Process(server.process.pid)
    limits = httpx.Limits(max_connections=4 * load.visitors, max_keepalive_connections=load.visitors)
    async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=120) as client:
        event = await find_event(client, "restore")
        is_enough = asyncio.Event()
        size = (load.width, load.height)
        everybody = [
            asyncio.create_task(
                visit(Visitor(client, number, event, seen, size), is_enough, load.leave_every, load.pause)
            )
            for number in range(load.visitors)
        ]
        until = time.monotonic() + load.seconds
        while not all(one.done() for one in everybody):  # visitors who still wait get a picture
            if time.monotonic() > until and seen.restored >= load.restorations:
                is_enough.set()
            await asyncio.sleep(0.25)
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                raise SystemExit("the server ended under the load")
            if not memory or memory[-1][0] != seen.restored:
                memory.append((seen.restored, process.memory_info().rss / 1e6))
        await asyncio.gather(*everybody)
    return seen, memory


def memory_slope(memory: Sequence[tuple[int, float]]) -> float | None:
    """Return how many MB the server grows in 100 restorations, by regression after the warm-up; None for too few."""
    settled = [point for point in memory if point[0] >= WARM_UP * memory[-1][0]]
    if len({count for count, _ in settled}) < 3:
        return None
    counts, megabytes = np.array(settled).T
    return round(float(100 * np.polyfit(counts, megabytes, 1)[0]), 2)


async def seconds_until_free(server: ServerProcess, width: int, height: int) -> float:
    """Return how long the next visitor waits for a small photo after one with a large photo left at its start."""
    async with httpx.AsyncClient(base_url=server.url, timeout=600) as client:
        event, seen = await find_event(client, "restore"), Seen()
        await Visitor(client, 250, event, seen, (width, height)).restore_one(leave=True)
        began = time.monotonic()
        await Visitor(client, 251, event, seen, (64, 48)).restore_one()
        return time.monotonic() - began


def report_of(seen: Seen, memory: list[tuple[int, float]], health: dict[str, Any]) -> dict[str, Any]:
    """Put what was seen into figures."""
    waited = sorted(seen.waited)
    shown = memory[:: max(1, len(memory) // 50)]
    return {
        "restored": seen.restored,
        "wrong_pictures": seen.wrong,
        "left": seen.left,
        "refused": sum(seen.refusals.values()),
        "refusals": dict(seen.refusals),
        "errors": dict(seen.errors),
        "seconds_p50": round(statistics.median(waited), 2) if waited else None,
        "seconds_p95": round(float(np.percentile(waited, 95)), 2) if waited else None,
        "told_position": seen.told_position,
        "completed": seen.completed,
        "last_position": seen.last_position,
        "memory_first_mb": round(memory[0][1], 1),
        "memory_last_mb": round(memory[-1][1], 1),
        "memory_most_mb": round(max(megabytes for _, megabytes in memory), 1),
        "memory_slope_mb_per_100": memory_slope(memory),
        "memory_mb_by_restorations": [[count, round(megabytes)] for count, megabytes in shown],
        "server": health,
    }


def summary_of(load: Load, figures: dict[str, Any]) -> list[SummaryRow]:
    """Say in a few rows what came out, and whether it is what was promised."""
    errors = sum(figures["errors"].values())
    grown = figures["memory_slope_mb_per_100"]
    slope = "too few to tell" if grown is None else f"{grown:+.2f}"
    completed = figures["completed"]
    return [
        SummaryRow(
            f"{load.visitors} visitors at once for {load.seconds / 60:g} min on two cores, "
            f"{load.width}×{load.height} photos",
            f"{figures['restored']} restored, {figures['wrong_pictures']} wrong pictures, {errors} errors",
            figures["restored"] > 0 and not figures["wrong_pictures"] and not errors,
        ),
        SummaryRow(
            "time from sending a photo to having its result, waiting included",
            f"median {figures['seconds_p50']} s, 95 % within {figures['seconds_p95']} s",
            figures["seconds_p50"] is not None,
        ),
        SummaryRow(
            "refused in one sentence beyond the queue, and told to try again",
            f"{figures['refused']} times; {figures['told_position']} of {completed} others were told their place",
            figures["told_position"] == completed,
        ),
        SummaryRow(
            "memory of the server over these restorations, by linear regression",
            f"{slope} MB per 100 restorations, {figures['memory_most_mb']:.0f} MB at most",
            grown is None or grown <= FLAT_MB_PER_100,
        ),
        SummaryRow(
            "the next visitor's wait after one with a large photo closed the tab",
            f"{figures['free_after_seconds']} s",
            figures["free_after_seconds"] <= FREE_SECONDS,
        ),
    ]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in asdict(Load()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--large", type=int, nargs=2, default=(4000, 3000), help="sides of the photo that is left")
    parser.add_argument("--output", type=Path, required=True)
    options = vars(parser.parse_args())
    load = Load(**{name: options[name] for name in asdict(Load())})
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--checkpoint", options["checkpoint"]]
        with running_server(Path(folder, "log"), arguments, cores=options["cores"]) as server:
            seen, memory = asyncio.run(press(server, load))
            figures = report_of(seen, memory, server.health())
            figures["free_after_seconds"] = round(asyncio.run(seconds_until_free(server, *options["large"])), 2)
            figures["exit_status"] = server.stop()
    rows = summary_of(load, figures)
    report = {
        "weights_sha256": figures["server"]["weights_sha256"],
        "cores": options["cores"],
        "load": asdict(load),
        "results": figures,
    }
    write_results(options["output"], "make load", rows, report)
    print_rows(rows)


if __name__ == "__main__":
    main()
