"""Write the tables of the README and of docs/reliability.md: what was measured, and what can be set.

python -m benchmarks.reliability.tables [--check]

The README's table takes the rows of `summary` ("what", "figure", "held") of every result that is there.
"""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from app.server.settings import PREFIX, Settings
from benchmarks.report.marked import filled, renew
from benchmarks.report.provenance import RESULTS, ROOT

PAGES = (ROOT / "README.md", ROOT / "docs" / "reliability.md")
SUMMED_UP = ("fuzz", "load", "load_large", "faults", "startup")
DOOR_HEADS = "| door | files | a result | one clear error | neither | slowest file | peak memory | files left |"


def _report(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else None


def _missing(name: str) -> str:
    return f"Not measured yet: `make {name}` does it.\n"


def _source(report: dict[str, Any]) -> str:
    made = f"at commit `{report['commit'][:10]}` by `{report['command']}` on {report['machine']}"
    return f"Measured {report['date']} {made}" + (
        f", in {report['run_seconds']} s." if "run_seconds" in report else "."
    )


def reliability_table() -> str:
    """Return one row for each thing that was tried, for the README."""
    rows = []
    for name in SUMMED_UP:
        report = _report(name)
        if report is not None:
            rows += [f"| {row['what']} | {_figure(row)} | `{report['command']}` |" for row in report["summary"]]
    return "\n".join(["| what | found | by |", "|---|---|---|", *rows, ""]) if rows else _missing("fuzz faults")


def _figure(row: dict[str, Any]) -> str:
    return ("" if row["held"] else "**not held:** ") + str(row["figure"])


def fuzz_tables() -> str:
    """Return what became of the corpus at each door, and how often for each format and mutation."""
    report = _report("fuzz")
    if report is None:
        return _missing("fuzz")
    limits, doors = report["limits"], report["doors"]
    lines = [DOOR_HEADS, "|---|" + "---:|" * 7]
    for door, figures in doors.items():
        lines.append(
            f"| {door} | {figures['files']:,} | {figures['result']:,} | {figures['refused']:,} | {figures['broken']} "
            f"| {figures['slowest_seconds']} s | {figures['peak_mb']:,} MB | {len(figures['files_left'])} |"
        )
    lines += [
        "",
        f"Allowed: {limits['seconds']:g} s for a file and {limits['resident_mb']:,} MB for a process, which may map "
        f"{limits['address_space_mb']:,} MB at most. Results / errors, over all doors:",
        "",
    ]
    counts = report["counts"]
    formats = list(dict.fromkeys(row["format"] for row in counts))
    found = {(row["mutation"], row["format"]): row for row in counts}
    lines += ["| mutation | " + " | ".join(formats) + " |", "|---|" + "---:|" * len(formats)]
    for mutation in dict.fromkeys(row["mutation"] for row in counts):
        cells = [_ends(found.get((mutation, kind))) for kind in formats]
        lines.append(f"| {mutation} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", _source(report), ""])


def _ends(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    results, errors, neither = (
        sum(tally[ending] for tally in row["doors"].values()) for ending in ("result", "refused", "broken")
    )
    return f"{results} / {errors}" + (f" / **{neither}**" if neither else "")


def faults_table() -> str:
    """Return one row for each fault: what was found, and what the person is told."""
    report = _report("faults")
    if report is None:
        return _missing("faults")
    rows = [
        f"| {one['fault']} | {'' if one['held'] else '**not held:** '}{one['found']} | {_code(one['told'])} |"
        for one in report["faults"]
    ]
    return "\n".join(["| fault | found | told |", "|---|---|---|", *rows, "", _source(report), ""])


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`" if text else ""


def summary_table(name: str) -> str:
    """Return the rows that a result sums itself up in, and where they come from."""
    report = _report(name)
    if report is None:
        return _missing(name.replace("_", "-"))
    rows = [f"| {row['what']} | {_figure(row)} |" for row in report["summary"]]
    return "\n".join(["| what | figure |", "|---|---|", *rows, "", _source(report), ""])


def settings_table() -> str:
    """Return what each variable means that whoever runs the page may set."""
    rows = [
        f"| `{PREFIX}{one.name.upper()}` | {_default(one.default)} | {one.metadata['meaning']} |"
        for one in fields(Settings)
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _default(value: Any) -> str:
    return "" if value == "" else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


TABLES: dict[str, Callable[[], str]] = {
    "reliability": reliability_table,
    "fuzz": fuzz_tables,
    "faults": faults_table,
    "load": lambda: summary_table("load"),
    "load-large": lambda: summary_table("load_large"),
    "startup": lambda: summary_table("startup"),
    "settings": settings_table,
}


def renewed(text: str) -> str:
    """Return a page with the tables between its markers made anew."""
    return filled(text, TABLES)


if __name__ == "__main__":
    renew(PAGES, renewed, "benchmarks.reliability.tables", __doc__)
