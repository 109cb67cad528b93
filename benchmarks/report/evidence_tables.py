"""Markdown of what was found about uncertainty, error bounds, embeddings, classical methods and sizes."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from benchmarks.report.provenance import source_line

_MAPS = {"uncertainty": "UM", "gradient": "gradient", "change": "change", "mirrored": "mirrored (4× cost)"}
_FEATURES = {"embedding": "OPIR's embedding", "statistics": "pixel statistics", "pca": "PCA of thumbnails"}


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)] + [""]


def _value(found: dict[str, Any] | None, digits: int = 2, factor: float = 1.0, unit: str = "") -> str:
    if not found or "mean" not in found:
        return "–"
    return f"{factor * found['mean']:.{digits}f} ± {factor * found['sd']:.{digits}f}{unit}"


def uncertainty_table(report: dict[str, Any]) -> str:
    """Return what `benchmarks/quality/uncertainty.py` found about the order of pixels, UM against the other maps."""
    lines: list[str] = []
    for kind, title in (
        ("ause", "**AUSE** (0 sorts as well as the error itself, 1 as well as chance)"),
        ("rank_correlation", "**Rank correlation** with the error (1 is the same order)"),
    ):
        rows = []
        for name, found in report["results"].items():
            scores = {key: found["maps"][key][kind] for key in _MAPS}
            cheap = {key: scores[key]["mean"] for key in ("uncertainty", "gradient", "change")}
            ordered = sorted(cheap, key=cheap.__getitem__, reverse=kind == "rank_correlation")
            cells = [_value(scores[key]) for key in _MAPS]
            rows.append([f"{name} ({scores['uncertainty']['count']})", *cells, _MAPS[ordered[0]]])
        lines += [title + ", mean ± standard deviation over photos.", ""]
        lines += _table(["set (photos)", *_MAPS.values(), "best of the first three"], rows)
    lines += ["![Sparsification curves](images/sparsification.png)", ""]
    lines += _evenness_lines(report.get("evenness", {}))
    return "\n".join([*lines, source_line(report, "uncertainty"), ""])


def _evenness_lines(evenness: dict[str, dict[str, float]]) -> list[str]:
    """Return how much the grid of the network stands out of the maps of pictures without weather."""
    if not evenness:
        return []
    title = (
        "**Evenness**: the energy of UM and α at a period at which the network's grid would show, divided by that at "
        "the neighbouring periods, for the worst map and direction; 1 means no grid. Less than half a grey value "
        "counts as 0."
    )
    periods = list(next(iter(evenness.values())))
    rows = [[name, *(f"{found[period]:.2f}" for period in periods)] for name, found in evenness.items()]
    return [title, "", *_table(["picture", *(f"{period} px" for period in periods)], rows)]


def bounds_table(report: dict[str, Any]) -> str:
    """Return how many pixels the error bounds covered, where they were calibrated and elsewhere."""
    calibration = report["calibration"]
    if calibration is None:
        return "These weights carry no calibration: `make calibrate uncertainty`.\n"
    rows = []
    for weather, shares in calibration["coverage"].items():
        parts = f"{100 * min(shares):.1f} to {100 * max(shares):.1f} % by part"
        rows.append(
            [f"synthetic {weather}, left-out validation photos", f"{100 * fmean(shares):.1f} % ({parts})", "–"]
        )
    others = [
        (f"synthetic {weather}, clean photos of Rain100L", bounds)
        for weather, bounds in report["bounds_on_unseen_photos"].items()
    ]
    others += [(name, found["bounds"]) for name, found in report["results"].items() if "synthetic" not in name]
    for name, bounds in others:
        rows.append([name, _value(bounds.get("coverage"), 1, 100, " %"), _value(bounds.get("median_bound"), 1)])
    lines = _table(
        ["photos", f"below their bound (aim: {100 * calibration['share']:.0f} %)", "median bound, grey values"], rows
    )
    made = (
        f"Calibrated on {calibration['photos']} validation photos with {calibration['draws_of_each_photo']} draws of "
        "each weather; ± is the standard deviation over photos."
    )
    return "\n".join([*lines, made, source_line(report, "calibrate uncertainty"), ""])


def embeddings_table(report: dict[str, Any]) -> str:
    """Return how far apart the kinds of weather lie, and where mixtures lie."""
    rows = []
    for kind, title in _FEATURES.items():
        made = report["synthetic"][kind]
        cells = [title]
        cells += [
            f"{made[name]['all']:.3f} (± {made[name]['by_draw']['sd']:.3f})" for name in ("silhouette", "neighbours")
        ]
        real = (report["real"] or {}).get(kind)
        for name in ("silhouette", "neighbours", "synthetic_neighbours"):
            cells.append("–" if real is None else f"{real[name]:.3f}")
        rows.append(cells)
    header = ["features", "silhouette", "5-NN", "real: silhouette", "real: 5-NN", "real, synthetic neighbours: 5-NN"]
    lines = _table(header, rows)
    if report["real"]:
        counts = ", ".join(f"{count} {weather}" for weather, count in report["real"]["photos"].items() if count)
        lines += [
            f"Real photos: {counts}; the model names {100 * report['real']['recognised']:.0f} % of them right.",
            "",
        ]
    mixed = []
    for name, found in report["mixed"].items():
        taken = ", ".join(f"{weather} {100 * share:.0f} %" for weather, share in found["taken_for"].items() if share)
        cells = [name, _value(found["along"]), _value(found["beside"]), f"{100 * found['between_the_centres']:.0f} %"]
        mixed.append([*cells, f"{100 * found['both_likeliest']:.0f} %", taken])
    lines += [
        "**Mixed weather**: *along* says where a mixture lies between the centres of its kinds, 0 at the first and "
        "1 at the second; *beside* is its distance from the line between them.",
        "",
    ]
    lines += _table(["mixture", "along", "beside", "between", "its two kinds likeliest", "taken for"], mixed)
    lines += ["![t-SNE of embeddings](images/embeddings.png)", ""]
    note = (
        f"{report['photos']} photos, {report['draws']} draws of each weather; ± is the standard deviation over draws."
    )
    return "\n".join([*lines, note, source_line(report, "embeddings-report"), ""])


def classical_table(report: dict[str, Any]) -> str:
    """Return the scores of methods without learning beside OPIR's."""
    methods = list(next(iter(report["results"].values()))["methods"])
    rows = []
    for method in methods:
        cells = [method]
        for found in report["results"].values():
            scores = found["methods"][method]
            cells.append(f"{_value(scores['psnr'])} / {scores['ssim'].get('mean', 0):.3f}")
        rows.append(cells)
    header = ["method", *(f"{name} ({found['space'].upper()})" for name, found in report["results"].items())]
    lines = ["PSNR in dB ± standard deviation over photos / SSIM.", "", *_table(header, rows)]
    chosen = []
    for weather, tried in report["tuned"].items():
        settings = "; ".join(
            f"{method}: {', '.join(f'{key} {value}' for key, value in best[0]['settings'].items())}"
            for method, best in tried.items()
        )
        chosen.append(f"- {weather}: {settings}")
    return "\n".join(
        [*lines, "Settings that were best in tuning:", "", *chosen, "", source_line(report, "classical"), ""]
    )


def sizes_table(report: dict[str, Any]) -> str:
    """Return what `benchmarks/quality/sizes.py` found: pairs enlarged, and weather drawn on large photos."""
    lines: list[str] = []
    for name, found in report["pairs"].items():
        rows = [[f"×{row['times']}", *_restored(row)] for row in found]
        lines += [f"**{name}**, enlarged ({found[0]['photos']} photos, RGB)", ""]
        lines += _table(["size", "input dB", "restored dB", "worst", "levels that worked (photos)"], rows)
    if report["drawn"]:
        rows = [
            [f"{row['megapixels']:g}", row["weather"], *_restored(row), f"{row['seconds']:.1f}"]
            for row in report["drawn"]
        ]
        lines += [f"**Drawn on large photos** ({report['drawn'][0]['photos']} at each size)", ""]
        header = ["megapixels", "weather", "input dB", "restored dB", "worst", "levels that worked (photos)", "s"]
        lines += _table(header, rows)
    lines += ["![What is won at each size](images/sizes.png)", ""]
    return "\n".join([*lines, source_line(report, "sizes"), ""])


def _restored(row: dict[str, Any]) -> list[str]:
    levels = "; ".join(f"{levels} ({photos})" for levels, photos in row["levels"].items())
    return [f"{row['input']:.2f}", f"{row['psnr']:.2f}", f"{row['worst']:.2f}", levels]
