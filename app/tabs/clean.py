"""Clean a photo: drop it, see it restored, download it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.drawing import panels
from app.examples.examples import Examples
from app.look import notes, words
from app.look.scripts import SCROLL_TO_RESULT
from app.running.runner import Runner
from app.server.server_state import MODEL_QUEUE
from app.tabs import closer
from app.tabs.clean_actions import Actions
from app.tabs.parts import QUIET, note, photo_file, privacy, quality_choice, slider, view, weather_choice

RESULT_HEIGHT = 540  # pixels, kept whether or not there is a result


@dataclass(frozen=True)
class Choices:
    """What the visitor sets."""

    photo: gr.File
    examples: gr.Gallery
    weather: gr.Radio
    quality: gr.Radio
    strength: gr.Slider
    protect: gr.Checkbox


@dataclass(frozen=True)
class Results:
    """What the visitor sees."""

    summary: gr.HTML
    download: gr.DownloadButton
    closer: gr.Button
    cancel: gr.Button
    before_after: gr.ImageSlider
    stage_1: gr.Image
    stage_2: gr.Image
    change: gr.Image
    taken: gr.Gallery
    uncertainty: gr.ImageSlider
    spread: gr.Image
    recognised: gr.Label
    weather_map: gr.HTML


def layout(actions: Actions) -> tuple[Choices, Results]:
    """Lay out the tab: what is set on the left, what is seen on the right."""
    with gr.Row(elem_id="layout"):
        with gr.Column(elem_id="settings"):
            settings = _settings(actions.examples, actions.runner)
        with gr.Column(elem_id="results"):
            results = _results(actions)
    return settings, results


def _settings(offered: Examples, runner: Runner) -> Choices:
    with gr.Column(elem_id="choose"):
        photo = photo_file(words.PHOTO, "photo")
        with gr.Column(elem_id="examples-box"):
            gr.HTML(f'<p class="heading">{words.EXAMPLES}</p>', padding=False)
            examples = gr.Gallery(
                offered.thumbnails,
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
            note(words.EXAMPLES_NOTE)
    with gr.Column(elem_id="controls"):
        weather = weather_choice("weather")
        quality = quality_choice("quality")
        with gr.Group():
            strength = gr.Slider(
                0, 1, value=1, step=0.05, label=words.STRENGTH, info=words.STRENGTH_INFO, elem_id="strength"
            )
            protect = gr.Checkbox(label=words.PROTECT, info=words.PROTECT_INFO, elem_id="protect")
        privacy(runner)
    return Choices(photo, examples, weather, quality, strength, protect)


def _results(actions: Actions) -> Results:
    summary = gr.HTML(panels.hint(words.WELCOME), elem_id="summary", padding=False)
    with gr.Row(elem_classes="buttons", elem_id="take"):
        download = gr.DownloadButton(
            words.DOWNLOAD, variant="primary", interactive=False, elem_id="download", scale=3, min_width=100
        )
        look_closer = closer.button()
        cancel = gr.Button(words.CANCEL, interactive=False, elem_id="cancel", scale=1, min_width=80)
    with gr.Tabs(elem_id="pages"):
        with gr.Tab(words.TAB_RESULT):
            before_after = slider(words.BEFORE_AFTER, "before-after", RESULT_HEIGHT)
        with gr.Tab(words.TAB_UNCERTAINTY):
            note(notes.UNCERTAINTY)
            uncertainty = slider(words.DOUBT, "uncertainty", RESULT_HEIGHT)
            with gr.Column(elem_id="spread-box"):  # shown once there is one, see the style sheet
                note(notes.SPREAD)
                spread = view(words.SPREAD, "spread", 380)
        with gr.Tab(words.TAB_STAGES):
            note(notes.TAKEN)
            taken = gr.Gallery(
                show_label=False,
                columns=2,
                height="auto",
                object_fit="contain",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="taken",
            )
            note(notes.STAGES)
            with gr.Row(elem_classes="side-by-side"):
                stage_1 = view(words.STAGE_1, "stage-1", 320)
                stage_2 = view(words.STAGE_2, "stage-2", 320)
            note(notes.CHANGE)
            change = view(words.CHANGE, "change", 380)
        with gr.Tab(words.TAB_WEATHER):
            recognised = gr.Label(label=words.RECOGNISED, num_top_classes=4, elem_id="recognised")
            note(notes.MAP)
            weather_map = gr.HTML(actions.empty_map(), elem_id="weather-map", padding=False)
    explained = (before_after, stage_1, stage_2, change, taken, uncertainty, spread, recognised, weather_map)
    return Results(summary, download, look_closer, cancel, *explained)


def wire(
    actions: Actions,
    session: gr.State,
    settings: Choices,
    results: Results,
    picture: gr.Image,
    scales: gr.Gallery,
    forget_pixel: Callable[..., Any],
) -> None:
    """Join events and actions. Whatever starts it: restore, then write the file and draw what explains it.

    Args:
        actions: what the events do.
        session: the visitor's result.
        settings: from `layout`.
        results: from `layout`.
        picture: of "Look inside": the result to click on.
        scales: of "Look inside": the fusion weights.
        forget_pixel: given an event, clears what "Look inside" shows.
    """
    asked = [settings.weather, settings.quality]
    chosen = [settings.weather, settings.strength, settings.protect]
    restored = [
        session,
        results.summary,
        results.before_after,
        picture,
        results.recognised,
        results.download,
    ]
    views = [
        results.stage_1,
        results.stage_2,
        results.change,
        results.taken,
        results.uncertainty,
        results.spread,
        scales,
        results.weather_map,
    ]
    mix = [session, settings.strength, settings.protect]

    def write_after(event: Callable[..., Any]) -> None:
        event(actions.write_download, mix, [results.download], **QUIET).failure(
            actions.no_download, None, [results.download], **QUIET
        )

    def explain_after(event: Callable[..., Any]) -> None:
        write_after(event)
        forget_pixel(event)
        event(actions.draw_views, [session], views, show_progress="minimal", api_visibility="private")

    closer.build(session, settings.strength, settings.protect, results.closer)
    jobs = []

    def restore_after(event: Callable[..., Any]) -> None:
        begun = event(actions.begin, [settings.photo], [results.cancel, results.summary, results.download], **QUIET)
        done = begun.success(
            actions.restore_photo,
            [settings.photo, *asked, settings.strength, settings.protect, session],
            [*restored, settings.protect, *asked],
            show_progress_on=[results.before_after],
            trigger_mode="always_last",
            api_visibility="private",
            **MODEL_QUEUE,
        )
        jobs.append(done)
        done.then(lambda: gr.update(interactive=False), None, [results.cancel], **QUIET)
        done.failure(actions.not_taken, [session], [results.summary, *asked], **QUIET)
        explain_after(done.success)

    def make_room_after(event: Callable[..., Any]) -> Any:
        cleared = event(actions.make_room, None, [*restored, *views], js=SCROLL_TO_RESULT, **QUIET)
        forget_pixel(cleared.success)
        return cleared

    restore_after(make_room_after(settings.photo.upload).success)
    if not actions.examples_are_ready:
        opened = settings.examples.select(actions.open_example, None, [settings.photo], **QUIET)
        restore_after(make_room_after(opened.success).success)
    restore_after(settings.weather.input)
    restore_after(settings.quality.input)
    cleared = settings.photo.clear(actions.clear, None, [*chosen, *restored, *views], cancels=jobs, **QUIET)
    forget_pixel(cleared.success)
    if actions.examples_are_ready:
        shown = settings.examples.select(
            actions.show_example,
            None,
            [settings.photo, settings.quality, *chosen, *restored],
            cancels=jobs,
            **QUIET,
        )
        settings.examples.select(None, None, None, js=SCROLL_TO_RESULT, **QUIET)
        shown.then(lambda: gr.update(interactive=False), None, [results.cancel], **QUIET)
        explain_after(shown.success)
    cancelled = results.cancel.click(
        actions.cancel, [session], [results.cancel, results.summary, *asked], cancels=jobs, **QUIET
    )
    write_after(cancelled.success)

    for control in (settings.strength, settings.protect):
        blended = control.input(
            actions.blend, mix, [results.before_after, results.download], trigger_mode="always_last", **QUIET
        )
        write_after(blended.success)
