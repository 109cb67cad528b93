"""Measure: a pair of photos in, scores and maps out."""

from typing import Any

import gradio as gr

from app.drawing import panels
from app.look import notes, theme, words
from app.running.runner import Runner
from app.running.visitors import Visitors, visitor_of
from app.server.server_state import MODEL_QUEUE
from app.tabs import measure_actions
from app.tabs.parts import note, photo_file, privacy, view, weather_choice


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
            scores = gr.HTML(measure_actions.nothing_measured()[0], elem_id="scores", padding=False)
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

    def measure_pair(degraded: str | None, clean: str | None, weather: str, request: gr.Request) -> tuple[Any, ...]:
        return measure_actions.measure_pair(runner, visitors, degraded, clean, weather, visitor_of(request))

    start.click(
        measure_pair,
        [degraded, clean, weather],
        shown,
        show_progress_on=[scores],
        api_visibility="private",
        **MODEL_QUEUE,
    )
    for photo in (degraded, clean):
        photo.clear(measure_actions.nothing_measured, None, shown, show_progress="hidden", api_visibility="private")
