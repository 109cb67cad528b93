"""Colours kept as levels of 8 bits, which take a quarter of the memory, and as the network computes with them."""

import torch
from torch import Tensor


def in_unit(colours: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return colours of any shape in [0, 1]: uint8 levels divided by 255, floats as they are.

    Args:
        colours: uint8 or floating point.
        dtype: what the result is to be of.
    """
    return colours.to(dtype).div_(255) if colours.dtype == torch.uint8 else colours.to(dtype)
