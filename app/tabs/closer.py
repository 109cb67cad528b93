"""At 100 %: a part of the photo before and after, side by side at the photo's own pixels."""

import json

import gradio as gr

from app.drawing import closer
from app.look import scripts, words
from app.running.errors import plain_error, plain_errors
from app.running.kept_results import Session
from app.tabs.parts import QUIET


def button() -> gr.Button:
    """Offer to look closer, for those who do not click on the result itself."""
    return gr.Button(words.LOOK_CLOSER, elem_id="look-closer", scale=1, min_width=120)


def build(session: gr.State, strength: gr.Slider, protect: gr.Checkbox, opener: gr.Button) -> None:
    """Add what the browser asks for a part and gets it by; `closer.js` shows it over the page."""
    part = gr.HTML(html_template="", js_on_load=scripts.CLOSER, elem_id="closer-part", padding=False)
    shown = part.select(
        show_part,
        [session, strength, protect],
        [part],
        concurrency_limit=2,
        concurrency_id="pixel",
        trigger_mode="always_last",
        **QUIET,
    )
    shown.failure(None, None, None, js=scripts.CLOSE_CLOSER, **QUIET)
    opener.click(None, None, None, js=scripts.OPEN_CLOSER, **QUIET)


def show_part(session: Session | None, strength: float, protect: bool, event: gr.EventData) -> str:
    """Cut a part of a visitor's own result; returns what `app.drawing.closer.cut` does, as JSON."""
    if session is None:
        raise plain_error(words.NO_RESULT)
    with plain_errors():
        result = session.restoration  # without a turn: it is wanted at once, and two are made at a time at most
        asked = closer.part_asked_for(event._data, result.width, result.height)
        made = closer.cut(result, asked, strength, protect)
        return json.dumps(made | {"number": closer.number_of(event._data)})
