"""The full-resolution tail of a stage on a processor, compiled where Numba is installed (`opir/ops/compiled.py`)."""

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opir.model.kernel_predictor import UNSHUFFLE, KernelPredictor
from opir.model.task_modulator import TaskModulator


@cache
def is_available() -> bool:
    """Tell whether Numba is installed; if so, the first call on a machine compiles, which takes seconds."""
    if find_spec("numba") is None:
        return False
    importlib.import_module("opir.ops.compiled")
    return True


class FusedTail:
    """A stage's head, TAM, UM, filtering and fusion for one photo, in one pass over its pixels."""

    def __init__(
        self,
        predictor: KernelPredictor,
        modulator: TaskModulator | None,
        task_embedding: Tensor | None,
        scales: tuple[int, ...],
    ) -> None:
        """Lay out the weights; the arguments are a stage's (`InverseOperator`)."""
        weight, bias = predictor.head_weights()
        corners = UNSHUFFLE**2
        by_corner = weight.reshape(-1, corners, weight.shape[1]).transpose(0, 1)
        if predictor.smooth:  # the other half follows from it (`restore_rows`)
            by_corner = by_corner[..., : weight.shape[1] // 2]
        self._head = _padded(by_corner, 1, 2), _padded(bias.reshape(-1, corners).T, 1), predictor.kernel_outputs
        nothing = np.zeros((0, 0), np.float32), np.zeros(0, np.float32)
        self._modulator = nothing * 2
        if modulator is not None:
            assert task_embedding is not None
            assert modulator.output.bias is not None
            hidden_weight, hidden_bias = modulator.hidden_weights(task_embedding)
            output = _padded(modulator.output.weight.flatten(1), 0, 1), _padded(modulator.output.bias, 0)
            self._modulator = _padded(hidden_weight[0], 0, 1), _padded(hidden_bias[0], 0), *output
        self._scales = np.array(scales, np.int64)

    def __call__(self, features: Tensor, padded: Tensor, top: int, left: int) -> tuple[Tensor, Tensor, Tensor]:
        """Restore the pixels of some features.

        Args:
            features: of the KPN, (1, C, h, w).
            padded: the image with max(scales) pixels around it, (1, 3, H, W), contiguous float32.
            top: where in `padded` the features' first pixel lies, its border included.
            left: likewise.

        Returns:
            Ĵ, (1, 3, 2·h, 2·w), not clamped; UM, (1, 1, 2·h, 2·w); α, (1, S, 2·h, 2·w).
        """
        from opir.ops.compiled import restore_rows

        lines = features[0].permute(1, 2, 0).float().contiguous().numpy()
        height, width = UNSHUFFLE * lines.shape[0], UNSHUFFLE * lines.shape[1]
        restored, uncertainty, scale_weights = (
            torch.empty(count, height, width) for count in (3, 1, len(self._scales))
        )
        results = restored.numpy(), uncertainty[0].numpy(), scale_weights.numpy()
        given = lines, padded[0].numpy(), (top, left), self._head, self._modulator, self._scales
        _in_parts(len(lines), lambda first, last: restore_rows(*given, (first, last), results))
        return restored[None], uncertainty[None], scale_weights[None]


def _in_parts(rows: int, run: Callable[[int, int], object]) -> None:
    """Run on as many parts of the rows at once as PyTorch uses threads."""
    parts = min(torch.get_num_threads(), rows)
    if parts == 1:
        run(0, rows)
        return
    bounds = [rows * part // parts for part in range(parts + 1)]
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(run, bounds[:-1], bounds[1:]))


def _padded(values: Tensor, *dims: int) -> NDArray[np.float32]:
    """Return values with zeros appended, so that the sizes of these dimensions are multiples of `MULTIPLE`."""
    from opir.ops.compiled import MULTIPLE

    shape = [-(-size // MULTIPLE) * MULTIPLE if dim in dims else size for dim, size in enumerate(values.shape)]
    whole = np.zeros(shape, np.float32)
    whole[tuple(slice(size) for size in values.shape)] = values.detach().float().numpy()
    return whole
