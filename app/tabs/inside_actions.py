"""What a click in "Look inside" does: one pixel's operator, a step to the next, two of them pinned."""

import json
from typing import Any

import gradio as gr

from app.drawing import panels, pixel_panel
from app.look import words
from app.running.errors import plain_errors
from app.running.results import PROXY_SIDE, Session
from opir.inference import PixelInspection, Restoration
from opir.tasks import Task

Place = tuple[int, int]
"""Column and row of a pixel of the full-size photo."""

WHAT_IF = (Task.RAIN, Task.SNOW, Task.HAZE)


def forget() -> tuple[Any, ...]:
    """Return what is shown while no pixel is chosen: the operator, its place, its JSON, the pins, the pins' HTML."""
    return panels.hint(words.INSIDE_NOTE), None, "", {}, ""


def choose(session: Session | None, event: gr.SelectData) -> tuple[Any, ...]:
    """Show the operator of the pixel that was clicked on: its HTML, its place, its JSON."""
    if session is None:
        return panels.hint(words.NO_RESULT), None, ""
    result = session.restoration
    shrunk = max(1.0, max(result.width, result.height) / PROXY_SIDE)
    x, y = (
        min(int((place + 0.5) * shrunk), size - 1)
        for place, size in zip(event.index, (result.width, result.height), strict=True)
    )
    return _show(result, (x, y))


def move(session: Session | None, place: Place | None, right: int, down: int) -> tuple[Any, ...]:
    """Show the pixel so many columns and rows further, or the nearest one in the photo.

    The first step shows the middle one, so that it takes no mouse to look inside.
    """
    if session is None:
        return panels.hint(words.NO_RESULT), None, ""
    result = session.restoration
    if place is None:
        return _show(result, (result.width // 2, result.height // 2))
    x = min(max(place[0] + right, 0), result.width - 1)
    y = min(max(place[1] + down, 0), result.height - 1)
    return _show(result, (x, y))


def pin(session: Session | None, place: Place | None, pins: dict[str, str], name: str) -> tuple[dict[str, str], str]:
    """Keep the chosen pixel under a name, beside the other one: the pins and their HTML."""
    if session is not None and place is not None:
        with plain_errors():
            panel = pixel_panel.draw(session.restoration, session.restoration.inspect(*place))
        pins = dict(sorted({**pins, name: panel}.items()))
    shown = "".join(f'<div class="pinned"><b class="pin">{name}</b>{panel}</div>' for name, panel in pins.items())
    return pins, f'<div class="pins">{shown}</div>' if shown else ""


def _show(result: Restoration, place: Place) -> tuple[str, Place, str]:
    with plain_errors():
        pixel = result.inspect(*place)
        panel = pixel_panel.draw(result, pixel, _what_if(result, place))
    return panel, place, json.dumps(pixel.to_dict(), indent=2)


def _what_if(result: Restoration, place: Place) -> dict[Task, PixelInspection]:
    if not result.model.config.task_aware:
        return {}
    return {task: result.inspect(*place, task=task.label) for task in WHAT_IF}
