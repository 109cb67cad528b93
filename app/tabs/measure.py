"""Measure: a pair of photos in, scores and maps out."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd

from app.drawing import panels
from app.look import notes, sentences, theme, words
from app.running.errors import plain_error, plain_errors
from app.running.results import show
from app.running.runner import Runner
from app.running.visitors import Visitors, visitor_of
from app.server.server_state import MODEL_QUEUE
from app.tabs.parts import note, photo_file, privacy, view, weather_choice
from opir import inspection
from opir.data import check_sizes
from opir.evaluation import ImageScore, Measurement, Quality, Space, measure, measure_baselines

CURVE_POINTS = 60
"""So many points draw the curve of any photo smoothly."""


def build(runner: Runner, visitors: Visitors) -> None:
    """Lay out the tab and join its events."""
    with gr.Row(elem_classes="side-by-side two-columns"):
        with gr.Column(elem_classes="narrow"):
            degraded = photo_file(words.DEGRADED, "measure-degraded")
            clean = photo_file(words.CLEAN, "measure-clean")
            weather = weather_choice("measure-weather")
            start = gr.Button(words.MEASURE, variant="primary", elem_id="measure-start")
            privacy(runner)
        with gr.Column(elem_classes="wide"):
            scores = gr.HTML(nothing_measured()[0], elem_id="scores", padding=False)
            with gr.Row(elem_classes="side-by-side"):
                error_map = view(words.ERROR_MAP, "error-map", 320)
                uncertainty = view(words.TAB_UNCERTAINTY, "measure-uncertainty", 320)
            note(notes.ERROR_MAP)
            curve = gr.LinePlot(
                x=words.CURVE_KEPT,
                y=words.CURVE_ERROR,
                color=words.CURVE_BY,
                color_map=theme.CURVE_COLOURS,
                colors_in_legend=[],
                color_title=" ",
                y_lim=[0, None],
                x_lim=[0, 100],
                label=words.CURVE,
                height=340,
                buttons=[],
                elem_id="curve",
            )
            gr.HTML(panels.legend(theme.CURVE_COLOURS), elem_id="curve-legend", padding=False)
            note(notes.CURVE)
    shown = [scores, error_map, uncertainty, curve]

    def measure_chosen(degraded: str | None, clean: str | None, weather: str, request: gr.Request) -> tuple[Any, ...]:
        return measure_pair(runner, visitors, degraded, clean, weather, visitor_of(request))

    start.click(
        measure_chosen,
        [degraded, clean, weather],
        shown,
        show_progress_on=[scores],
        api_visibility="private",
        **MODEL_QUEUE,
    )
    for photo in (degraded, clean):
        photo.clear(nothing_measured, None, shown, show_progress="hidden", api_visibility="private")


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
        raise plain_error(words.NO_PAIR)
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
