"""Multi-scale filtering with one shared kernel per pixel and per-pixel fusion (Eqs. 14–18).

B batch, C kernel channels (1 or 3), H height, W width, S scales; taps δ row-major in {-1, 0, 1}², centre = 4.
"""

from typing import Any

import torch
from torch import Tensor

from opir.ops.padding import reflect_pad

TAPS = 9
CENTRE_TAP = 4


def _neighbours(padded: Tensor, scale: int, border: int, height: int, width: int) -> Tensor:
    """View a padded image as its 3×3 neighbours at distance `scale`: (B, 3, 9, H, W) without a copy."""
    batch, colours = padded.shape[:2]
    if torch.onnx.is_in_onnx_export():  # ONNX has no strided views
        starts = [border + scale * step for step in (-1, 0, 1)]
        taps = [padded[..., y : y + height, x : x + width] for y in starts for x in starts]
        return torch.stack(taps, dim=2).unflatten(2, (3, 3))  # type: ignore[no-untyped-call,no-any-return]
    stride_b, stride_c, stride_h, stride_w = padded.stride()
    first = padded.storage_offset() + (border - scale) * (stride_h + stride_w)
    return padded.as_strided(
        (batch, colours, 3, 3, height, width),
        (stride_b, stride_c, scale * stride_h, scale * stride_w, stride_h, stride_w),
        first,
    )


def _blend_samples(padded: Tensor, scale_weights: Tensor, scales: tuple[int, ...], border: int) -> Tensor:
    """Blend the samples of all scales for each tap: Σ_s α_s I(p + sδ), (B, 3, 3, 3, H, W).

    Sums may be swapped: fusing samples (Eq. 18) first and filtering once costs 9 products per colour for the kernel
    instead of 9·S, and K^(s) is never built.
    """
    height, width = scale_weights.shape[-2:]
    weights = scale_weights[:, :, None, None]
    # With zeros_like it would get the layout of the overlapping views, and later steps would take five times as long.
    blended = torch.zeros(*padded.shape[:2], 3, 3, height, width, dtype=padded.dtype, device=padded.device)
    for index, scale in enumerate(scales):
        blended.addcmul_(weights[:, index : index + 1], _neighbours(padded, scale, border, height, width))
    return blended


class _FilterMultiscale(torch.autograd.Function):
    """Keeps one blended sample tensor for the backward pass instead of 9·S shifted copies."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, kernels: Tensor, scale_weights: Tensor, scales: tuple[int, ...]) -> Tensor:
        border = max(scales)
        blended = _blend_samples(padded, scale_weights, scales, border)
        ctx.save_for_backward(padded, kernels, scale_weights, blended)
        ctx.scales = scales
        return (kernels * blended).sum(dim=(2, 3))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        padded, kernels, scale_weights, blended = ctx.saved_tensors
        scales, border = ctx.scales, max(ctx.scales)
        height, width = scale_weights.shape[-2:]
        grad = grad[:, :, None, None]
        grad_kernels = grad * blended
        if kernels.shape[1] == 1:
            grad_kernels = grad_kernels.sum(dim=1, keepdim=True)
        grad_blended = grad * kernels
        grad_weights = torch.stack(
            [
                (grad_blended * _neighbours(padded, scale, border, height, width)).sum(dim=(1, 2, 3))
                for scale in scales
            ],
            dim=1,
        )
        grad_padded = None
        if ctx.needs_input_grad[0]:
            grad_padded = torch.zeros_like(padded)
            for index, scale in enumerate(scales):
                weight = scale_weights[:, index : index + 1]
                for row in range(3):
                    for column in range(3):
                        top, left = border + scale * (row - 1), border + scale * (column - 1)
                        target = grad_padded[:, :, top : top + height, left : left + width]
                        target.addcmul_(weight, grad_blended[:, :, row, column])
        return grad_padded, grad_kernels, grad_weights, None


def filter_multiscale(image: Tensor, kernels: Tensor, scale_weights: Tensor, scales: tuple[int, ...]) -> Tensor:
    """Filter every pixel with its own 3×3 kernel at several dilations and fuse the results.

    Ĵ(p) = Σ_s α_s(p) Σ_δ K_p(δ) I(p + sδ) (Eqs. 16–18). Neighbours beyond the border are mirrored.

    Args:
        image: I, (B, 3, H, W).
        kernels: K or K̃, (B, C·9, H, W); C = 1 shares a kernel among the colours, C = 3 has one for each.
        scale_weights: α, (B, S, H, W), non-negative, summing to 1 over S.
        scales: the S dilations s.

    Returns:
        Ĵ, (B, 3, H, W), not clamped.

    Raises:
        ValueError: if the shapes do not belong together.
    """
    batch, _, height, width = image.shape
    channels = kernels.shape[1] // TAPS
    if channels not in (1, 3) or kernels.shape != (batch, channels * TAPS, height, width):
        raise ValueError(
            f"kernels must be ({batch}, 9 or 27, {height}, {width}) for this image, got {tuple(kernels.shape)}"
        )
    if scale_weights.shape != (batch, len(scales), height, width):
        raise ValueError(
            f"scale_weights must be ({batch}, {len(scales)}, {height}, {width}), got {tuple(scale_weights.shape)}"
        )
    border = max(scales)
    padded = reflect_pad(image, border, border, border, border).contiguous()
    if torch.is_grad_enabled():
        kernels = kernels.reshape(batch, channels, 3, 3, height, width)
        filtered: Tensor = _FilterMultiscale.apply(padded, kernels, scale_weights, scales)  # type: ignore[no-untyped-call]
        return filtered
    return filter_padded(padded, kernels, scale_weights, scales)


def filter_padded(padded: Tensor, kernels: Tensor, scale_weights: Tensor, scales: tuple[int, ...]) -> Tensor:
    """Do the same without gradients, for an image or some rows of it that are already padded with their surroundings.

    Args:
        padded: (B, 3, H + 2·max(scales), W + 2·max(scales)).
        kernels: (B, C·9, H, W).
        scale_weights: (B, S, H, W).
        scales: the S dilations s.
    """
    batch, _, height, width = kernels.shape
    blended = _blend_samples(padded, scale_weights, scales, max(scales))
    blended.mul_(kernels.reshape(batch, -1, 3, 3, height, width))
    return blended.sum(dim=(2, 3))
