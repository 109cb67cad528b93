"""Write the README's and the model card's tables from benchmarks/results, between their markers.

python benchmarks/tables.py [--check]
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "checkpoints" / "README.md")
MARKED = re.compile(r"(<!-- quality -->\n).*?(<!-- /quality -->)", re.DOTALL)


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


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 if a table is out of date")
    options = parser.parse_args()
    table = quality_table(json.loads((ROOT / "benchmarks" / "results" / "quality.json").read_text()))
    stale = []
    for page in PAGES:
        text = page.read_text()
        renewed = MARKED.sub(lambda match: match[1] + table + match[2], text)
        if renewed != text:
            stale.append(page.name)
            if not options.check:
                page.write_text(renewed)
    if options.check and stale:
        raise SystemExit(f"out of date: {', '.join(stale)}; run python benchmarks/tables.py")


if __name__ == "__main__":
    main()
