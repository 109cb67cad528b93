"""Parts of a level are as large as pays, and no larger than the free memory lets them be."""

import pytest
import torch

from opir.config import PRESETS
from opir.inference.tiling import SMALLEST_TILE_SIDE, WHOLE_UP_TO_PIXELS, WINDOW_PIXELS, plan_parts
from opir.model import OPIR
from opir.ops.window import Window

LARGE = 2000, 4000
PROCESSOR, GPU = torch.device("cpu"), torch.device("cuda")


def parts(
    monkeypatch: pytest.MonkeyPatch, free: int | None, device: torch.device = PROCESSOR, preset: str = "lite"
) -> tuple[list[Window], int]:
    """The parts of a large level, and the pixels of the largest with its halo."""
    monkeypatch.setattr("opir.inference.tiling.free_memory", lambda of: free)
    with torch.device("meta"):
        model = OPIR(PRESETS[preset])
    planned = plan_parts(model, *LARGE, "auto", device, 4)
    seen = [part.grown(model.halo, *LARGE) for part in planned]
    return planned, max((one.bottom - one.top) * (one.right - one.left) for one in seen)


def test_a_processor_works_on_windows_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    planned, largest = parts(monkeypatch, 64_000_000_000)
    assert 0.5 * WINDOW_PIXELS < largest <= WINDOW_PIXELS
    assert parts(monkeypatch, None)[0] == planned


def test_a_gpu_takes_larger_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts(monkeypatch, 64_000_000_000, GPU)[1] > 2 * WINDOW_PIXELS


@pytest.mark.parametrize("device", [PROCESSOR, GPU])
def test_little_free_memory_makes_them_smaller(device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts(monkeypatch, 300_000_000, device)[1] < 0.7 * WINDOW_PIXELS
    smallest = min(min(part.bottom - part.top, part.right - part.left) for part in parts(monkeypatch, 1, device)[0])
    assert smallest >= SMALLEST_TILE_SIDE - 16


def test_wide_models_get_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts(monkeypatch, 700_000_000, preset="paper")[1] < parts(monkeypatch, 700_000_000)[1]


def test_what_is_not_large_is_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opir.inference.tiling.free_memory", lambda of: None)
    with torch.device("meta"):
        model = OPIR(PRESETS["lite"])
    assert len(plan_parts(model, 2000, WHOLE_UP_TO_PIXELS // 2000, "auto", PROCESSOR, 4)) == 1
    assert len(plan_parts(model, 2016, WHOLE_UP_TO_PIXELS // 2000, "auto", PROCESSOR, 4)) > 1
