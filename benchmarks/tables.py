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
RESULTS = ROOT / "benchmarks" / "results"


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


def page_table(report: dict[str, Any]) -> str:
    """Return Markdown of what `benchmarks/page.py` found."""
    example, pixel = report["results"]["example"], report["results"]["pixel"]
    hardware = report["hardware"]
    rows = (
        ("the first click on an example, until its result is drawn", example),
        (f"a click on a pixel of a {pixel['megapixels']:.0f}-megapixel photo, until its operator is drawn", pixel),
    )
    lines = ["| on the page | median | slowest | mark |", "|---|---|---|---|"]
    for title, row in rows:
        lines.append(f"| {title} | {row['median_s']:.2f} s | {row['slowest_s']:.2f} s | {row['mark_s']:g} s |")
    provenance = (
        f"Measured {report['date']} at commit `{report['commit'][:10]}`, weights `{report['weights_sha256'][:12]}…`, "
        f"by `make page-marks` on {hardware['cores']} cores ({hardware['processor']}), the browser included."
    )
    return "\n".join([*lines, "", provenance, ""])


TABLES = {"quality": quality_table, "page": page_table}
"""What a marker holds: the name is also that of the file in benchmarks/results."""


def fill(text: str) -> str:
    """Return a page with every table between its markers made anew; one without results stays as it is."""
    for name, table in TABLES.items():
        results = RESULTS / f"{name}.json"
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if results.is_file() and marked.search(text):
            made = table(json.loads(results.read_text()))
            text = marked.sub(lambda match, made=made: match[1] + made + match[2], text)  # type: ignore[misc]
    return text


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 if a table is out of date")
    options = parser.parse_args()
    stale = []
    for page in PAGES:
        text = page.read_text()
        renewed = fill(text)
        if renewed != text:
            stale.append(page.name)
            if not options.check:
                page.write_text(renewed)
    if options.check and stale:
        raise SystemExit(f"out of date: {', '.join(stale)}; run python benchmarks/tables.py")


if __name__ == "__main__":
    main()
