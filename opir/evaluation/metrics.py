"""PSNR and SSIM of a restoration, and how well its uncertainty tells where the error is.

PSNR and SSIM are as in the deraining literature: of pictures clamped and rounded to 8 bits, on RGB or on
the luma Y of BT.601 in studio range (MATLAB's rgb2ycbcr, not rounded). SSIM is that of Wang et al. 2004: a
Gaussian window of 11×11 pixels, σ = 1.5, wherever it fits into the picture, averaged over colours.

H height, W width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from opir.data.published import Space

SPACES: tuple[Space, ...] = ("rgb", "y")
UNCHANGED_PSNR = 60.0
"""In dB: what equal pictures count as in a mean. (One grey value of ten wrong by 1 gives about 58.)"""
BLOCK = 8  # side of the squares that uncertainty is judged on: single pixels are dominated by noise
_WINDOW, _SIGMA = 11, 1.5
_LUMA = (65.481, 128.553, 24.966)


def psnr(restored: Tensor, clean: Tensor, space: Space = "rgb", rounded: bool = True) -> float:
    """Return the peak signal-to-noise ratio in dB; infinity for equal pictures.

    Args:
        restored: (3, H, W) in [0, 1].
        clean: as `restored`.
        space: "rgb", or "y" for luma only.
        rounded: whether pictures are rounded to 8 bits, as for published figures.

    Raises:
        ValueError: for pictures of different or wrong shapes, or an unknown space.
    """
    first, second = _grey_values(restored, clean, space, rounded)
    error = (first - second).square().mean()
    return float(10 * torch.log10(255**2 / error))


def ssim(restored: Tensor, clean: Tensor, space: Space = "rgb") -> float:
    """Return the structural similarity, 1 for equal pictures.

    Args:
        restored: (3, H, W) in [0, 1], H and W at least 11.
        clean: as `restored`.
        space: "rgb", or "y" for luma only.

    Raises:
        ValueError: for pictures of different, wrong or too small shapes, or an unknown space.
    """
    first, second = _grey_values(restored, clean, space)
    if min(first.shape[-2:]) < _WINDOW:
        raise ValueError(f"SSIM needs at least {_WINDOW}x{_WINDOW} pixels, got {tuple(first.shape[-2:])}")
    first, second = first[:, None], second[:, None]
    mean_first, mean_second = _blur(first), _blur(second)
    variance_first = _blur(first * first) - mean_first**2
    variance_second = _blur(second * second) - mean_second**2
    covariance = _blur(first * second) - mean_first * mean_second
    luminance, contrast = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = (2 * mean_first * mean_second + luminance) * (2 * covariance + contrast)
    similarity /= (mean_first**2 + mean_second**2 + luminance) * (variance_first + variance_second + contrast)
    return float(similarity.mean())


def _grey_values(restored: Tensor, clean: Tensor, space: Space, rounded: bool = True) -> tuple[Tensor, Tensor]:
    """Return both pictures as grey values in float64, (3, H, W) or (1, H, W)."""
    if restored.shape != clean.shape or restored.dim() != 3 or restored.shape[0] != 3:
        shapes = f"{tuple(restored.shape)} and {tuple(clean.shape)}"
        raise ValueError(f"expected two pictures of the same shape (3, H, W), got {shapes}")
    if space not in SPACES:
        raise ValueError(f'unknown space "{space}": use one of {", ".join(SPACES)}')
    grey_values = [picture.detach().double().clamp(0, 1) * 255 for picture in (restored, clean)]
    if rounded:
        grey_values = [picture.round() for picture in grey_values]
    if space == "y":
        grey_values = [luma(picture) for picture in grey_values]
    return grey_values[0], grey_values[1]


def luma(grey_values: Tensor) -> Tensor:
    """Return Y of BT.601 in studio range, 16 to 235 and (1, H, W), for grey values 0 to 255 (3, H, W)."""
    weights = torch.tensor(_LUMA, dtype=grey_values.dtype, device=grey_values.device) / 255
    return 16 + torch.einsum("c,chw->hw", weights, grey_values)[None]


def _blur(image: Tensor) -> Tensor:
    offsets = torch.arange(_WINDOW, dtype=image.dtype, device=image.device) - _WINDOW // 2
    weights = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    weights /= weights.sum()
    return F.conv2d(F.conv2d(image, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))


def block_means(values: NDArray[Any], block: int = BLOCK) -> NDArray[np.float64]:
    """Return the means of all whole squares of `block` pixels, as one row.

    Args:
        values: (H, W).
        block: the side of a square in pixels.

    Raises:
        ValueError: if not one square fits.
    """
    rows, columns = values.shape[0] // block, values.shape[1] // block
    if not rows or not columns:
        raise ValueError(f"expected at least {block}x{block} pixels, got {values.shape}")
    squares = values[: rows * block, : columns * block].reshape(rows, block, columns, block)
    return np.asarray(squares.mean(axis=(1, 3), dtype=np.float64).ravel())


def rank_correlation(uncertainty: NDArray[Any], error: NDArray[Any], block: int = BLOCK) -> float:
    """Return how well uncertainty orders the error: Spearman's ρ of their block means.

    1 is the same order, 0 none, -1 the opposite; 0 where either is the same everywhere.

    Args:
        uncertainty: (H, W), larger is less certain.
        error: (H, W), such as the mean |restored - clean| over colours.
        block: the side of the squares that are compared.
    """
    ranks = [_ranks(block_means(values, block)) for values in (uncertainty, error)]
    if any(np.ptp(values) == 0 for values in ranks):
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1 on; equal values share the mean of theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[group], dtype=np.float64)


def sparsification_curve(uncertainty: NDArray[Any], error: NDArray[Any], block: int = BLOCK) -> NDArray[np.float64]:
    """Return the mean error of the k most certain blocks, for k from 1 to their number.

    Equally uncertain blocks count with their common mean, as if they were taken in random order.

    Args:
        uncertainty: (H, W), larger is less certain; the error itself gives the best curve possible.
        error: (H, W).
        block: the side of the squares that are sorted.
    """
    certainty, errors = block_means(uncertainty, block), block_means(error, block)
    _, group, counts = np.unique(certainty, return_inverse=True, return_counts=True)
    shared = (np.bincount(group, weights=errors) / counts)[group]
    ordered = shared[np.argsort(certainty, kind="stable")]
    return np.asarray(np.cumsum(ordered) / np.arange(1, len(ordered) + 1))


def ause(uncertainty: NDArray[Any], error: NDArray[Any]) -> float:
    """Return the area under the sparsification error, as a share of what random order gives.

    0 sorts as well as knowing the error (Ilg et al. 2018), 1 as well as chance; 0 where the error is the same
    everywhere.

    Args:
        uncertainty: (H, W), larger is less certain.
        error: (H, W).
    """
    best = sparsification_curve(error, error)
    by_chance = best[-1] - best
    if by_chance.sum() <= 1e-12 * max(best[-1], 1e-12) * len(best):
        return 0.0
    return float((sparsification_curve(uncertainty, error) - best).sum() / by_chance.sum())
