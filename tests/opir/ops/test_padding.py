"""Reflection padding at any size."""

import numpy as np
import pytest
import torch

from opir.ops import crop, pad_to_multiple, reflect_pad


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 31), (40, 40)])
def test_reflects_as_numpy_does(shape: tuple[int, int]) -> None:
    image = torch.rand(1, 2, *shape)
    padded = reflect_pad(image, 3, 9, 4, 17)
    expected = np.pad(image.numpy(), ((0, 0), (0, 0), (4, 17), (3, 9)), mode="reflect")
    np.testing.assert_array_equal(padded.numpy(), expected)


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (17, 15), (3, 50)])
def test_pads_to_the_next_multiple_and_crops_back(shape: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *shape)
    padded = pad_to_multiple(image, 16)
    assert all(side % 16 == 0 and 0 <= side - old < 16 for side, old in zip(padded.shape[-2:], shape, strict=True))
    assert torch.equal(crop(padded, *shape), image)
