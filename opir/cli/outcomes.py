"""What the command line says of the photos it worked on."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer
from tqdm import tqdm

from opir.errors import printable
from opir.photo.folders import describe_left_out
from opir.tasks import Task

EXIT_BAD_INPUT = 2
_NAMED = 10  # photos that failed and are named in the last line


def say(text: str, err: bool = False) -> None:
    """Print a line; a reader that has gone, as in `| head`, stops nothing."""
    stream = sys.stderr if err else sys.stdout
    try:
        with tqdm.external_write_mode():  # no progress bar is written over
            stream.write(f"{text}\n")
            stream.flush()
    except (BrokenPipeError, ValueError):  # a closed stream raises the latter
        silence(stream)


def silence(stream: Any) -> None:
    """Send a stream that nobody reads into nothing, so that Python does not fail on it when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _speak_any_encoding() -> None:
    """Have letters that a terminal or a file can not hold spelt out, as in \\u5199."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


class _Saying(logging.Handler):
    """Tells in the manner of the command line what the library logs."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"opir: {printable(record.getMessage())}", err=True)


def prepare_terminal() -> None:
    """Have all printed that is said, in any encoding, and what `opir` logs, such as photos left out of training."""
    _speak_any_encoding()
    logger = logging.getLogger("opir")
    if not any(isinstance(handler, _Saying) for handler in logger.handlers):
        logger.addHandler(_Saying())


def report_outcomes(
    outcomes: Iterable[dict[str, Any]],
    as_json: bool = False,
    left_out: dict[str, list[Path]] | None = None,
    quiet: bool = False,
    there_already: int = 0,
) -> None:
    """Tell how each job went and what was left out, and exit with an error if one failed.

    Args:
        outcomes: what jobs give.
        as_json: print them all as JSON instead.
        left_out: what is in the folders and was no job, by the reason.
        quiet: say nothing of what went well: standard output is a photo.
        there_already: how many results were left alone because they were there.
    """
    records, done, failed = [], 0, list[str]()
    for record in outcomes:
        done += 1
        if as_json:
            records.append(record)
        if "error" in record:
            failed.append(Path(record["input"]).name)
            say(f"opir: {record['error']}", err=True)
        elif not as_json:
            say(_tell(record), err=quiet)
    if as_json:
        say(json.dumps(records, indent=2), err=quiet)
    if there_already:
        say(f"opir: {there_already} {'was' if there_already == 1 else 'were'} there already", err=True)
    for reason, paths in (left_out or {}).items():
        say(f"opir: left out: {printable(describe_left_out({reason: paths}))}", err=True)
    if done > 1:
        say(f"opir: {_summary(done, failed)}", err=True)
    if failed:
        raise typer.Exit(EXIT_BAD_INPUT)


def _summary(done: int, failed: list[str]) -> str:
    if not failed:
        return f"all {done} photos are done"
    shown = printable(", ".join(failed[:_NAMED])) + (", ..." if len(failed) > _NAMED else "")
    return f"{done - len(failed)} of {done} photos are done, {len(failed)} failed: {shown}"


def _weather(record: dict[str, Any]) -> str:
    """Name the weather of a record, and how probable it is; where a doubtful one was removed, that."""
    task, shares = record["task"], record["task_probabilities"]
    if task == Task.CLEAN.label and any(level["worked"] for level in record["levels"]):
        doubtful = max((name for name in shares if name != task), key=lambda name: shares[name])
        return f"perhaps {doubtful} {shares[doubtful]:.0%}"
    return f"{task} {shares[task]:.0%}" if task in shares else str(task)


def _tell(record: dict[str, Any]) -> str:
    line = printable(f"{record['input']} -> {record['output']}")
    if "seconds" in record:
        line += f"  {_weather(record)}  {record['width']}x{record['height']}  {record['seconds']:.1f} s"
    if record.get("left_out"):
        line += f"  without {printable(', '.join(record['left_out']))}"
    return line
