"""Channels mixed and spread over pixels, as the layers of PyTorch do it."""

import pytest
import torch
from torch.nn import functional as F

from opir.ops import mix_channels, shuffle_up


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_mixing_is_a_1x1_convolution(memory_format: torch.memory_format) -> None:
    features = torch.rand(2, 5, 4, 7, dtype=torch.float64).contiguous(memory_format=memory_format)
    weight, bias = torch.rand(3, 5, dtype=torch.float64), torch.rand(3, dtype=torch.float64)
    expected = F.conv2d(features, weight[:, :, None, None], bias)
    torch.testing.assert_close(mix_channels(features, weight, bias), expected)
    each = mix_channels(features, torch.stack([weight, 2 * weight]), torch.stack([bias, bias]))
    torch.testing.assert_close(each[0], expected[0])
    torch.testing.assert_close(each[1], F.conv2d(features[1], 2 * weight[:, :, None, None], bias))


def test_shuffling_up_is_pixel_shuffle() -> None:
    channels = torch.rand(2, 12, 3, 5)
    torch.testing.assert_close(shuffle_up(channels), F.pixel_shuffle(channels, 2))


def test_gradients_are_exact() -> None:
    given = [torch.rand(*shape, dtype=torch.float64, requires_grad=True) for shape in ((2, 4, 2, 3), (8, 4), (8,))]
    assert torch.autograd.gradcheck(lambda *tensors: shuffle_up(mix_channels(*tensors)), given)
