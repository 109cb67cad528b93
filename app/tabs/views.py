"""What explains a result: the tabs beside it, and the pictures in them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from app.drawing import panels
from app.look import notes, sentences, words
from app.running.results import show
from app.tabs.parts import gallery, note, slider, view
from opir import inspection
from opir.inference import Restoration

COUNT = 7
"""How many views `draw` returns."""
RESULT_HEIGHT = 540  # pixels, kept whether or not there is a result
_LEAST_SIDE = 1500  # pixels: what is drawn for the page has at least so many where the photo has


@dataclass(frozen=True)
class Views:
    """What explains a result on the page."""

    stage_1: gr.Image
    stage_2: gr.Image
    change: gr.Image
    taken: gr.Gallery
    uncertainty: gr.ImageSlider
    spread: gr.Image
    recognised: gr.Label
    weather_map: gr.HTML

    def drawn(self, scales: gr.Gallery) -> list[gr.components.Component]:
        """Return where the pictures of `draw` and the map of the weather go; `scales` are in "Look inside"."""
        pictures = [self.stage_1, self.stage_2, self.change, self.taken, self.uncertainty, self.spread]
        return [*pictures, scales, self.weather_map]


def layout(empty_map: str) -> Views:
    """Lay out the tabs beside the result: can I trust it, stages, weather."""
    with gr.Tab(words.TAB_UNCERTAINTY):
        note(notes.UNCERTAINTY)
        uncertainty = slider(words.DOUBT, "uncertainty", RESULT_HEIGHT)
        with gr.Column(elem_id="spread-box"):  # shown once there is one, see the style sheet
            note(notes.SPREAD)
            spread = view(words.SPREAD, "spread", 380)
    with gr.Tab(words.TAB_STAGES):
        note(notes.TAKEN)
        taken = gallery("taken", columns=2)
        note(notes.STAGES)
        with gr.Row(elem_classes="side-by-side"):
            stage_1 = view(words.STAGE_1, "stage-1", 320)
            stage_2 = view(words.STAGE_2, "stage-2", 320)
        note(notes.CHANGE)
        change = view(words.CHANGE, "change", 380)
    with gr.Tab(words.TAB_WEATHER):
        recognised = gr.Label(label=words.RECOGNISED, num_top_classes=4, elem_id="recognised")
        note(notes.MAP)
        weather_map = gr.HTML(empty_map, elem_id="weather-map", padding=False)
    return Views(stage_1, stage_2, change, taken, uncertainty, spread, recognised, weather_map)


def draw(result: Restoration, folder: Path) -> tuple[Any, ...]:
    """Draw the views of a result into a folder that holds "restored.jpg".

    Of a large photo all is drawn about as small as it is shown: in full, maps of 12 megapixels take half a gigabyte.

    Returns:
        Stage 1, stage 2, what stage 2 changed, what each level took away, the result and over it the uncertainty, how
        far thorough results lie apart, scales: paths, None for what there is not.
    """
    smaller = _times_smaller(max(result.width, result.height))
    two = result.stages > 1
    # Each group of views has a copy of its own, which keeps its pictures of the full size only as long as that.
    certain, doubt = inspection.trust_pair(replace(result), smaller)
    trust = str(show(certain, folder / "certain.jpg")), str(show(doubt, folder / "uncertainty.jpg"))
    pictures = inspection.taken_pictures(replace(result), smaller=smaller)
    taken = [
        (str(show(pictures[one.level], folder / f"taken-{one.level}.jpg")), sentences.taken_caption(one))
        for one in panels.found_in(result)
    ]
    spread = None if result.spread is None else inspection.spread_picture(result, smaller)
    copy = replace(result)
    stage_1 = str(show(copy.stage1, folder / "stage-1.jpg"))
    change = inspection.change_picture(copy, smaller=smaller) if two else None
    del copy
    return (
        stage_1,
        str(folder / "restored.jpg") if two else None,
        None if change is None else str(show(change, folder / "change.jpg")),
        taken,
        trust,
        None if spread is None else str(show(spread, folder / "spread.jpg")),
        [
            (str(show(picture, folder / f"{name.replace(' ', '-')}.jpg")), sentences.scale_caption(name))
            for name, picture in inspection.scale_pictures(result, smaller).items()
        ],
    )


def _times_smaller(side: int) -> int:
    """Return the largest power of two that leaves `_LEAST_SIDE` pixels; 1 for a smaller photo."""
    return 1 << max(side // _LEAST_SIDE, 1).bit_length() - 1
