"""Haze by the atmospheric scattering model (Eq. 4), with depth that follows the scene.

B batch, H height, W width.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from opir.degradations.guided import guided_filter
from opir.degradations.randomness import chance, log_uniform, uniform

_COARSE_SIDE = 32  # long side of the grid on which depth is invented
_THINNEST_MEAN, _THICKEST_MEAN = 0.15, 2.2  # optical depth as a mean over a photo
_THINNEST, _THICKEST = 0.12, 5.0  # optical depth of far things: from hardly visible haze to smog that hides a street
_SMOG, _SMOG_LIGHT = (2.0, 6.0), (0.6, 1.0)  # optical depth of far things, and how much of the light is left
_SEEN_THROUGH = 0.12  # transmission below which nobody can restore what lies behind


def imagined_depth(clean: Tensor, generator: Generator) -> Tensor:
    """Invent a plausible depth for a photo that has none: (B, 3, H, W) → (B, 1, H, W), mean 1.

    Perspective (the ground comes nearer towards the bottom), smooth hills, and edges that follow the photo's.

    Args:
        clean: J, (B, 3, H, W) in [0, 1].
        generator: source of randomness, on the device of `clean`.
    """
    batch, _, height, width = clean.shape
    grey = clean.mean(dim=1, keepdim=True)
    coarse = (
        max(1, height * _COARSE_SIDE // max(height, width)),
        max(1, width * _COARSE_SIDE // max(height, width)),
    )
    rows = torch.linspace(1, 0, coarse[0], device=clean.device)[:, None].expand(coarse)
    perspective = rows.pow(uniform(generator, batch, 0.7, 3.0)) * uniform(generator, batch, 0.2, 2.5)
    grid = torch.rand((batch, 1, 4, 4), generator=generator, device=clean.device)
    hills = F.interpolate(grid, size=coarse, mode="bicubic", align_corners=False)
    follow = uniform(generator, batch, -0.6, 1.2) * (F.interpolate(grey, size=coarse, mode="area") - 0.5)
    rough = perspective + hills * uniform(generator, batch, 0.2, 1.5) + 0.15
    depth = guided_filter(grey, rough + follow, radius=3).clamp_min(0.05)
    return depth / depth.mean(dim=(2, 3), keepdim=True)


def airlight(generator: Generator, batch: int) -> Tensor:
    """Draw the colour of the light that haze scatters: (B, 3, 1, 1), mostly grey, now and then tinted."""
    brightness = uniform(generator, batch, 0.62, 1.0)
    direction = torch.randn((batch, 3, 1, 1), generator=generator, device=generator.device)
    tint = 0.015 + 0.04 * chance(generator, batch, 0.3)
    return (brightness + tint * (direction - direction.mean(dim=1, keepdim=True))).clamp(0.3, 1.0)


def veil(clean: Tensor, generator: Generator, optical_depth: Tensor, depth: Tensor | None = None) -> Tensor:
    """Apply Eq. 4 with t = exp(-optical_depth · depth).

    Args:
        clean: J, (B, 3, H, W).
        generator: source of randomness.
        optical_depth: (B, 1, 1, 1), β times the mean depth.
        depth: (B, 1, H, W) with mean 1; None invents one.
    """
    if depth is None:
        depth = imagined_depth(clean, generator)
    transmission = torch.exp(-optical_depth * depth).clamp_min(0.06)
    light = airlight(generator, len(clean))
    return clean * transmission + light * (1 - transmission)


def haze(clean: Tensor, generator: Generator) -> Tensor:
    """Return hazy photos, from a breath of haze to dense fog, over an imagined depth: (B, 3, H, W) in [0, 1].

    Args:
        clean: J, (B, 3, H, W) in [0, 1].
        generator: source of randomness, on the device of `clean`.
    """
    optical_depth = log_uniform(generator, len(clean), _THINNEST_MEAN, _THICKEST_MEAN)
    return veil(clean, generator, optical_depth).clamp(0, 1)


def haze_over_distance(
    clean: Tensor, generator: Generator, depth: Tensor, smog_share: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Put haze on photos that grows with distance (Eq. 4), t = exp(-β·d^p).

    Args:
        clean: J, (B, 3, H, W) in [0, 1].
        generator: source of randomness, on the device of `clean`.
        depth: d, (B, 1, H, W): near 0 for what is close, 1 for far things, more for the sky.
        smog_share: share of photos under dense smog, some of them in dim light, where only near things are visible.

    Returns:
        The hazy photos, and the target for restoring them: where less than 12 % of the light came through, it
        keeps some of the haze, so that nothing hidden has to be invented.
    """
    batch = len(clean)
    optical_depth = log_uniform(generator, batch, _THINNEST, _THICKEST)
    light = torch.ones(batch, 1, 1, 1, device=clean.device)
    if smog_share:
        in_smog = chance(generator, batch, smog_share) > 0
        optical_depth = torch.where(in_smog, uniform(generator, batch, *_SMOG), optical_depth)
        light = torch.where(in_smog, uniform(generator, batch, *_SMOG_LIGHT), 1.0)
    reached = depth.clamp_min(1e-3).pow(uniform(generator, batch, 0.7, 1.6))
    uneven = chance(generator, batch, 0.3) * uniform(generator, batch, 0.1, 0.5)
    swathes = torch.rand((batch, 1, 4, 4), generator=generator, device=clean.device) - 0.5
    swathes = F.interpolate(swathes, size=clean.shape[-2:], mode="bilinear", align_corners=False)
    transmission = torch.exp(-optical_depth * reached * (1 + uneven * swathes)).clamp_min(0.02)
    light = light * airlight(generator, batch)
    hazy = clean * transmission + light * (1 - transmission)
    share = (transmission / _SEEN_THROUGH).clamp_max(1)
    return hazy.clamp(0, 1), clean * share + light * (1 - share)
