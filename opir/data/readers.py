"""Reads pictures to train on: photos, depths of any unit, recorded rain; all (C, H, W) uint8."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from opir.photo.headers import read_values
from opir.photo.photo import load_rgb8

DEPTH_UNIT = 1.7
"""The depth that 255 stands for in a stored depth map; 0 is near, 1 far, and the sky has more."""
_LONGEST_SHORT_SIDE = 900  # of clean photos
_FAINTEST_STREAK = 3  # grey values: what is fainter is noise, not rain
_RAINY_FROM = 0.6  # grey values: mean streak from which a photo shows enough rain to learn from


def read_clean(path: Path) -> Tensor:
    """Read a photo to put weather on, (3, H, W); larger ones are reduced to a short side of 900 pixels."""
    rgb = load_rgb8(path)
    height, width = rgb.shape[-2:]
    share = _LONGEST_SHORT_SIDE / min(height, width)
    return rgb if share >= 1 else _resized(rgb, round(width * share), round(height * share))


def _resized(rgb: Tensor, width: int, height: int) -> Tensor:
    picture = Image.fromarray(rgb.permute(1, 2, 0).numpy()).resize((width, height), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def read_streaks(path: Path) -> Tensor:
    """Read a layer of streaks, (1, H, W) uint8, less the noise."""
    layer = load_rgb8(path).float().mean(dim=0, keepdim=True)
    return (layer - _FAINTEST_STREAK).clamp_min(0).round().byte()


def streaks_between(rainy: Path, restored: Path) -> Tensor | None:
    """Return the streaks that a rainy photo has and its restoration has not; the two may differ in size.

    Returns:
        (1, H, W) uint8, or None if there is hardly any rain.
    """
    target = load_rgb8(restored)
    given = _resized(load_rgb8(rainy), target.shape[2], target.shape[1])
    difference = (given.float() - target.float()).mean(dim=0, keepdim=True)
    streaks = (difference - _FAINTEST_STREAK).clamp(0, 255).round().byte()
    return streaks if streaks.float().mean() > _RAINY_FROM else None


def read_depth(path: Path) -> Tensor:
    """Read a depth map of 8 bits as it is, or of 16 bits in any unit so that 1 is far: (1, H, W) uint8."""
    values = read_values(path)
    if values.dtype != np.uint8:
        values = _filled(values.astype(np.float32))
        far = max(float(np.quantile(values, 0.95)), 1e-6)
        values = (values / far / DEPTH_UNIT * 255).clip(1, 255).round().astype(np.uint8)
    return torch.from_numpy(values)[None]


def _filled(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give holes (zeros) the mean depth around them."""
    for cell in (4, 16, 64, 256):
        if (depth > 0).all():
            break
        rows, columns = (-(-size // cell) for size in depth.shape)
        padded = np.pad(depth, ((0, rows * cell - depth.shape[0]), (0, columns * cell - depth.shape[1])))
        cells = padded.reshape(rows, cell, columns, cell)
        mean = cells.sum(axis=(1, 3)) / np.maximum((cells > 0).sum(axis=(1, 3)), 1)
        around = np.repeat(np.repeat(mean, cell, axis=0), cell, axis=1)[: depth.shape[0], : depth.shape[1]]
        depth = np.where(depth > 0, depth, around).astype(np.float32)
    return depth
