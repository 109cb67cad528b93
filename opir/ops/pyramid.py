"""The pyramid: a photo at each level, and how the change of a coarser level is applied to a finer one.

Level 0 is the photo, and a pixel of level n is the mean of 2ⁿ×2ⁿ of its pixels. B batch, C colours, H height, W width
of a level; h = ⌈H / 2⌉ and w = ⌈W / 2⌉ those of the next coarser one.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from opir.ops.colours import in_unit, store

_WINDOW = 5  # side, odd, of the window in which contrast is compared, in pixels of half the level's size
_LITTLE_VARIANCE = 3e-4  # of grey in [0, 1]: where it varies much less, as a noisy sky does, the gain is about 1
_HIGHEST_GAIN = 4.0
_ROWS_AT_A_TIME = 128  # even; few enough for a CPU's cache


class Change(NamedTuple):
    """What was done to each pixel of a level, so that finer levels can do it too: x = (1 + contrast)·I + added."""

    contrast: Tensor
    """The factor of detail less 1, (B, 1, H, W), from 0 to 3; 0 where streaks were removed."""
    added: Tensor
    """(B, C, H, W)."""


def down(image: Tensor) -> Tensor:
    """Return the next coarser level, I_{n+1}: means of 2×2 pixels; at an odd border, of the pixels that exist.

    Args:
        image: I_n, (B, C, H, W), floats, or uint8 grey values.

    Returns:
        (B, C, ⌈H / 2⌉, ⌈W / 2⌉), in [0, 1]; float32 for grey values and half precision.
    """
    if image.dtype in (torch.float32, torch.float64):
        return F.avg_pool2d(image, 2, ceil_mode=True, count_include_pad=False)
    *axes, height, width = image.shape
    made = image.new_empty((*axes, -(-height // 2), -(-width // 2)), dtype=torch.float32)
    for top in range(0, height, _ROWS_AT_A_TIME):
        rows = down(in_unit(image[..., top : top + _ROWS_AT_A_TIME, :]))
        made[..., top // 2 : top // 2 + rows.shape[-2], :] = rows
    return made


def build_pyramid(image: Tensor, num_levels: int) -> list[Tensor]:
    """Return an image, (B, C, H, W), at each level, finest first: I_0, I_1, ..."""
    pyramid = [image]
    for _ in range(1, num_levels):
        pyramid.append(down(pyramid[-1]))
    return pyramid


def up(image: Tensor, height: int, width: int) -> Tensor:
    """Enlarge a picture or map to the next finer level's size, bilinearly: (B, C, h, w) → (B, C, height, width)."""
    return F.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)[..., :height, :width]


def change_of(before: Tensor, restored: Tensor) -> Change:
    """Express a level's result Ĵ as a change of I that finer levels can repeat: (1 + contrast)·I + added is Ĵ.

    The contrast is that of the best affine map in a window, never below 1: with grey values I and Ĵ,
    g = clamp((cov(I, Ĵ) + ε) / (var(I) + ε), 1, 4), and contrast = g − 1. Haze takes contrast, a streak does not.

    Args:
        before: I_n, (B, C, H, W) floats in [0, 1].
        restored: Ĵ_n, likewise.
    """
    grey, grey_restored = (down(picture.mean(dim=1, keepdim=True)) for picture in (before, restored))
    contrast = up(_window_mean(_gain(grey, grey_restored) - 1), *before.shape[-2:]).to(before.dtype)
    return Change(contrast, torch.addcmul(restored - before, contrast, before, value=-1))


def _gain(grey: Tensor, grey_restored: Tensor) -> Tensor:
    mean, mean_restored = _window_mean(grey), _window_mean(grey_restored)
    covariance = _window_mean(grey * grey_restored) - mean * mean_restored
    variance = _window_mean(grey * grey) - mean * mean
    return ((covariance + _LITTLE_VARIANCE) / (variance + _LITTLE_VARIANCE)).clamp(1, _HIGHEST_GAIN)


def _window_mean(image: Tensor) -> Tensor:
    """Average `_WINDOW` × `_WINDOW` pixels; at the border, those that exist."""
    return F.avg_pool2d(image, _WINDOW, stride=1, padding=_WINDOW // 2, count_include_pad=False)


def enlarged(change: Change, height: int, width: int) -> Change:
    """Return the change for the next finer level, of this height and width."""
    return Change(up(change.contrast, height, width), up(change.added, height, width))


def changed(finer: Tensor, change: Change) -> Tensor:
    """Apply the change of the coarser level: x_n = (1 + ↑contrast)·I_n + ↑added.

    With contrast 0 it is x_n = I_n + ↑(Ĵ_{n+1} − I_{n+1}); where nothing was changed it is exactly I_n.

    Args:
        finer: I_n, (B, C, H, W) in [0, 1].
        change: of level n + 1.

    Returns:
        x_n, (B, C, H, W), not clamped.
    """
    contrast, added = enlarged(change, *finer.shape[-2:])
    return finer + contrast * finer + added


def changed_rows(finer: Tensor, change: Change, top: int, bottom: int) -> Tensor:
    """Do the same for the rows from an even `top` up to `bottom` only: float32 (B, C, bottom - top, W).

    Args:
        finer: as above, or uint8 grey values, or in half precision.
        change: as above, for all rows.
        top: of the rows, even.
        bottom: of the rows.
    """
    first = max(top // 2 - 1, 0)  # interpolation reads one more row above and below
    near = Change(*(part[..., first : (bottom + 1) // 2 + 1, :].float() for part in change))
    return changed(in_unit(finer[..., 2 * first : bottom, :]), near)[..., top - 2 * first :, :]


def write_changed(finer: Tensor, change: Change, kept: Tensor) -> None:
    """Do the same some rows at a time, and write the result into `kept`, (B, C, H, W) of any type for colours."""
    for top in range(0, finer.shape[-2], _ROWS_AT_A_TIME):
        bottom = min(top + _ROWS_AT_A_TIME, finer.shape[-2])
        store(changed_rows(finer, change, top, bottom), kept[..., top:bottom, :])
