"""Many photos at once: where each result goes, checked before any work starts, and the work itself."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from opir.errors import not_written, printable
from opir.files import make_folder
from opir.photo.reading import FORMATS, format_of

SAME = "same"
OUTPUT_SUFFIXES = {"png": ".png", "jpg": ".jpg", "webp": ".webp", "tiff": ".tiff"}


TOLD_IN_ONE_LINE = (ValueError, OSError, MemoryError, torch.OutOfMemoryError)
"""What a photo, a disk or too little memory can cause; anything else is a mistake of ours."""


@dataclass(frozen=True)
class Job:
    """One photo and the file that its result becomes."""

    source: Path
    output: Path


def plan_jobs(sources: Iterable[Path], out: Path, recursive: bool = False, file_format: str = SAME) -> list[Job]:
    """Pair photos with output files.

    A single photo may go to a file. Otherwise `out` is a folder: a photo keeps its name in it, and one found
    in a source folder keeps its place below that folder. Photos already below `out` are not taken as sources.

    Args:
        sources: photos, and folders of photos.
        out: a file for a single photo, or a folder, which need not exist.
        recursive: look into the folders below the source folders too.
        file_format: "same", or one of `OUTPUT_SUFFIXES`.

    Raises:
        ValueError: for an unknown format, a source that is missing or has no photos, two photos with one
            output, or an output that is one of the photos.
    """
    if file_format != SAME and file_format not in OUTPUT_SUFFIXES:
        raise ValueError(f'unknown format "{file_format}": use one of {", ".join((SAME, *OUTPUT_SUFFIXES))}')
    sources = list(sources)
    if len(sources) == 1 and not sources[0].is_dir() and out.suffix and not out.is_dir():
        jobs = [Job(_existing(sources[0]), _checked_file(out, file_format))]
    else:
        if out.suffix.lower() in FORMATS and not out.is_dir():
            raise ValueError(f"expected a folder for the results of several photos, got the file name {out}")
        jobs = [
            Job(photo, _with_format(out / place, file_format))
            for source in sources
            for photo, place in _photos_of(source, out, recursive)
        ]
    jobs = list({job.source.resolve(): job for job in jobs}.values())  # a photo may be named twice
    _check_apart(jobs)
    return jobs


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"no such photo or folder: {path}")
    return path


def _photos_of(source: Path, out: Path, recursive: bool) -> list[tuple[Path, Path]]:
    """Return the photos of a source, and their places below the output folder."""
    if not _existing(source).is_dir():
        return [(source, Path(source.name))]
    found = source.rglob("*") if recursive else source.iterdir()
    photos = sorted(path for path in found if path.suffix.lower() in FORMATS and path.is_file())
    if out.resolve() != source.resolve():
        photos = [path for path in photos if not path.resolve().is_relative_to(out.resolve())]
    if not photos:
        hint = "" if recursive else "; --recursive looks into the folders below it too"
        raise ValueError(f"no photos in {source}{hint}")
    return [(path, path.relative_to(source)) for path in photos]


def _checked_file(out: Path, file_format: str) -> Path:
    if file_format != SAME and format_of(out) != FORMATS[OUTPUT_SUFFIXES[file_format]]:
        raise ValueError(f'{out} does not end as the format "{file_format}" does: leave one of them out')
    format_of(out)
    return out


def _with_format(output: Path, file_format: str) -> Path:
    return output if file_format == SAME else output.with_suffix(OUTPUT_SUFFIXES[file_format])


def _check_apart(jobs: list[Job]) -> None:
    """Refuse to write two results to one file, or a result over a photo that was asked for."""
    inputs = {job.source.resolve() for job in jobs}
    taken: dict[str, Path] = {}
    for job in jobs:
        if job.output.resolve() in inputs:
            raise ValueError(f"{job.output} is one of the photos: choose another folder for the results")
        key = str(job.output.resolve()).casefold()  # some file systems do not tell a.jpg from A.JPG
        if key in taken:
            raise ValueError(f"{taken[key]} and {job.source} would both become {job.output}: use two folders")
        taken[key] = job.source


def run_jobs(jobs: Iterable[Job], work: Callable[[Job], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Do jobs one by one; one that fails does not stop the others.

    Yields:
        For each job "input", "output" and what `work` returned, or "output" None and "error", one line.
    """
    for job in jobs:
        yield record_of(job, lambda job=job: work(job))  # type: ignore[misc]


def record_of(job: Job, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return "input", "output" and what `work` returned, or "output" None and "error", one line."""
    record: dict[str, Any] = {"input": str(job.source), "output": str(job.output)}
    try:
        return record | work()
    except TOLD_IN_ONE_LINE as error:
        name, text = printable(job.source.name), one_line(error)
        text = text if name in text else f"{name}: {text}"
        return record | {"output": None, "error": text}


def written_to(log: Path, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Add each record to a file, one JSON line that is there as soon as the record is, and pass it on.

    Raises:
        ImageError: where the file can not be written; the message names the cure.
    """
    _append(log, b"")  # before the work, not after it
    for record in records:
        _append(log, json.dumps(record).encode() + b"\n")
        yield record


def _append(log: Path, line: bytes) -> None:
    make_folder(log.parent)
    try:
        with open(log, "a+b", buffering=0) as file:
            if line and file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a full disk cut off the line before
                    line = b"\n" + line
            file.write(line)
    except OSError as error:
        raise not_written(log, error) from error


def one_line(error: BaseException) -> str:
    """Return what to tell the person who started the command."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return "not enough memory for this photo: try a smaller --tile"
    return printable(str(error)) or type(error).__name__
