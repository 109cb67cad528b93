"""Restore the same photos by OPIR, MAXIM, the dark channel prior and not at all; write photos, then JSON.

    python -m benchmarks.peers prepare WORK --data DATA --photos PHOTOS
    .venv-peers/bin/python -m benchmarks.peers.maxim WORK    # takes long
    python -m benchmarks.peers score WORK
    python -m benchmarks.peers time WORK    # on an idle machine

DATA holds `benchmark/<set>/{input,target}`; PHOTOS is a folder of clean photos that no weights were trained on, with
`depth` and `plain` beside it (what is not there is left out). OPIR is not told the weather, MAXIM gets the weights
that are meant for it. Only photos that MAXIM has restored are scored, so all methods are compared on the same ones.
Nothing is trained or chosen by these figures.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.peers.pictures import draw_pictures
from benchmarks.peers.sets import EXAMPLE_SETS, SETS, PeerSet, prepare, read_png
from benchmarks.peers.timing import measure_time
from benchmarks.report.provenance import IMAGES, RESULTS, SOURCE, provenance, spread, write_report
from opir.evaluation import UNCHANGED_PSNR, dehaze_by_dark_channel, psnr
from opir.inference import Restorer


def score(restorer: Restorer, group: PeerSet, work: Path) -> dict[str, Any]:
    """Compare what every method makes of the photos of one set with the truth.

    Args:
        restorer: with the weights to compare.
        group: the set.
        work: where its photos lie, and MAXIM's results.
    """
    scores: dict[str, list[float]] = {}
    size, wanted = "", sorted((work / "input" / group.name).glob("*.png"))
    done = [path for path in wanted if all(_result(work, method, group, path).is_file() for method in group.maxim)]
    for path in tqdm(done, desc=group.title, disable=None):
        degraded, clean = read_png(path), read_png(work / "target" / group.name / path.name)
        size = f"{max(clean.shape[1:])}×{min(clean.shape[1:])}"
        outputs = {
            "untouched": degraded,
            "dark channel prior": dehaze_by_dark_channel(degraded),
            **{method: read_png(_result(work, method, group, path)) for method in group.maxim},
            "OPIR": restorer.restore(degraded).restored_rgb,
        }
        for method, output in outputs.items():
            scores.setdefault(method, []).append(min(psnr(output, clean, group.space), UNCHANGED_PSNR))
    methods = {name: spread(values, 2) | {"worst": round(min(values), 2)} for name, values in scores.items()}
    row = {"title": group.title, "whose": group.whose, "space": group.space, "harm": group.harm}
    return row | {"photos": len(done), "prepared": len(wanted), "size": size, "methods": methods}


def _result(work: Path, method: str, group: PeerSet, photo: Path) -> Path:
    return work / method / group.name / photo.name


def score_all(restorer: Restorer, work: Path, before: dict[str, Any]) -> dict[str, Any]:
    """Score every set that has photos; measured times stay.

    Args:
        restorer: with weights from a file.
        work: where the photos are.
        before: the report so far, or nothing.
    """
    sets = {group.name: score(restorer, group, work) for group in SETS}
    report = provenance("make peers", restorer, (0,))
    report["versions"] = json.loads((work / "versions.json").read_text())
    report["sets"] = {name: found for name, found in sets.items() if found["prepared"]}
    return report | ({"time": before["time"]} if "time" in before else {})


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("prepare", "score", "time"))
    parser.add_argument("work", type=Path, help="folder for photos and results, to go on from")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--photos", type=Path, default=Path("data/validation/clean"))
    parser.add_argument("--python", type=Path, default=Path(".venv-peers/bin/python"), help="one with TensorFlow")
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--output", type=Path, default=RESULTS / "peers.json")
    parser.add_argument("--images", type=Path, default=IMAGES, help="folder for the page's pictures")
    options = parser.parse_args(arguments)
    if options.step == "prepare":
        prepare(options.data, options.photos, options.work)
        return
    restorer = Restorer.from_pretrained(options.checkpoint)
    report = json.loads(options.output.read_text()) if options.output.is_file() else {}
    if options.step == "score":
        report = score_all(restorer, options.work, report)
        pictures = draw_pictures(restorer, [group.title for group in EXAMPLE_SETS], options.work, options.images)
        report["pictures"] = [path.name for path in pictures]
    else:
        here = provenance("make peers-time", restorer, (0,))
        sizes = measure_time(options.work.absolute(), options.python.absolute(), options.checkpoint)
        report["time"] = {key: here[key] for key in SOURCE} | {"sizes": sizes}
    write_report(report, options.output)


if __name__ == "__main__":
    main()
