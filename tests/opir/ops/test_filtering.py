"""Laws of multi-scale filtering (Eqs. 14–18)."""

import pytest
import torch
from torch import Tensor

from opir.ops import filter_multiscale


def mirrored(index: int, size: int) -> int:
    """Reflect an index at the borders until it is inside."""
    while not 0 <= index < size:
        index = -index if index < 0 else 2 * (size - 1) - index
        if size == 1:
            return 0
    return index


def filter_by_loops(image: Tensor, kernels: Tensor, weights: Tensor, scales: tuple[int, ...]) -> Tensor:
    """Eqs. 16–18 as they are written."""
    batch, colours, height, width = image.shape
    channels = kernels.shape[1] // 9
    restored = torch.zeros_like(image)
    for b in range(batch):
        for c in range(colours):
            for y in range(height):
                for x in range(width):
                    for index, scale in enumerate(scales):
                        total = image.new_zeros(())
                        for tap in range(9):
                            row = mirrored(y + scale * (tap // 3 - 1), height)
                            column = mirrored(x + scale * (tap % 3 - 1), width)
                            kernel = kernels[b, (c if channels == 3 else 0) * 9 + tap, y, x]
                            total = total + kernel * image[b, c, row, column]
                        restored[b, c, y, x] += weights[b, index, y, x] * total
    return restored


def draw(shape: tuple[int, int], channels: int, num_scales: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    height, width = shape
    image = torch.rand(2, 3, height, width, generator=generator, dtype=torch.float64)
    kernels = torch.randn(2, channels * 9, height, width, generator=generator, dtype=torch.float64)
    logits = torch.randn(2, num_scales, height, width, generator=generator, dtype=torch.float64)
    return image, kernels, logits.softmax(dim=1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(7, 5), (1, 1), (3, 40)])
@pytest.mark.parametrize("scales", [(1,), (1, 2, 4, 8)])
@pytest.mark.parametrize("with_gradient", [False, True])
def test_equals_slow_loops(
    channels: int, shape: tuple[int, int], scales: tuple[int, ...], with_gradient: bool
) -> None:
    image, kernels, weights = draw(shape, channels, len(scales))
    with torch.set_grad_enabled(with_gradient):
        fast = filter_multiscale(image, kernels, weights, scales)
    torch.testing.assert_close(fast, filter_by_loops(image, kernels, weights, scales), rtol=0, atol=1e-12)


def test_strips_join_without_a_seam() -> None:
    image, kernels, weights = draw((75, 12), 3, 2)
    with torch.no_grad():
        strips = filter_multiscale(image, kernels, weights, (1, 8))
    whole = filter_multiscale(image, kernels, weights, (1, 8))
    torch.testing.assert_close(strips, whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_are_exact(channels: int) -> None:
    tensors = [tensor.requires_grad_() for tensor in draw((5, 4), channels, 2)]
    assert torch.autograd.gradcheck(lambda *given: filter_multiscale(*given, (1, 3)), tensors)


def test_identity_kernel_returns_the_image() -> None:
    image, _, weights = draw((6, 9), 3, 3)
    kernels = torch.zeros(2, 27, 6, 9, dtype=torch.float64)
    kernels[:, 4::9] = 1
    torch.testing.assert_close(filter_multiscale(image, kernels, weights, (1, 2, 4)), image)


def test_shared_kernel_equals_the_same_kernel_for_each_colour() -> None:
    image, kernels, weights = draw((6, 5), 1, 2)
    shared = filter_multiscale(image, kernels, weights, (1, 2))
    repeated = filter_multiscale(image, kernels.repeat(1, 3, 1, 1), weights, (1, 2))
    torch.testing.assert_close(shared, repeated)


def test_wrong_shapes_are_told() -> None:
    image, kernels, weights = draw((6, 5), 3, 2)
    with pytest.raises(ValueError, match=r"kernels must be \(2, 9 or 27, 6, 5\)"):
        filter_multiscale(image, kernels[:, :26], weights, (1, 2))
    with pytest.raises(ValueError, match=r"scale_weights must be \(2, 3, 6, 5\)"):
        filter_multiscale(image, kernels, weights, (1, 2, 4))
