"""Does a map show the grid of its network? Compares the energy at the grid's periods with that beside them."""

import torch
from torch import Tensor

PERIODS = (2, 4, 8, 16)
"""In pixels: the periods of grids that pixel shuffles, strides and cells could leave."""
_MULTIPLE = 16
_AROUND = (2, 3, 4)  # frequencies at this distance from a period's are its neighbours
_UNSEEN = 0.5 / 255  # an amplitude that 8 bits do not show, and so no grid


def grid_energy(values: Tensor) -> dict[int, float]:
    """Return, for each of `PERIODS`, the energy of a map at this period divided by that at the neighbouring periods.

    1 means that the period stands out no more than its neighbours; the worse of both directions counts. Energy of
    less than half a grey value counts as none.

    Args:
        values: (H, W), a map of a picture that is even or of random texture; at least 64×64.

    Raises:
        ValueError: for anything smaller.
    """
    height, width = (size - size % _MULTIPLE for size in values.shape)
    if min(height, width) < 64:
        raise ValueError(f"a map must be at least 64×64 for its grid to be measured, got {tuple(values.shape)}")
    inner = values[:height, :width].double()
    rows, columns = _spectrum(inner), _spectrum(inner.T)
    return {period: max(_standing_out(rows, period), _standing_out(columns, period)) for period in PERIODS}


def _spectrum(lines: Tensor) -> Tensor:
    """Return the mean energy of windowed lines (N, L) at each frequency, (L // 2 + 1,), an amplitude's square."""
    window = torch.hann_window(lines.shape[1], periodic=False, dtype=lines.dtype)
    detrended = lines - lines.mean(dim=1, keepdim=True)
    amplitudes: Tensor = torch.fft.rfft(detrended * window, dim=1).abs() / window.sum() * 2
    return amplitudes.square().mean(dim=0)


def _standing_out(spectrum: Tensor, period: int) -> float:
    length = 2 * (len(spectrum) - 1)
    own = length // period
    beside = [own + sign * step for step in _AROUND for sign in (-1, 1)]
    near = spectrum[[index for index in beside if 0 < index < len(spectrum)]]
    return float(spectrum[own] / (near.mean() + _UNSEEN**2))
