"""What the command line says of the photos it worked on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import typer

from opir.errors import printable

EXIT_BAD_INPUT = 2


def report_outcomes(outcomes: Iterable[dict[str, Any]], as_json: bool = False) -> None:
    """Tell how each job went, and exit with an error if one failed."""
    records, done, failed = [], 0, 0
    for record in outcomes:
        done += 1
        if as_json:
            records.append(record)
        if "error" in record:
            failed += 1
            typer.echo(f"opir: {record['error']}", err=True)
        elif not as_json:
            typer.echo(_tell(record))
    if as_json:
        typer.echo(json.dumps(records, indent=2))
    if failed and done > 1:
        typer.echo(f"opir: {failed} of {done} photos failed", err=True)
    if failed:
        raise typer.Exit(EXIT_BAD_INPUT)


def _tell(record: dict[str, Any]) -> str:
    line = printable(f"{record['input']} -> {record['output']}")
    if "seconds" not in record:
        return line
    share = record["task_probabilities"].get(record["task"])
    weather = record["task"] if share is None else f"{record['task']} {share:.0%}"
    return f"{line}  {weather}  {record['width']}x{record['height']}  {record['seconds']:.1f} s"
