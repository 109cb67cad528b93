"""Pictures of any size in one tensor on the training device, and square windows that are cut out of them.

B batch, C channels, S side of a crop.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

_MOST_HALVINGS = 3
COPIES_FACTOR = 4 / 3
"""The bytes of a picture with its smaller copies, as a multiple of its own."""


class Windows(NamedTuple):
    """Where crops are cut: a square part of a picture for each crop."""

    picture: NDArray[np.int64]
    """Which picture, (B,)."""
    top: NDArray[np.float64]
    """In pixels of the whole picture, (B,)."""
    left: NDArray[np.float64]
    side: NDArray[np.float64]
    """Of the part, not yet of the crop."""
    mirrored: NDArray[np.bool_]
    """Whether left and right are swapped, (B,)."""
    turns: NDArray[np.int64]
    """How many times each is turned by 90 degrees, (B,)."""

    def first(self, count: int) -> "Windows":
        """Return the first ones."""
        return Windows(*(values[:count] for values in self))  # type: ignore[arg-type]


def place_windows(
    chosen: NDArray[np.int64],
    sizes: NDArray[np.float64],
    window: NDArray[np.float64],
    random: np.random.Generator,
    turn_share: float,
) -> Windows:
    """Place windows at random in their pictures, at whole pixels; half are mirrored, some turned.

    Args:
        chosen: which pictures, (B,).
        sizes: their heights and widths, (B, 2).
        window: sides of the windows, (B,), no longer than the pictures'.
        random: source of randomness.
        turn_share: of windows that are turned by 90, 180 or 270 degrees.
    """
    room = np.maximum(sizes - window[:, None], 0)
    top, left = np.floor(room * random.random((len(chosen), 2))).T
    turns = np.where(random.random(len(chosen)) < turn_share, random.integers(1, 4, len(chosen)), 0)
    return Windows(chosen, top, left, np.round(window), random.random(len(chosen)) < 0.5, turns)


class PictureStore:
    """Pictures as bytes on a device, each also at a half, a quarter and an eighth of its size."""

    def __init__(self, pictures: Sequence[Tensor], device: torch.device) -> None:
        """Copy pictures to a device.

        Args:
            pictures: (C, H, W) uint8 each, all of the same C.
            device: where they lie and are cut.
        """
        if not pictures:
            raise ValueError("expected at least one picture to train on, got none")
        self.sizes: NDArray[np.float64] = np.array([picture.shape[1:] for picture in pictures], float)
        """Height and width of each."""
        self.device = device
        self._starts = np.zeros((_MOST_HALVINGS + 1, len(pictures)), np.int64)
        self._heights, self._widths = np.zeros_like(self._starts), np.zeros_like(self._starts)
        room = sum(_bytes_with_copies(*picture.shape) for picture in pictures)
        channels = int(pictures[0].shape[0])
        self._pixels = torch.empty((room // channels, channels), dtype=torch.uint8, device=device)
        position = 0
        for index, picture in enumerate(pictures):
            copy = picture.to(device)
            for halvings in range(_MOST_HALVINGS + 1):
                if halvings and min(copy.shape[-2:]) >= 2:
                    copy = F.avg_pool2d(copy.float(), 2).round().byte()
                self._starts[halvings, index] = position
                self._heights[halvings, index], self._widths[halvings, index] = copy.shape[-2:]
                count = copy.shape[-2] * copy.shape[-1]
                self._pixels[position : position + count] = copy.permute(1, 2, 0).reshape(count, channels)
                position += count

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def nbytes(self) -> int:
        """What the pictures take on the device, in bytes."""
        return self._pixels.nbytes

    def cut(self, windows: Windows, side: int, relative: bool = False) -> Tensor:
        """Cut windows and bring them to side×side pixels: (B, C, S, S) in [0, 1].

        A window of `side` pixels at whole bounds is copied. Others are interpolated from the smallest copy of the
        picture in which the window still has `side` pixels.

        Args:
            windows: what to cut; bounds beyond a picture repeat its border.
            side: S.
            relative: whether `top` and `left` are shares of the picture's height and width, and `side`, (B, 2), of
                both: for maps that are not of their photos' size.
        """
        heights, widths = self.sizes[windows.picture].T
        top, left = windows.top, windows.left
        tall = wide = windows.side
        if relative:
            top, left = top * heights, left * widths
            tall, wide = windows.side[:, 0] * heights, windows.side[:, 1] * widths
        step = np.maximum(tall, wide) / side
        halvings = np.clip(np.floor(np.log2(np.maximum(step, 1)) + 1e-6), 0, _MOST_HALVINGS).astype(np.int64)
        factor = 2.0**halvings
        chosen = halvings, windows.picture
        numbers = np.stack([top / factor, left / factor, tall / factor / side, wide / factor / side])
        whole = np.stack(
            [self._starts[chosen], self._heights[chosen], self._widths[chosen], windows.mirrored, windows.turns]
        )
        placed = self._to_device(torch.from_numpy(numbers).float())[:, :, None, None]
        start, height, width, mirrored, turns = self._to_device(torch.from_numpy(whole))[:, :, None, None]
        rows, columns = self._grid(side, mirrored, turns)
        rows = placed[0] + (rows + 0.5) * placed[2] - 0.5
        columns = placed[1] + (columns + 0.5) * placed[3] - 0.5
        return self._interpolated(start, height, width, rows, columns)

    def _to_device(self, values: Tensor) -> Tensor:
        if self.device.type == "cuda":
            return values.pin_memory().to(self.device, non_blocking=True)
        return values

    def _grid(self, side: int, mirrored: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
        """Return which row and column of its window each pixel of a crop shows: (B, S, S) both."""
        index = torch.arange(side, device=self.device)
        rows, columns = index[None, :, None].expand(1, side, side), index[None, None].expand(1, side, side)
        columns = torch.where(mirrored > 0, side - 1 - columns, columns)
        rows = rows.expand_as(columns)
        back_rows, back_columns = side - 1 - rows, side - 1 - columns
        turned_rows = torch.where(turns == 1, columns, torch.where(turns == 2, back_rows, back_columns))
        turned_columns = torch.where(turns == 1, back_rows, torch.where(turns == 2, back_columns, rows))
        return torch.where(turns == 0, rows, turned_rows), torch.where(turns == 0, columns, turned_columns)

    def _interpolated(self, start: Tensor, height: Tensor, width: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        top, left = rows.floor(), columns.floor()
        down, right = (rows - top)[..., None], (columns - left)[..., None]

        def at(row: Tensor, column: Tensor) -> Tensor:
            row = torch.minimum(row.long().clamp_min(0), height - 1)
            column = torch.minimum(column.long().clamp_min(0), width - 1)
            return self._pixels[start + row * width + column].float()

        above = torch.lerp(at(top, left), at(top, left + 1), right)
        below = torch.lerp(at(top + 1, left), at(top + 1, left + 1), right)
        return (torch.lerp(above, below, down) / 255).permute(0, 3, 1, 2).contiguous()


def _bytes_with_copies(channels: int, height: int, width: int) -> int:
    total = 0
    for halvings in range(_MOST_HALVINGS + 1):
        if halvings and min(height, width) >= 2:
            height, width = height // 2, width // 2
        total += channels * height * width
    return total
