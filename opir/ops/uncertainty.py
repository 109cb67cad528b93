"""The uncertainty perception map UM (Eq. 11)."""

from torch import Tensor


def uncertainty_map(kernels: Tensor) -> Tensor:
    """Return the size of each pixel's kernel: the mean |K| over taps and colours, times 9.

    Eq. 11 averages over the k² = 9 taps: a kernel that changes nothing scores 1/9. The factor 9 makes that
    case read 1, so that multiplying with the map keeps a picture's range (docs/paper.md).

    Args:
        kernels: base kernels K, (B, C·9, H, W) with C = 1 or 3.

    Returns:
        (B, 1, H, W), ≥ 0; 1 means "identity", larger means harder to reconstruct.
    """
    return kernels.abs().mean(dim=1, keepdim=True) * 9
