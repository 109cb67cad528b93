"""About and API: the weights, and snippets to copy."""

import gradio as gr

from app.look import words
from app.running.runner import Runner
from app.tabs import about_text
from app.tabs.parts import note


def build(runner: Runner) -> list[gr.Code]:
    """Lay out the tab; returns the snippets that hold the address of the page."""
    with gr.Row(elem_classes="side-by-side"):
        with gr.Column(elem_classes="half"):
            gr.HTML(f'<p class="heading">{words.WEIGHTS}</p>', padding=False)
            gr.HTML(about_text.describe(runner.model, runner.info), elem_id="about", padding=False)
        with gr.Column(elem_classes="half"):
            gr.HTML(f'<p class="heading">{words.API}</p>', padding=False)
            _snippet(about_text.PYTHON, "python", words.SNIPPET_PYTHON)
            _snippet(about_text.COMMANDS, "shell", words.SNIPPET_COMMANDS)
            client = _snippet(about_text.CLIENT, "python", words.SNIPPET_CLIENT)
            curl = _snippet(about_text.CURL, "shell", words.SNIPPET_CURL)
            note(words.API_NOTE)
    return [client, curl]


def _snippet(text: str, language: str, label: str) -> gr.Code:
    return gr.Code(
        text.rstrip(),
        language=language,  # type: ignore[arg-type]
        label=label,
        interactive=False,
        lines=1,
        show_line_numbers=False,
        wrap_lines=True,
        buttons=["copy"],
    )
