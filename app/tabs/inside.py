"""Look inside: click a pixel, see its operator."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from app.drawing import panels, pixel_panel
from app.look import notes, sentences, words
from app.running.errors import plain_errors
from app.running.kept_results import Session
from app.running.results import PROXY_SIDE
from app.tabs.parts import QUIET, gallery, note, view
from opir.inference import PixelInspection, Restoration
from opir.tasks import Task

PIXEL_QUEUE: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "pixel", "trigger_mode": "always_last"}
"""One pixel needs little memory and time, so it does not wait for whole photos."""

Place = tuple[int, int]
"""Column and row of a pixel of the full-size photo."""

WHAT_IF = (Task.RAIN, Task.SNOW, Task.HAZE)


@dataclass(frozen=True)
class Inside:
    """What the tab shows."""

    picture: gr.Image
    moves: dict[tuple[int, int], gr.Button]
    pin_buttons: dict[str, gr.Button]
    level: gr.Radio
    operator: gr.HTML
    place: gr.State
    numbers: gr.Code
    pins: gr.State
    pinned: gr.HTML
    scales: gr.Gallery


def layout() -> Inside:
    """Lay out the tab: the photo and the steps on the left, the operator on the right, maps below."""
    place, pins = gr.State(None), gr.State({})
    gr.HTML(panels.lead(words.INSIDE_LEAD, words.CHOOSE_PHOTO, words.TAB_CLEAN), elem_id="inside-lead", padding=False)
    with gr.Column(elem_id="inside-all"):  # shown once there is a result, see the style sheet
        with gr.Row(elem_classes="side-by-side", elem_id="look"):
            with gr.Column(elem_id="look-where"):
                picture = view(words.INSIDE_PHOTO, "inside", 400)
                with gr.Row(elem_id="moves"):
                    moves = {
                        step: gr.Button(arrow, size="sm", min_width=36, elem_id=f"move-{name}")
                        for name, arrow, step in (
                            ("left", "←", (-1, 0)),
                            ("up", "↑", (0, -1)),
                            ("down", "↓", (0, 1)),
                            ("right", "→", (1, 0)),
                        )
                    }
                    pin_buttons = {
                        name: gr.Button(sentences.pin(name), size="sm", min_width=60, elem_id=f"pin-{name}")
                        for name in "AB"
                    }
                note(notes.MOVE)
                level = gr.Radio(
                    [],
                    label=words.LEVEL,
                    info=words.LEVEL_INFO,
                    visible=False,
                    elem_id="level",
                    elem_classes="segmented",
                )
                numbers = gr.Code(
                    language="json",
                    label=words.NUMBERS,
                    interactive=False,
                    lines=6,
                    max_lines=9,
                    show_line_numbers=False,
                    buttons=["copy"],
                    elem_id="numbers",
                )
            operator = gr.HTML(panels.hint(words.INSIDE_NOTE), elem_id="operator", padding=False)
        pinned = gr.HTML(elem_id="pinned", padding=False)
        note(notes.SCALES)
        scales = gallery("scales", columns=3)
    return Inside(picture, moves, pin_buttons, level, operator, place, numbers, pins, pinned, scales)


def wire(shown: Inside, session: gr.State) -> Callable[..., Any]:
    """Join clicks and steps to the operator; returns what clears the tab after an event."""
    operator = [shown.operator, shown.place, shown.numbers]
    pixel = [*operator, shown.level]
    shown.picture.select(choose, [session], pixel, **PIXEL_QUEUE, **QUIET)
    for (right, down), button in shown.moves.items():
        button.click(
            partial(move, right=right, down=down),
            [session, shown.place],
            pixel,
            **PIXEL_QUEUE,
            **QUIET,
        )
    shown.level.input(show_level, [session, shown.place, shown.level], operator, **PIXEL_QUEUE, **QUIET)
    for name, button in shown.pin_buttons.items():
        button.click(
            partial(pin, name=name),
            [session, shown.place, shown.pins, shown.level],
            [shown.pins, shown.pinned],
            **PIXEL_QUEUE,
            **QUIET,
        )

    def forget_after(event: Callable[..., Any]) -> Any:
        return event(forget, None, [*pixel, shown.pins, shown.pinned], **QUIET)

    return forget_after


def forget() -> tuple[Any, ...]:
    """Return what is shown while no pixel is chosen: what `choose` returns, the pins, the pins' HTML."""
    return *_nothing(words.INSIDE_NOTE), {}, ""


def choose(session: Session | None, event: gr.SelectData) -> tuple[Any, ...]:
    """Show the operator of the pixel that was clicked on: its HTML, place and JSON, the levels to choose from."""
    if session is None:
        return _nothing(words.NO_RESULT)
    shrunk = max(1.0, max(session.size) / PROXY_SIDE)
    x, y = (min(int((place + 0.5) * shrunk), side - 1) for place, side in zip(event.index, session.size, strict=True))
    return _show(session, (x, y))


def move(session: Session | None, place: Place | None, right: int, down: int) -> tuple[Any, ...]:
    """Show the pixel so many columns and rows further, or the nearest one in the photo.

    The first step shows the middle one, so that it takes no mouse to look inside.
    """
    if session is None:
        return _nothing(words.NO_RESULT)
    width, height = session.size
    if place is None:
        return _show(session, (width // 2, height // 2))
    x = min(max(place[0] + right, 0), width - 1)
    y = min(max(place[1] + down, 0), height - 1)
    return _show(session, (x, y))


def show_level(session: Session | None, place: Place | None, level: int) -> tuple[Any, ...]:
    """Show the operator that a level had for the chosen pixel: its HTML, its place, its JSON."""
    if session is None or place is None:
        return _nothing(words.NO_RESULT)[:3]
    with plain_errors(), session.looked_at() as result:
        return _operator(result, place, level)


def pin(
    session: Session | None, place: Place | None, pins: dict[str, str], level: int | None, name: str
) -> tuple[dict[str, str], str]:
    """Keep the chosen pixel under a name, beside the other one: the pins and their HTML."""
    if session is not None and place is not None:
        with plain_errors(), session.looked_at() as result:
            panel = pixel_panel.draw(result, result.inspect(*place, level=level))
        pins = dict(sorted({**pins, name: panel}.items()))
    shown = "".join(f'<div class="pinned"><b class="pin">{name}</b>{panel}</div>' for name, panel in pins.items())
    return pins, f'<div class="pins">{shown}</div>' if shown else ""


def _nothing(said: str) -> tuple[Any, ...]:
    return panels.hint(said), None, "", gr.update(choices=[], value=None, visible=False)


def _show(session: Session, place: Place) -> tuple[Any, ...]:
    """Show the operator of the level that changed the pixel most, and offer the others that did something."""
    with plain_errors(), session.looked_at() as result:
        numbers = [level.number for level in result.levels_at(*place)]
        shown = _operator(result, place, numbers[0] if numbers else None)
    sizes = [(sentences.size_name(number).removeprefix("at "), number) for number in numbers]
    first = numbers[0] if numbers else None
    return *shown, gr.update(choices=sizes, value=first, visible=len(sizes) > 1)


def _operator(result: Restoration, place: Place, level: int | None) -> tuple[str, Place, str]:
    pixel = result.inspect(*place, level=level)
    panel = pixel_panel.draw(result, pixel, _what_if(result, place, pixel.level))
    return panel, place, json.dumps(pixel.to_dict(), indent=2)


def _what_if(result: Restoration, place: Place, level: int) -> dict[Task, PixelInspection]:
    if not result.model.config.task_aware:
        return {}
    return {task: result.inspect(*place, task=task.label, level=level) for task in WHAT_IF}
