"""Write the tables of README, model card and docs/results.md from benchmarks/results, between their markers.

    python -m benchmarks.report.tables [--check]

A page has `<!-- name -->` and `<!-- /name -->` where a table belongs; the names are those of `TABLES`.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.cost import tables as cost_tables
from benchmarks.peers import tables as peers_tables
from benchmarks.quality import published_tables
from benchmarks.report import evidence_tables
from benchmarks.report.marked import filled, renew
from benchmarks.report.provenance import RESULTS, ROOT, SHIPPED, other_weights
from benchmarks.report.quality_table import quality_table
from opir.model import count_gmacs, count_parameters, load_model, training_record

Render = Callable[[dict[str, Any]], str]
PAGES = tuple(
    ROOT / page for page in ("README.md", "checkpoints/README.md", "docs/results.md", "docs/cost.md", "docs/peers.md")
)


def page_table(report: dict[str, Any]) -> str:
    """Return Markdown of what `benchmarks/server/page.py` found."""
    example, pixel = report["results"]["example"], report["results"]["pixel"]
    hardware = report["hardware"]
    rows = [
        ("the first click on an example, until its result is drawn", example),
        (f"a click on a pixel of a {pixel['megapixels']:.0f}-megapixel photo, until its operator is drawn", pixel),
    ]
    if part := report["results"].get("part"):  # figures of older pages have none
        rows.append((f"a part of a {part['megapixels']:.0f}-megapixel photo at 100 %, before and after", part))
    lines = ["| on the page | median | slowest | mark |", "|---|---|---|---|"]
    for title, row in rows:
        lines.append(f"| {title} | {row['median_s']:.2f} s | {row['slowest_s']:.2f} s | {row['mark_s']:g} s |")
    source = (
        f"Measured {report['date']} at commit `{report['commit'][:10]}`, weights `{report['weights_sha256'][:12]}…`, "
        f"by `make page-marks` on {hardware['cores']} cores ({hardware['processor']}), the browser included."
    )
    return "\n".join([*lines, "", source, ""])


def weights_table() -> str:
    """Return what the file of the shipped weights tells of itself."""
    model, info = load_model(SHIPPED)
    record, config = training_record(info.metadata), model.config
    facts = {
        "file": f"`checkpoints/{SHIPPED.name}`, SHA-256 `{info.sha256[:12]}…`",
        "size": f"{count_parameters(model) / 1e6:.2f} M parameters, width {config.width}, "
        f"{count_gmacs(config, 256):.2f} GMACs @256²",
        "trained": "not recorded" if record is None else record.describe(),
        "on": "not recorded" if record is None else record.data,
        "code": f"commit `{info.metadata.get('commit', 'unknown')[:10]}`",
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in facts.items()), ""])


TABLES: dict[str, tuple[str, Render, str]] = {
    "quality": ("quality.json", quality_table, "measure"),
    "page": ("page.json", page_table, "page-marks"),
    "uncertainty": ("uncertainty.json", evidence_tables.uncertainty_table, "uncertainty"),
    "bounds": ("uncertainty.json", evidence_tables.bounds_table, "calibrate uncertainty"),
    "embeddings": ("embeddings.json", evidence_tables.embeddings_table, "embeddings-report"),
    "classical": ("classical.json", evidence_tables.classical_table, "classical"),
    "sizes": ("sizes.json", evidence_tables.sizes_table, "sizes"),
    "cost": ("cost.json", cost_tables.cost_tables, "bench"),
    "peers": ("peers.json", peers_tables.peers_table, "peers"),
    "peers-time": ("peers.json", peers_tables.peers_time_table, "peers-time"),
    "peers-pictures": ("peers.json", peers_tables.peers_pictures, "peers"),
    "peers-sentences": ("peers.json", peers_tables.peers_sentences, "peers"),
    "peers-short": ("peers.json", peers_tables.peers_short, "peers"),
    **{name: (f"{name}.json", published_tables.render, name) for name in published_tables.TABLES},
}
"""By marker: the results file, what draws it, and the `make` target that makes it."""

COMPUTED: dict[str, Callable[[], str]] = {"presets": cost_tables.presets_table, "weights": weights_table}
"""Tables that follow from the code, or from the shipped weights, alone."""


def renewed(text: str, results: Path = RESULTS) -> str:
    """Return a page with all its tables made anew; markers of other programs' tables are left alone."""
    return filled(text, COMPUTED | {name: partial(_table, name, results) for name in TABLES})


def _table(name: str, results: Path) -> str:
    file, render, target = TABLES[name]
    path = results / file
    if not path.is_file():
        return f"Not run yet: `make {target}`.\n"
    report = json.loads(path.read_text())
    return other_weights(report) + render(report)


def out_of_date(pages: tuple[Path, ...] = PAGES, results: Path = RESULTS) -> list[Path]:
    """Return the pages whose tables differ from the results."""
    return [page for page in pages if renewed(page.read_text(), results) != page.read_text()]


if __name__ == "__main__":
    renew(PAGES, renewed, "benchmarks.report.tables", __doc__)
