"""TAM: task-aware modulation of each pixel's kernel (Eqs. 19 and 21)."""

import math

import torch
from torch import Tensor, nn

from opir.config import OPIRConfig
from opir.ops.filtering import TAPS
from opir.ops.shuffle import mix_channels

_MAX_MODULATION = 4.0


class TaskModulator(nn.Module):
    """g_TAM, a small MLP of a pixel's kernel and the task embedding, one instance per stage (θ_t1, θ_t2).

    The hidden layer is multiplied by a function of the embedding, and another one is added to it. The MLP also reads
    the logarithm of the kernel's size, so that it can undo a size that only expresses uncertainty. First m is 1.
    """

    def __init__(self, config: OPIRConfig) -> None:
        super().__init__()
        taps = config.kernel_channels * TAPS
        self.hidden = nn.Conv2d(taps + 1, config.modulator_width, 1)
        self.condition = nn.Linear(config.embedding_dim, 2 * config.modulator_width)
        self.output = nn.Conv2d(config.modulator_width, taps, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.constant_(self.output.bias, -math.log(_MAX_MODULATION - 1))  # type: ignore[arg-type]

    def forward(self, kernels: Tensor, uncertainty: Tensor, task_embedding: Tensor) -> Tensor:
        """Return m, in (0, 4) and shaped as the kernels.

        Args:
            kernels: K, (B, C·9, H, W).
            uncertainty: their size UM (Eq. 11), (B, 1, H, W).
            task_embedding: e_t, (B, D).
        """
        assert self.output.bias is not None
        size = uncertainty.clamp_min(1e-3).log()
        weight, bias = self.hidden_weights(task_embedding)
        hidden = mix_channels(torch.cat([kernels, size], dim=1), weight, bias).relu_()
        logits = mix_channels(hidden, self.output.weight.flatten(1), self.output.bias)
        return _MAX_MODULATION * logits.float().sigmoid()

    def hidden_weights(self, task_embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Return the hidden layer for embeddings (B, D): its weights, (B, J, C·9 + 1), and biases, (B, J)."""
        assert self.hidden.bias is not None
        factor, offset = self.condition(task_embedding).chunk(2, dim=1)
        weight = self.hidden.weight.flatten(1) * (1 + factor)[:, :, None]
        return weight, torch.addcmul(offset, self.hidden.bias, 1 + factor)
