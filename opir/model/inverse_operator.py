"""TAIOM: one stage, from an image to its restoration (Eqs. 9–12, 19 and 20)."""

from dataclasses import dataclass

from torch import Tensor

from opir.model.kernel_predictor import KernelPredictor
from opir.model.task_modulator import TaskModulator
from opir.ops.filtering import filter_multiscale
from opir.ops.uncertainty import uncertainty_map


@dataclass(frozen=True)
class StageResult:
    """All that one stage computed, at full resolution."""

    restored: Tensor
    """Ĵ, (B, 3, H, W), not clamped."""
    kernels: Tensor
    """K, base kernels, (B, C·9, H, W)."""
    modulation: Tensor | None
    """m in (0, 4), shaped as the kernels; None in a model without the task-aware module."""
    modulated_kernels: Tensor
    """K̃ = K·m."""
    scale_weights: Tensor
    """α, (B, S, H, W)."""
    uncertainty: Tensor
    """UM of the base kernels, (B, 1, H, W); 1 where nothing is changed."""


def apply_inverse_operator(
    predictor: KernelPredictor,
    modulator: TaskModulator | None,
    image: Tensor,
    guided_image: Tensor,
    task_embedding: Tensor | None,
    scales: tuple[int, ...],
) -> StageResult:
    """Predict each pixel's operator from `guided_image`, make it task-aware, and filter `image` with it.

    Args:
        predictor: the KPN, shared by the stages.
        modulator: the stage's own TAM, or None (Table 5, without the task-aware module).
        image: what is filtered, (B, 3, H, W): I in stage 1, Ĵ1 in stage 2.
        guided_image: what the KPN sees: I in stage 1, Ĵ1·UM in stage 2 (Eq. 13).
        task_embedding: e_t, (B, D).
        scales: the dilations of Eq. 15.
    """
    kernels, scale_weights = predictor(guided_image)
    uncertainty = uncertainty_map(kernels)
    modulation = None
    modulated_kernels = kernels
    if modulator is not None:
        assert task_embedding is not None
        modulation = modulator(kernels, uncertainty, task_embedding)
        modulated_kernels = kernels * modulation
    restored = filter_multiscale(image, modulated_kernels, scale_weights, scales)
    return StageResult(restored, kernels, modulation, modulated_kernels, scale_weights, uncertainty)
