"""What cameras and apps do to a photo: zoom, sensor noise, JPEG. In batches, on the photo's device."""

import math
from functools import cache

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from opir.degradations.randomness import chance, log_uniform, uniform

# Annex K of ITU-T T.81, the tables that nearly every encoder scales by quality.
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *(((99,) * 8,) * 4),
)
_TO_YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)


@cache
def _constants(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return both tables, the matrix to YCbCr and its inverse: copied to a device once, not in every step."""
    matrix = torch.tensor(_TO_YCBCR)
    values = torch.tensor(_LUMA), torch.tensor(_CHROMA), matrix, matrix.inverse()
    luma, chroma, there, back = (value.float().to(device) for value in values)
    return luma, chroma, there, back


def _cosine_basis(device: torch.device) -> Tensor:
    index = torch.arange(8, device=device, dtype=torch.float32)
    basis = torch.cos(math.pi * (2 * index[None] + 1) * index[:, None] / 16) / 2
    basis[0] /= math.sqrt(2)
    return basis


def _quantise_blocks(plane: Tensor, table: Tensor) -> Tensor:
    """Round the 8×8 cosine coefficients of (B, C, H, W), in 0..255 about 0, to multiples of (B, 1, 1, 1, 8, 8)."""
    height, width = plane.shape[-2:]
    padded = F.pad(plane, (0, -width % 8, 0, -height % 8), mode="replicate")
    blocks = padded.unfold(2, 8, 8).unfold(3, 8, 8)
    basis = _cosine_basis(plane.device)
    coefficients = torch.round(basis @ blocks @ basis.T / table) * table
    blocks = basis.T @ coefficients @ basis
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(padded.shape)[..., :height, :width]


def jpeg(photo: Tensor, quality: Tensor) -> Tensor:
    """Compress and decompress as a JPEG encoder with 4:2:0 chroma would.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        quality: (B, 1, 1, 1), 1 to 100, as libjpeg counts it.
    """
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)[..., None, None]
    luma_table, chroma_table, matrix, inverse = _constants(photo.device)
    luma, chroma = (((table * percent + 50) / 100).floor().clamp(1, 255) for table in (luma_table, chroma_table))
    ycbcr = torch.einsum("ij,bjhw->bihw", matrix, photo * 255)
    small = F.avg_pool2d(ycbcr[:, 1:], 2, ceil_mode=True)
    brightness = _quantise_blocks(ycbcr[:, :1] - 128, luma) + 128
    colour = F.interpolate(_quantise_blocks(small, chroma), scale_factor=2, mode="bilinear")
    colour = colour[..., : photo.shape[2], : photo.shape[3]]
    rgb = torch.einsum("ij,bjhw->bihw", inverse, torch.cat([brightness, colour], dim=1))
    return (rgb / 255).clamp(0, 1)


def take_photo(degraded: Tensor, clean: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Apply a camera to photos: some are zoomed, some get noise, a third is compressed as JPEG of quality 40 to 95.

    The clean photo gets the same, so that a model learns to leave alone what is not weather.

    Args:
        degraded: photos after the weather, (B, 3, H, W) in [0, 1].
        clean: the same photos before it.
        generator: source of randomness.

    Returns:
        Both after the camera.
    """
    batch = len(degraded)
    zoom = 1 + chance(generator, batch, 0.2) * uniform(generator, batch, 0.0, 0.6)
    if _may_hold(zoom > 1):
        theta = torch.zeros((batch, 2, 3), device=degraded.device)
        theta[:, 0, 0] = theta[:, 1, 1] = 1 / zoom.flatten()
        grid = F.affine_grid(theta, list(degraded.shape), align_corners=False)
        both = [F.grid_sample(p, grid, padding_mode="border", align_corners=False) for p in (degraded, clean)]
        degraded, clean = (
            torch.where(zoom > 1, zoomed, whole) for zoomed, whole in zip(both, (degraded, clean), strict=True)
        )
    sigma = chance(generator, batch, 0.2) * log_uniform(generator, batch, 0.003, 0.025)
    noise = sigma * torch.randn(degraded.shape, generator=generator, device=degraded.device)
    compressed = chance(generator, batch, 0.35)
    quality = uniform(generator, batch, 40, 95)
    seen, truth = ((photo + noise).clamp(0, 1) for photo in (degraded, clean))
    if _may_hold(compressed > 0):
        seen, truth = (torch.where(compressed > 0, jpeg(photo, quality), photo) for photo in (seen, truth))
    return seen, truth


def _may_hold(condition: Tensor) -> bool:
    """Tell whether a condition may hold for any photo; always True on a GPU, so that nothing waits for the answer."""
    return condition.device.type != "cpu" or bool(condition.any())
