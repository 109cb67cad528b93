"""What a click on "Clean a photo" does, from start to end. Files go in and out by path."""

import logging
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from app.drawing import panels
from app.drawing.map_drawing import MapPicture
from app.drawing.weather_map import WeatherMap
from app.examples import precomputed
from app.examples.examples import Examples
from app.look import sentences, words
from app.running.errors import plain_error, plain_errors
from app.running.kept_results import Asked, Session
from app.running.results import new_folder, result_name, show, write_result
from app.running.runner import Runner
from app.running.visitors import Visitors, visitor_of
from app.server.presence import Cancelled
from app.server.settings import Settings
from app.tabs import views
from opir.inference import Restoration, Restorer, read_levels
from opir.tasks import AUTO, Task

LOG = logging.getLogger(__name__)

_NO_DOWNLOAD = gr.update(label=words.DOWNLOAD, value=None, interactive=False)
_WAITING = gr.update(label=words.DOWNLOAD_WAITING, interactive=False)
_NOTHING_RESTORED = (None, panels.hint(words.WELCOME), None, None, None, _NO_DOWNLOAD)
_AS_IT_COMES = (AUTO, 1.0, gr.update(value=False, info=words.PROTECT_INFO))
"""The weather, the strength and whether to protect doubtful areas: how a new photo is restored."""
_TIMES_OF_ANY_PHOTO = gr.update(info=words.QUALITY_INFO)
"""The quality as it was chosen, without the times that it takes for one photo."""


class Actions:
    """The page's events for one restorer."""

    def __init__(
        self,
        restorer: Restorer,
        weather_map: WeatherMap | None,
        settings: Settings | None = None,
        examples: Examples | None = None,
    ) -> None:
        self.weather_map = weather_map
        self.runner = Runner(restorer, settings)
        self.visitors = Visitors()
        self.examples = examples or Examples()
        stale = self.examples.stale(self.runner.info)
        self.examples_are_ready = not stale
        """Whether all examples have a result of these weights; else the model runs when one is chosen."""
        if stale:
            LOG.warning("the results of %d examples are out of date: make examples", len(stale))

    def open_example(self, event: gr.SelectData, request: gr.Request | None = None) -> str:
        """Put a chosen example where an uploaded photo would be."""
        original = self.examples.photos[int(event.index)]
        return str(shutil.copy(original, self.visitors.new_folder(visitor_of(request))))

    def show_example(self, event: gr.SelectData, request: gr.Request | None = None) -> tuple[Any, ...]:
        """Show a chosen example with its result, which was made beforehand by the default settings.

        Returns:
            The photo, the quality, the weather, the strength, whether to protect; the session and what follows it in
            `restore_photo` up to the download.
        """
        self.runner.stops.stop(photo_job(visitor_of(request)))
        photo = Path(self.open_example(event, request))
        with plain_errors():
            result = self.examples.result(self.examples.photos[int(event.index)], self.runner)
            protects = panels.in_doubt(result)
            shown = self._show(result, photo, photo.parent, Asked(), 1.0, protects, beforehand=True)
        quality = gr.update(value=words.FULL, info=words.QUALITY_INFO)
        return (str(photo), quality, *_AS_IT_COMES[:2], _protection(shown[0], protects), *shown)

    def begin(self, photo: str | None, request: gr.Request | None = None) -> tuple[Any, ...]:
        """Let a job be cancelled from now on: the button for that, the summary, the download."""
        if photo is None:
            return gr.skip(), gr.skip(), gr.skip()
        self.runner.stops.begin(photo_job(visitor_of(request)))
        return gr.update(interactive=True), panels.hint(words.RESTORING), _NO_DOWNLOAD

    def cancel(self, session: Session | None, request: gr.Request | None = None) -> tuple[Any, ...]:
        """Stop the job: the button to cancel, and the summary, weather and quality of what is shown."""
        self.runner.stops.stop(photo_job(visitor_of(request)))
        button = gr.update(interactive=False)
        if session is None:
            return button, panels.hint(words.CANCELLED), gr.skip(), gr.skip()
        said = panels.hint(words.CANCELLED_BEFORE) + session.summary
        return button, said, session.asked.weather, session.asked.quality

    def not_taken(self, session: Session | None, request: gr.Request | None = None) -> tuple[Any, ...]:
        """Return the button to cancel, and the summary, weather and quality of what is shown, for a job not taken."""
        job = photo_job(visitor_of(request))
        if not self.runner.stops.is_wanted(job):  # it was cancelled, or another one took its place
            return gr.skip(), gr.skip(), gr.skip(), gr.skip()
        self.runner.stops.stop(job)
        button, said = gr.update(interactive=False), panels.alert(words.ERROR, words.NOT_TAKEN)
        if session is None:
            return button, said, gr.skip(), gr.skip()
        return button, said, session.asked.weather, session.asked.quality

    def restore_photo(
        self,
        photo: str | None,
        weather: str,
        quality: str = words.FULL,
        strength: float = 1.0,
        protect: bool = False,
        session: Session | None = None,
        request: gr.Request | None = None,
    ) -> tuple[Any, ...]:
        """Restore a photo. What goes wrong is said in the summary, and what is shown stays.

        Returns:
            The session, summary, before and after, the photo to click on, the recognised weather, the waiting
            download; whether doubtful areas are left alone; the weather and quality of what is shown then.
        """
        nothing_new = tuple(gr.skip() for _ in (*_NOTHING_RESTORED, protect, weather, quality))
        if photo is None:  # a setting was changed before there is a photo
            return nothing_new
        asked = Asked(weather, quality)
        try:
            shown = self.restore(Path(photo), asked, strength, protect, visitor_of(request), session)
            times = sentences.quality_times(shown[0].seconds, quality)
            return (*shown, gr.skip(), gr.update(info=times))
        except Cancelled:  # `cancel` has said so; what is shown may be newer than this job
            return nothing_new
        except gr.Error as error:
            said = panels.alert(words.ERROR, error.message)
            settings = nothing_new[-2:] if session is None else (session.asked.weather, session.asked.quality)
            return (gr.skip(), said, *nothing_new[2:-2], *settings)

    def restore(
        self,
        photo: Path,
        asked: Asked,
        strength: float = 1.0,
        protect: bool = False,
        visitor: str = "",
        before: Session | None = None,
    ) -> tuple[Any, ...]:
        """Restore a visitor's photo; returns the session and what follows it in `restore_photo` up to `protect`.

        `before` is the photo's last result. Where the weather is in doubt as it was not then, doubtful areas are left
        alone; the visitor may want it otherwise, and is not overruled.

        Raises:
            gr.Error: one line for the visitor.
            Cancelled: where nobody waits for it any more.
        """
        self.visitors.has_uploaded(visitor, photo)
        with plain_errors(), self.runner.stops.watching(photo_job(visitor)) as check:
            result = self.runner.restore(str(photo), asked.weather, asked.quality, check)
            if before is None or panels.in_doubt(result) != before.in_doubt:  # a new photo, or another answer
                protect = panels.in_doubt(result)
            shown = self._show(result, photo, self.visitors.new_folder(visitor), asked, strength, protect)
            return (*shown, _protection(shown[0], protect))

    def _show(
        self,
        result: Restoration,
        photo: Path,
        folder: Path,
        asked: Asked,
        strength: float,
        protect: bool,
        beforehand: bool = False,
    ) -> tuple[Any, ...]:
        """Return the session and what follows it in `restore_photo`, for a result that is there."""
        summary = panels.summary(result, asked.weather != AUTO, asked.quality, beforehand)
        weathers = {words.WEATHER_NAMES[Task.parse(name)]: share for name, share in result.task_probabilities.items()}
        with self.runner.turns.looking(result.photo.is_large):
            session = Session(result, photo, folder, asked, summary, panels.in_doubt(result), self.runner.recent)
            self.runner.recent.add(session)
            before_after = _blended(session, result, strength, protect)
            restored = str(show(result.image, folder / "restored.jpg"))
        return session, summary, before_after, restored, weathers or None, _WAITING

    def draw_views(self, session: Session | None) -> tuple[Any, ...]:
        """Draw what explains a result.

        Returns:
            Stage 1, stage 2, the change, what each level took away, the result and over it the uncertainty, how far
            thorough results lie apart, scales, the weather map.
        """
        if session is None:
            return self._no_views()
        with session.drawing:  # two events may ask for the same views at once
            if session.views is None:
                with session.looked_at() as result:
                    session.views = (*views.draw(result, session.folder), self._map_with(result))
                    session.settle()
        return session.views

    def clear(self, request: gr.Request | None = None) -> tuple[Any, ...]:
        """Stop the job of a photo that was taken away, and forget what was chosen for it.

        Returns:
            The weather, the strength and whether to protect, as they are for a new photo; then what `make_room` does.
        """
        self.runner.stops.stop(photo_job(visitor_of(request)))
        return (*_AS_IT_COMES, *self.make_room())

    def make_room(self) -> tuple[Any, ...]:
        """Forget the last photo: the quality, what `restore_photo` returns up to the download, and `draw_views`."""
        return (_TIMES_OF_ANY_PHOTO, *_NOTHING_RESTORED, *self._no_views())

    def _no_views(self) -> tuple[Any, ...]:
        return (*[None] * views.COUNT, self.empty_map())

    @cached_property
    def _on_the_map(self) -> list[MapPicture]:
        """The examples, where their embeddings are known."""
        if not self.examples_are_ready:
            return []
        shown = zip(self.examples.photos, self.examples.captions.values(), strict=True)
        return [
            MapPicture(precomputed.embedding(self.examples.result_path(photo)), caption, photo)
            for photo, caption in shown
        ]

    def _map_with(self, result: Restoration) -> str:
        if self.weather_map is None or result.embedding is None:
            return self.empty_map()
        seen = [point for point in (result.embedding, result.embed_stage1()) if point is not None]
        return self.weather_map.draw(np.stack(seen), self._on_the_map)

    def empty_map(self) -> str:
        """Return the weather map without a photo on it, or say that there is none."""
        return self.weather_map.draw(None, self._on_the_map) if self.weather_map else panels.hint(words.NO_MAP)

    def blend(self, session: Session | None, strength: float, protect: bool = False) -> tuple[Any, Any]:
        """Show the photo next to the result at this strength, without running the model.

        Args:
            session: None while there is no result.
            strength: 0 is the photo, 1 the restoration.
            protect: leave doubtful areas as they were.
        """
        if session is None:
            return None, _NO_DOWNLOAD
        with session.looked_at() as result:
            return _blended(session, result, strength, protect), _WAITING

    def write_download(self, session: Session | None, strength: float, protect: bool = False) -> Any:
        """Write the full-size result under the photo's own name and offer it."""
        if session is None:
            return _NO_DOWNLOAD
        folder = session.folder / f"strength-{strength:g}{'-protected' if protect else ''}"
        with plain_errors(), session.looked_at() as result:
            path = folder / result_name(session.photo, result)
            if not path.is_file():
                path = write_result(result, session.photo, folder, strength, protect)
        return gr.update(label=words.DOWNLOAD, value=str(path), interactive=True)

    def no_download(self) -> Any:
        """Return the button while there is nothing to download."""
        return _NO_DOWNLOAD

    def restore_file(
        self, photo: str, weather: str, strength: float, levels: str = "auto", quality: str = words.FULL
    ) -> tuple[str, list[dict[str, Any]]]:
        """Restore one photo from the API: the path of the full-size result, named after the photo, and its levels."""
        if photo is None:
            raise plain_error(words.NO_PHOTO)
        try:
            with plain_errors():
                result = self.runner.restore(photo, weather, quality, levels=read_levels(levels))
                written = write_result(result, Path(photo), new_folder(), strength)
                return str(written), [level.to_dict() for level in result.levels]
        except Cancelled:
            raise plain_error(words.CANCELLED) from None


def _blended(session: Session, result: Restoration, strength: float, protect: bool) -> tuple[str, str]:
    name = f"after-{strength:g}{'-protected' if protect else ''}.jpg"
    return str(session.before), str(show(result.blend(strength, protect), session.folder / name))


def _protection(session: Session, protect: bool) -> Any:
    """Return the choice to leave doubtful areas alone, which says so where it was made for the visitor."""
    return gr.update(value=protect, info=words.PROTECTED_BY_ITSELF if session.in_doubt else words.PROTECT_INFO)


def photo_job(visitor: str) -> str:
    """Return the name of the job that restores a visitor's one photo."""
    return f"{visitor} photo"
