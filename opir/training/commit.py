"""The commit of this code, which checkpoints and results files record."""

import subprocess
from pathlib import Path


def current_commit() -> str:
    """Return the commit that the code is at, or "unknown" outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
