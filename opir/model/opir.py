"""OPIR: two stages of inverse operators that share one kernel predictor (Eqs. 8 and 13, Figure 3), level by level.

B batch, H height, W width, D embedding size, T tasks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from opir.config import OPIRConfig
from opir.model.inverse_operator import InverseOperator, StageResult, Strip, predict_operators
from opir.model.kernel_predictor import KernelPredictor
from opir.model.level import LevelResult, restore_level
from opir.model.task_encoder import TaskEncoder
from opir.model.task_modulator import TaskModulator
from opir.ops.pyramid import build_pyramid, change_of, changed
from opir.ops.window import Window
from opir.tasks import FALLING, Task

# Probabilities of haze at which e_t is the prototype of haze, the photo's own embedding, and the prototype of clean.
# Of 24 photos under haze by distance the surely hazy ones gain 1.4 dB; what is wrongly taken for it loses 4 dB less.
_SURELY_HAZY, _HAZY, _DOUBTFUL = 0.9, 0.75, 0.5
# Probabilities of rain or snow from which e_t is the photo's own embedding, below which it is the prototype, and
# below which it is the own embedding again. In 20 real rainy photos 5 % fewer streaks stay, drawn rain gains 0.1 dB,
# and no clean photo loses (docs/log.md).
_SURELY_FALLING, _FALLING, _FALLING_SEEN = 0.8, 0.6, 0.4


@dataclass(frozen=True)
class OPIRResult:
    """What the model computed for a batch of whole photos, at their size and that of each coarser level."""

    stages: tuple[StageResult, ...]
    """Of the finest level."""
    embedding: Tensor | None
    """e_t at the finest level, (B, D), for all of its stages; None for a model without the task-aware module."""
    levels: tuple[LevelResult, ...] = ()
    """From coarse to fine; the last one is the photo's own."""

    @property
    def first(self) -> StageResult:
        """Stage 1 of the finest level: Ĵ1 and the uncertainty that guides stage 2."""
        return self.stages[0]

    @property
    def final(self) -> StageResult:
        """The last stage of the finest level: Ĵ2, or Ĵ1 in a model of one stage."""
        return self.stages[-1]


class OPIR(nn.Module):
    """Restores rainy, snowy and hazy photos by predicting an inverse operator for every pixel.

    An untrained model returns its input: kernels start as the identity, modulation starts at 1.
    """

    def __init__(self, config: OPIRConfig) -> None:
        super().__init__()
        self.config = config
        self.kernel_predictor = KernelPredictor(config)
        self.task_encoder = TaskEncoder(config) if config.task_aware else None
        self.task_modulators = nn.ModuleList(
            TaskModulator(config) for _ in range(config.num_stages if config.task_aware else 0)
        )
        self.stride = self.kernel_predictor.stride
        """Sizes given to `run_stage` are multiples of it, and tiles start at multiples of it."""
        reach = self.kernel_predictor.reach + max(config.scales)
        self.halo = -(-reach // self.stride) * self.stride
        """How far around a pixel one stage looks, in pixels, rounded up to a multiple of `stride`."""
        self._predict = predict_operators

    def compile_stages(self) -> None:
        """Compile a stage's networks with `torch.compile`, once for each size of batch, to train on a GPU."""
        self._predict = torch.compile(predict_operators, dynamic=False, fullgraph=True)

    def embed(self, photo: Tensor) -> Tensor | None:
        """Embed whole photos (B, 3, H, W), uint8 or about [0, 1]: (B, D), or None without the task encoder."""
        return None if self.task_encoder is None else self.task_encoder(photo)

    def prototype(self, task: Task) -> Tensor | None:
        """Return the learned embedding of a named task, (1, D), or None without the task-aware module."""
        return None if self.task_encoder is None else self.task_encoder.prototypes[task][None].float()

    def task_probabilities(self, embedding: Tensor) -> Tensor:
        """Return how likely each task is for embeddings (B, D): (B, T), in the order of `Task`."""
        if self.task_encoder is None:
            raise ValueError("this model has no task-aware module, so it recognises no weather")
        return self.task_encoder.logits(embedding).softmax(dim=1)

    def choose_task_embedding(self, own: Tensor, named: Task | None = None) -> Tensor:
        """Return e_t for the stages, made from the photos' own embeddings: (B, D) both.

        Sure haze gets the prototype of haze: with the photo's own embedding, too little haze is removed from it. The
        more doubtful haze is, the nearer the embedding moves to the prototype of clean. Rain and snow are the other
        way round: sure ones keep the photo's own embedding, doubtful ones get their prototype, because half a streak
        is no better than a whole one; below `_FALLING_SEEN` nothing is changed.

        A named weather is treated in the same way if the photo shows it more than any other, because the embedding
        also says how much of it there is. Else it gets its prototype.
        """
        if self.task_encoder is None:
            return own
        probabilities = self.task_probabilities(own)
        haze = probabilities[:, Task.HAZE]
        sure = ((haze - _HAZY) / (_SURELY_HAZY - _HAZY)).clamp(0, 1)
        doubtful = ((_HAZY - haze) / (_HAZY - _DOUBTFUL)).clamp(0, 1)
        likeliest = probabilities.argmax(dim=1)
        share = torch.maximum(sure, doubtful) * (likeliest == Task.HAZE)
        hazy, clean = (self.task_encoder.prototypes[task].float() for task in (Task.HAZE, Task.CLEAN))
        seen = torch.lerp(own, torch.where((haze > _HAZY)[:, None], hazy, clean), share[:, None])
        most, which = probabilities[:, list(FALLING)].max(dim=1)
        share = ((_SURELY_FALLING - most) / (_SURELY_FALLING - _FALLING)).clamp(0, 1) * (most >= _FALLING_SEEN)
        seen = torch.lerp(seen, self.task_encoder.prototypes[list(FALLING)].float()[which], share[:, None])
        if named is None:
            return seen
        return torch.where((likeliest == named)[:, None], seen, self.task_encoder.prototypes[named].float())

    def copy_first_modulator(self) -> None:
        """Copy stage 1's task modulation to the later stages, after stage 1 was trained alone."""
        for modulator in self.task_modulators[1:]:
            modulator.load_state_dict(self.task_modulators[0].state_dict())

    def run_stage(
        self, index: int, image: Tensor, task_embedding: Tensor | None, uncertainty: Tensor | None = None
    ) -> StageResult:
        """Run one stage on a photo or on a tile of it.

        Args:
            index: 0 for stage 1 (Eq. 12), 1 for stage 2 (Eq. 13).
            image: (B, 3, H, W), H and W multiples of `stride`: the photo, or stage 1's restoration.
            task_embedding: (B, D) or (1, D), of the whole photo.
            uncertainty: for stage 2, stage 1's UM, (B, 1, H, W).
        """
        return self._stage(index)(image, self._guided(index, image, uncertainty), task_embedding)

    def stage_strips(
        self,
        index: int,
        image: Tensor,
        task_embedding: Tensor | None,
        uncertainty: Tensor | None = None,
        inner: Window | None = None,
        with_operators: bool = False,
        fused: bool = True,
    ) -> Iterator[Strip]:
        """Do the same without gradients, some rows after the other, in less memory and time.

        The first four arguments are those of `run_stage`, the image in float32.

        Args:
            inner: the part that is wanted, of even bounds; None for all of it.
            with_operators: return the operators too.
            fused: use the compiled tail, if Numba is installed.
        """
        seen = self._guided(index, image, uncertainty).contiguous(memory_format=torch.channels_last)
        return self._stage(index).strips(image, seen, task_embedding, inner, with_operators, fused)

    def _guided(self, index: int, image: Tensor, uncertainty: Tensor | None) -> Tensor:
        if index == 0 or not self.config.uncertainty_guided:
            return image
        assert uncertainty is not None
        return image * uncertainty

    def _stage(self, index: int) -> InverseOperator:
        modulator = self.task_modulators[index] if self.config.task_aware else None
        assert modulator is None or isinstance(modulator, TaskModulator)
        return InverseOperator(self.kernel_predictor, modulator, self.config.scales, self._predict)

    def forward(
        self,
        degraded: Tensor,
        tasks: Task | Tensor | None = None,
        num_stages: int | None = None,
        num_levels: int = 1,
    ) -> OPIRResult:
        """Restore a batch of photos of any size, from coarse to fine.

        Args:
            degraded: I, (B, 3, H, W) in [0, 1].
            tasks: a task that was named (`choose_task_embedding`), or one row of the prototype table for each photo,
                (B,), with -1 for its own embedding; None uses each level's own embedding of every photo.
            num_stages: stop after so many stages; None runs all.
            num_levels: of the pyramid, which all work; 1 is the paper.

        Returns:
            Every level's and stage's result at its own size; `final` has that of the input.
        """
        pyramid = build_pyramid(degraded, num_levels)
        levels: list[LevelResult] = []
        change = None
        for level in reversed(range(num_levels)):
            picture = pyramid[level] if change is None else changed(pyramid[level], change)  # x_n
            embedding = self._embed_for_stages(picture, tasks)
            stages = num_stages or self.config.num_stages
            levels.append(restore_level(self.run_stage, picture, embedding, stages, self.stride))
            change = change_of(pyramid[level], levels[-1].stages[-1].restored) if level else None
        return OPIRResult(levels[-1].stages, embedding, tuple(levels))

    def _embed_for_stages(self, picture: Tensor, tasks: Task | Tensor | None) -> Tensor | None:
        """Return e_t for both stages, (B, D); an embedding of stage 1's result would look clean."""
        if self.task_encoder is None:
            return None
        own: Tensor = self.task_encoder(picture.detach())
        if tasks is None or isinstance(tasks, Task):
            return self.choose_task_embedding(own, tasks)
        named = self.task_encoder.prototypes.float()[tasks.clamp_min(0)]
        return torch.where(tasks[:, None] < 0, self.choose_task_embedding(own), named)


def count_parameters(model: nn.Module) -> int:
    """Return the number of trainable values."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_gmacs(config: OPIRConfig, size: int) -> float:
    """Return the multiply-adds (in 10⁹) of one size×size photo, all stages, filtering included."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        OPIR(config)(torch.zeros(1, 3, size, size))
    # The counter knows convolutions and linear layers; filtering is 9·S products for blending and 9 for the kernel.
    filtering = size * size * 3 * 9 * (config.num_scales + 1) * config.num_stages
    return float((counter.get_total_flops() / 2 + filtering) / 1e9)
