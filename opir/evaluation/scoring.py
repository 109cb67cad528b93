"""Scores anything that restores photos against the truth, by one stated protocol (`opir.evaluation.metrics`).

H height, W width, N 8×8 blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from opir.data.pairs import Pair, check_sizes
from opir.data.published import Space
from opir.evaluation.baselines import BASELINES
from opir.evaluation.metrics import SPACES, ause, psnr, rank_correlation, sparsification_curve, ssim
from opir.inference.restoration import Restoration
from opir.ops.colours import in_unit
from opir.photo.photo import Photo

_SCORES = ("psnr", "ssim", "input_psnr", "input_ssim")
Restore = Callable[[Tensor], Tensor]
"""Takes a photo (3, H, W) in [0, 1] and returns the restored one, of the same shape."""


@dataclass(frozen=True)
class ImageScore:
    """How close one photo's restoration is to its target, and how close the untouched photo is."""

    name: str
    psnr: float
    ssim: float
    input_psnr: float
    input_ssim: float


@dataclass(frozen=True)
class Report:
    """The scores of a set of pairs: means over photos, and each photo's own."""

    space: Space
    psnr: float
    """Of the results, in dB."""
    ssim: float
    input_psnr: float
    """Of the untouched inputs, in dB."""
    input_ssim: float
    images: tuple[ImageScore, ...]

    @property
    def pairs(self) -> int:
        """How many pairs were scored."""
        return len(self.images)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold; the infinite PSNR of equal pictures becomes None."""
        images = [_finite(asdict(image)) for image in self.images]
        means = _finite({name: getattr(self, name) for name in _SCORES})
        return {"pairs": self.pairs, **means, "space": self.space, "images": images}


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def evaluate(
    restore: Restore,
    pairs: Sequence[Pair],
    space: Space = "rgb",
    progress: Callable[[int, int], object] | None = None,
) -> Report:
    """Restore every input and score it against its target.

    Args:
        restore: any method, ours or another one.
        pairs: such as from `opir.data.pair_photos`, which compares their sizes before any work.
        space: "rgb", or "y" for luma only as is usual for rain.
        progress: called with the number of pairs done and their total.

    Raises:
        ValueError: without pairs, for a file that can not be read, or an input and target of different sizes.
    """
    if not pairs:
        raise ValueError("expected at least one pair of photos to evaluate, got none")
    images = []
    for done, pair in enumerate(pairs, start=1):
        degraded, clean = pair.read()
        images.append(_score(pair.degraded.name, degraded, restore(degraded), clean, space))
        if progress is not None:
            progress(done, len(pairs))
    means = {name: fmean(getattr(image, name) for image in images) for name in _SCORES}
    return Report(space, images=tuple(images), **means)


def _score(name: str, degraded: Tensor, restored: Tensor, clean: Tensor, space: Space) -> ImageScore:
    return ImageScore(
        name=name,
        psnr=psnr(restored, clean, space),
        ssim=ssim(restored, clean, space),
        input_psnr=psnr(degraded, clean, space),
        input_ssim=ssim(degraded, clean, space),
    )


@dataclass(frozen=True, eq=False)
class Measurement:
    """One restoration against the truth: its scores, and how well its uncertainty tells where the error is."""

    scores: dict[Space, ImageScore]
    error: NDArray[np.float32]
    """Mean |restored - clean| over colours, (H, W) in [0, 1]."""
    by_uncertainty: NDArray[np.float64]
    """Mean error of the k most certain blocks, (N,), k from 1 on."""
    by_error: NDArray[np.float64]
    """The best curve that any order of the blocks can give, (N,)."""
    rank_correlation: float
    ause: float


@dataclass(frozen=True)
class Quality:
    """How close a picture comes to the truth."""

    psnr: float
    ssim: float


def measure_baselines(degraded: Tensor, clean: Tensor) -> dict[str, dict[Space, Quality]]:
    """Score the methods of `opir.evaluation.baselines` on one pair (3, H, W), by their names, in all spaces.

    Raises:
        ValueError: if the sizes differ, or are too small for SSIM.
    """
    restored = {name: method(degraded) for name, method in BASELINES.items()}
    return {
        name: {space: Quality(psnr(picture, clean, space), ssim(picture, clean, space)) for space in SPACES}
        for name, picture in restored.items()
    }


def measure(restoration: Restoration, clean: Photo, name: str = "photo", clean_name: str = "photo") -> Measurement:
    """Score one restoration in all spaces, and its uncertainty by sparsification.

    Args:
        restoration: of the degraded photo.
        clean: the truth, of the same size.
        name: what the scores and errors call the degraded photo.
        clean_name: what errors call the truth.

    Raises:
        ValueError: if the sizes differ, or are too small for SSIM.
    """
    degraded, restored = restoration.photo.rgb, in_unit(restoration.restored_rgb)
    check_sizes(restoration.photo.size, clean.size, name, clean_name)
    error = (restored - clean.rgb).abs().mean(dim=0).numpy()
    return Measurement(
        scores={space: _score(name, degraded, restored, clean.rgb, space) for space in SPACES},
        error=error,
        by_uncertainty=sparsification_curve(restoration.uncertainty, error),
        by_error=sparsification_curve(error, error),
        rank_correlation=rank_correlation(restoration.uncertainty, error),
        ause=ause(restoration.uncertainty, error),
    )
