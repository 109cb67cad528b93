"""Clean a photo: drop it, see it restored, download it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.drawing import panels
from app.examples.examples import Examples
from app.look import words
from app.look.scripts import SCROLL_TO_RESULT
from app.running.runner import Runner
from app.server.server_state import MODEL_QUEUE
from app.tabs import closer, views
from app.tabs.clean_actions import Actions
from app.tabs.inside import Inside
from app.tabs.parts import QUIET, note, photo_file, privacy, quality_choice, slider, weather_choice
from app.tabs.views import Views


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
    views: Views


def layout(actions: Actions) -> tuple[Choices, Results]:
    """Lay out the tab: what is set on the left, what is seen on the right."""
    with gr.Row(elem_id="layout"):
        with gr.Column(elem_id="settings"):
            choices = _choices(actions.examples, actions.runner)
        with gr.Column(elem_id="results"):
            results = _results(actions)
    return choices, results


def _choices(offered: Examples, runner: Runner) -> Choices:
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
            before_after = slider(words.BEFORE_AFTER, "before-after", views.RESULT_HEIGHT)
        explained = views.layout(actions.empty_map())
    return Results(summary, download, look_closer, cancel, before_after, explained)


class Wiring:
    """Joins events and actions. Whatever starts it: restore, then write the file and draw what explains it.

    A method that takes an event adds the steps that follow it.
    """

    def __init__(
        self,
        actions: Actions,
        session: gr.State,
        choices: Choices,
        results: Results,
        inside: Inside,
        forget_pixel: Callable[..., Any],
    ) -> None:
        """Prepare; `join` joins.

        Args:
            actions: what the events do.
            session: the visitor's result.
            choices: from `layout`.
            results: from `layout`.
            inside: the tab "Look inside", which shows the same result.
            forget_pixel: given an event, clears what "Look inside" shows of one pixel.
        """
        self.actions, self.session, self.choices, self.results = actions, session, choices, results
        self.forget_pixel = forget_pixel
        self.asked = [choices.weather, choices.quality]
        self.mix = [session, choices.strength, choices.protect]
        self.chosen = [choices.weather, choices.strength, choices.protect]
        self.views = results.views.drawn(inside.scales)
        self.restored = [
            session,
            results.summary,
            results.before_after,
            inside.picture,
            results.views.recognised,
            results.download,
        ]
        self.emptied = [choices.quality, *self.restored, *self.views]
        self.jobs: list[Any] = []
        """Restorations that can be cancelled."""

    def join(self) -> None:
        """Join all events of the tab."""
        choices = self.choices
        closer.build(self.session, choices.strength, choices.protect, self.results.closer)
        self.join_starts()  # first, as others stop what these start
        self.join_examples()
        self.join_ends()
        self.join_mixing()

    def join_starts(self) -> None:
        """Restore a photo when it comes, and anew when what was asked for changes."""
        self._restore_after(self._make_room_after(self.choices.photo.upload).success)
        if not self.actions.examples_are_ready:
            opened = self.choices.examples.select(self.actions.open_example, None, [self.choices.photo], **QUIET)
            self._restore_after(self._make_room_after(opened.success).success)
        self._restore_after(self.choices.weather.input)
        self._restore_after(self.choices.quality.input)

    def join_examples(self) -> None:
        """Show an example with the result that was made beforehand."""
        if not self.actions.examples_are_ready:
            return
        outputs = [self.choices.photo, self.choices.quality, *self.chosen, *self.restored]
        examples = self.choices.examples
        shown = examples.select(self.actions.show_example, None, outputs, cancels=self.jobs, **QUIET)
        examples.select(None, None, None, js=SCROLL_TO_RESULT, **QUIET)
        shown.then(lambda: gr.update(interactive=False), None, [self.results.cancel], **QUIET)
        self._explain_after(shown.success)

    def join_ends(self) -> None:
        """Stop when the photo is taken away or the visitor cancels."""
        outputs = [*self.chosen, *self.emptied]
        cleared = self.choices.photo.clear(self.actions.clear, None, outputs, cancels=self.jobs, **QUIET)
        self.forget_pixel(cleared.success)
        outputs = [self.results.cancel, self.results.summary, *self.asked]
        cancelled = self.results.cancel.click(
            self.actions.cancel, [self.session], outputs, cancels=self.jobs, **QUIET
        )
        self._write_after(cancelled.success)

    def join_mixing(self) -> None:
        """Show and write the result anew when its strength changes, or whether doubtful areas are left alone."""
        outputs = [self.results.before_after, self.results.download]
        for control in (self.choices.strength, self.choices.protect):
            mixed = control.input(self.actions.blend, self.mix, outputs, trigger_mode="always_last", **QUIET)
            self._write_after(mixed.success)

    def _restore_after(self, event: Callable[..., Any]) -> None:
        actions, choices, results = self.actions, self.choices, self.results
        begun = event(actions.begin, [choices.photo], [results.cancel, results.summary, results.download], **QUIET)
        done = begun.success(
            actions.restore_photo,
            [choices.photo, *self.asked, choices.strength, choices.protect, self.session],
            [*self.restored, choices.protect, *self.asked],
            show_progress_on=[results.before_after],
            trigger_mode="always_last",
            api_visibility="private",
            **MODEL_QUEUE,
        )
        self.jobs.append(done)
        done.then(lambda: gr.update(interactive=False), None, [results.cancel], **QUIET)  # not after a failure
        done.failure(actions.not_taken, [self.session], [results.cancel, results.summary, *self.asked], **QUIET)
        self._explain_after(done.success)

    def _make_room_after(self, event: Callable[..., Any]) -> Any:
        cleared = event(self.actions.make_room, None, self.emptied, js=SCROLL_TO_RESULT, **QUIET)
        self.forget_pixel(cleared.success)
        return cleared

    def _explain_after(self, event: Callable[..., Any]) -> None:
        self._write_after(event)
        self.forget_pixel(event)
        draw = self.actions.draw_views
        event(draw, [self.session], self.views, show_progress="minimal", api_visibility="private")

    def _write_after(self, event: Callable[..., Any]) -> None:
        download = [self.results.download]
        written = event(self.actions.write_download, self.mix, download, **QUIET)
        written.failure(self.actions.no_download, None, download, **QUIET)
