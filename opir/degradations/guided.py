"""The guided filter (K. He, J. Sun, X. Tang, ECCV 2010; its fast form, He and Sun 2015)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def guided_filter(guide: Tensor, values: Tensor, radius: int, epsilon: float = 1e-3) -> Tensor:
    """Smooth values where a guide is smooth; their edges follow its edges: in each window they are a·guide + b.

    Args:
        guide: (B, C, H, W).
        values: (B, C, h, w), of the guide's size or smaller; a and b are fitted at their size.
        radius: of the square window, in pixels of the values.
        epsilon: how much the guide must vary in a window to count as an edge, squared.

    Returns:
        (B, C, H, W).
    """
    small = F.interpolate(guide, size=values.shape[-2:], mode="area")
    mean_guide, mean_values = _box_mean(small, radius), _box_mean(values, radius)
    covariance = _box_mean(small * values, radius) - mean_guide * mean_values
    variance = _box_mean(small * small, radius) - mean_guide.square()
    slope = covariance / (variance + epsilon)
    offset = mean_values - slope * mean_guide
    fit = torch.cat([_box_mean(slope, radius), _box_mean(offset, radius)], dim=1)
    slope, offset = F.interpolate(fit, size=guide.shape[-2:], mode="bilinear").chunk(2, dim=1)
    return slope * guide + offset


def _box_mean(values: Tensor, radius: int) -> Tensor:
    """Return the mean of the square around each pixel; at the border, of what lies inside."""
    for window in ((2 * radius + 1, 1), (1, 2 * radius + 1)):  # one direction after the other: the same, and faster
        padding = (window[0] // 2, window[1] // 2)
        values = F.avg_pool2d(values, window, stride=1, padding=padding, count_include_pad=False)
    return values
