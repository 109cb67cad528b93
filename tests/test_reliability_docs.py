"""docs/reliability.md names tests that exist, and its tables are made from what was measured and can be set."""

import re
from pathlib import Path

from app.server.settings import Settings
from benchmarks.reliability.tables import PAGES, renewed, settings_table

TESTS = Path(__file__).resolve().parent


def test_every_named_test_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGES[1].read_text()))
    written = {name for file in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())}
    assert len(named) > 10
    assert named <= written


def test_tables_are_up_to_date() -> None:
    for page in PAGES:
        assert renewed(page.read_text()) == page.read_text()


def test_the_table_names_every_setting_with_its_default() -> None:
    table = settings_table()
    assert len(table.splitlines()) == 2 + len(Settings.__dataclass_fields__)
    assert "| `OPIR_QUEUE_LENGTH` | `20` |" in table
