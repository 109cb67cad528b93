"""Colours as grey values (uint8), which take a quarter of the memory, and as numbers in [0, 1] for the network."""

import torch
from torch import Tensor

_ROWS_AT_A_TIME = 128


def in_unit(colours: Tensor) -> Tensor:
    """Return colours of any shape in [0, 1], float32: uint8 grey values divided by 255, floats as they are."""
    return colours.float().div_(255) if colours.dtype == torch.uint8 else colours.float()


def in_grey_values(colours: Tensor) -> Tensor:
    """Return colours (..., H, W) as uint8 grey values, clamped and rounded, some rows at a time."""
    made = torch.empty_like(colours, dtype=torch.uint8)
    for top in range(0, colours.shape[-2], _ROWS_AT_A_TIME):
        rows = slice(top, top + _ROWS_AT_A_TIME)
        store(colours[..., rows, :], made[..., rows, :])
    return made


def store(colours: Tensor, target: Tensor) -> None:
    """Write colours of any shape into `target`, of the same shape: clamped and rounded if that is uint8."""
    target.copy_(colours.clamp(0, 1).mul_(255).round_() if target.dtype == torch.uint8 else colours)
