"""TAIOM: one stage, from an image to its restoration (Eqs. 9–12, 19 and 20)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from opir.model.blocks import in_float32
from opir.model.fused_tail import FusedTail, is_available
from opir.model.kernel_predictor import UNSHUFFLE, KernelPredictor
from opir.model.task_modulator import TaskModulator
from opir.ops.filtering import filter_multiscale, filter_padded
from opir.ops.padding import reflect_pad
from opir.ops.uncertainty import uncertainty_map
from opir.ops.window import Window

# Pixels whose operators are made and applied at a time: few enough for the cache of a CPU, enough to keep a GPU busy.
_STRIP_PIXELS, _GPU_STRIP_PIXELS = 16_384, 1_048_576
_FUSED_STRIP_PIXELS = 262_144  # more, because the fused tail makes no operators


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


class Operators(NamedTuple):
    """As in `StageResult`, for the rows whose features were given."""

    kernels: Tensor
    modulation: Tensor | None
    modulated: Tensor
    scale_weights: Tensor
    uncertainty: Tensor

    def cut(self, part: Window) -> "Operators":
        """Return a copy of those of a part of these rows."""
        kernels, modulated, scale_weights, uncertainty = (
            part.of(one).clone() for one in (self.kernels, self.modulated, self.scale_weights, self.uncertainty)
        )
        modulation = None if self.modulation is None else part.of(self.modulation).clone()
        return Operators(kernels, modulation, modulated, scale_weights, uncertainty)


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


def make_operators(
    predictor: KernelPredictor, modulator: TaskModulator | None, features: Tensor, task_embedding: Tensor | None
) -> Operators:
    """Turn features of the KPN, or some rows of them, into operators (Eqs. 9–11, 18, 19)."""
    kernels, scale_weights = predictor.read_out(features)
    uncertainty = uncertainty_map(kernels)
    if modulator is None:
        return Operators(kernels, None, kernels, scale_weights, uncertainty)
    assert task_embedding is not None
    modulation = modulator(kernels, uncertainty, task_embedding)
    return Operators(kernels, modulation, kernels * modulation, scale_weights, uncertainty)


def predict_operators(
    predictor: KernelPredictor, modulator: TaskModulator | None, seen: Tensor, task_embedding: Tensor | None
) -> Operators:
    """Run a stage's networks; `OPIR.compile_stages` compiles this function."""
    features = predictor.features(seen, task_embedding)
    with in_float32(features):
        return make_operators(predictor, modulator, features, task_embedding)


@dataclass(frozen=True)
class InverseOperator:
    """One stage's networks: the KPN that the stages share, and the stage's own TAM."""

    predictor: KernelPredictor
    modulator: TaskModulator | None
    """None in a model without the task-aware module (Table 5)."""
    scales: tuple[int, ...]
    """The dilations of Eq. 15."""
    predict: Callable[..., Operators] = predict_operators
    """`predict_operators`, or the same function compiled."""

    def __call__(self, image: Tensor, guided_image: Tensor, task_embedding: Tensor | None) -> StageResult:
        """Predict each pixel's operator from `guided_image`, make it task-aware, and filter `image` with it.

        Args:
            image: what is filtered, (B, 3, H, W): I in stage 1, Ĵ1 in stage 2.
            guided_image: what the KPN sees: I in stage 1, Ĵ1·UM in stage 2 (Eq. 13).
            task_embedding: e_t, (B, D).
        """
        made = self.predict(self.predictor, self.modulator, guided_image, task_embedding)
        with in_float32(image):
            restored = filter_multiscale(image, made.modulated, made.scale_weights, self.scales)
        return StageResult(
            restored, made.kernels, made.modulation, made.modulated, made.scale_weights, made.uncertainty
        )

    def strips(
        self,
        image: Tensor,
        guided_image: Tensor,
        task_embedding: Tensor | None,
        inner: Window | None = None,
        with_operators: bool = False,
        fused: bool = True,
    ) -> Iterator[Strip]:
        """Restore like a call, but some rows after the other, so that operators never exist for the whole image.

        Without gradients only. The first three arguments are those of a call.

        Args:
            inner: the part that is wanted, of even bounds; None for all of it.
            with_operators: return the operators too.
            fused: use the compiled tail, on a CPU with Numba and if operators are not wanted.
        """
        whole = Window(0, 0, *image.shape[-2:])
        inner = inner or whole
        border = max(self.scales)
        padded = reflect_pad(image, border, border, border, border).contiguous()
        features, place = self.predictor.decode(guided_image, task_embedding, None if inner == whole else inner)
        if fused and not with_operators and image.device.type == "cpu" and len(image) == 1 and is_available():
            yield from self._fused_strips(features, place, padded, task_embedding, inner)
            return
        pixels = _STRIP_PIXELS if image.device.type == "cpu" else _GPU_STRIP_PIXELS
        for rows in _strips_of(inner, pixels):
            with in_float32(features):
                some = self.predictor.with_detail(features, place, rows)
                made = make_operators(self.predictor, self.modulator, some, task_embedding)
            around = Window(rows.top, rows.left, rows.bottom + 2 * border, rows.right + 2 * border)
            restored = filter_padded(around.of(padded), made.modulated, made.scale_weights, self.scales)
            operators = made if with_operators else None
            yield Strip(rows.top - inner.top, restored, made.uncertainty, made.scale_weights, operators)

    def _fused_strips(
        self, features: Tensor, place: Window, padded: Tensor, task_embedding: Tensor | None, inner: Window
    ) -> Iterator[Strip]:
        """Restore the `inner` part of the image, given the features of `place`."""
        with in_float32(features):
            tail = FusedTail(self.predictor, self.modulator, task_embedding, self.scales)
        border = max(self.scales)
        for rows in _strips_of(inner, _FUSED_STRIP_PIXELS):
            some = self.predictor.with_detail(features, place, rows)
            yield Strip(rows.top - inner.top, *tail(some, padded, rows.top + border, rows.left + border), None)


def _strips_of(part: Window, pixels: int) -> Iterator[Window]:
    """Cut a part into rows of about so many pixels, an even number of them."""
    step = max(pixels // (part.right - part.left) // UNSHUFFLE, 1) * UNSHUFFLE
    for top in range(part.top, part.bottom, step):
        yield Window(top, part.left, min(top + step, part.bottom), part.right)
