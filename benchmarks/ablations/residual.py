"""The residual network of Figure 1: the same U-Net, whose head predicts a residual that is added to the photo.

B batch, H height, W width.
"""

from torch import Tensor, nn

from opir.config import OPIRConfig
from opir.model import OPIR, StageResult
from opir.model.blocks import initialise
from opir.model.kernel_predictor import HEAD_FACTOR, UNSHUFFLE
from opir.ops.filtering import TAPS
from opir.ops.shuffle import shuffle_up

_COLOURS = 3


def hidden_width(config: OPIRConfig) -> int:
    """Return how wide a residual head's hidden layer is when it costs what the operator costs.

    Per pixel at half resolution an operator takes a 1×1 layer to its kernels and scale weights, then
    9·(S + 1) products for each colour of the four pixels (docs/paper.md); the residual head gets as many.
    """
    pixels = UNSHUFFLE**2
    outputs = (config.kernel_channels * TAPS + config.num_scales) * pixels
    filtering = pixels * _COLOURS * TAPS * (config.num_scales + 1)
    return round((config.width * outputs + filtering) / (config.width + _COLOURS * pixels))


class ResidualRestorer(OPIR):
    """One stage that adds what its U-Net predicts: Ĵ = I + R(I). It starts as the identity too.

    The output of its head is multiplied by the same factor as the operator's, so that a step of the optimizer changes
    a pixel about as much; without it, clean photos are harmed within a few steps.
    """

    def __init__(self, config: OPIRConfig) -> None:
        """Replace the operator's head.

        Args:
            config: of the operator model that this one is compared with: one stage, without the task-aware module.

        Raises:
            ValueError: for two stages or with the task-aware module, which a residual has no kernels for.
        """
        if config.num_stages != 1 or config.task_aware:
            raise ValueError("a residual has no kernels to modulate: set num_stages=1 and task_aware=False")
        super().__init__(config)
        hidden = hidden_width(config)
        last = nn.Conv2d(hidden, _COLOURS * UNSHUFFLE**2, 1)
        head = nn.Sequential(nn.Conv2d(config.width, hidden, 1), nn.ReLU(), last)
        initialise(head)
        nn.init.zeros_(last.weight)
        self.kernel_predictor.head = head  # type: ignore[assignment]

    def run_stage(
        self, index: int, image: Tensor, task_embedding: Tensor | None, uncertainty: Tensor | None = None
    ) -> StageResult:
        """Add the residual; there is no operator, so kernels are empty, (B, 0, H, W), and UM is 1 everywhere."""
        predictor = self.kernel_predictor
        residual = HEAD_FACTOR * shuffle_up(predictor.head(predictor.features(image)).float())
        empty, ones = residual[:, :0], image.new_ones(len(image), 1, *image.shape[-2:])
        return StageResult(image + residual, empty, None, empty, ones, ones)

    @staticmethod
    def filtering_products(config: OPIRConfig) -> int:
        """Return the products per pixel outside of layers: none, nothing is filtered."""
        return 0
