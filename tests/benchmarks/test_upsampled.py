"""The comparison of operators of smaller copies: what it measures, and that it goes on after a stop."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.cost.tables import upsampled_table
from benchmarks.quality import upsampled
from opir.inference.restorer import Restorer
from opir.model import OPIR
from tests.conftest import TINIEST, make_picture


def test_streaks_are_bright_and_of_their_width() -> None:
    clean = torch.full((3, 90, 120), 0.25)
    for width in (1, 3):
        changed = upsampled.with_streaks(clean, width, seed=0) - clean.mul(255).round().div(255)
        assert changed.min() >= 0
        assert 0.02 < (changed > 0.05).float().mean() < 0.12


@pytest.mark.parametrize(("megapixels", "photos"), [(2, 4), (12, 2), (48, 1)])
def test_large_photos_are_fewer(megapixels: float, photos: int) -> None:
    assert upsampled.photos_at(megapixels, 4) == photos


def test_what_was_measured_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here: dict[str, Any] = {"commit": "abc", "weights_sha256": "def", "processor": "one", "date": "today", "cores": 2}
    here |= {"instructions": "AVX2", "torch": "2"}
    monkeypatch.setattr(upsampled, "origin", lambda quick: here)
    restorer = Restorer(OPIR(TINIEST), device="cpu", precision="fp32")
    clean, output = [make_picture(40, 60)[0]], tmp_path / "upsampled.json"
    upsampled.measure(restorer, clean, [0.004], output)
    first = json.loads(output.read_text())
    assert [row["streak_width"] for row in first["results"]] == list(upsampled.STREAKS)
    first["results"] = first["results"][1:]
    output.write_text(json.dumps(first))
    upsampled.measure(restorer, clean, [0.004], output)
    again = json.loads(output.read_text())
    assert again["results"][1:] == first["results"]
    assert again["results"][0]["streak_width"] == 1
    assert "| 0.004 | 1 | 30 |" in upsampled_table(again)
    here["commit"] = "new"
    upsampled.measure(restorer, clean, [0.002], output)
    assert {row["megapixels"] for row in json.loads(output.read_text())["results"]} == {0.002}
