"""Markdown of what `benchmarks/quality` found."""

from collections.abc import Iterable
from typing import Any

from benchmarks.report.provenance import SOURCE

HEADER = (
    "| set | photos | input | stage 1 | restored | SSIM in → out | recognised | UM ~ error "
    "| AUSE: UM / gradient / change |"
)


def _decibels(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def quality_row(name: str, row: dict[str, Any]) -> str:
    """Return one set's line of the table."""
    areas = " / ".join(f"{row[f'ause_{kind}']:.2f}" for kind in ("uncertainty", "gradient", "change"))
    return (
        f"| {name} ({row['space'].upper()}) | {row['photos']} | {_decibels(row.get('input_psnr'))} "
        f"| {_decibels(row['stage1_psnr'])} | {_decibels(row['psnr'])} "
        f"| {row['input_ssim']:.3f} → {row['ssim']:.3f} | {100 * row['recognised']:.0f} % "
        f"| {row['rank_correlation_uncertainty']:.2f} | {areas} |"
    )


def _measured(source: dict[str, Any]) -> str:
    return f"{source['date']} at commit `{source['commit'][:10]}`, weights `{source['weights_sha256'][:12]}…`"


def _older(rows: Iterable[tuple[str, dict[str, Any]]], newest: dict[str, Any]) -> str:
    """Name the rows that were kept from an earlier measurement."""
    kept: dict[str, list[str]] = {}
    for name, row in rows:
        measured = _measured(row.get("source", newest))
        if measured != _measured(newest):
            kept.setdefault(measured, []).append(name)
    return "".join(f" Older: {', '.join(names)}, {measured}." for measured, names in kept.items())


def quality_table(report: dict[str, Any]) -> str:
    """Return the whole table, with what it was measured by."""
    rows = report["results"]
    newest = {key: report[key] for key in SOURCE}
    source = (
        f"Measured {_measured(newest)}, by `make measure`: PSNR in dB from 8-bit outputs, blind (`task=auto`); the "
        "rank correlation of UM with the error is on 8×8 blocks; AUSE 0 is a perfect map and 1 a random one."
    )
    lines = [HEADER, "|---|---|---|---|---|---|---|---|---|", *(quality_row(name, row) for name, row in rows.items())]
    return "\n".join([*lines, "", source + _older(rows.items(), newest), ""])
