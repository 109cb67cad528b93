"""The loss of one training step as a module, as data-parallel wrappers need it."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from opir.model import OPIR, OPIRResult
from opir.model.level import restore_level
from opir.ops.pyramid import build_pyramid, change_of, changed
from opir.tasks import Task
from opir.training.batch import LARGEST_WEATHER, TrainingBatch
from opir.training.losses import EmbeddingOutputs, LossWeights, embedding_loss, restoration_loss

# The root mean square of the detail that rain and snow change, and the mean change by haze, in [0, 1]. Up to the
# first value the weather has the strength 0, from the second on 1.
_FAINT_DETAIL, _PLAIN_DETAIL = 0.004, 0.012
_FAINT_HAZE, _PLAIN_HAZE = 0.012, 0.045
_DETAIL_SIDE = 17  # pixels: what a change differs by from its mean over such a square is detail
_WORKS_FROM = 0.3  # strength of the weather from which a level's result goes on to the finer level


class TrainingStep(nn.Module):
    """Restores a batch, level by level, and returns the loss."""

    def __init__(self, model: OPIR, weights: LossWeights) -> None:
        super().__init__()
        self.model = model
        self.weights = weights

    def forward(
        self,
        batch: TrainingBatch,
        num_stages: int,
        uncertainty: float,
        task_shares: Tensor,
        num_levels: int = 1,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, and its parts at the finest level.

        Args:
            batch: what to restore.
            num_stages: 1 while only the first stage is trained.
            uncertainty: factor of the uncertainty term.
            task_shares: how often each task is trained, (T,), sum 1.
            num_levels: how many levels of the pyramid; 1 is the photo alone.
        """
        weights = replace(self.weights, uncertainty=self.weights.uncertainty * uncertainty)
        degraded, clean = (build_pyramid(photos, num_levels) for photos in (batch.degraded, batch.clean))
        total = batch.clean.new_zeros(())
        parts: dict[str, Tensor] = {}
        seen = degraded[-1]
        for level in reversed(range(num_levels)):
            wanted = clean[level]
            too_large = batch.sizes / 2**level > LARGEST_WEATHER
            strength = torch.where(too_large, 0.0, weather_strength(seen, wanted, batch.tasks))
            wanted = torch.where(too_large[:, None, None, None], seen, wanted)
            named = batch.named & (strength > _WORKS_FROM)
            result, outputs = self._restore(seen, batch.tasks, named, num_stages)
            loss, parts = restoration_loss(result, seen, wanted, weights, batch.without_weather)
            total = total + loss
            if outputs is not None:
                targets = soft_targets(batch.tasks, strength)
                loss, more = embedding_loss(outputs, seen, wanted, targets, task_shares, weights)
                total, parts = total + loss, parts | more
            if level:
                works = (strength > _WORKS_FROM)[:, None, None, None]
                restored = torch.where(works, result.final.restored.detach().clamp(0, 1), seen)
                seen = changed(degraded[level - 1], change_of(degraded[level], restored)).clamp(0, 1)
        return total / num_levels, parts

    def _restore(
        self, seen: Tensor, tasks: Tensor, named: Tensor, num_stages: int
    ) -> tuple[OPIRResult, EmbeddingOutputs | None]:
        """Run the stages of one level: their results, and what is predicted from the photos' own embeddings.

        Args:
            seen: (B, 3, H, W).
            tasks: (B,).
            named: (B,) bool, which get the prototype of their task as e_t.
            num_stages: as for `forward`.
        """
        encoder = self.model.task_encoder
        embedding, outputs = None, None
        if encoder is not None:
            own: Tensor = encoder(seen)
            embedding = torch.where(named[:, None], encoder.prototypes.float()[tasks], own)
            outputs = EmbeddingOutputs(encoder.logits(own), encoder.whole_change(own))
        done = restore_level(self.model.run_stage, seen, embedding, num_stages, self.model.stride)
        return OPIRResult(done.stages, embedding), outputs


def weather_strength(seen: Tensor, clean: Tensor, tasks: Tensor) -> Tensor:
    """Return how strongly each photo shows its weather at this level, (B,), 0 to 1.

    For haze this is the mean change, for rain and snow the detail in the change: streaks that are too fine or too
    broad for a level count as none there.

    Args:
        seen: (B, 3, H, W) in [0, 1].
        clean: the same without weather.
        tasks: (B,).
    """
    difference = seen - clean
    smooth = F.avg_pool2d(difference, _DETAIL_SIDE, stride=1, padding=_DETAIL_SIDE // 2, count_include_pad=False)
    detail = (difference - smooth).square().mean(dim=(1, 2, 3)).sqrt()
    change = difference.abs().mean(dim=(1, 2, 3))
    by_detail = (detail - _FAINT_DETAIL) / (_PLAIN_DETAIL - _FAINT_DETAIL)
    by_change = (change - _FAINT_HAZE) / (_PLAIN_HAZE - _FAINT_HAZE)
    return torch.where(tasks == Task.HAZE, by_change, by_detail).clamp(0, 1)


def soft_targets(tasks: Tensor, strength: Tensor) -> Tensor:
    """Return the task probabilities to learn, (B, T): a faint weather lies between this weather and clean."""
    every = torch.arange(len(Task), device=tasks.device)
    own, clean = (tasks[:, None] == every).float(), (every == Task.CLEAN).float()
    return strength[:, None] * own + (1 - strength[:, None]) * clean
