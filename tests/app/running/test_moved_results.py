"""What a result's file and what is left in memory make together is the result again."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from app.running.moved_results import bring_back, move_arrays


@dataclass(frozen=True)
class Part:
    values: np.ndarray
    number: int = 3


@dataclass(frozen=True)
class Whole:
    picture: torch.Tensor
    parts: tuple[Part, ...]
    notes: dict[str, str] = field(default_factory=dict)


def whole() -> Whole:
    deep = np.arange(60_000, dtype=np.uint16).reshape(3, 100, 200)
    floats = torch.linspace(0, 1, 50_000, dtype=torch.float16).view(2, 25_000).T
    return Whole(floats, (Part(deep), Part(np.ones(4))), {"name": "street"})


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    result = whole()
    left = move_arrays(result, tmp_path / "result")
    assert not isinstance(left.picture, torch.Tensor)
    assert not isinstance(left.parts[0].values, np.ndarray)
    np.testing.assert_array_equal(left.parts[1].values, np.ones(4))  # small ones stay
    again = bring_back(left, tmp_path / "result")
    assert torch.equal(again.picture, result.picture)
    assert again.parts[0].values.dtype == np.uint16
    np.testing.assert_array_equal(again.parts[0].values, result.parts[0].values)
    assert (again.notes, again.parts[0].number) == (result.notes, 3)


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    left = move_arrays(whole(), tmp_path / "result")
    (tmp_path / "result").unlink()
    with pytest.raises(FileNotFoundError):
        bring_back(left, tmp_path / "result")
