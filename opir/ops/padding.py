"""Borders and odd sizes: reflection that also works on pictures smaller than the border.

B batch, C channels, H height, W width.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def _reflected_indices(size: int, before: int, after: int, device: torch.device) -> Tensor:
    if size == 1:
        return torch.zeros(before + 1 + after, dtype=torch.long, device=device)
    position = torch.arange(-before, size + after, device=device).abs()
    period = 2 * (size - 1)
    position = position % period
    return torch.where(position < size, position, period - position)


def reflect_pad(image: Tensor, left: int, right: int, top: int, bottom: int) -> Tensor:
    """Extend an image by mirroring it at its border, again and again where it is smaller than the border.

    Args:
        image: (B, C, H, W) with H, W ≥ 1.
        left, right, top, bottom: pixels to add on each side.

    Returns:
        (B, C, top + H + bottom, left + W + right).
    """
    height, width = image.shape[-2:]
    if max(left, right) < width and max(top, bottom) < height and image.is_floating_point():
        return F.pad(image, (left, right, top, bottom), mode="reflect")
    rows = _reflected_indices(height, top, bottom, image.device)
    columns = _reflected_indices(width, left, right, image.device)
    return image.index_select(-2, rows).index_select(-1, columns)


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Extend an image at the bottom and right by reflection until both sides are multiples of `multiple`.

    Args:
        image: (B, C, H, W) with H, W ≥ 1.
        multiple: what both sides of the result divide by.
    """
    height, width = image.shape[-2:]
    bottom, right = -height % multiple, -width % multiple
    return reflect_pad(image, 0, right, 0, bottom) if bottom or right else image


def crop(image: Tensor, height: int, width: int) -> Tensor:
    """Return the top left (…, height, width) of an image: undoes `pad_to_multiple`."""
    return image[..., :height, :width]
