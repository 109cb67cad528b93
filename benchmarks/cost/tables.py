"""The tables of docs/cost.md: what restoring costs."""

from functools import cache
from typing import Any

from opir.config import PRESETS
from opir.model import OPIR, count_gmacs, count_parameters

PEERS = {"Restormer": 17.0, "AdaIR": 17.2, "PromptIR": 17.9, "VLU-Net": 19.1}
"""Time against NAFNet-w32, measured side by side with random weights at 256×256 on one thread of Zen 4."""
IMAGE = "images/cost.png"


def cost_tables(report: dict[str, Any]) -> str:
    """Return Markdown of what `benchmarks/cost` found, as far as it was run."""
    lines: list[str] = []
    if (ratio := report.get("ratio")) is not None:
        lines += _ratio(ratio)
    if (engines := report.get("engines")) is not None:
        lines += _engines(engines)
    if (shares := report.get("shares")) is not None:
        lines += _shares(shares)
    if (files := report.get("files")) is not None:
        lines += _files(files)
    return "\n".join(lines)


@cache
def presets_table() -> str:
    """Return Markdown of what `opir info` prints of each preset."""
    lines = ["| preset | parameters | GMACs @224² | GMACs @256² |", "|---|---|---|---|"]
    for name, config in sorted(PRESETS.items()):
        gmacs = " | ".join(f"{count_gmacs(config, side):.2f}" for side in (224, 256))
        lines.append(f"| `{name}` | {count_parameters(OPIR(config)) / 1e6:.2f} M | {gmacs} |")
    return "\n".join([*lines, ""])


def _ratio(ratio: dict[str, Any]) -> list[str]:
    lines = [
        f"At {ratio['side']}×{ratio['side']}, one thread, in turn; × is against NAFNet-w32 in eager float32:",
        "",
        "| model | GMACs | parameters | eager float32: ms (IQR) | × | default engine: ms (IQR) | × |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, model in ratio["models"].items():
        eager, default = (ratio["engines"][f"{name}, {engine}"] for engine in ("eager", "default"))
        lines.append(
            f"| {name} | {model['gmacs']:.2f} | {model['parameters'] / 1e6:.2f} M "
            f"| {_ms(eager)} | {eager['ratio']:.3f} | {_ms(default)} | {default['ratio']:.3f} |"
        )
    peers = ", ".join(f"{name} {times:.1f}" for name, times in PEERS.items())
    quick = ratio["engines"]["lite, default"]["ratio"]
    equal = {
        name: quick / ratio["engines"][f"{name}, default"]["ratio"]
        for name in ratio["models"]
        if name not in ("lite", "paper")
    }
    on_equal = ", ".join(f"{value:.3f} of {name}'s" for name, value in equal.items())
    return [
        *lines,
        "",
        f"With equal engines, channels last and {ratio['default_precision']}, `lite` takes {on_equal} time. Peers"
        f" stand at {peers} × (measured apart, on another processor): by these figures `lite` by default takes"
        f" 1/{PEERS['PromptIR'] / quick:.0f} of PromptIR's time.",
        _origin(ratio),
        "",
    ]


def _engines(found: dict[str, Any]) -> list[str]:
    lines = [
        f"Engines, `lite` at {found['side']}×{found['side']}, one thread, in turn; PSNR of the result against that"
        f" of eager float32, on {found['photos']} photos:",
        "",
        "| engine | median ms (IQR) | × | mean PSNR | least |",
        "|---|---|---|---|---|",
    ]
    for name, row in found["engines"].items():
        score = row["psnr"]
        psnr = "– | –" if score is None else f"{score['mean']:.1f} dB | {score['least']:.1f} dB"
        lines.append(f"| {name} | {_ms(row)} | {row['ratio']:.3f} | {psnr} |")
    lines += [f"| {name} | absent: {why} | | | |" for name, why in found["absent"].items()]
    return [*lines, "", _origin(found), ""]


def _shares(shares: dict[str, Any]) -> list[str]:
    size = f"{shares['width']}×{shares['height']}, {shares['threads']} threads, {shares['precision']}"
    lines = [
        f"Where the time of `lite` goes at {size}:",
        "",
        "| part | median ms (IQR) | runs | GMACs | GMACs / s |",
        "|---|---|---|---|---|",
    ]
    for name, row in shares["parts"].items():
        gmacs = shares["gmacs"].get(name)
        rate = "| |" if gmacs is None else f"| {gmacs:.2f} | {1e3 * gmacs / row['median_ms']:.0f} |"
        lines.append(f"| {name} | {_ms(row)} | {shares['times_each_stage_runs'].get(name, 1)} {rate}")
    share = 100 * shares["tail_share_of_floor"]
    return [
        *lines,
        "",
        f"Reading and writing the tail's memory once, at a plain copy's {shares['copy_gb_per_s']:.1f} GB/s, takes"
        f" {share:.0f} % of its time. Multiply-adds are those of tensor operations; compiled, it needs fewer.",
        _origin(shares),
        "",
    ]


def _files(files: dict[str, Any]) -> list[str]:
    lines = [
        f"JPEG to JPEG, {files['threads']} threads; a yardstick is NAFNet-w32 at 256×256, eager, one thread:"
        f" {files['yardstick_ms']:.0f} ms here.",
        "",
        "| photo | megapixels | levels that work | seconds (IQR) | s / megapixel | yardsticks | peak MB | tiles |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in files["photos"].values():
        pixels = row["width"] * row["height"] / 1e6
        seconds, spread = row["median_ms"] / 1e3, row["iqr_ms"] / 1e3
        lines.append(
            f"| {row['width']}×{row['height']} | {pixels:.2g} | {', '.join(map(str, row['levels']))} "
            f"| {seconds:.2f} ({spread:.2f}) | {seconds / pixels:.2f} | {row['yardsticks']:.1f} "
            f"| {row['peak_mb']} | {row['tiles']} |"
        )
    picture = f"![Time and memory by megapixels]({IMAGE})"
    unfinished = [] if files.get("complete", True) else ["Not all sizes yet: `make bench` goes on.", ""]
    return [*lines, "", *unfinished, picture, "", _origin(files), ""]


def _ms(row: dict[str, Any]) -> str:
    digits = 0 if row["median_ms"] >= 100 else 1
    return f"{row['median_ms']:.{digits}f} ({row['iqr_ms']:.{digits}f})"


def _origin(report: dict[str, Any]) -> str:
    quick = " A quick run." if report.get("quick") else ""
    where = f"{report['processor']}, {report['cores']} cores, {report['instructions']}, torch {report['torch']}"
    weights = f"weights `{report['weights_sha256'][:12]}…`"
    return f"Measured {report['date']} at commit `{report['commit'][:10]}`, {weights}, on {where}.{quick}"
