"""Building blocks of the kernel prediction network. None of them looks at the whole image: tiles stay exact."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import ClassVar

import torch
from torch import Tensor, nn


def initialise(module: nn.Module) -> None:
    """Initialise convolutions and linear layers so that ReLU keeps the variance of features (He et al. 2015)."""
    for layer in module.modules():
        # On the meta device, where only shapes are wanted, drawing would make PyTorch load its compiler: 95 MB.
        if isinstance(layer, (nn.Conv2d, nn.Linear)) and not layer.weight.is_meta:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def in_float32(like: Tensor) -> AbstractContextManager[object]:
    """Return a context that computes in float32, which small differences, and kernels of 1 plus a small offset, need.

    Args:
        like: a tensor on the device that computes.
    """
    kind = like.device.type  # `torch.compile` can not trace a test whether a device supports autocast
    return nullcontext() if kind == "meta" else torch.autocast(kind, enabled=False)


class ResidualBlock(nn.Module):
    """Two dense 3×3 convolutions and a skip: the cheapest block per multiply-add on a CPU."""

    copies: ClassVar = {4: 7, 2: 4}
    """See `working_copies`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.gain = nn.Parameter(torch.full((1, width, 1, 1), 0.2))

    def forward(self, features: Tensor) -> Tensor:
        change: Tensor = self.second(torch.relu_(self.first(features)))
        if torch.is_grad_enabled():  # in training, features stay float32
            return torch.addcmul(features, self.gain, change)
        gain = self.gain.to(change.dtype)  # in inference bfloat16 is enough, and takes two thirds of the memory
        written_over = torch.is_inference_mode_enabled() and features.dtype == change.dtype
        return torch.addcmul(features, gain, change, out=change if written_over else None)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel (LayerNorm2d of Chen et al. 2022)."""

    def __init__(self, width: int, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.epsilon = epsilon

    def forward(self, features: Tensor) -> Tensor:
        channels_last = features.permute(0, 2, 3, 1)
        normed = nn.functional.layer_norm(channels_last, self.weight.shape, self.weight, self.bias, self.epsilon)
        return normed.permute(0, 3, 1, 2)


def _simple_gate(features: Tensor) -> Tensor:
    first, second = features.chunk(2, dim=1)
    return first * second


class NAFBlock(nn.Module):
    """The NAFNet block (Chen et al. 2022) without its channel attention, which pools over the whole image."""

    copies: ClassVar = {4: 9, 2: 9}

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spatial_norm = ChannelNorm(width)
        self.expand = nn.Conv2d(width, 2 * width, 1)
        self.depthwise = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.project = nn.Conv2d(width, width, 1)
        self.spatial_gain = nn.Parameter(torch.full((1, width, 1, 1), 0.1))
        self.channel_norm = ChannelNorm(width)
        self.widen = nn.Conv2d(width, 2 * width, 1)
        self.narrow = nn.Conv2d(width, width, 1)
        self.channel_gain = nn.Parameter(torch.full((1, width, 1, 1), 0.1))

    def forward(self, features: Tensor) -> Tensor:
        spatial = self.project(_simple_gate(self.depthwise(self.expand(self.spatial_norm(features)))))
        features = features + spatial * self.spatial_gain
        channel: Tensor = self.narrow(_simple_gate(self.widen(self.channel_norm(features))))
        return features + channel * self.channel_gain


BLOCKS: dict[str, type[nn.Module]] = {
    "nafnet": NAFBlock,
    "residual": ResidualBlock,
}
"""By name; each is built from a width, and keeps the shape of its features (B, width, H, W)."""
_MOST_COPIES = {4: 12, 2: 12}  # for a block without `copies`
_TRIED_SIDE, _TRIED_WIDTH = 33, 4
_TRIED_SHAPE = (1, _TRIED_WIDTH, _TRIED_SIDE, _TRIED_SIDE)


def block_named(name: str) -> type[nn.Module]:
    """Return the class of a block; raises ValueError that lists the names."""
    if name not in BLOCKS:
        raise ValueError(f'block must be {" or ".join(sorted(BLOCKS))}, got "{name}"')
    return BLOCKS[name]


def working_copies(name: str, number_bytes: int) -> int:
    """Return how many copies of its features a block has in memory at once; the size of tiles depends on it.

    Args:
        name: of the block, whose attribute `copies` says it; without it a large number is assumed.
        number_bytes: bytes of a number, 4 or 2.
    """
    copies: dict[int, int] = getattr(block_named(name), "copies", _MOST_COPIES)
    return copies[number_bytes]


@cache
def reach_of(name: str) -> int:
    """Measure how many pixels of its own resolution an output of a block depends on, in each direction.

    Raises:
        ValueError: if a block changes the shape of its features, or looks at all of what it is given: parts of a
            photo would not give the whole.
    """
    block = block_named(name)
    with ThreadPoolExecutor(1) as thread:  # without the caller's contexts: device, precision, counters
        measured = thread.submit(_measured_reach, block)
    try:
        reach = measured.result()
    except RuntimeError as error:  # such as two shapes that do not fit
        shape = _TRIED_SHAPE
        raise ValueError(f'the block "{name}" must keep the shape of its features, here {shape}: {error}') from error
    if reach == _TRIED_SIDE // 2:
        raise ValueError(f'the block "{name}" looks at all of its input: parts of a photo would not give the whole')
    return reach


def _measured_reach(block: type[nn.Module]) -> int:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        tried = block(_TRIED_WIDTH)
        for parameter in tried.parameters():
            parameter.copy_(torch.randn_like(parameter))
        features = torch.randn(_TRIED_SHAPE)
        changed, middle = features.clone(), _TRIED_SIDE // 2
        changed[..., middle, middle] = torch.randn(_TRIED_WIDTH)  # random, so that no normalisation cancels it
        before, after = tried(features), tried(changed)
        if before.shape != _TRIED_SHAPE:
            raise RuntimeError(f"it returns {tuple(before.shape)}; pad its convolutions")
        touched = (after != before).any(dim=1)[0].nonzero() - middle
    return int(touched.abs().max())
