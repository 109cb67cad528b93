"""Look inside: click a pixel, see its operator."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from app.drawing import panels
from app.look import notes, sentences, words
from app.tabs import inside_actions
from app.tabs.parts import QUIET, note, view

PIXEL_QUEUE: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "pixel", "trigger_mode": "always_last"}
"""One pixel needs little memory and time, so it does not wait for whole photos."""


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
        scales = gr.Gallery(
            show_label=False,
            columns=3,
            height="auto",
            object_fit="contain",
            interactive=False,
            buttons=["fullscreen"],
            elem_id="scales",
        )
    return Inside(picture, moves, pin_buttons, level, operator, place, numbers, pins, pinned, scales)


def wire(shown: Inside, session: gr.State) -> Callable[..., Any]:
    """Join clicks and steps to the operator; returns what clears the tab after an event."""
    operator = [shown.operator, shown.place, shown.numbers]
    pixel = [*operator, shown.level]
    shown.picture.select(inside_actions.choose, [session], pixel, **PIXEL_QUEUE, **QUIET)
    for (right, down), button in shown.moves.items():
        button.click(
            partial(inside_actions.move, right=right, down=down),
            [session, shown.place],
            pixel,
            **PIXEL_QUEUE,
            **QUIET,
        )
    shown.level.input(
        inside_actions.show_level, [session, shown.place, shown.level], operator, **PIXEL_QUEUE, **QUIET
    )
    for name, button in shown.pin_buttons.items():
        button.click(
            partial(inside_actions.pin, name=name),
            [session, shown.place, shown.pins, shown.level],
            [shown.pins, shown.pinned],
            **PIXEL_QUEUE,
            **QUIET,
        )

    def forget_after(event: Callable[..., Any]) -> Any:
        return event(inside_actions.forget, None, [*pixel, shown.pins, shown.pinned], **QUIET)

    return forget_after
