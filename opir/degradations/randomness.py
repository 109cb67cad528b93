"""Random numbers for a batch, from a given generator, on its device; the shape is (B, 1, 1, 1)."""

import math

import torch
from torch import Generator, Tensor


def uniform(generator: Generator, batch: int, low: float, high: float) -> Tensor:
    """Draw one value per photo from [low, high): (B, 1, 1, 1)."""
    drawn = torch.rand((batch, 1, 1, 1), generator=generator, device=generator.device)
    return low + (high - low) * drawn


def log_uniform(generator: Generator, batch: int, low: float, high: float) -> Tensor:
    """Draw one value per photo from [low, high), all orders of magnitude alike: (B, 1, 1, 1)."""
    return uniform(generator, batch, math.log(low), math.log(high)).exp()


def chance(generator: Generator, batch: int, probability: float) -> Tensor:
    """Draw 1 with the given probability, else 0, for each photo: (B, 1, 1, 1)."""
    drawn = torch.rand((batch, 1, 1, 1), generator=generator, device=generator.device)
    return (drawn < probability).float()
