"""Scoring anything that restores photos against the truth, by one stated protocol (`opir.metrics`).

H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from torch import Tensor

from opir.images import load_photo
from opir.metrics import Space, psnr, ssim

Restore = Callable[[Tensor], Tensor]
"""Takes a photo (3, H, W) in [0, 1] and returns the restored one, of the same shape."""


@dataclass(frozen=True)
class ImageScore:
    """How close one photo came to its target, and how close it had been untouched."""

    name: str
    psnr: float
    ssim: float
    input_psnr: float
    input_ssim: float


@dataclass(frozen=True)
class Report:
    """The scores of a set of pairs; the means are over photos."""

    space: Space
    images: tuple[ImageScore, ...]

    @property
    def pairs(self) -> int:
        """How many pairs were scored."""
        return len(self.images)

    @property
    def psnr(self) -> float:
        """Mean PSNR of the results in dB."""
        return fmean(image.psnr for image in self.images)

    @property
    def ssim(self) -> float:
        """Mean SSIM of the results."""
        return fmean(image.ssim for image in self.images)

    @property
    def input_psnr(self) -> float:
        """Mean PSNR of the untouched inputs in dB."""
        return fmean(image.input_psnr for image in self.images)

    @property
    def input_ssim(self) -> float:
        """Mean SSIM of the untouched inputs."""
        return fmean(image.input_ssim for image in self.images)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold; the infinite PSNR of equal pictures becomes None."""
        means = {name: getattr(self, name) for name in ("psnr", "ssim", "input_psnr", "input_ssim")}
        return {
            "pairs": self.pairs,
            **_finite(means),
            "space": self.space,
            "images": [_finite(asdict(image)) for image in self.images],
        }


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def evaluate(
    restore: Restore,
    pairs: Sequence[tuple[Path, Path]],
    space: Space = "rgb",
    progress: Callable[[int, int], object] | None = None,
) -> Report:
    """Restore every input and score it against its target.

    Args:
        restore: any method, ours or a peer's.
        pairs: (input, target) files, such as from `opir.data.pair_photos`.
        space: "rgb", or "y" for luma only as is usual for rain.
        progress: called with the number of pairs done and their total.

    Raises:
        ValueError: without pairs, for a file that can not be read, or an input and target of different sizes.
    """
    if not pairs:
        raise ValueError("expected at least one pair of photos to evaluate, got none")
    images = []
    for done, (input_path, target_path) in enumerate(pairs, start=1):
        degraded, clean = load_photo(input_path).rgb, load_photo(target_path).rgb
        if degraded.shape != clean.shape:
            sizes = [f"{photo.shape[2]}x{photo.shape[1]}" for photo in (degraded, clean)]
            raise ValueError(
                f"{input_path.name} is {sizes[0]} but its target {target_path.name} is {sizes[1]}:"
                " a pair must have one size"
            )
        restored = restore(degraded)
        images.append(
            ImageScore(
                name=input_path.name,
                psnr=psnr(restored, clean, space),
                ssim=ssim(restored, clean, space),
                input_psnr=psnr(degraded, clean, space),
                input_ssim=ssim(degraded, clean, space),
            )
        )
        if progress is not None:
            progress(done, len(pairs))
    return Report(space, tuple(images))
