"""The first row of Table 7: an ancestor in the manner of EfDeRain+ (Guo et al. 2025), built from this model's parts.

It differs from OPIR as EfDeRain+ does: its scales 1 to 4 are fused by one 3×3 convolution instead of for each pixel.
Its uncertainty is the signed mean of each colour's kernel instead of the mean size. A second, smaller network gets
stage 1's result and that map as separate channels instead of their product, and filters at scale 1 alone. U-Net,
identity start, losses and data are ours, so that only the differences of Table 7 are compared.

B batch, H height, W width.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from opir.config import OPIRConfig
from opir.model import OPIR, StageResult
from opir.model.blocks import initialise
from opir.model.inverse_operator import InverseOperator
from opir.model.kernel_predictor import HEAD_FACTOR, UNSHUFFLE, KernelPredictor
from opir.model.task_modulator import TaskModulator
from opir.ops.filtering import TAPS, filter_multiscale

ANCESTOR_SCALES = (1, 2, 3, 4)
_COLOURS = 3
_LIGHTER = 0.625  # of the first network's width: about 0.4 of its cost, as in EfDeRain+


def signed_mean(kernels: Tensor) -> Tensor:
    """Return each colour's mean kernel weight, times 9 so that an identity kernel reads 1.

    Args:
        kernels: one for each colour, (B, 27, H, W).

    Returns:
        (B, 3, H, W); unlike `uncertainty_map`, weights of opposite signs cancel.
    """
    batch, _, height, width = kernels.shape
    return kernels.reshape(batch, _COLOURS, TAPS, height, width).sum(dim=2)


class ScaleFusion(nn.Module):
    """One 3×3 convolution over the pictures of all scales, the same for every pixel; starts as their mean."""

    def __init__(self, num_scales: int) -> None:
        super().__init__()
        self.head = nn.Conv2d(num_scales * _COLOURS, _COLOURS, 3, padding=1, bias=False)
        nn.init.zeros_(self.head.weight)

    def forward(self, pictures: list[Tensor]) -> Tensor:
        """Fuse S pictures (B, 3, H, W) into one: their mean, exact in any precision, plus what the layer adds."""
        change: Tensor = self.head(torch.cat(pictures, dim=1)).float()
        return torch.stack(pictures).mean(dim=0) + HEAD_FACTOR * change


class ConcatPredictor(KernelPredictor):
    """A kernel predictor that sees a picture and a map of three channels side by side."""

    def __init__(self, config: OPIRConfig) -> None:
        super().__init__(config)
        self.intro = nn.Conv2d(2 * _COLOURS * UNSHUFFLE**2, config.width, 3, padding=1)
        initialise(self.intro)


class Ancestor(OPIR):
    """Two stages as in EfDeRain+; the task-aware module and per-pixel fusion can be added."""

    per_pixel_fusion = False

    def __init__(self, config: OPIRConfig) -> None:
        """Build both networks.

        Args:
            config: `task_aware` adds the task-aware module; two stages and three kernel channels are expected.

        Raises:
            ValueError: for one stage or one kernel channel.
        """
        if config.num_stages != 2 or config.kernel_channels != _COLOURS:
            raise ValueError("the ancestor has two stages and a kernel for each colour: set them so")
        super().__init__(config)
        second = replace(config, width=max(1, round(_LIGHTER * config.width)))
        if not self.per_pixel_fusion:
            self.kernel_predictor = KernelPredictor(replace(config, scales=(1,)))
            second = replace(second, scales=(1,))
            self.fusion = ScaleFusion(config.num_scales)
        self.second_predictor = ConcatPredictor(second)

    def run_stage(
        self, index: int, image: Tensor, task_embedding: Tensor | None, uncertainty: Tensor | None = None
    ) -> StageResult:
        """Run stage 1, or stage 2 with its own network; the uncertainty is (B, 3, H, W) here."""
        predictor, guided = self.kernel_predictor, image
        if index == 1:
            assert uncertainty is not None
            predictor, guided = self.second_predictor, torch.cat([image, uncertainty], dim=1)
        modulator = self.task_modulators[index] if self.config.task_aware else None
        assert modulator is None or isinstance(modulator, TaskModulator)
        scales = self.config.scales if self.per_pixel_fusion else (1,)
        result = InverseOperator(predictor, modulator, scales)(image, guided, task_embedding)
        if index == 0 and not self.per_pixel_fusion:
            kernels, ones = result.modulated_kernels, result.scale_weights
            wider = [filter_multiscale(image, kernels, ones, (scale,)) for scale in self.config.scales[1:]]
            result = replace(result, restored=self.fusion([result.restored, *wider]))
        return replace(result, uncertainty=signed_mean(result.kernels))

    @staticmethod
    def filtering_products(config: OPIRConfig) -> int:
        """Return the products per pixel of filtering: stage 1 at every scale, stage 2 at one."""
        return _COLOURS * TAPS * (config.num_scales + 1)


class MultiScaleAncestor(Ancestor):
    """The ancestor with OPIR's filtering: one kernel at all scales, fused for each pixel, in both stages."""

    per_pixel_fusion = True

    @staticmethod
    def filtering_products(config: OPIRConfig) -> int:
        """Return the products per pixel of filtering: blending all scales and one kernel, in both stages."""
        return 2 * _COLOURS * TAPS * (config.num_scales + 1)
