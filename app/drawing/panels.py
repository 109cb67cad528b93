"""Small pieces of HTML: hints, and the summary of a result."""

import html
from collections.abc import Mapping, Sequence

from app.look import sentences
from app.look.theme import TASK_COLOURS
from opir.inference import Restoration
from opir.tasks import TASK_NAMES, Task


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


def summary(
    result: Restoration,
    chosen: bool,
    quality: str,
    kept_and_removed: tuple[list[str], list[str]],
    beforehand: bool = False,
) -> str:
    """Say in a line or two what was done: the weather, the size and time, and what of the file was kept.

    Args:
        result: the restored photo.
        chosen: whether the visitor chose the weather.
        quality: that the visitor chose.
        kept_and_removed: names of what the download carries over, and of what it leaves out.
        beforehand: whether the result was not made just now.
    """
    task = Task.parse(result.task) if result.task in TASK_NAMES else None
    found = [
        (Task.parse(level.task) if level.task in TASK_NAMES else None, level.number)
        for level in result.working_levels
    ]
    weather = sentences.weather_sentence(task, found, chosen)
    cost = sentences.cost_sentence(result.width, result.height, result.seconds, quality, beforehand)
    rest = html.escape(f"{cost} {sentences.kept_sentence(*kept_and_removed)}".strip())
    dot = f'<i class="dot" style="background:{TASK_COLOURS[task]}"></i>' if task is not None else ""
    return f"<p>{dot}<b>{weather}</b> {rest}</p>"
