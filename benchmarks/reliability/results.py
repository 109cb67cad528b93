"""What the commands of this folder write: JSON with where it comes from and rows for the README's table."""

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.report.provenance import made_by, write_report


@dataclass(frozen=True)
class SummaryRow:
    """One row of the README's reliability table."""

    what: str
    figure: str
    held: bool


def write_results(path: Path, command: str, rows: list[SummaryRow], report: dict[str, Any]) -> None:
    """Write what a command found; `summary` holds the rows."""
    whole = {
        **made_by(command),
        "machine": f"{os.cpu_count()} processor cores, {platform.system()}",
        "summary": [asdict(row) for row in rows],
        **report,
    }
    write_report(whole, path)


def print_rows(rows: list[SummaryRow]) -> None:
    """Print what was found; raises SystemExit(1) where a row is not what was promised."""
    for row in rows:
        print(f"{'ok ' if row.held else 'NOT'} {row.what}: {row.figure}")
    if not all(row.held for row in rows):
        raise SystemExit(1)
