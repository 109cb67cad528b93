"""Small pieces of HTML: hints, tables, and the summary of a result."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from PIL.ExifTags import Base

from app.look import sentences, words
from app.look.sentences import Found
from app.look.theme import TASK_COLOURS
from opir.inference import Restoration
from opir.photo import Described, Photo, read_exif
from opir.tasks import AUTO, TASK_NAMES, Task

_DATE_TAGS, _CAMERA_TAG = (Base.DateTime, Base.DateTimeOriginal), Base.Model

DOUBTFUL_BELOW = 0.8
"""A weather that is removed although it is less probable may be none at all."""


def hint(text: str) -> str:
    """Say quietly what to do next."""
    return f'<p class="hint">{html.escape(text)}</p>'


def legend(colours: Mapping[str, str]) -> str:
    """Name the lines of a chart by their colours."""
    lines = "".join(
        f'<li><i class="line" style="background:{colour}"></i>{name}</li>' for name, colour in colours.items()
    )
    return f'<ul class="legend">{lines}</ul>'


def lead(text: str, offer: str, tab: str) -> str:
    """Say what a tab needs, with a button that opens the tab where it is found."""
    return f'<p class="lead">{text} <button type="button" data-tab="{tab}">{offer}</button></p>'


def alert(title: str, text: str) -> str:
    """Say what went wrong, and what to do; `text` is HTML already."""
    return f'<p class="page-alert" role="alert"><b>{title}.</b> {text}</p>'


def table(name: str, heads: Sequence[str], rows: str) -> str:
    """Frame the rows of a table, which a narrow screen scrolls, by the keyboard too."""
    titles = "".join(f"<th>{title}</th>" for title in heads)
    return (
        f'<div class="table" role="region" tabindex="0" aria-label="{name}">'
        f'<table class="photos"><tr>{titles}</tr>{rows}</table></div>'
    )


def photo_table(rows: list[dict[str, Any]]) -> str:
    """List many photos, a row each: how it went, what was found, or why it failed; a click on one chooses it."""
    lines = "".join(
        f'<tr class="{words.STATUS_CLASSES[row["status"]]}">{_cells(number, row)}</tr>'
        for number, row in enumerate(rows)
    )
    return table(words.PHOTOS, words.MANY_COLUMNS, lines)


def _cells(number: int, row: dict[str, Any]) -> str:
    name = html.escape(row["name"])
    if row["status"] == words.DONE:
        name = f'<button type="button" data-row="{number}">{name}</button>'
    name = f'<td class="name">{name}</td>'
    if row["error"]:
        return f'{name}<td>{row["status"]}</td><td colspan="3">{html.escape(row["error"])}</td>'
    known = row["task"] in {task.label for task in Task}
    task = words.WEATHER_NAMES[Task.parse(row["task"])] if known else ""
    sure = "" if row["confidence"] is None else f" ({row['confidence']:.0%})"
    numbers = (
        "" if row["seconds"] is None else f"{row['seconds']:.1f} s",
        "" if row["doubtful"] is None else f"{row['doubtful']:.0%}",
    )
    return f"{name}<td>{row['status']}</td><td>{task}{sure}</td>" + "".join(f"<td>{one}</td>" for one in numbers)


def summary(result: Restoration, chosen: bool, quality: str, beforehand: bool = False) -> str:
    """Say in a line or two what was done: the weather, the size and time, and what of the file was kept.

    Args:
        result: the restored photo.
        chosen: whether the visitor chose the weather.
        quality: that the visitor chose.
        beforehand: whether the result was not made just now.
    """
    task = Task.parse(result.task) if result.task in TASK_NAMES else None
    doubtful = in_doubt(result)
    weather = sentences.weather_sentence(task, found_in(result), chosen, doubtful)
    cost = sentences.cost_sentence(result.width, result.height, result.seconds, quality, beforehand)
    rest = html.escape(f"{cost} {sentences.kept_sentence(*kept_and_removed(result.photo))}".strip())
    dot = f'<i class="dot" style="background:{TASK_COLOURS[task]}"></i>' if task is not None else ""
    doubt = f" {words.IN_DOUBT}" if doubtful else ""
    return f"<p>{dot}<b>{weather}</b>{doubt} {rest}</p>"


def kept_and_removed(photo: Photo) -> tuple[list[str], list[str]]:
    """Name what of a photo is kept in its result and what is removed; both empty for a plain picture."""
    exif = read_exif(photo.file.exif)
    tags = exif.main | exif.details
    named = {
        words.KEPT_DATE: any(tag in tags for tag in _DATE_TAGS),
        words.KEPT_CAMERA: _CAMERA_TAG in tags,
        words.KEPT_PROFILE: photo.file.described != Described(),
        words.KEPT_ALPHA: photo.alpha is not None,
        words.KEPT_DEPTH: photo.bits > 8,
    }
    removed = [*photo.file.left_out, *([words.REMOVED_POSITION] if photo.file.had_position else [])]
    return [name for name, holds in named.items() if holds], removed


def found_in(result: Restoration) -> list[Found]:
    """Return what each level that worked removed, from coarse to fine."""
    levels = result.working_levels
    named = [level.weather if result.asked == AUTO else result.asked for level in levels]
    return [
        Found(Task.parse(name) if name in TASK_NAMES else None, level.number, level.change)
        for name, level in zip(named, levels, strict=True)
    ]


def in_doubt(result: Restoration) -> bool:
    """Say whether what was taken for weather may be none; what a visitor named is not doubted."""
    return result.asked == AUTO and any(level.certainty < DOUBTFUL_BELOW for level in result.working_levels)
