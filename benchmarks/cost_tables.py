"""The tables of docs/cost.md: what restoring costs, and what upsampled operators lose."""

from typing import Any


def cost_tables(report: dict[str, Any]) -> str:
    """Return Markdown of what `benchmarks/cost.py` found, as far as it was run."""
    lines: list[str] = []
    if (ratio := report.get("ratio")) is not None:
        lines += [
            f"At {ratio['side']}×{ratio['side']}, one thread:",
            "",
            "| engine | median ms | IQR ms | × |",
            "|---|---|---|---|",
        ]
        for name, row in ratio["engines"].items():
            lines.append(f"| {name} | {row['median_ms']:.0f} | {row['iqr_ms']:.0f} | {row['ratio']:.3f} |")
        sizes = (f"{n} {m['gmacs']} GMACs, {m['parameters'] / 1e6:.2f} M" for n, m in ratio["models"].items())
        lines += ["", f"{'; '.join(sizes)}.", _provenance(ratio), ""]
    if (shares := report.get("shares")) is not None:
        size = f"{shares['width']}×{shares['height']}, {shares['threads']} threads"
        lines += [f"Where the time of `lite` goes at {size}:", "", "| part | median ms | runs |", "|---|---|---|"]
        for name, row in shares["parts"].items():
            lines.append(f"| {name} | {row['median_ms']:.0f} | {shares['times_each_stage_runs'].get(name, 1)} |")
        share = 100 * shares["tail_share_of_floor"]
        lines += [
            "",
            f"Reading and writing the tail's memory once takes {share:.0f} % of its time.",
            _provenance(shares),
            "",
        ]
    if (files := report.get("files")) is not None:
        lines += [
            f"JPEG to JPEG, {files['threads']} threads:",
            "",
            "| photo | seconds | peak MB | tiles |",
            "|---|---|---|---|",
        ]
        for row in files["photos"].values():
            size = f"{row['width']}×{row['height']}"
            lines.append(f"| {size} | {row['median_ms'] / 1e3:.1f} | {row['peak_mb']} | {row['tiles']} |")
        lines += ["", _provenance(files), ""]
    return "\n".join(lines)


def upsampled_table(report: dict[str, Any]) -> str:
    """Return Markdown of what `benchmarks/upsampled.py` found."""
    lines = [
        "| megapixels | streak px | input dB | native: dB, s | 1/2: dB, s | 1/4: dB, s |",
        "|---|---|---|---|---|---|",
    ]
    for row in report["results"]:
        cells = (f"{row[f'psnr_{scale}']:.2f}, {row[f'seconds_{scale}']:.1f}" for scale in (1, 2, 4))
        start = f"| {row['megapixels']:g} | {row['streak_width']} | {row['input']:.2f} "
        lines.append(f"{start}| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Means of {report['photos']} photos. {_provenance(report)}", ""])


def _provenance(report: dict[str, Any]) -> str:
    quick = " A quick run." if report.get("quick") else ""
    where = f"{report['processor']}, {report['cores']} cores, {report['instructions']}, torch {report['torch']}"
    weights = f"weights `{report['weights_sha256'][:12]}…`"
    return f"Measured {report['date']} at commit `{report['commit'][:10]}`, {weights}, on {where}.{quick}"
