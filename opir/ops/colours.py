"""Colours as grey values (uint8), which take a quarter of the memory, and as numbers in [0, 1] for the network."""

import torch
from torch import Tensor


def in_unit(colours: Tensor) -> Tensor:
    """Return colours of any shape in [0, 1], float32: uint8 grey values divided by 255, floats as they are."""
    return colours.float().div_(255) if colours.dtype == torch.uint8 else colours.float()


def in_grey_values(colours: Tensor) -> Tensor:
    """Return colours of any shape as uint8 grey values, clamped and rounded."""
    return (colours.clamp(0, 1) * 255).round_().to(torch.uint8)


def store(colours: Tensor, target: Tensor) -> None:
    """Write colours of any shape into `target`, of the same shape: clamped and rounded if that is uint8."""
    target.copy_(colours.clamp(0, 1).mul_(255).round_() if target.dtype == torch.uint8 else colours)
