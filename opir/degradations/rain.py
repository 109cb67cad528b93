"""Rain as a sum of streak layers (Eq. 2) under an optional veil of mist.

B batch, H height, W width.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from opir.degradations.haze import veil
from opir.degradations.particles import scatter, streak_shape
from opir.degradations.randomness import chance, log_uniform, uniform

_MAX_LAYERS = 3


def streak_layers(
    batch: int, height: int, width: int, generator: Generator, weather_size: float | Tensor = 1.0
) -> Tensor:
    """Render rain from several layers, each with its own length, width, angle and density: (B, 1, H, W) in [0, 1].

    Args:
        batch, height, width: shape of the result.
        generator: source of randomness.
        weather_size: how many times larger than in a half-megapixel photo everything is, for all or (B, 1, 1, 1).
    """
    angle = uniform(generator, batch, -0.75, 0.75) * uniform(generator, batch, 0.2, 1.0)
    size = log_uniform(generator, batch, 0.6, 2.2) * weather_size
    total = torch.zeros((batch, 1, height, width), device=generator.device)
    for index in range(_MAX_LAYERS):
        present = torch.ones_like(angle) if index == 0 else chance(generator, batch, 0.55)
        length = log_uniform(generator, batch, 6, 45) * size
        thickness = (log_uniform(generator, batch, 0.35, 1.3) * size).clamp_min(0.35)
        tilt = angle + 0.08 * torch.randn(angle.shape, generator=generator, device=generator.device)
        shape = streak_shape(height, width, length, thickness, tilt)
        layer = scatter(generator, shape, log_uniform(generator, batch, 0.006, 0.22))
        total = total + present * uniform(generator, batch, 0.3, 1.0) * layer
    return total.clamp(0, 1)


def _rotated(layers: Tensor, generator: Generator, max_degrees: float) -> Tensor:
    batch = len(layers)
    angle = uniform(generator, batch, -1, 1).flatten() * math.radians(max_degrees)
    zoom = uniform(generator, batch, 0.7, 1.3).flatten()
    mirror = 1 - 2 * chance(generator, batch, 0.5).flatten()
    cosine, sine, zero = angle.cos() / zoom, angle.sin() / zoom, torch.zeros_like(angle)
    theta = torch.stack([cosine * mirror, -sine, zero, sine * mirror, cosine, zero], dim=1).view(batch, 2, 3)
    grid = F.affine_grid(theta, list(layers.shape), align_corners=False)
    return F.grid_sample(layers, grid, padding_mode="reflection", align_corners=False)


def mix_streaks(layers: Tensor, generator: Generator) -> Tensor:
    """Turn, zoom and mirror streak layers a little, and lay a second copy over some: (B, 1, H, W) in [0, 1].

    What RainMix does (Guo et al. 2021).
    """
    batch = len(layers)
    layers = _rotated(layers, generator, max_degrees=12)
    copy = _rotated(layers, generator, max_degrees=20)
    mixed = torch.maximum(layers, copy * uniform(generator, batch, 0.3, 1.0) * chance(generator, batch, 0.4))
    return (mixed * uniform(generator, batch, 0.6, 1.6)).clamp(0, 1)


def rain(
    clean: Tensor,
    generator: Generator,
    weather_size: float | Tensor = 1.0,
    depth: Tensor | None = None,
    layers: Tensor | None = None,
) -> Tensor:
    """Return rainy photos, from a drizzle to a downpour: (B, 3, H, W) in [0, 1].

    Args:
        clean: J, (B, 3, H, W) in [0, 1].
        generator: source of randomness, on the device of `clean`.
        weather_size: size of the streaks, 1 for a photo of half a megapixel, for all or (B, 1, 1, 1).
        depth: of the mist, (B, 1, H, W) around 1; None invents one.
        layers: recorded streaks of the photos' size, (B, 1, H, W) in [0, 1]; half of the photos get these.
    """
    batch, _, height, width = clean.shape
    misty = chance(generator, batch, 0.3)
    optical_depth = misty * uniform(generator, batch, 0.05, 0.6)
    scene = torch.where(misty > 0, veil(clean, generator, optical_depth, depth), clean)
    streaks = streak_layers(batch, height, width, generator, weather_size)
    if layers is not None:
        streaks = torch.where(chance(generator, batch, 0.5) > 0, mix_streaks(layers, generator), streaks)
    strength = uniform(generator, batch, 0.35, 1.0)
    light = uniform(generator, batch, 0.75, 1.0) + 0.02 * torch.randn(
        (batch, 3, 1, 1), generator=generator, device=generator.device
    )
    # screen = 0 adds the streaks, screen = 1 blends them as 1 - (1 - J)(1 - R); 40 % of the photos have 0
    screen = torch.where(
        chance(generator, batch, 0.4) > 0, torch.zeros_like(strength), uniform(generator, batch, 0, 1)
    )
    return (scene + streaks * strength * (light - screen * scene)).clamp(0, 1)
