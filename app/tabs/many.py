"""Many photos: several files in, an archive and a list out."""

import csv
import html
import logging
import time
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from app.drawing import panels
from app.look import scripts, sentences, words
from app.running.errors import plain_error, value_errors
from app.running.results import show, write_result
from app.running.runner import Runner
from app.running.visitors import Visitors, visitor_of
from app.server.presence import Cancelled
from app.tabs.parts import QUIET, gallery, photo_file, privacy, quality_choice, slider, state, weather_choice
from opir.cli import Job, run_jobs
from opir.inference import DOUBTFUL_FROM
from opir.photo import is_side_file, looks_like_photo
from opir.tasks import Task

LOG = logging.getLogger(__name__)

THUMBNAIL_SIDE = 960  # pixels
COMPARED_HEIGHT = 420  # pixels
COLUMNS = (
    *("name", "status", "task", "confidence", "levels", "seconds", "doubtful", "uncertainty_p95", "result", "error"),
)
"""Of the list; doubtful is the share of pixels that are in doubt."""
_NAMED_LEFT_OUT = 3

_NO_ZIP = gr.update(label=words.ZIP, value=None, interactive=False)
_NO_CSV = gr.update(label=words.CSV, value=None, interactive=False)


@dataclass
class _Batch:
    """How far a batch is. What is done is in its archive at once, so that nothing later can take it away."""

    folder: Path
    rows: list[dict[str, Any]]
    pictures: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    """Without what some file system does not tell apart: upper and lower case, ways to write an accent."""
    pairs: list[tuple[str, str] | None] = field(default_factory=list)
    """Before and after of every row; None where there is no result."""
    started: float = field(default_factory=time.monotonic)

    @property
    def archive(self) -> Path:
        return self.folder / "opir.zip"

    def add_result(self, result: Path) -> str:
        """Move a result into the archive; returns its name there, which no other has."""
        name, number = result.name, 1
        while _folded(name) in self.names:
            number += 1
            name = f"{result.stem}-{number}{result.suffix}"
        with zipfile.ZipFile(self.archive, "a", zipfile.ZIP_STORED) as written:  # photos do not shrink any more
            written.write(result, name)
        result.unlink()
        self.names.add(_folded(name))
        return name

    def end(self, status: str, error: str | None = None) -> None:
        """Say why what is not done will not be."""
        for row in self.rows:
            if row["status"] in (words.RUNNING, words.WAITING):
                row |= {"status": status, "error": error}

    def view(self) -> tuple[Any, ...]:
        """Return the table, the gallery, the files while they are not written, and the pairs."""
        return panels.photo_table(self.rows), list(self.pictures), _NO_ZIP, _NO_CSV, self.pairs

    def files(self) -> tuple[Any, ...]:
        """Write the list, put it into the archive, and return what `view` does with both files and the sum."""
        table = self.folder / "opir.csv"
        _write_csv(self.rows, table)
        offered, offered_table = _NO_ZIP, gr.update(value=str(table), interactive=True)
        if self.names:
            with zipfile.ZipFile(self.archive, "a", zipfile.ZIP_STORED) as written:
                written.write(table, table.name)
            offered = gr.update(label=sentences.zip_label(len(self.names)), value=str(self.archive), interactive=True)
        return panels.photo_table(self.rows) + self._sum(), list(self.pictures), offered, offered_table, self.pairs

    def _sum(self) -> str:
        found = Counter(row["task"] for row in self.rows if row["status"] == words.DONE)
        weathers = {words.WEATHER_NAMES[task]: found[task.label] for task in Task if found[task.label]}
        left = len(self.rows) - found.total()
        said = sentences.batch_sum(found.total(), weathers, left, time.monotonic() - self.started)
        return f'<p class="sum">{said}</p>'


class ManyPhotos:
    """The clicks of the tab."""

    def __init__(self, runner: Runner, visitors: Visitors) -> None:
        self.runner, self.visitors = runner, visitors

    def begin(self, photos: list[str] | None, request: gr.Request | None = None) -> tuple[Any, ...]:
        """Let the batch be cancelled from now on: the buttons to start and to cancel, and no pair to compare.

        Raises:
            gr.Error: where there are no photos; the buttons stay as they are.
        """
        if not photos:
            raise plain_error(words.NO_PHOTOS)
        self.runner.stops.begin(batch_job(visitor_of(request)))
        return gr.update(interactive=False), gr.update(interactive=True), None

    def end(self) -> tuple[Any, Any]:
        """Return the buttons to start and to cancel while nothing runs."""
        return gr.update(interactive=True), gr.update(interactive=False)

    def cancel(self, request: gr.Request | None = None) -> Any:
        """Stop the batch after the tile that is being computed: the button to cancel."""
        self.runner.stops.stop(batch_job(visitor_of(request)))
        return gr.update(interactive=False)

    def restore_all(
        self, photos: list[str], weather: str, quality: str = words.FULL, request: gr.Request | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Restore photos one by one, and keep what is done whatever happens to the rest.

        Yields:
            The table, the gallery, the archive, the list and the pairs to compare, after every photo.
        """
        visitor = visitor_of(request)
        batch = _Batch(self.visitors.new_folder(visitor), [_waiting(Path(photo)) for photo in photos])
        # Each result gets a folder of its own first, so that two photos of one name do not meet.
        jobs = [Job(Path(photo), batch.folder / f"{number}") for number, photo in enumerate(photos)]
        for job in jobs:
            self.visitors.has_uploaded(visitor, job.source)
        with self.runner.stops.watching(batch_job(visitor)) as check:
            records = run_jobs(jobs, lambda job: self._restore(batch, job, weather, quality, check))
            try:
                for row in batch.rows:
                    row["status"] = words.RUNNING
                    yield batch.view()
                    _fill(batch, row, next(records))
            except Cancelled:
                batch.end(words.CANCELLED_ONE)
            except Exception:
                LOG.exception("a batch broke off")
                batch.end(words.FAILED, words.BROKEN_OFF)
        yield batch.files()

    def _restore(
        self, batch: _Batch, job: Job, weather: str, quality: str, check: Callable[[], None]
    ) -> dict[str, Any]:
        """Restore one photo; returns what the table says of it."""
        with value_errors():
            result = self.runner.restore(str(job.source), weather, quality, check, tell=False)
            name = batch.add_result(write_result(result, job.source, job.output))
            picture = show(result.image, batch.folder / f"{job.output.name}.jpg", THUMBNAIL_SIDE)
            before = show(result.blend(0.0), batch.folder / f"{job.output.name}-before.jpg", THUMBNAIL_SIDE)
        return {
            "task": result.task,
            "confidence": result.task_probabilities.get(result.task),
            "levels": " ".join(str(level.number) for level in result.working_levels),
            "seconds": result.seconds,
            "doubtful": float((result.uncertainty >= DOUBTFUL_FROM).mean()),
            "uncertainty_p95": float(np.percentile(result.uncertainty, 95)),
            "result": name,
            "picture": str(picture),
            "before": str(before),
        }


def build(events: ManyPhotos) -> None:
    """Lay out the tab and join its events."""
    pairs = state(events.runner)
    with gr.Row(elem_classes="side-by-side two-columns"):
        with gr.Column(elem_classes="narrow"):
            photos = photo_file(words.PHOTOS, "many-photos", height=200, several=True)
            folder = gr.UploadButton(
                words.ADD_FOLDER, file_count="directory", type="filepath", size="sm", elem_id="many-folder"
            )
            weather = weather_choice("many-weather")
            quality = quality_choice("many-quality")
            with gr.Row(elem_classes="buttons"):
                start = gr.Button(words.START, variant="primary", elem_id="many-start", scale=3, min_width=100)
                cancel = gr.Button(words.CANCEL, interactive=False, elem_id="many-cancel", scale=1, min_width=80)
            privacy(events.runner)
        with gr.Column(elem_classes="wide"):
            table = gr.HTML(nothing_done()[0], js_on_load=scripts.CHOOSE_ROW, elem_id="many-table", padding=False)
            with gr.Row(elem_classes="buttons"):
                archive = gr.DownloadButton(words.ZIP, variant="primary", interactive=False, elem_id="many-zip")
                listed = gr.DownloadButton(words.CSV, interactive=False, elem_id="many-csv")
            compared = slider(words.MANY_COMPARED, "many-compared", COMPARED_HEIGHT)
            results = gallery("many-gallery", 3, words.MANY_RESULTS)
    shown = [table, results, archive, listed, pairs]
    chosen = table.select(compare, [pairs], [compared], **QUIET)
    chosen.success(None, None, None, js=scripts.SCROLL_TO_COMPARED, **QUIET)
    folder.upload(add_folder, [photos, folder], [photos], **QUIET)
    begun = start.click(events.begin, [photos], [start, cancel, compared], **QUIET)
    done = begun.success(
        events.restore_all,
        [photos, weather, quality],
        shown,
        concurrency_limit=2,
        concurrency_id="batches",
        **QUIET,
    )
    for ended in (done.then, done.failure):  # `then` does not follow a failure
        ended(events.end, None, [start, cancel], **QUIET)
    cancel.click(events.cancel, None, [cancel], **QUIET)
    photos.clear(lambda: (*nothing_done(), None), None, [*shown, compared], **QUIET)


def add_folder(photos: list[str] | None, folder: list[str]) -> list[str]:
    """Return the photos chosen so far and those of a folder; what else lies in it is named and left out."""
    found = sorted(path for path in folder if looks_like_photo(Path(path)))
    others = (Path(path).name for path in sorted(set(folder).difference(found)))
    left = [name for name in others if not is_side_file(name)]
    if not found:
        raise plain_error(words.NO_PHOTOS_IN_FOLDER)
    if left:
        more = max(0, len(left) - _NAMED_LEFT_OUT)
        gr.Info(html.escape(sentences.left_out(left[:_NAMED_LEFT_OUT], more)))
    return list(dict.fromkeys([*(photos or []), *found]))


def compare(pairs: list[tuple[str, str] | None] | None, event: gr.EventData) -> Any:
    """Show before and after of the row that was chosen, of a visitor's own photos."""
    row = event._data.get("row") if isinstance(event._data, dict) else None
    chosen = pairs[row] if pairs and isinstance(row, int) and 0 <= row < len(pairs) else None
    if chosen is None or not all(Path(path).is_file() for path in chosen):
        raise plain_error(words.NO_PAIR_TO_COMPARE)
    return chosen


def nothing_done() -> tuple[Any, ...]:
    """Return the table, the gallery, the archive, the list and the pairs before anything was restored."""
    return panels.hint(words.MANY_NOTE), None, _NO_ZIP, _NO_CSV, None


def batch_job(visitor: str) -> str:
    """Return the name of the job that restores a visitor's many photos."""
    return f"{visitor} batch"


def _waiting(source: Path) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS), "name": source.name, "status": words.WAITING}


def _fill(batch: _Batch, row: dict[str, Any], record: dict[str, Any]) -> None:
    if "error" in record:
        row |= {"status": words.FAILED, "error": record["error"]}
        batch.pairs.append(None)
        return
    batch.pairs.append((record["before"], record["picture"]))
    row |= {name: record[name] for name in COLUMNS if name in record}
    row["status"] = words.DONE
    batch.pictures.append((record["picture"], row["name"]))


def _write_csv(rows: list[dict[str, Any]], path: Path) -> None:
    """Write the list; Excel tells by the mark at its start that names are in Unicode."""
    with path.open("w", newline="", encoding="utf-8-sig", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _in_csv(row[name]) for name in COLUMNS})


def _in_csv(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.4f}"
    # A spreadsheet would run a name that begins as a formula does.
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
