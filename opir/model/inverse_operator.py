"""TAIOM: one stage, from an image to its restoration (Eqs. 9–12, 19 and 20)."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from opir.model.blocks import in_float32
from opir.model.fused_tail import FusedTail, is_available
from opir.model.kernel_predictor import UNSHUFFLE, KernelPredictor
from opir.model.task_modulator import TaskModulator
from opir.ops.filtering import filter_multiscale, filter_padded
from opir.ops.padding import reflect_pad
from opir.ops.uncertainty import uncertainty_map
from opir.ops.window import Window

# Pixels whose operators are made and applied at a time: on a processor they stay in its cache, on a GPU they fill it.
_STRIP_PIXELS, _GPU_STRIP_PIXELS = 16_384, 1_048_576
_FUSED_STRIP_PIXELS = 262_144  # of which only results exist


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


@dataclass(frozen=True)
class Operators:
    """As in `StageResult`, for the rows whose features were given."""

    kernels: Tensor
    modulation: Tensor | None
    modulated: Tensor
    scale_weights: Tensor
    uncertainty: Tensor


@dataclass(frozen=True)
class Strip:
    """What a stage restored of some rows, without the operators that did it."""

    top: int
    restored: Tensor
    """Ĵ, (B, 3, rows, W), not clamped."""
    uncertainty: Tensor
    """UM, (B, 1, rows, W)."""
    scale_weights: Tensor
    """α, (B, S, rows, W)."""
    operators: Operators | None
    """All that made them, at the size of the image, where it was asked for."""


@dataclass(frozen=True)
class InverseOperator:
    """One stage's networks: the KPN that the stages share, and the stage's own TAM."""

    predictor: KernelPredictor
    modulator: TaskModulator | None
    """None in a model without the task-aware module (Table 5)."""
    scales: tuple[int, ...]
    """The dilations of Eq. 15."""

    def __call__(self, image: Tensor, guided_image: Tensor, task_embedding: Tensor | None) -> StageResult:
        """Predict each pixel's operator from `guided_image`, make it task-aware, and filter `image` with it.

        Args:
            image: what is filtered, (B, 3, H, W): I in stage 1, Ĵ1 in stage 2.
            guided_image: what the KPN sees: I in stage 1, Ĵ1·UM in stage 2 (Eq. 13).
            task_embedding: e_t, (B, D).
        """
        features = self.predictor.features(guided_image, task_embedding)
        with in_float32(features):
            made = self._operators(features, task_embedding)
            restored = filter_multiscale(image, made.modulated, made.scale_weights, self.scales)
        return StageResult(
            restored, made.kernels, made.modulation, made.modulated, made.scale_weights, made.uncertainty
        )

    def strips(
        self,
        image: Tensor,
        guided_image: Tensor,
        task_embedding: Tensor | None,
        operator_scale: int = 1,
        inner: Window | None = None,
        operators_of_row: int | None = None,
        fused: bool = True,
    ) -> Iterator[Strip]:
        """Restore as a call does, some rows after the other, so that all operators never exist at once.

        Without gradients only.

        Args:
            image: as above.
            guided_image: as above, or a copy whose sides are `operator_scale` times shorter: the operators are
                predicted on it, interpolated, and applied at dilations as many times larger.
            task_embedding: as above.
            operator_scale: 1 for operators of the image's own resolution.
            inner: the part of `guided_image` that is wanted, of even bounds; None for all of it.
            operators_of_row: hand them out with the strip that holds this row of what is restored.
            fused: take the compiled tail where that can be: on a processor with Numba, for operators of the
                image's own resolution that nobody asks for.
        """
        whole = Window(0, 0, *guided_image.shape[-2:])
        inner = inner or whole
        scales = tuple(operator_scale * scale for scale in self.scales)
        border = max(scales)
        padded = reflect_pad(image, border, border, border, border).contiguous()
        around = 0 if operator_scale == 1 else UNSHUFFLE  # what interpolating looks at, in pixels of the operators
        seen = inner.grown(around, *guided_image.shape[-2:])
        features = self.predictor.features(guided_image, task_embedding, None if seen == whole else seen)
        if fused and operators_of_row is None and image.device.type == "cpu" and len(image) == 1 and is_available():
            yield from self._fused_strips(features, padded.float(), task_embedding, operator_scale, inner, seen)
            return
        step = max((_STRIP_PIXELS if image.device.type == "cpu" else _GPU_STRIP_PIXELS) // padded.shape[-1], 1)
        step = max(step // (UNSHUFFLE * operator_scale), 1) * UNSHUFFLE
        place = inner.scaled(operator_scale)
        for top in range(inner.top, inner.bottom, step):
            rows = Window(top, inner.left, min(top + step, inner.bottom), inner.right)
            near = rows.grown(around, *guided_image.shape[-2:])
            with in_float32(features):
                made = self._operators(near.within(seen).shrunk(UNSHUFFLE).of(features), task_embedding)
            inside, part = rows.within(near).scaled(operator_scale), rows.scaled(operator_scale)

            def enlarged(values: Tensor, inside: Window = inside) -> Tensor:
                return inside.of(_interpolated(values, operator_scale))

            kernels, weights, uncertainty = map(enlarged, (made.modulated, made.scale_weights, made.uncertainty))
            kept = None
            first, last = part.top - place.top, part.bottom - place.top
            if operators_of_row is not None and first <= operators_of_row < last:
                modulation = None if made.modulation is None else enlarged(made.modulation)
                kept = Operators(enlarged(made.kernels), modulation, kernels, weights, uncertainty)
            samples = (
                Window(part.top, part.left, part.bottom + 2 * border, part.right + 2 * border).of(padded).float()
            )
            restored = filter_padded(samples, kernels, weights, scales)
            yield Strip(first, restored, uncertainty, weights, kept)

    def _fused_strips(
        self,
        features: Tensor,
        padded: Tensor,
        task_embedding: Tensor | None,
        factor: int,
        inner: Window,
        seen: Window,
    ) -> Iterator[Strip]:
        """Restore the `inner` part of the image by features of what is `seen`, both in pixels of the operators."""
        with in_float32(features):
            tail = FusedTail(self.predictor, self.modulator, task_embedding, self.scales)
        border = factor * max(self.scales)
        columns = factor * (inner.right - inner.left)
        step = max(_FUSED_STRIP_PIXELS // (factor * columns) // UNSHUFFLE, 1) * UNSHUFFLE
        for top in range(inner.top, inner.bottom, step):
            rows = Window(top, inner.left, min(top + step, inner.bottom), inner.right)
            near = rows.grown(UNSHUFFLE, seen.bottom, seen.right) if factor > 1 else rows
            some = near.within(seen).shrunk(UNSHUFFLE).of(features)
            place = factor * top + border, factor * inner.left + border
            if factor == 1:
                done = tail(some, padded, *place)
            else:
                done = tail.enlarged(some, padded, factor, rows.within(near).scaled(factor), *place)
            yield Strip(factor * (top - inner.top), done.restored, done.uncertainty, done.scale_weights, None)

    def _operators(self, features: Tensor, task_embedding: Tensor | None) -> Operators:
        kernels, scale_weights = self.predictor.read_out(features)
        uncertainty = uncertainty_map(kernels)
        if self.modulator is None:
            return Operators(kernels, None, kernels, scale_weights, uncertainty)
        assert task_embedding is not None
        modulation = self.modulator(kernels, uncertainty, task_embedding)
        return Operators(kernels, modulation, kernels * modulation, scale_weights, uncertainty)


def _interpolated(values: Tensor, factor: int) -> Tensor:
    if factor == 1:
        return values
    return F.interpolate(values, scale_factor=factor, mode="bilinear", align_corners=False)
