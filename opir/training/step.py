"""One training step as a module, so that data-parallel wrappers see every parameter that is used."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from opir.model import OPIR
from opir.training.losses import LossWeights, total_loss


class TrainingStep(nn.Module):
    """Restores a batch and returns the loss; the model keeps its own name inside."""

    def __init__(self, model: OPIR, weights: LossWeights) -> None:
        super().__init__()
        self.model = model
        self.weights = weights

    def forward(
        self,
        degraded: Tensor,
        clean: Tensor,
        tasks: Tensor,
        named: Tensor,
        num_stages: int,
        uncertainty: float,
        task_shares: Tensor | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss and its parts.

        Args:
            degraded, clean: (B, 3, H, W) in [0, 1].
            tasks: (B,), the true tasks.
            named: (B,) bool, photos restored under their task's prototype.
            num_stages: 1 while only the first stage is trained.
            uncertainty: factor of the uncertainty term.
            task_shares: how often each task is trained, (T,), sum 1.
        """
        rows = torch.where(named, tasks, torch.full_like(tasks, -1))
        result = self.model(degraded, rows, num_stages)
        logits, whole_change = None, None
        encoder = self.model.task_encoder
        if encoder is not None:
            own = (
                encoder(degraded[named])
                if bool(named.any())
                else degraded.new_zeros((0, encoder.prototypes.shape[1]))
            )
            assert result.embedding is not None
            embedding = result.embedding.clone()
            embedding[named] = own
            logits, whole_change = encoder.logits(embedding), encoder.whole_change(embedding)
        weights = replace(self.weights, uncertainty=self.weights.uncertainty * uncertainty)
        return total_loss(result, degraded, clean, logits, tasks, weights, task_shares, whole_change)
