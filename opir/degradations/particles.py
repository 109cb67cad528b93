"""Streaks and flakes: copies of one small shape at random places, drawn by a circular convolution.

B batch, H height, W width. All parameters are (B, 1, 1, 1) tensors in pixels and radians.
"""

import torch
from torch import Generator, Tensor


def _coordinates(height: int, width: int, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Return signed distances along and across a direction, with the origin in the corner (circular)."""
    rows = torch.fft.fftfreq(height, 1 / height, device=angle.device)[:, None]
    columns = torch.fft.fftfreq(width, 1 / width, device=angle.device)[None]
    along = rows * angle.cos() + columns * angle.sin()
    across = columns * angle.cos() - rows * angle.sin()
    return along, across


def streak_shape(height: int, width: int, length: Tensor, thickness: Tensor, angle: Tensor) -> Tensor:
    """Return a fading line through the origin: (B, 1, H, W), peak 1.

    Args:
        height, width: size of the picture.
        length: of the line.
        thickness: Gaussian standard deviation across the line.
        angle: from the vertical.
    """
    along, across = _coordinates(height, width, angle)
    fade = (1 - (2 * along / length).square()).clamp_min(0).sqrt()
    return torch.exp(-0.5 * (across / thickness).square()) * fade


def flake_shape(height: int, width: int, radius: Tensor, stretch: Tensor, angle: Tensor, hardness: Tensor) -> Tensor:
    """Return a soft disc at the origin, stretched by motion: (B, 1, H, W), peak 1.

    Args:
        height, width: size of the picture.
        radius: across the motion.
        stretch: how many times longer the disc is along the motion, ≥ 1.
        angle: of the motion, from the vertical.
        hardness: 2 is a Gaussian blob, 6 a disc with an edge.
    """
    along, across = _coordinates(height, width, angle)
    distance = ((along / stretch).square() + across.square()).sqrt() / radius
    return torch.exp(-distance.pow(hardness))


def scatter(generator: Generator, shape: Tensor, coverage: Tensor) -> Tensor:
    """Scatter copies of a shape at random, so many that they cover a given share of the picture.

    Args:
        generator: source of randomness.
        shape: (B, 1, H, W) around the origin, in [0, 1].
        coverage: (B, 1, 1, 1), expected sum of all copies per pixel.

    Returns:
        (B, 1, H, W) in [0, 1]; copies differ in strength, and where they overlap their sum is taken, up to 1.
    """
    area = shape.sum(dim=(2, 3), keepdim=True).clamp_min(1)
    drawn = torch.rand(shape.shape, generator=generator, device=shape.device)
    density = (coverage / area).clamp_max(0.5)
    strength = 0.35 + 0.65 * torch.rand(shape.shape, generator=generator, device=shape.device)
    seeds = torch.where(drawn < density, strength, torch.zeros_like(strength))
    spectrum = torch.fft.rfft2(seeds) * torch.fft.rfft2(shape)
    layer: Tensor = torch.fft.irfft2(spectrum, s=tuple(shape.shape[-2:]))
    return layer.clamp(0, 1)
