"""What the tabs share: pictures to look at, notes, and how events are queued."""

from typing import Any

import gradio as gr

from app.look import words
from app.look.notes import Note
from app.look.sentences import privacy_sentence
from app.running.runner import Runner
from opir.tasks import AUTO

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

_STATE_SECONDS = 1800
"""How long a page keeps what it is not asked for."""


def note(said: Note | str) -> None:
    """Say quietly what something is: a line for everybody and, smaller, one for the researcher."""
    said = Note(said) if isinstance(said, str) else said
    for_researchers = f"<b>{words.FOR_RESEARCHERS}</b> {said.researcher}"
    more = f'<p class="note researcher">{for_researchers}</p>' if said.researcher else ""
    gr.HTML(f'<p class="note">{said.plain}</p>{more}', padding=False)


def privacy(runner: Runner) -> None:
    """Say where photos stay, and for how long."""
    note(privacy_sentence(runner.temp_seconds / 60))


def state(runner: Runner) -> gr.State:
    """Return what is kept in memory between a visitor's clicks, for no longer than photos are kept at all."""
    return gr.State(None, time_to_live=max(1, round(min(_STATE_SECONDS, runner.temp_seconds))))


def view(label: str, elem_id: str, height: int) -> gr.Image:
    """Show a picture by the path of its file, so that nothing encodes it again."""
    return gr.Image(elem_id=elem_id, height=height, **_picture(label))


def slider(label: str, elem_id: str, height: int) -> gr.ImageSlider:
    """Show two pictures of one size, the second one right of a handle, as `view` does."""
    return gr.ImageSlider(elem_id=elem_id, height=height, max_height=height, **_picture(label))


def _picture(label: str) -> dict[str, Any]:
    return {
        "label": label,
        "type": "filepath",
        "image_mode": None,
        "interactive": False,
        "buttons": ["fullscreen"],
    }


def gallery(elem_id: str, columns: int, label: str | None = None) -> gr.Gallery:
    """Show pictures side by side, each whole, under a label of their own."""
    return gr.Gallery(
        label=label,
        show_label=label is not None,
        columns=columns,
        height="auto",
        object_fit="contain",
        interactive=False,
        buttons=["fullscreen"],
        elem_id=elem_id,
    )


def photo_file(label: str, elem_id: str, height: int = 120, several: bool = False) -> gr.File:
    """Take one photo or several, untouched and under their own names."""
    return gr.File(
        label=label,
        file_count="multiple" if several else "single",
        type="filepath",
        height=height,
        elem_id=elem_id,
    )


def weather_choice(elem_id: str) -> gr.Radio:
    """Ask what is in the photo, as one row."""
    return gr.Radio(
        words.WEATHER_CHOICES, value=AUTO, label=words.WEATHER, elem_id=elem_id, elem_classes="segmented five"
    )


def quality_choice(elem_id: str) -> gr.Radio:
    """Ask for both stages, only the first one, or both in four ways."""
    return gr.Radio(
        list(words.QUALITY_COSTS),
        value=words.FULL,
        label=words.QUALITY,
        info=words.QUALITY_INFO,
        elem_id=elem_id,
        elem_classes="segmented three",
    )
