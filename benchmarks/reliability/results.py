"""What the commands of this folder write: JSON with where it comes from and rows for the README's table."""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SummaryRow:
    """One row of the README's reliability table."""

    what: str
    figure: str
    held: bool


def write_results(path: Path, command: str, rows: list[SummaryRow], report: dict[str, Any]) -> None:
    """Write what a command found; `summary` holds the rows."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    whole = {
        "command": command,
        "date": date.today().isoformat(),
        "commit": commit,
        "machine": f"{os.cpu_count()} processor cores, {platform.system()}",
        "summary": [asdict(row) for row in rows],
        **report,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole, indent=1) + "\n")
