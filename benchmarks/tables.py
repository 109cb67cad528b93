"""Write the README's and the model card's tables from benchmarks/results, between their markers.

python benchmarks/tables.py [--check]
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "checkpoints" / "README.md", ROOT / "docs" / "cost.md")


def _decibels(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def quality_table(report: dict[str, Any]) -> str:
    """Return Markdown of what `benchmarks/quality.py` found."""
    lines = [
        "| set | photos | input | stage 1 | restored | SSIM in → out | recognised | UM ~ error "
        "| AUSE: UM / gradient / change |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in report["results"].items():
        areas = " / ".join(f"{row[f'ause_{kind}']:.2f}" for kind in ("uncertainty", "gradient", "change"))
        lines.append(
            f"| {name} ({row['space'].upper()}) | {row['photos']} | {_decibels(row.get('input_psnr'))} "
            f"| {_decibels(row['stage1_psnr'])} | {_decibels(row['psnr'])} "
            f"| {row['input_ssim']:.3f} → {row['ssim']:.3f} | {100 * row['recognised']:.0f} % "
            f"| {row['rank_correlation_uncertainty']:.2f} | {areas} |"
        )
    provenance = (
        f"Measured {report['date']} at commit `{report['commit'][:10]}`, weights `{report['weights_sha256'][:12]}…`, "
        "by `make measure`: PSNR in dB from 8-bit outputs, blind (`task=auto`); the rank correlation of UM with the "
        "error is on 8×8 blocks; AUSE 0 is a perfect map and 1 a random one."
    )
    return "\n".join([*lines, "", provenance, ""])


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


def _between_markers(text: str, name: str, table: str) -> str:
    marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return marked.sub(lambda match: match[1] + table + match[2], text)


TABLES = {"quality": quality_table, "cost": cost_tables, "upsampled": upsampled_table}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 if a table is out of date")
    options = parser.parse_args()
    stale = []
    for page in PAGES:
        renewed = text = page.read_text()
        for name, table in TABLES.items():
            results = ROOT / "benchmarks" / "results" / f"{name}.json"
            if results.exists():
                renewed = _between_markers(renewed, name, table(json.loads(results.read_text())))
        if renewed != text:
            stale.append(page.name)
            if not options.check:
                page.write_text(renewed)
    if options.check and stale:
        raise SystemExit(f"out of date: {', '.join(stale)}; run python benchmarks/tables.py")


if __name__ == "__main__":
    main()
