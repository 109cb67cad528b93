"""Snow as flakes that cover the scene (Eq. 3) under an optional veil.

B batch, H height, W width.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from opir.degradations.haze import veil
from opir.degradations.particles import flake_shape, scatter
from opir.degradations.randomness import chance, log_uniform, uniform

# Radius range in pixels, densest coverage, and how far motion stretches a flake: far, middle and near flakes.
_LAYERS = (((0.6, 1.3), 0.10, 3.0), ((1.3, 3.5), 0.08, 2.5), ((3.5, 11.0), 0.06, 2.0))
_ALWAYS = 1  # the layer that every snowy photo has: a photo with a few large flakes only would often show no snow


def flake_mask(
    batch: int, height: int, width: int, generator: Generator, weather_size: float | Tensor = 1.0
) -> Tensor:
    """Render the mask M of small, middle and large flakes: (B, 1, H, W) in [0, 1].

    Args:
        batch, height, width: shape of the result.
        generator: source of randomness.
        weather_size: how many times larger than in a half-megapixel photo everything is, for all or (B, 1, 1, 1).
    """
    wind = uniform(generator, batch, -0.9, 0.9)
    size = log_uniform(generator, batch, 0.75, 1.6) * weather_size
    visible = torch.ones((batch, 1, height, width), device=generator.device)
    for index, ((smallest, largest), densest, motion) in enumerate(_LAYERS):
        radius = (log_uniform(generator, batch, smallest, largest) * size).clamp_min(0.6)
        stretch = 1 + (motion - 1) * uniform(generator, batch, 0, 1).square()
        angle = wind + 0.15 * torch.randn(wind.shape, generator=generator, device=generator.device)
        hardness = uniform(generator, batch, 1.6, 5.0)
        shape = flake_shape(height, width, radius, stretch, angle, hardness)
        present = torch.ones_like(size) if index == _ALWAYS else chance(generator, batch, 0.75)
        layer = scatter(generator, shape, log_uniform(generator, batch, densest / 20, densest))
        visible = visible * (1 - present * uniform(generator, batch, 0.5, 1.0) * layer)
    return 1 - visible


def snow(
    clean: Tensor, generator: Generator, weather_size: float | Tensor = 1.0, depth: Tensor | None = None
) -> Tensor:
    """Return snowy photos, from a few flakes to a flurry: (B, 3, H, W) in [0, 1].

    Args:
        clean: J, (B, 3, H, W) in [0, 1].
        generator: source of randomness, on the device of `clean`.
        weather_size: size of the flakes, 1 for a photo of half a megapixel, for all or (B, 1, 1, 1).
        depth: of the mist, (B, 1, H, W) around 1; None invents one.
    """
    batch, _, height, width = clean.shape
    misty = chance(generator, batch, 0.35)
    optical_depth = misty * uniform(generator, batch, 0.05, 0.6)
    scene = torch.where(misty > 0, veil(clean, generator, optical_depth, depth), clean)
    mask = flake_mask(batch, height, width, generator, weather_size)
    grain = torch.rand((batch, 1, 6, 6), generator=generator, device=clean.device)
    shade = F.interpolate(grain, size=(height, width), mode="bilinear", align_corners=False)
    tint = 0.015 * torch.randn((batch, 3, 1, 1), generator=generator, device=clean.device)
    flakes = uniform(generator, batch, 0.78, 1.0) + tint - 0.12 * shade
    return (mask * flakes + (1 - mask) * scene).clamp(0, 1)
