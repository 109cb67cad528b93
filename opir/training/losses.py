"""What training minimises: Eq. 22 over the stages, plus a task and an uncertainty term (docs/paper.md)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from opir.model import OPIRResult

CHARBONNIER_EPSILON = 1e-3
# Mean change of a photo, in [0, 1], whose weight is about 1; added to every change, so that weights stay finite.
_USUAL_CHANGE, _LEAST_CHANGE = 0.07, 0.02
# Exponent of the weights: with 0, a plain mean, streaks are not learned; with 1 haze is not (docs/log.md).
_PROPORTION = 0.5
_MOST_HARM_WEIGHT = 3.0  # the largest weight of a photo without weather

_PIXELS = (1, 2, 3)


def charbonnier(restored: Tensor, clean: Tensor) -> Tensor:
    """L_c of Eq. 22: a smooth absolute difference, mean over pixels: (B, 3, H, W) both → (B,)."""
    return ((restored - clean).square() + CHARBONNIER_EPSILON**2).sqrt().mean(dim=_PIXELS)


def _laplacian(image: Tensor) -> Tensor:
    inner = image[..., 1:-1, 1:-1]
    return image[..., :-2, 1:-1] + image[..., 2:, 1:-1] + image[..., 1:-1, :-2] + image[..., 1:-1, 2:] - 4 * inner


def edge_loss(restored: Tensor, clean: Tensor) -> Tensor:
    """L_e of Eq. 22: the Charbonnier difference of the Laplacians, (B,)."""
    return charbonnier(_laplacian(restored), _laplacian(clean))


def frequency_loss(restored: Tensor, clean: Tensor) -> Tensor:
    """L_f of Eq. 22: mean absolute difference of the orthonormal Fourier coefficients, real and imaginary, (B,)."""
    spectrum = torch.fft.rfft2((restored - clean).float(), norm="ortho")
    return torch.view_as_real(spectrum).abs().mean(dim=(*_PIXELS, 4))


def photo_weights(degraded: Tensor, clean: Tensor) -> Tensor:
    """Return the weights of photos, (B,): the less the weather changed a photo, the larger.

    Haze changes every pixel and drizzle one in a hundred: in a plain mean the gradient of haze drowns that of
    streaks, and a photo restored from 30 to 33 dB counts for nothing beside one from 12 to 15.
    """
    change = (degraded - clean).abs().mean(dim=_PIXELS)
    return (_USUAL_CHANGE / (change + _LEAST_CHANGE)).pow(_PROPORTION)


def harm_weights(restored: Tensor, clean: Tensor) -> Tensor:
    """Return the weights of photos without weather, (B,): in proportion to how much each was changed, 1 on average.

    One wall that turns dark is worse than ten photos that change by one grey value.
    """
    harm = (restored.detach() - clean).abs().mean(dim=_PIXELS) + CHARBONNIER_EPSILON
    return (harm / harm.mean()).clamp_max(_MOST_HARM_WEIGHT)


def uncertainty_loss(uncertainty: Tensor, restored: Tensor, clean: Tensor) -> Tensor:
    """Return the loss that teaches UM the size of the error: |error| / σ + log σ with σ = 0.02 · UM² (Laplace).

    Args:
        uncertainty: UM of stage 1, (B, 1, H, W); 1 then stands for an error of 5 grey values.
        restored: the final restoration, (B, 3, H, W); no gradient reaches it.
        clean: the truth.
    """
    error = (restored.detach() - clean).abs().mean(dim=1, keepdim=True)
    sigma = (0.02 * uncertainty.square()).clamp_min(1e-3)
    return (error / sigma + sigma.log()).mean()


def whole_change_loss(predicted: tuple[Tensor, Tensor], degraded: Tensor, clean: Tensor) -> Tensor:
    """Compare the change of whole photos that embeddings predict with the true change: mean absolute difference.

    Args:
        predicted: by `TaskEncoder.whole_change`; differences of the mean, in [0, 1], are multiplied by 10.
        degraded: I, (B, 3, H, W).
        clean: J, (B, 3, H, W).
    """
    mean = (clean - degraded).mean(dim=(2, 3))
    spread = ((clean.std(dim=(2, 3)) + 0.02) / (degraded.std(dim=(2, 3)) + 0.02)).log()
    return (10 * (predicted[0] - mean).abs() + (predicted[1] - spread).abs()).mean()


class EmbeddingOutputs(NamedTuple):
    """What is predicted from the embeddings of a batch."""

    task_logits: Tensor
    """(B, T), scores of the tasks."""
    whole_change: tuple[Tensor, Tensor]
    """Change of the whole photo: `TaskEncoder.whole_change`."""


@dataclass(frozen=True)
class LossWeights:
    """How much each term counts; Eq. 22's δ and λ are the paper's."""

    edge: float = 0.05
    frequency: float = 0.1
    task: float = 0.2
    change: float = 0.05
    """Of the change of the whole photo that is predicted from e_t (`TaskEncoder.whole_change`)."""
    uncertainty: float = 0.02
    first_stage: float = 1.0
    """Of stage 1's restoration if stage 2 follows. The last stage has the weight 1, in Eq. 22 every stage."""


def restoration_loss(
    result: OPIRResult, degraded: Tensor, clean: Tensor, weights: LossWeights, without_weather: slice = slice(0)
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss of the stages' results, and its parts, detached, by name.

    Args:
        result: of the model.
        degraded: I, (B, 3, H, W).
        clean: J, (B, 3, H, W).
        weights: of the terms.
        without_weather: which photos of the batch have none; they are weighed by `harm_weights`.
    """
    parts: dict[str, Tensor] = {}
    total = clean.new_zeros(())
    photos = photo_weights(degraded, clean)
    if without_weather.stop > (without_weather.start or 0):
        photos[without_weather] *= harm_weights(result.final.restored[without_weather], clean[without_weather])
    for index, stage in enumerate(result.stages, start=1):
        restoration = charbonnier(stage.restored, clean)
        parts[f"stage{index}"] = restoration.mean()
        restoration = restoration + weights.edge * edge_loss(stage.restored, clean)
        restoration = restoration + weights.frequency * frequency_loss(stage.restored, clean)
        weight = 1.0 if stage is result.final else weights.first_stage
        total = total + weight * (photos * restoration).mean()
    parts["uncertainty"] = uncertainty_loss(result.first.uncertainty, result.final.restored, clean)
    total = total + weights.uncertainty * parts["uncertainty"]
    return total, {name: value.detach() for name, value in parts.items()}


def embedding_loss(
    outputs: EmbeddingOutputs,
    degraded: Tensor,
    clean: Tensor,
    tasks: Tensor,
    task_shares: Tensor,
    weights: LossWeights,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss of what is predicted from the photos' own embeddings, and its parts, detached, by name.

    Args:
        outputs: the predictions.
        degraded: I, (B, 3, H, W).
        clean: J, (B, 3, H, W).
        tasks: (B,), the true tasks, or (B, T), how much of each.
        task_shares: how often each task is trained, (T,), sum 1. The task term corrects the scores for it (logit
            adjustment, Menon et al. 2021): a photo is not called rainy because most crops were rainy.
        weights: of the terms.
    """
    parts = {
        "task": F.cross_entropy(outputs.task_logits + task_shares.clamp_min(1e-6).log(), tasks),
        "change": whole_change_loss(outputs.whole_change, degraded, clean),
    }
    total = weights.task * parts["task"] + weights.change * parts["change"]
    return total, {name: value.detach() for name, value in parts.items()}
