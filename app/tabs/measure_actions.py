"""What "Measure" does: a photo with weather and the same without it, scored by the library's protocol."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from app.drawing import panels
from app.look import sentences, words
from app.running.errors import plain_error, plain_errors
from app.running.results import show
from app.running.runner import Runner
from app.running.visitors import Visitors
from opir import inspection
from opir.data import check_sizes
from opir.evaluation import ImageScore, Measurement, Quality, Space, measure, measure_baselines

CURVE_POINTS = 60
"""So many points draw the curve of any photo smoothly."""


def nothing_measured() -> tuple[Any, ...]:
    """Return the scores, the error map, the uncertainty and the curve before anything was measured."""
    return panels.hint(words.MEASURE_NOTE), None, None, None


def measure_pair(
    runner: Runner,
    visitors: Visitors,
    degraded: str | None,
    clean: str | None,
    weather: str,
    visitor: str = "",
) -> tuple[Any, ...]:
    """Restore the degraded photo and compare: the scores, the error map, the uncertainty, the curve."""
    if degraded is None or clean is None:
        raise plain_error(words.NO_PAIR, log=False)
    for photo in (degraded, clean):
        visitors.has_uploaded(visitor, Path(photo))
    names = Path(degraded).name, Path(clean).name
    with plain_errors():
        truth = runner.load(clean)
        check_sizes(runner.load(degraded).size, truth.size, *names)  # before the work, not after it
        result = runner.restore(degraded, weather)
        measured = measure(result, truth, *names)
        others = measure_baselines(result.photo.rgb, truth.rgb)
        folder = visitors.new_folder(visitor)
        error_map = show(inspection.error_picture(measured.error), folder / "error.jpg")
        uncertainty = show(inspection.uncertainty_picture(result), folder / "uncertainty.jpg")
    return _scores(measured, others), str(error_map), str(uncertainty), _curves(measured)


def _scores(measured: Measurement, others: Mapping[str, Mapping[Space, Quality]]) -> str:
    rows = ""
    for space, score in measured.scores.items():
        same = [method[space] for method in others.values()]
        rows += _row(f"PSNR, {space.upper()}", score, [one.psnr for one in same], "psnr", 2, " dB")
        rows += _row(f"SSIM, {space.upper()}", score, [one.ssim for one in same], "ssim", 4)
    heads = (*words.SCORE_HEADS, *(words.BASELINES[name] for name in others))
    return (
        f"{panels.table(words.SCORES, heads, rows)}"
        f'<p class="note">{sentences.agreement(measured.rank_correlation, measured.ause)} {words.PROTOCOL}</p>'
    )


def _row(title: str, score: ImageScore, others: list[float], name: str, digits: int, unit: str = "") -> str:
    before, after = getattr(score, f"input_{name}"), getattr(score, name)
    change = f"{after - before:+.{digits}f}{unit}" if math.isfinite(after - before) else "–"
    cells = [f"{v:.{digits}f}{unit}" if math.isfinite(v) else words.EQUAL for v in (before, after, *others)]
    cells.insert(2, change)
    return f'<tr><td class="name">{title}</td>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _curves(measured: Measurement) -> pd.DataFrame:
    """Return points of the three curves, errors in grey values."""
    blocks = len(measured.by_error)
    kept = np.unique(np.linspace(1, blocks, CURVE_POINTS).round().astype(int))
    curves = {
        words.BY_UNCERTAINTY: measured.by_uncertainty,
        words.BY_ERROR: measured.by_error,
        words.BY_CHANCE: np.full(blocks, measured.by_error[-1]),
    }
    return pd.concat(
        pd.DataFrame(
            {words.CURVE_KEPT: 100 * kept / blocks, words.CURVE_ERROR: 255 * values[kept - 1], words.CURVE_BY: name}
        )
        for name, values in curves.items()
    )
