"""About and API: the weights, and snippets to copy."""

import html
from typing import Any

import gradio as gr

from app.look import words
from app.running.runner import Runner
from app.tabs.parts import note
from opir.model import OPIR, CheckpointInfo, count_parameters, training_record

DEFAULT_ADDRESS = "http://127.0.0.1:7860"
"""What the snippets call until the page puts its own address in."""

PYTHON = """from opir import Restorer

restorer = Restorer.from_pretrained("lite")
result = restorer.restore("street.jpg", task="auto")
result.save("street_opir.jpg")
print(result.task, result.uncertainty.mean())
print(result.inspect(x=20, y=10).describe())
"""

COMMANDS = """opir restore street.jpg -o restored --task auto --maps uncertainty
opir inspect street.jpg --at 20,10 --json
"""

CLIENT = f"""from gradio_client import Client, handle_file

client = Client("{DEFAULT_ADDRESS}")
restored, levels = client.predict(handle_file("street.jpg"), "auto", 1.0, "auto", api_name="/restore")
print(restored)  # the path of the full-size result
print(levels)  # what each size of the photo showed and did
"""

CURL = f"""URL={DEFAULT_ADDRESS}
SENT=$(curl -s -F "files=@street.jpg" $URL/gradio_api/upload | tr -d '[]"')
JOB=$(curl -s $URL/gradio_api/call/restore -H "Content-Type: application/json" \\
  -d '{{"data": [{{"path": "'"$SENT"'", "meta": {{"_type": "gradio.FileData"}}}}, "auto", 1, "auto"]}}' \\
  | cut -d'"' -f4)
RESULT=$(curl -sN $URL/gradio_api/call/restore/$JOB | grep -o '"url": *"[^"]*"' | tail -1 | cut -d'"' -f4)
curl -s "$RESULT" -o street_opir.jpg
"""

OWN_ADDRESS = (
    "(...snippets) => { const own = (location.origin + location.pathname).replace(/\\/$/, ''); "
    f"return snippets.map((text) => text.replaceAll('{DEFAULT_ADDRESS}', own)); }}"
)
"""Puts the address of the page into snippets, in the browser."""


def build(runner: Runner) -> list[gr.Code]:
    """Lay out the tab; returns the snippets that hold the address of the page."""
    with gr.Row(elem_classes="side-by-side"):
        with gr.Column(elem_classes="half"):
            gr.HTML(f'<p class="heading">{words.WEIGHTS}</p>', padding=False)
            gr.HTML(describe(runner.model, runner.info), elem_id="about", padding=False)
        with gr.Column(elem_classes="half"):
            gr.HTML(f'<p class="heading">{words.API}</p>', padding=False)
            _snippet(PYTHON, "python", words.SNIPPET_PYTHON)
            _snippet(COMMANDS, "shell", words.SNIPPET_COMMANDS)
            client = _snippet(CLIENT, "python", words.SNIPPET_CLIENT)
            curl = _snippet(CURL, "shell", words.SNIPPET_CURL)
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


def describe(model: OPIR, info: CheckpointInfo | None) -> str:
    """Say as HTML where the weights come from, what they were trained on, what they can not do, and their licence."""
    rows = [(words.ABOUT_SIZE, f"{count_parameters(model) / 1e6:.2f} M")]
    if info is not None:
        record = training_record(info.metadata)
        trained = [] if record is None else [(words.ABOUT_STEPS, record.describe()), (words.ABOUT_DATA, record.data)]
        commit = info.metadata.get("commit")
        rows = [
            (words.ABOUT_NAME, info.path.stem if info.path.stem != "model" else info.path.parent.name),
            (words.ABOUT_HASH, info.sha256),
            *rows,
            *trained,
            *([] if commit is None else [(words.ABOUT_COMMIT, commit)]),
        ]
    rows.append((words.ABOUT_LICENCE, words.LICENCE))
    limits = "".join(f"<li>{limit}</li>" for limit in words.LIMITS)
    return (
        f'<h3>{words.ABOUT_LIMITS}</h3><ul class="limits">{limits}</ul>'
        f'<dl class="facts">{"".join(_row(title, value) for title, value in rows)}</dl>'
    )


def _row(title: str, value: Any) -> str:
    text = html.escape(f"{value:,}".replace(",", " ") if isinstance(value, int) else str(value))
    shown = f"<code>{text}</code>" if title in (words.ABOUT_HASH, words.ABOUT_COMMIT) else text
    return f"<dt>{title}</dt><dd>{shown}</dd>"
