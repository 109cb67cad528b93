"""What "Many photos" does: restore one after the other, tell how each went, hand out all that is done."""

import csv
import html
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from app import panels, words
from app.errors import Cancelled, plain_error, told_apart
from app.results import new_folder, show, write_result
from app.running import Runner
from opir.batch import Job, run_jobs
from opir.tasks import Task

THUMBNAIL_SIDE = 960  # pixels
COLUMNS = ("name", "status", "task", "confidence", "seconds", "uncertainty_p95", "result", "error")

_NO_ZIP = gr.update(label=words.ZIP, value=None, interactive=False)
_NO_CSV = gr.update(label=words.CSV, value=None, interactive=False)


@dataclass
class _Batch:
    """How far a batch is."""

    folder: Path
    rows: list[dict[str, Any]]
    pictures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def finished(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["status"] == words.DONE]

    def view(self) -> tuple[Any, ...]:
        """Return the table, the gallery, and the files while they are not written."""
        return _table(self.rows), list(self.pictures), _NO_ZIP, _NO_CSV

    def files(self) -> tuple[Any, ...]:
        """Write and offer the list of all photos, and the archive of those that are done."""
        table = self.folder / "opir.csv"
        _write_csv(self.rows, table)
        offered_table = gr.update(label=words.CSV, value=str(table), interactive=True)
        if not self.finished:
            return _table(self.rows), list(self.pictures), _NO_ZIP, offered_table
        archive = self.folder / "opir.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as written:  # photos do not shrink any more
            for row in self.finished:
                written.write(self.folder / "results" / row["result"], row["result"])
            written.write(table, table.name)
        offered = gr.update(label=words.zip_label(len(self.finished)), value=str(archive), interactive=True)
        return _table(self.rows), list(self.pictures), offered, offered_table


class ManyPhotos:
    """The events of the tab."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def begin(self, request: gr.Request | None = None) -> tuple[Any, Any]:
        """Let the batch be cancelled from now on: the buttons to start and to cancel."""
        self.runner.stops.begin(_job(request))
        return gr.update(interactive=False), gr.update(interactive=True)

    def end(self) -> tuple[Any, Any]:
        """Return the buttons to start and to cancel while nothing runs."""
        return gr.update(interactive=True), gr.update(interactive=False)

    def cancel(self, request: gr.Request | None = None) -> Any:
        """Stop the batch after the tile that is being computed: the button to cancel."""
        self.runner.stops.stop(_job(request))
        return gr.update(interactive=False)

    def restore_all(
        self, photos: list[str] | None, weather: str, quality: str = words.FULL, request: gr.Request | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Restore photos one by one, and keep what is done whatever happens to the rest.

        Yields:
            The table, the gallery, the archive and the list, after every photo.
        """
        if not photos:
            raise plain_error(words.NO_PHOTOS, log=False)
        stops, name = self.runner.stops, _job(request)
        check = stops.watch(name)
        sources = [Path(photo) for photo in photos]
        batch = _Batch(new_folder(), [_waiting(source) for source in sources])
        # Each result gets a folder of its own first, so that two photos of one name do not meet.
        jobs = [Job(source, batch.folder / f"{number}") for number, source in enumerate(sources)]
        (batch.folder / "results").mkdir()

        def work(job: Job) -> dict[str, Any]:
            with told_apart():
                result = self.runner.restore(str(job.source), weather, quality == words.FAST, check, tell=False)
                written = write_result(result, job.source, job.output)
                named = _free_name(batch.folder / "results", written.name)
                written.rename(named)
                picture = show(result.image, batch.folder / f"{job.output.name}.jpg", THUMBNAIL_SIDE)
            return {
                "task": result.task,
                "confidence": result.task_probabilities.get(result.task),
                "seconds": result.seconds,
                "uncertainty_p95": float(np.percentile(result.uncertainty, 95)),
                "result": named.name,
                "picture": str(picture),
            }

        records = run_jobs(jobs, work)
        try:
            for row in batch.rows:
                row["status"] = words.RUNNING
                yield batch.view()
                _fill(batch, row, next(records))
        except Cancelled:
            for row in batch.rows:
                if row["status"] in (words.RUNNING, words.WAITING):
                    row["status"] = words.CANCELLED_ONE
        finally:
            stops.end(name)
        yield batch.files()


def nothing_done() -> tuple[Any, ...]:
    """Return the table, the gallery, the archive and the list before anything was restored."""
    return panels.hint(words.MANY_NOTE), None, _NO_ZIP, _NO_CSV


def _job(request: gr.Request | None) -> str:
    return f"{getattr(request, 'session_hash', None)} batch"


def _waiting(source: Path) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS), "name": source.name, "status": words.WAITING}


def _fill(batch: _Batch, row: dict[str, Any], record: dict[str, Any]) -> None:
    if "error" in record:
        row |= {"status": words.FAILED, "error": record["error"]}
        return
    row |= {name: record[name] for name in COLUMNS if name in record}
    row["status"] = words.DONE
    batch.pictures.append((record["picture"], row["name"]))


def _free_name(folder: Path, name: str) -> Path:
    """Return a file that does not exist yet: street_opir.jpg, street_opir-2.jpg, ..."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return path


def _write_csv(rows: list[dict[str, Any]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _in_csv(row[name]) for name in COLUMNS})


def _in_csv(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.4f}"
    # A spreadsheet would run a name that begins as a formula does.
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def _table(rows: list[dict[str, Any]]) -> str:
    heads = "".join(f"<th>{title}</th>" for title in words.MANY_COLUMNS)
    lines = "".join(f'<tr class="{words.STATUS_CLASSES[row["status"]]}">{_cells(row)}</tr>' for row in rows)
    return f'<div class="table"><table class="photos"><tr>{heads}</tr>{lines}</table></div>'


def _cells(row: dict[str, Any]) -> str:
    name = f'<td class="name">{html.escape(row["name"])}</td>'
    if row["error"]:
        return f'{name}<td>{row["status"]}</td><td colspan="4">{html.escape(row["error"])}</td>'
    known = row["task"] in {task.label for task in Task}
    task = words.WEATHER_NAMES[Task.parse(row["task"])] if known else ""
    numbers = (
        "" if row["confidence"] is None else f"{row['confidence']:.0%}",
        "" if row["seconds"] is None else f"{row['seconds']:.1f} s",
        "" if row["uncertainty_p95"] is None else f"{row['uncertainty_p95']:.2f}",
    )
    return f"{name}<td>{row['status']}</td><td>{task}</td>" + "".join(f"<td>{number}</td>" for number in numbers)
