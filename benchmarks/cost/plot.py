"""Draw time and peak memory by megapixels, and models by time, from the results of `benchmarks/cost`.

python -m benchmarks.cost.plot [RESULTS] [--output docs/images/cost.png]
"""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.cost.tables import PEERS
from benchmarks.report.provenance import IMAGES, RESULTS

_OURS, _OTHERS, _COARSE = "#0072b2", "#999999", "#d55e00"
MEMORY_LIMIT_MB = 1500
"""What 48 megapixels may take at most."""


def draw(report: dict[str, Any], path: Path) -> bool:
    """Write a PNG of what the report has; tell whether there was anything to draw."""
    from matplotlib.figure import Figure  # takes a while to load

    if "files" not in report or "ratio" not in report:
        return False
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    bars, times, memory = figure.subplots(1, 3)
    _draw_models(bars, report["ratio"])
    photos = list(report["files"]["photos"].values())
    for colour, title, rows in (
        (_OURS, "weather down to the photo's own size", [row for row in photos if row["levels"] == [0]]),
        (_COARSE, "at a quarter of it", [row for row in photos if 0 not in row["levels"]]),
    ):
        if rows:
            pixels = [row["width"] * row["height"] / 1e6 for row in rows]
            seconds, spread = [row["median_ms"] / 1e3 for row in rows], [row["iqr_ms"] / 2e3 for row in rows]
            times.errorbar(pixels, seconds, spread, color=colour, marker="o", markersize=4, label=title)
            memory.plot(pixels, [row["peak_mb"] for row in rows], color=colour, marker="o", markersize=4)
    times.set(xscale="log", yscale="log", xlabel="megapixels", ylabel="seconds, JPEG to JPEG")
    times.set_title(f"Time on {report['files']['threads']} threads", fontsize=10)
    times.legend(frameon=False, fontsize=8)
    memory.axhline(MEMORY_LIMIT_MB, color=_OTHERS, linewidth=1, linestyle="--")
    memory.set(xlabel="megapixels", ylabel="peak MB of the process", ylim=(0, None))
    memory.set_title("Memory", fontsize=10)
    for axes in (bars, times, memory):
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return True


def _draw_models(axes: Any, ratio: dict[str, Any]) -> None:
    """Draw times against NAFNet-w32: ours and the yardsticks as measured, peers as they were measured elsewhere."""
    rows = [(name, value, _OTHERS) for name, value in PEERS.items()]
    for name in ratio["models"]:
        for engine in ("eager", "default") if name in ("lite", "paper") else ("eager",):
            colour = _OURS if name in ("lite", "paper") else "#555555"
            rows.append((f"{name}, {engine}", ratio["engines"][f"{name}, {engine}"]["ratio"], colour))
    rows.sort(key=lambda row: -row[1])
    axes.barh([row[0] for row in rows], [row[1] for row in rows], color=[row[2] for row in rows])
    axes.set(xscale="log", xlabel="time, NAFNet-w32 in eager float32 = 1")
    axes.tick_params(axis="y", labelsize=8)
    axes.set_title(f"One thread, {ratio['side']}×{ratio['side']}", fontsize=10)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=RESULTS / "cost.json")
    parser.add_argument("--output", type=Path, default=IMAGES / "cost.png")
    options = parser.parse_args()
    if not draw(json.loads(options.results.read_text()), options.output):
        print("nothing to draw before the steps ratio and files")


if __name__ == "__main__":
    main()
