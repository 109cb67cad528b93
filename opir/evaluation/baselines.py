"""Two well-known methods without learning, to compare with: the dark channel prior and the guided filter.

Every function takes a photo (3, H, W) in [0, 1], sRGB, and returns another of its shape, clamped.

K. He, J. Sun, X. Tang: Single Image Haze Removal Using Dark Channel Prior, CVPR 2009, and Guided Image Filtering,
ECCV 2010. Constants are those of the papers where they give them.

C channels, H height, W width.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from opir.degradations.guided import guided_filter

_PATCH = 15  # side of the dark channel's window, in pixels
_HAZE_KEPT = 0.95  # ω: a little haze is left, or distance would be lost
_LEAST_TRANSMISSION = 0.1  # t0
_BRIGHTEST = 0.001  # share of the dark channel's pixels that the airlight is looked for in
_REFINING = (60, 1e-3)  # radius and ε of the filter that fits the transmission to the photo's edges


def dehaze_by_dark_channel(photo: Tensor) -> Tensor:
    """Take haze out by the dark channel prior, I = J·t + A·(1 - t), its transmission refined by the guided filter.

    Raises:
        ValueError: for another shape than (3, H, W).
    """
    _check(photo)
    airlight = _airlight(photo, dark_channel(photo))
    transmission = 1 - _HAZE_KEPT * dark_channel(photo / airlight[:, None, None].clamp(min=1e-3))
    grey = photo.mean(dim=0, keepdim=True)
    transmission = guided_filter(grey[None], transmission[None], *_REFINING)[0].clamp(_LEAST_TRANSMISSION, 1)
    return ((photo - airlight[:, None, None]) / transmission + airlight[:, None, None]).clamp(0, 1)


def smooth_by_guided_filter(photo: Tensor, radius: int = 4, epsilon: float = 0.01) -> Tensor:
    """Smooth fine detail away and keep edges: each colour filtered with itself as the guide.

    Raises:
        ValueError: for another shape than (3, H, W).
    """
    _check(photo)
    return guided_filter(photo[None], photo[None], radius, epsilon)[0].clamp(0, 1)


def dark_channel(photo: Tensor, patch: int = _PATCH) -> Tensor:
    """Return the least of all colours in the patch around each pixel, (3, H, W) → (1, H, W)."""
    darkest = -photo.amin(dim=0, keepdim=True)
    for window in ((patch, 1), (1, patch)):  # the maximum of a square is that of its rows' maxima
        darkest = F.max_pool2d(darkest, window, stride=1, padding=(window[0] // 2, window[1] // 2))
    return -darkest


def _airlight(photo: Tensor, dark: Tensor) -> Tensor:
    """Return the colour of the haze, (3,): that of the brightest pixel where the dark channel is brightest."""
    count = max(1, round(_BRIGHTEST * dark.numel()))
    hazy = dark.flatten().topk(count).indices
    colours = photo.flatten(1)[:, hazy]
    return colours[:, colours.sum(dim=0).argmax()]


def _check(photo: Tensor) -> None:
    if photo.dim() != 3 or photo.shape[0] != 3:
        raise ValueError(f"expected a photo of shape (3, H, W), got {tuple(photo.shape)}")


BASELINES = {"dark channel prior": dehaze_by_dark_channel, "guided filter": smooth_by_guided_filter}
"""Every method by its name."""
