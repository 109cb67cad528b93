"""Weather of every size is drawn at its size, measured, and told in a table."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.quality import sizes
from benchmarks.report.evidence_tables import sizes_table
from opir.photo import to_picture
from tests.conftest import make_picture


@pytest.mark.parametrize("make", [sizes.streaks, sizes.flakes])
def test_what_is_drawn_has_its_width_and_covers_its_share(make: object) -> None:
    clean = torch.zeros(3, 700, 900)
    changed = {width: make(width).draw(clean, 0)[0] > 0.1 for width in (3, 10, 20)}  # type: ignore[operator]
    runs = {width: _mean_run(mask) for width, mask in changed.items()}
    assert runs[3] < runs[10] < runs[20]
    assert 10 * 0.4 < runs[10] < 10 * 2
    for mask in changed.values():
        assert 0.01 < float(mask.float().mean()) < 0.2


def _mean_run(mask: torch.Tensor) -> float:
    """Return the mean length of what is set in rows."""
    starts = int((mask[:, 1:] & ~mask[:, :-1]).sum()) + int(mask[:, 0].sum())
    return float(mask.sum()) / starts


def test_a_short_measurement_makes_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "IMAGES", tmp_path)
    monkeypatch.setattr(sizes, "ENLARGED", {"Rain100L": (1, 2), "absent": (1,)})
    for folder in ("input", "target"):
        (tmp_path / "benchmark" / "Rain100L" / folder).mkdir(parents=True)
        to_picture(make_picture(48, 64)[0]).save(tmp_path / "benchmark" / "Rain100L" / folder / "a.png")
    photos, output = tmp_path / "benchmark" / "Rain100L" / "target", tmp_path / "sizes.json"
    options = ["--photos", str(photos), "--megapixels", "0.02", "--every", "2", "--output", str(output)]
    sizes.main([str(tmp_path), *options])
    report = json.loads(output.read_text())
    assert [row["times"] for row in report["pairs"]["Rain100L"]] == [1, 2]
    assert [row["weather"] for row in report["drawn"]][-2:] == ["haze", "nothing"]
    assert sum(report["drawn"][-1]["levels"].values()) == 1
    assert report["drawn"][-1]["input"] == 60
    table = sizes_table(report)
    assert "| ×2 | 60.00 |" in table
    assert "| 0.02 | streaks of 30 px |" in table
    assert (tmp_path / "sizes.png").is_file()
    assert np.isfinite([row["psnr"] for row in report["drawn"]]).all()
