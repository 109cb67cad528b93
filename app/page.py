"""The page: layout and wiring only.

What a click does is in `actions`, what is said in `words`, how it looks in `look` and `look.css`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app import look, panels, words
from app.actions import Actions
from app.examples import thumbnails
from opir.photo_files import FORMATS
from opir.tasks import AUTO

RESULT_HEIGHT = 540  # pixels, kept whether or not there is a result
STATE_SECONDS = 1800

MODEL_QUEUE: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "model"}
"""Events that run the model wait for each other, so that photos do not compete for memory."""

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

SCROLL_TO_RESULT = """() => {
  const summary = document.getElementById("summary");
  if (summary && window.innerWidth <= 860) summary.scrollIntoView({behavior: "smooth", block: "start"});
  return [];
}"""
"""On a phone the result lies below the examples: show it."""


@dataclass(frozen=True)
class _Settings:
    """What the visitor sets."""

    photo: gr.File
    examples: gr.Gallery
    weather: gr.Radio
    strength: gr.Slider
    download: gr.DownloadButton


@dataclass(frozen=True)
class _Results:
    """What the visitor sees."""

    summary: gr.HTML
    before_after: gr.ImageSlider
    stage_1: gr.Image
    stage_2: gr.Image
    change: gr.Image
    uncertainty: gr.Image
    scales: gr.Gallery
    recognised: gr.Label
    weather_map: gr.HTML
    inside: gr.Image
    operator: gr.HTML


def build(actions: Actions) -> gr.Blocks:
    """Return the page, ready for `queue` and for `launch` with `launch_options`."""
    page = gr.Blocks(title=words.PAGE_TITLE, analytics_enabled=False, delete_cache=(3600, 3600), fill_width=True)
    with page:
        session = gr.State(None, time_to_live=STATE_SECONDS)
        gr.HTML(
            f'<div class="masthead">{look.LOGO}<div><h1>{words.TITLE}</h1><p>{words.TAGLINE}</p></div></div>',
            padding=False,
        )
        with gr.Row(elem_id="layout"):
            with gr.Column(elem_id="settings"):
                settings = _settings()
            with gr.Column(elem_id="results"):
                results = _results(actions)
        _wire(actions, session, settings, results)
        _add_endpoint(actions)
    return page


def launch_options() -> dict[str, Any]:
    """Return the server's settings: nothing leaves the machine, nothing is kept long, uploads are bounded."""
    return {
        "theme": look.theme(),
        "css_paths": look.STYLE_SHEET,
        "max_file_size": "30mb",
        "state_session_capacity": 10,
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": ["api", "settings"],
    }


def _settings() -> _Settings:
    with gr.Column(elem_id="choose"):
        photo = gr.File(
            label=words.PHOTO, file_types=["image", *FORMATS], type="filepath", height=120, elem_id="photo"
        )
        with gr.Column(elem_id="examples-box"):
            gr.HTML(f'<p class="heading">{words.EXAMPLES}</p>', padding=False)
            examples = gr.Gallery(
                thumbnails(),
                show_label=False,
                container=False,
                columns=3,
                height="auto",
                object_fit="cover",
                allow_preview=False,
                interactive=False,
                buttons=[],
                elem_id="examples",
            )
    with gr.Column(elem_id="controls"):
        weather = gr.Radio(words.WEATHER_CHOICES, value=AUTO, label=words.WEATHER, elem_id="weather")
        strength = gr.Slider(
            0, 1, value=1, step=0.05, label=words.STRENGTH, info=words.STRENGTH_INFO, elem_id="strength"
        )
        download = gr.DownloadButton(words.DOWNLOAD, variant="primary", interactive=False, elem_id="download")
        gr.HTML(f'<p class="note">{words.PRIVACY}</p>', padding=False)
    return _Settings(photo, examples, weather, strength, download)


def _results(actions: Actions) -> _Results:
    summary = gr.HTML(panels.hint(words.WELCOME), elem_id="summary", padding=False)
    with gr.Tabs(elem_id="pages"):
        with gr.Tab(words.TAB_RESULT):
            before_after = gr.ImageSlider(
                label=words.BEFORE_AFTER,
                type="filepath",
                image_mode=None,
                height=RESULT_HEIGHT,
                max_height=RESULT_HEIGHT,
                interactive=False,
                buttons=["fullscreen"],
                elem_id="before-after",
            )
        with gr.Tab(words.TAB_STAGES):
            _note(words.STAGES_NOTE)
            with gr.Row(elem_classes="side-by-side"):
                stage_1 = _view(words.STAGE_1, "stage-1", 320)
                stage_2 = _view(words.STAGE_2, "stage-2", 320)
            change = _view(words.CHANGE, "change", 380)
        with gr.Tab(words.TAB_UNCERTAINTY):
            _note(words.UNCERTAINTY_NOTE)
            uncertainty = _view(words.TAB_UNCERTAINTY, "uncertainty", RESULT_HEIGHT)
        with gr.Tab(words.TAB_SCALES):
            _note(words.SCALES_NOTE)
            scales = gr.Gallery(
                show_label=False,
                columns=2,
                height="auto",
                object_fit="contain",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="scales",
            )
        with gr.Tab(words.TAB_WEATHER):
            recognised = gr.Label(label=words.RECOGNISED, num_top_classes=4, elem_id="recognised")
            _note(words.MAP_NOTE)
            weather_map = gr.HTML(actions.empty_map(), elem_id="weather-map", padding=False)
        with gr.Tab(words.TAB_INSIDE), gr.Row(elem_classes="side-by-side"):
            inside = _view(words.INSIDE_PHOTO, "inside", 400)
            operator = gr.HTML(panels.hint(words.INSIDE_NOTE), elem_id="operator", padding=False)
    return _Results(
        summary,
        before_after,
        stage_1,
        stage_2,
        change,
        uncertainty,
        scales,
        recognised,
        weather_map,
        inside,
        operator,
    )


def _note(text: str) -> None:
    gr.HTML(f'<p class="note">{text}</p>', padding=False)


def _view(label: str, elem_id: str, height: int) -> gr.Image:
    return gr.Image(
        label=label,
        type="filepath",
        image_mode=None,
        height=height,
        interactive=False,
        buttons=["fullscreen"],
        elem_id=elem_id,
    )


def _wire(actions: Actions, session: gr.State, settings: _Settings, results: _Results) -> None:
    """Join events and actions. Whatever starts it: restore, then write the file and draw what explains it."""
    restored = [
        session,
        results.summary,
        results.before_after,
        results.inside,
        results.recognised,
        settings.download,
    ]
    views = [
        results.stage_1,
        results.stage_2,
        results.change,
        results.uncertainty,
        results.scales,
        results.weather_map,
        results.operator,
    ]

    def write_after(event: Callable[..., Any]) -> None:
        event(actions.write_download, [session, settings.strength], [settings.download], **QUIET).failure(
            actions.no_download, None, [settings.download], **QUIET
        )

    def restore_after(event: Callable[..., Any]) -> None:
        done = event(
            actions.restore_photo,
            [settings.photo, settings.weather, settings.strength],
            restored,
            show_progress_on=[results.before_after],
            trigger_mode="always_last",
            api_visibility="private",
            **MODEL_QUEUE,
        )
        write_after(done.success)
        done.success(actions.draw_views, [session], views, show_progress="minimal", api_visibility="private")

    def clear_after(event: Callable[..., Any]) -> Any:
        return event(actions.clear, None, [*restored, *views], js=SCROLL_TO_RESULT, **QUIET)

    restore_after(clear_after(settings.photo.upload).success)
    chosen = settings.examples.select(actions.open_example, None, [settings.photo], **QUIET)
    restore_after(clear_after(chosen.success).success)
    restore_after(settings.weather.input)
    settings.photo.clear(actions.clear, None, [*restored, *views], **QUIET)

    blended = settings.strength.change(
        actions.blend,
        [session, settings.strength],
        [results.before_after, settings.download],
        trigger_mode="always_last",
        **QUIET,
    )
    write_after(blended.success)
    results.inside.select(actions.look_inside, [session], [results.operator], **MODEL_QUEUE, **QUIET)


def _add_endpoint(actions: Actions) -> None:
    """Add the one public endpoint, /restore; its file input only takes files that the client uploaded."""
    photo = gr.File(type="filepath", visible=False)
    weather = gr.Radio([name for _, name in words.WEATHER_CHOICES], value=AUTO, visible=False)
    strength = gr.Number(1.0, minimum=0, maximum=1, visible=False)
    restored = gr.File(visible=False)
    gr.Button(visible=False).click(
        actions.restore_file,
        [photo, weather, strength],
        [restored],
        api_name="restore",
        api_description=words.ENDPOINT,
        **MODEL_QUEUE,
    )
