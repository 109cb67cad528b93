"""Scores of restorations by stated protocols, classical methods to compare with, and calibration of error bounds."""

from opir.data.published import Space
from opir.evaluation.baselines import dehaze_by_dark_channel, smooth_by_guided_filter
from opir.evaluation.conformal import calibrate
from opir.evaluation.metrics import (
    SPACES,
    UNCHANGED_PSNR,
    ause,
    psnr,
    rank_correlation,
    sparsification_curve,
    ssim,
)
from opir.evaluation.scoring import ImageScore, Measurement, Quality, Report, evaluate, measure, measure_baselines

__all__ = [
    "SPACES",
    "UNCHANGED_PSNR",
    "ImageScore",
    "Measurement",
    "Quality",
    "Report",
    "Space",
    "ause",
    "calibrate",
    "dehaze_by_dark_channel",
    "evaluate",
    "measure",
    "measure_baselines",
    "psnr",
    "rank_correlation",
    "smooth_by_guided_filter",
    "sparsification_curve",
    "ssim",
]
