"""Write the tables of docs/reliability.md: what was measured, and what can be set.

python -m benchmarks.reliability_tables [--check]
"""

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.settings import settings_table

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
RESULTS = ROOT / "benchmarks" / "results"


def measured(name: str) -> str:
    """Return Markdown of the rows that a result sums itself up in, and where they come from."""
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        return f"Not measured yet: `make {name}` does it.\n"
    report: dict[str, Any] = json.loads(path.read_text())
    rows = [f"| {row['what']} | {row['figure']} |" for row in report["summary"]]
    made = f"at commit `{report['commit'][:10]}` by `{report['command']}` on {report['machine']}"
    source = f"Measured {report['date']} {made}."
    return "\n".join(["| what | figure |", "|---|---|", *rows, "", source, ""])


TABLES: dict[str, Callable[[], str]] = {
    "load": lambda: measured("load"),
    "startup": lambda: measured("startup"),
    "settings": settings_table,
}


def renewed(text: str) -> str:
    """Return a page with the tables between its markers made anew."""
    for name, table in TABLES.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = marked.sub(lambda match, table=table: match[1] + table() + match[2], text)  # type: ignore[misc]
    return text


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 if a table is out of date")
    options = parser.parse_args()
    before = PAGE.read_text()
    after = renewed(before)
    if options.check and after != before:
        raise SystemExit("out of date: docs/reliability.md; run python -m benchmarks.reliability_tables")
    PAGE.write_text(after)


if __name__ == "__main__":
    main()
