"""How far many photos are, and how to go on after Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import typer
from tqdm import tqdm

from opir.cli.outcomes import say

EXIT_INTERRUPTED = 130


def with_bar(records: Iterable[dict[str, Any]], total: int) -> Iterator[dict[str, Any]]:
    """Pass records on under a bar over all photos, with the time that is left, where a terminal is.

    After Ctrl-C it says how many are done and how to go on.

    Args:
        records: what jobs give, one after another.
        total: how many there will be.

    Raises:
        typer.Exit: after Ctrl-C.
    """
    written = 0
    try:
        with tqdm(total=total, unit="photo", disable=None if total > 1 else True) as bar:
            for record in records:
                written += "error" not in record
                bar.update()
                yield record
    except KeyboardInterrupt:
        stopped = f"stopped: {written} of {total} photos are written; the same command with --skip-existing goes on"
        say(f"opir: {stopped}", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
