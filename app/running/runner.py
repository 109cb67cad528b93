"""Running the model for visitors: one photo at a time, told how far it is, and stopped when asked to."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Literal

import gradio as gr
from PIL import Image

from app.look import sentences, words
from app.running.gpu import on_gpu
from app.running.kept_results import RecentResults
from app.running.turns import Turns
from app.server.presence import Cancelled, current_visit
from app.server.request_log import logged_job
from app.server.settings import Settings
from opir.devices import give_back_freed_memory
from opir.inference import Progress, Restoration, Restorer, restore_thoroughly
from opir.photo import Photo, load_photo

_QUIET_SECONDS = 120.0
"""So long after the last job, whoever looks at a result waits for it to come out of its file."""


class Stops:
    """Which jobs their visitors want to stop; a job goes by any name, such as the visitor's session."""

    def __init__(self) -> None:
        self._wanted: dict[str, threading.Event] = {}

    def begin(self, job: str) -> None:
        """Let a new job of this name be stopped from now on; an earlier one is stopped, for its place is taken."""
        self.stop(job)
        self._wanted[job] = threading.Event()

    def stop(self, job: str) -> None:
        """Ask a job to stop; nothing happens where there is none."""
        wanted = self._wanted.get(job)  # the job may end in its own thread meanwhile
        if wanted is not None:
            wanted.set()

    def is_wanted(self, job: str) -> bool:
        """Say whether a job that was begun is to go on and has not ended."""
        wanted = self._wanted.get(job)
        return wanted is not None and not wanted.is_set()

    @contextmanager
    def watching(self, job: str) -> Iterator[Callable[[], None]]:
        """Give a job what it calls now and then: it raises `Cancelled` once the job is to stop."""
        wanted = self._wanted.setdefault(job, threading.Event())

        def check() -> None:
            if wanted.is_set():
                raise Cancelled

        try:
            yield check
        finally:
            if self._wanted.get(job) is wanted:
                del self._wanted[job]


class Runner:
    """Restores photos one at a time, whoever asks, so that they do not compete for memory."""

    def __init__(self, restorer: Restorer, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        self.info, self.precision, self.calibration = restorer.info, restorer.precision, restorer.calibration
        self.device = restorer.device.type
        self.stops = Stops()
        self.turns = Turns()
        self.recent = RecentResults(settings.max_results_mb * 1e6, self.turns)
        self.max_megapixels = settings.max_megapixels
        self.temp_seconds = settings.temp_seconds
        """How long anything of a visitor may stay, in memory too."""
        self._ended = time.monotonic()
        # Always the same thread: each one that computes on a CPU keeps memory and helper threads of its own.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="model") if self.device == "cpu" else None

        self.model = restorer.model_on_processor

        @on_gpu(_gpu_seconds)
        def run(
            photo: str,
            weather: str,
            quality: str,
            progress: Progress | None,
            levels: tuple[int, ...] | Literal["auto"] = "auto",
        ) -> Restoration:
            restore = partial(restore_thoroughly, restorer) if quality == words.THOROUGH else restorer.restore
            loaded = self.load(photo)
            if loaded.is_large:  # it needs the memory that results take
                self.recent.move_all()
                give_back_freed_memory()
            restored = restore(
                loaded,
                task=weather,
                levels=levels,
                stages=1 if quality == words.FAST else None,
                scale_weights=True,
                progress=progress,
            )
            if loaded.is_large:
                give_back_freed_memory()
            return restored

        self._run = run

    def rest(self, quiet_seconds: float = _QUIET_SECONDS) -> None:
        """Give freed memory back; where nothing was restored for a while, that of the results as well.

        Not after each small photo, as the next one would have to fetch the same pages again.
        """
        if time.monotonic() - self._ended >= quiet_seconds:
            self.recent.move_all()
        give_back_freed_memory()

    def load(self, photo: str) -> Photo:
        """Read one photo; raises ValueError for one that can not be read or is larger than the settings allow."""
        return load_photo(photo, self.max_megapixels)

    def restore(
        self,
        photo: str,
        weather: str,
        quality: str = words.FULL,
        check: Callable[[], None] | None = None,
        tell: bool = True,
        levels: tuple[int, ...] | Literal["auto"] = "auto",
    ) -> Restoration:
        """Restore one photo as soon as it is its turn.

        Args:
            photo: the path of a file.
            weather: a task's name, or "auto".
            quality: full, fast for the first stage only, or thorough.
            check: called after every tile; what it raises ends the work, as does a visitor who left.
            tell: show the visitor how far it is and the time left.
            levels: which sizes of the photo work, as for `Restorer.restore`.

        Raises:
            ValueError: as `Restorer.restore` does.
        """
        visit = current_visit()

        def between_parts() -> None:
            self.turns.give_way()
            if check is not None:
                check()
            if visit.is_over():
                raise Cancelled

        with logged_job(visit, weather) as job, self.turns.restoring():
            job.begin()
            between_parts()
            work = partial(self._run, photo, weather, quality, _Parts(between_parts, tell), levels)
            try:
                if self._worker is None:
                    job.result = work()
                else:  # with what Gradio knows of this event, so that progress reaches the visitor
                    job.result = self._worker.submit(contextvars.copy_context().run, work).result()
            finally:
                self._ended = time.monotonic()
            return job.result


class _Parts:
    """Tells after every part how long the rest will take."""

    def __init__(self, check: Callable[[], None] | None, tell: bool) -> None:
        self.check, self.tell, self.started = check, tell, time.monotonic()

    def __getstate__(self) -> dict[str, object]:
        """Return what goes along to a borrowed GPU: another process, which can not be stopped from here."""
        return {**self.__dict__, "check": None}

    def __call__(self, done: int, total: int) -> None:
        if self.check is not None:
            self.check()
        if self.tell:
            left = (time.monotonic() - self.started) / done * (total - done)
            gr.Progress()(done / total, desc=sentences.busy(left))


def _gpu_seconds(
    photo: str, weather: str, quality: str, progress: Progress | None, levels: tuple[int, ...] | str = "auto"
) -> int:
    """Say how long a borrowed GPU is needed at most."""
    with Image.open(photo) as picture:
        return 20 + round(picture.width * picture.height / 1e6 * 3 * words.QUALITY_COSTS[quality])
