"""Many photos at once: where each result goes, checked before any work starts, and the work itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from opir.errors import ImageError, not_written, printable
from opir.files import make_folder
from opir.photo.folders import BELOW, RAW, Found, find_photos, is_side_file
from opir.photo.formats import ENDINGS, format_of, named

SAME = "same"
STANDARD = Path("-")
OUTPUT_SUFFIXES = {"png": ".png", "jpg": ".jpg", "webp": ".webp", "tiff": ".tiff"}


ONE_LINE_ERRORS = (ValueError, OSError, MemoryError, torch.OutOfMemoryError)
"""What a photo, a disk or too little memory can cause; anything else is a mistake of ours."""


@dataclass(frozen=True)
class Job:
    """One photo and the file that its result becomes."""

    source: Path
    """`STANDARD` for standard input."""
    output: Path
    """`STANDARD` for standard output."""
    file_format: str | None = None
    """What to write, by its name in `opir.photo.FORMATS`; None for the photo's own format."""
    problem: str = ""
    """Why it can not be done, known before any work."""

    def check(self) -> None:
        """Raise a ValueError where it is known that the job can not be done."""
        if self.problem:
            raise ValueError(self.problem)


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what of the folders is not."""

    jobs: list[Job]
    left_out: dict[str, list[Path]] = field(default_factory=dict)
    """Files and folders by the reason."""


def plan_jobs(sources: Iterable[Path], out: Path | str, recursive: bool = False, file_format: str = SAME) -> Plan:
    """Pair photos with output files.

    A single photo may go to a file. Otherwise `out` is a folder: a photo keeps its name in it, and one found
    in a source folder keeps its place below that folder. Photos already below `out`, and results of earlier runs,
    are not taken from folders.

    Args:
        sources: photos, folders of photos, or "-" alone for standard input.
        out: a file for a single photo, a folder, which need not exist, or "-" for standard output. What ends in a
            slash is a folder.
        recursive: look into the folders below the source folders too.
        file_format: "same", or one of `OUTPUT_SUFFIXES`.

    Returns:
        The jobs; of two photos with one output, and of one whose output would replace a photo, why not.

    Raises:
        ValueError: for an unknown format, a source that is missing or has no photos, or a file as the output of
            several photos.
    """
    if file_format != SAME and file_format not in OUTPUT_SUFFIXES:
        raise ValueError(f'unknown format "{file_format}": use one of {", ".join((SAME, *OUTPUT_SUFFIXES))}')
    sources, folder = list(sources), Path(out)
    if STANDARD in sources or folder == STANDARD:
        return Plan([_standard_job(sources, folder, file_format)])
    if len(sources) == 1 and not sources[0].is_dir() and _is_file_name(out):
        jobs = [Job(_existing(sources[0]), *_named_file(folder, file_format))]
        left_out: dict[str, list[Path]] = {}
    elif named(folder) is not None and _is_file_name(out):
        raise ValueError(f"expected a folder for the results of several photos, got the file name {out}")
    else:
        jobs, left_out = _jobs_into(folder, sources, recursive, file_format)
    jobs = list({(job.source.resolve(), job.output): job for job in jobs}.values())  # a photo may be named twice
    return Plan(_without_collisions(jobs), left_out)


def _is_file_name(out: Path | str) -> bool:
    """Tell a file name from a folder's, which may have dots in it: "Trip 12.05.2024"."""
    path = Path(out)
    return (
        not str(out).endswith(("/", os.sep))
        and not path.is_dir()
        and bool(re.fullmatch(r"\.[A-Za-z]\w*", path.suffix))
    )


def _standard_job(sources: list[Path], out: Path, file_format: str) -> Job:
    if len(sources) != 1 or sources[0].is_dir():
        raise ValueError('expected one photo where "-" stands for standard input or output')
    if sources[0] == STANDARD and out != STANDARD and not _is_file_name(out):
        raise ValueError(f'expected "-" or a file name for the photo from standard input, got the folder {out}')
    if out == STANDARD:
        return Job(sources[0], out, None if file_format == SAME else ENDINGS[OUTPUT_SUFFIXES[file_format]])
    return Job(sources[0], *_named_file(out, file_format))


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"no such photo or folder: {path}")
    return path


def _named_file(out: Path, file_format: str) -> tuple[Path, str]:
    asked = format_of(out)
    if file_format != SAME and asked != ENDINGS[OUTPUT_SUFFIXES[file_format]]:
        raise ValueError(f'{out} does not end as the format "{file_format}" does: leave one of them out')
    return out, asked


def _jobs_into(
    out: Path, sources: list[Path], recursive: bool, file_format: str
) -> tuple[list[Job], dict[str, list[Path]]]:
    jobs: list[Job] = []
    left_out: dict[str, list[Path]] = {}
    for source in sources if len(sources) == 1 else [path for path in sources if not is_side_file(path.name)]:
        if not _existing(source).is_dir():
            jobs.append(_job(source, out / source.name, file_format))
            continue
        found = _photos_of(source, out, recursive)
        jobs += [_job(photo, out / photo.relative_to(source), file_format) for photo in found.photos]
        for reason, paths in found.left_out.items():
            left_out.setdefault(reason, []).extend(paths)
    return jobs, left_out


def _job(source: Path, output: Path, file_format: str) -> Job:
    if file_format == SAME:
        return Job(source, output)
    ending = OUTPUT_SUFFIXES[file_format]
    renamed = output.with_suffix(ending) if named(output) else output.with_name(output.name + ending)
    return Job(source, renamed, ENDINGS[ending])


def _photos_of(source: Path, out: Path, recursive: bool) -> Found:
    results = out.resolve()
    inside = results if results != source.resolve() else None
    found = find_photos(source, recursive, lambda path: path.resolve() == inside)
    names = os.listdir(source)
    if names and all(is_side_file(name) for name in names):
        found.leave_out("folders without photos", source)
    elif not found.photos:
        hint = "; --recursive looks into the folders below it too" if BELOW in found.left_out else ""
        hint += "; export what the camera wrote as TIFF or JPEG first" if RAW in found.left_out else ""
        left_out = found.describe_left_out()
        raise ValueError(f"no photos in {source}{': ' + left_out if left_out else ''}{hint}")
    return found


def _without_collisions(jobs: list[Job]) -> list[Job]:
    """Stop those jobs that would write two results to one file, or a result over a photo that was asked for."""
    inputs = {job.source.resolve() for job in jobs}
    # Some file systems do not tell a.jpg from A.JPG.
    keys = [str(job.output.resolve()).casefold() for job in jobs]
    sharing: dict[str, list[Path]] = {}
    for job, key in zip(jobs, keys, strict=True):
        sharing.setdefault(key, []).append(job.source)
    checked = []
    for job, key in zip(jobs, keys, strict=True):
        others = [source for source in sharing[key] if source != job.source]
        if job.output.resolve() in inputs:
            problem = f"{job.output} is one of the photos: choose another folder for the results"
        elif others:
            problem = f"{job.source} and {others[0]} would both become {job.output}: use two folders"
        else:
            problem = ""
        checked.append(replace(job, problem=problem))
    if checked and all(job.problem for job in checked):  # nothing would be done
        raise ValueError(checked[0].problem)
    return checked


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
        job.check()
        return record | work()
    except ONE_LINE_ERRORS as error:
        name, text = printable(job.source.name), one_line(error)
        text = text if name in text else f"{name}: {text}"
        return record | {"output": None, "error": text}


def written_to(log: Path, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Add each record to a file, one JSON line that is there as soon as the record is, and pass it on.

    A log that can no longer be written does not stop the photos: it is told once, at the end.

    Raises:
        ImageError: where the file can not be written from the first; the message names the cure.
    """
    _append(log, b"")  # before the work, not after it
    refused: ImageError | None = None
    for record in records:
        try:
            _append(log, json.dumps(record).encode() + b"\n")
        except ImageError as error:
            refused = error
        yield record
    if refused is not None:
        raise refused


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
