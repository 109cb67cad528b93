"""What can not be seen decides nothing: hidden pixels take the colours that are seen around them.

C colours, H height, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def extended(colours: Tensor, is_seen: Tensor) -> Tensor:
    """Return colours whose hidden pixels continue the seen ones smoothly; the seen ones are untouched.

    Weighted means of ever larger cells fill what is smaller than they are (pull and push, Gortler et al. 1996,
    "The Lumigraph", section 3.4).

    Args:
        colours: float (C, H, W); what stands in hidden pixels does not matter.
        is_seen: bool (H, W); where nothing is seen, all becomes mid-grey.
    """
    weight = is_seen.to(torch.float32)[None, None]
    seen = torch.where(is_seen, colours.float(), torch.zeros(()))[None]
    pyramid = [(seen, weight)]
    while max(weight.shape[-2:]) > 1:
        total = F.avg_pool2d(seen * weight, 2, ceil_mode=True)
        share = F.avg_pool2d(weight, 2, ceil_mode=True)
        seen, weight = total / share.clamp_min(1e-12), (share > 0).float()
        pyramid.append((seen, weight))
    filled = torch.where(weight > 0, seen, torch.full((), 0.5))
    for seen, weight in reversed(pyramid[:-1]):
        coarse = F.interpolate(filled, size=seen.shape[-2:], mode="bilinear", align_corners=False)
        filled = torch.where(weight > 0, seen, coarse)
    return torch.where(is_seen, colours, filled[0].to(colours.dtype))
