"""A weather that was appended to `Task` and nowhere else: every place that lacks it says so."""

from enum import IntEnum
from pathlib import Path

import numpy as np
import pytest
import torch

from opir.degradations import degrade
from opir.model import OPIR
from opir.model.checkpoint import CheckpointError, load_model, save_model
from opir.tasks import Task
from opir.training.batch import in_task_order
from opir.training.config import DataConfig


class More(IntEnum):
    """`Task` with one more."""

    RAIN = 0
    SNOW = 1
    HAZE = 2
    CLEAN = 3
    FOG = 4

    label = Task.label


def test_it_is_drawn_nowhere_yet() -> None:
    with pytest.raises(ValueError, match="expected a weather that can be drawn, got fog; add a branch to `degrade`"):
        degrade(torch.zeros(1, 3, 8, 8), More.FOG, 0)  # type: ignore[arg-type]


def test_it_has_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(DataConfig().task_shares) == list(Task)
    monkeypatch.setattr("opir.training.config.Task", More)
    with pytest.raises(
        ValueError, match="expected a share of fog among the settings; add `fog: float` to DataConfig"
    ):
        _ = DataConfig().task_shares


def test_no_crops_are_made_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rain, clean = ((torch.full((2, 3, 4, 4), value),) * 2 for value in (0.1, 0.2))
    given = {Task.CLEAN: clean, Task.RAIN: rain}
    assert in_task_order(given, np.array([2, 0, 0, 2])) == [rain, clean]
    monkeypatch.setattr("opir.training.batch.Task", More)
    with pytest.raises(ValueError, match=r"expected crops of fog, got none; add a branch to BatchSource\._make"):
        in_task_order(given, np.array([2, 0, 0, 2, 1]))


def test_earlier_weights_do_not_know_it(tiny_model: OPIR, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_model(tiny_model, tmp_path / "four.safetensors", {})
    monkeypatch.setattr("opir.model.task_encoder.Task", More)
    with pytest.raises(CheckpointError, match="they know 4 kinds of weather, this version 5: train anew"):
        load_model(tmp_path / "four.safetensors")
