"""The names of the results that visitors take home."""

from pathlib import Path

import pytest

from app.running.results import result_name
from opir.inference.restorer import Restorer


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("street 0.png", "street 0_opir.png"),
        ("...jpg.png", "jpg_opir.png"),
        ("..\\..\\windows\\win.ini.png", "windowswin.ini_opir.png"),
        ("a..b.png", "a.b_opir.png"),
        ("....png", "photo_opir.png"),
    ],
)
def test_a_result_has_a_name_that_any_archive_program_takes(
    restorer: Restorer, photo: Path, given: str, expected: str
) -> None:
    assert result_name(Path(given), restorer.restore(photo)) == expected
