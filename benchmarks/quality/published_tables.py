"""The paper's Tables 1 to 4 and 6: its row beside ours, for each test set that is there. Prints and writes JSON.

    python -m benchmarks.quality.published_tables table2 DATA [--checkpoint lite] [--quick]

Test sets are looked for below DATA in the layouts of `opir/data/published.py`, in a folder of the set's name too; an
absent set is marked so. "Zero-shot" means that the weights were not trained on any photo of that data set.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.quality.cases import SETS, cut
from benchmarks.report.provenance import RESULTS, provenance, source_line, spread, write_report
from opir.data import LAYOUTS, Pair, PairFolders, find_folders, pair_photos
from opir.evaluation import Space, psnr, ssim
from opir.inference import Restorer
from opir.model import all_runs, count_gmacs, count_parameters

PAPER: dict[str, Any] = json.loads(Path(__file__).with_name("paper_figures.json").read_text())
TABLES = tuple(name for name in PAPER if name.startswith("table"))
ABSENT, ZERO_SHOT, TRAINED = "absent", "zero-shot", "trained on its training part"
_SOME_PAIRS = "zero-shot; other published pairs of this weather were trained on"

# How each set's own folder may be called, and what must be in its path; and which training part belongs to it.
_NAMED = {
    "Test100": ("Test100", "Rain13K"),
    "Test1200": ("Test1200", "Rain13K"),
    "Rain100H": ("Rain100H", "Rain13K"),
    "Rain100L": ("Rain100L", "Rain13K"),
    "Snow100K-test": ("Snow100K", "Snow100K-train"),
    "SRRS-test": ("SRRS", "SRRS-train"),
    "CSD-test": ("CSD", "CSD-train"),
    "SOTS-indoor": ("indoor", "ITS"),
    "SOTS-outdoor": ("outdoor", "OTS"),
}
_PARTS = {"SOTS-indoor": "SOTS-indoor-10scenes"}
"""Sets of which a part may be there instead."""


def find_test_set(name: str, data: Path) -> PairFolders | None:
    """Return where a test set's pairs lie below DATA, or None if it is not there.

    Args:
        name: a key of `opir.data.LAYOUTS`.
        data: where the user keeps data sets. A folder counts only if its path from there on names the set, so that
            one pair of `input` and `target` is not taken for every set.
    """
    word = _NAMED[name][0]
    below = (data, data / "benchmark")
    roots = [base / own for base in below for own in (word, name)]
    roots += [base / shared for base in below for shared in ("", "Rain13K", "RESIDE", "SOTS")]
    for root in roots:
        try:
            found = find_folders(name, root)
        except ValueError:
            continue
        parts = [part.lower() for part in Path(found.inputs).relative_to(data).parts]
        if word.lower() in parts or name.lower() in parts:
            return found
    return None


def status_of(name: str, metadata: dict[str, Any]) -> str:
    """Return whether weights were trained on a test set's data set, by their metadata."""
    data = metadata.get("settings", {}).get("data", {})
    if any(trained[0] == _NAMED[name][1] for trained in data.get("sets", [])):
        return TRAINED
    weather = LAYOUTS[name].task.label
    pairs = {f"pairs of {weather}", "rainy pairs" if weather == "rain" else f"pairs of {weather}"}
    named = any(name in run.get("data", "") for run in all_runs(metadata) for name in pairs)  # as packs name them
    return _SOME_PAIRS if named or any(pairs[0] == weather for pairs in data.get("pairs", [])) else ZERO_SHOT


def measure_set(restorer: Restorer, pairs: Sequence[Pair], space: Space, quick: bool = False) -> dict[str, Any]:
    """Restore a test set blindly and score it, inputs beside results."""
    rows: dict[str, list[float]] = {"input_psnr": [], "input_ssim": [], "psnr": [], "ssim": []}
    for pair in tqdm(pairs[: 2 if quick else None], desc=pairs[0].degraded.parents[1].name):
        degraded, clean = (cut(photo, quick) for photo in pair.read())
        restored = restorer.restore(degraded).restored_rgb
        for kind, picture in (("input_", degraded), ("", restored)):
            rows[f"{kind}psnr"].append(psnr(picture, clean, space))
            rows[f"{kind}ssim"].append(ssim(picture, clean, space))
    return {name: spread(values) for name, values in rows.items()}


def measure_table(name: str, restorer: Restorer, data: Path, quick: bool = False) -> dict[str, Any]:
    """Return ours for each test set of one of Tables 1 to 4; what is absent says so."""
    assert restorer.info is not None
    found: dict[str, Any] = {}
    for test_set, space in PAPER[name]["space"].items():
        folders = find_test_set(test_set, data)
        if folders is not None:
            scores = measure_set(restorer, folders.pairs(), space, quick)
            found[test_set] = {"status": status_of(test_set, restorer.info.metadata), "space": space, **scores}
            continue
        found[test_set] = {"status": ABSENT, "space": space}
        part = _PARTS.get(test_set)
        for part_name, part_space, _ in SETS:
            folder = data / "benchmark" / part_name
            if part == part_name and folder.is_dir():
                scores = measure_set(restorer, pair_photos(folder / "input", folder / "target"), part_space, quick)
                found[part_name] = {
                    "status": f"{status_of(test_set, restorer.info.metadata)}, a part of {test_set}",
                    "space": part_space,
                    **scores,
                }
    return found


def measure_cost(restorer: Restorer) -> dict[str, Any]:
    """Return ours for Table 6; its times come from the benchmark of speed."""
    config = restorer.model.config
    return {
        "parameters": count_parameters(restorer.model),
        "gmacs": {str(size): round(count_gmacs(config, size), 3) for size in (224, 256)},
    }


def render(report: dict[str, Any]) -> str:
    """Return a table of the paper's rows and ours as Markdown."""
    paper = PAPER[report["table"]]
    lines = [
        f"**{report['table'].replace('table', 'Table ')}: {paper['title']}** ({paper['setting']})",
        "",
    ]
    if "cost" in report:
        lines += ["| model | seconds (paper) | GMACs @224² | @256² | parameters |", "|---|---|---|---|---|"]
        lines += [f"| {name} | {row['seconds']} | {row['gmacs']} | | |" for name, row in paper["rows"].items()]
        cost = report["cost"]
        lines.append(
            f"| ours | see `make bench` | {cost['gmacs']['224']:.2f} | {cost['gmacs']['256']:.2f} "
            f"| {cost['parameters'] / 1e6:.2f} M |"
        )
        return "\n".join([*lines, "", source_line(report, report["table"]), ""])
    lines += [
        f"| test set | ours | input | ours | {' | '.join(f'paper: {row}' for row in paper['rows'])} |",
        "|---|---|---|---|" + "---|" * len(paper["rows"]),
    ]
    for name, ours in report["sets"].items():
        space = "Y" if ours["space"] == "y" else "RGB"
        cells = [f"{name} ({space})", ours["status"]]
        cells += [_scores(ours, "input_"), _scores(ours, "")]
        for row in paper["rows"].values():
            figures = row.get(name)
            cells.append("–" if figures is None else f"{figures[0]:.2f} / {figures[1]:.3f}")
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "PSNR in dB / SSIM; ± is the standard deviation over photos."]
    return "\n".join([*lines, "", source_line(report, report["table"]), ""])


def _scores(ours: dict[str, Any], kind: str) -> str:
    found, likeness = ours.get(f"{kind}psnr"), ours.get(f"{kind}ssim")
    if found is None or likeness is None:
        return "–"
    decibels = f"{found['mean']:.2f} ± {found['sd']:.2f}" if found["count"] else "∞"
    return f"{decibels} / {likeness['mean']:.3f}"


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("data", type=Path)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--quick", action="store_true", help="only see that it runs: small crops of two photos")
    parser.add_argument("--output", type=Path, help="else benchmarks/results/TABLE.json")
    options = parser.parse_args(arguments)
    restorer = Restorer.from_pretrained(options.checkpoint)
    command = f"python -m benchmarks.quality.published_tables {options.table} DATA --checkpoint {options.checkpoint}"
    report = provenance(command, restorer, (), options.quick) | {"table": options.table}
    if options.table == "table6":
        report["cost"] = measure_cost(restorer)
    else:
        report["sets"] = measure_table(options.table, restorer, options.data, options.quick)
    write_report(report, options.output or RESULTS / f"{options.table}.json")
    print(render(report))


if __name__ == "__main__":
    main()
