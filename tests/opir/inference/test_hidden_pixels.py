"""The same cut-out over black, white and its own colours: the same weather, the same operators, the same result."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.inference import Restoration, Restorer
from tests.opir.conftest import random_photo


def cut_out(folder: Path, hidden: int | None) -> Path:
    pixels = np.full((90, 120, 4), 255, np.uint8)
    pixels[..., :3] = np.rint(random_photo(90, 120).permute(1, 2, 0).numpy() * 255)
    for hole in (np.s_[20:60, 30:80], np.s_[70:, :30]):
        pixels[hole][..., 3] = 0
        if hidden is not None:
            pixels[hole][..., :3] = hidden
    path = folder / f"{hidden}.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("task", ["auto", "haze"])
def test_what_is_hidden_decides_nothing(task: str, restorer: Restorer, tmp_path: Path) -> None:
    results: list[Restoration] = [restorer.restore(cut_out(tmp_path, hidden), task) for hidden in (None, 0, 255)]
    first, *others = results
    for number, other in enumerate(others):
        assert first.embedding is not None
        assert other.embedding is not None
        np.testing.assert_array_equal(first.embedding, other.embedding)
        np.testing.assert_array_equal(first.uncertainty, other.uncertainty)
        assert torch.equal(first.restored_rgb, other.restored_rgb)
        seen = []
        for name, result in (("first", first), (f"{number}", other)):
            result.save(tmp_path / f"{name}_out.png")
            pixels = np.asarray(Image.open(tmp_path / f"{name}_out.png"))
            seen.append(pixels[pixels[..., 3] > 0])
        np.testing.assert_array_equal(*seen)
