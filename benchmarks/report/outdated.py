"""Say which results are of other weights than those that are shipped.

python -m benchmarks.report.outdated
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.report.provenance import RESULTS, SHIPPED


def weights_of(report: Any) -> Iterator[str]:
    """Yield every hash of weights that a report tells of itself or of its parts."""
    if isinstance(report, dict):
        for name, value in report.items():
            if name == "weights_sha256" and value:
                yield value
            else:
                yield from weights_of(value)
    elif isinstance(report, list):
        for part in report:
            yield from weights_of(part)


def outdated(shipped: Path = SHIPPED, results: Path = RESULTS) -> list[str]:
    """Return a line for each results file of other weights, sorted."""
    own = hashlib.sha256(shipped.read_bytes()).hexdigest()
    lines = []
    for path in sorted(results.glob("*.json")):
        others = sorted({made[:12] for made in weights_of(json.loads(path.read_text())) if made != own})
        if others:
            lines.append(f"{path.name} is of other weights ({', '.join(others)}) than those that are shipped")
    return lines


def main() -> None:
    """Run from the command line."""
    print("\n".join(outdated()) or "All results are of the weights that are shipped.")


if __name__ == "__main__":
    main()
