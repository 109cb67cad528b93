"""How large the parts of a photo may be, so that all of it stays within the memory that there is."""

from __future__ import annotations

from dataclasses import dataclass

from opir.config import OPIRConfig
from opir.model.blocks import working_copies

WHOLE_UP_TO_PIXELS = 4_000_000
LARGEST_TILE_SIDE, SMALLEST_TILE_SIDE = 2048, 128
"""Without the halo; of the largest, as many pixels in any shape."""
AIMED_AT_BYTES = 1_450_000_000
"""What the program, a photo and its results and one tile take together on a processor, wherever tiles can do that.

Writing the file takes 4 bytes a pixel more than the results, after the tiles are gone.
"""
LEAST_WINDOW_PIXELS = 1_000_000
"""Smaller tiles than these, halo included, are taken for want of free memory only: they are mostly halo."""
SHORT_BELOW_BYTES = 3_000_000_000
"""Where a processor has less than this free, memory is spared at the cost of time."""
_PROGRAM_BYTES = 470_000_000  # 100 MB of them are Numba
_SHARE_OF_FREE_MEMORY = 0.5
# Besides features at half resolution (`working_copies`): the image in a few layouts; operators in strips. Half of it
# is holes of the heap.
_BYTES_PER_PIXEL, _BYTES_PER_PHOTO_PIXEL = 52, 36
_SHARE_WITHOUT_HOLES = 0.6


@dataclass(frozen=True)
class Memory:
    """What there is of it, and what is taken already."""

    free_bytes: int | None
    """None where the system does not tell."""
    held_bytes: int
    """Of the photo and of what is made of it, until the end: input, stages, uncertainty."""
    is_shared: bool
    """Whether it is the processor's, which has other programs to serve."""

    @property
    def is_short(self) -> bool:
        """Whether freed memory is to go back at once (`opir.devices.giving_back_freed_memory`)."""
        return self.is_shared and self.free_bytes is not None and self.free_bytes < SHORT_BELOW_BYTES


def largest_window(
    operator_scale: int, halo: int, config: OPIRConfig, memory: Memory, number_bytes: int = 4
) -> float:
    """Return how many pixels, of the copy that operators are predicted on, may be computed at once, halo included.

    Args:
        operator_scale: how many times smaller that copy is than the photo.
        halo: of the model, in pixels of the copy.
        config: of the model.
        memory: of its device.
        number_bytes: what a number takes in the precision that convolutions compute in, 4 or 2.
    """
    per_pixel: float = _BYTES_PER_PIXEL + working_copies(config.block, number_bytes) * config.width
    per_pixel += _BYTES_PER_PHOTO_PIXEL * (operator_scale**2 - 1)
    per_pixel *= _SHARE_WITHOUT_HOLES if memory.is_short else 1
    window = float((LARGEST_TILE_SIDE + 2 * halo) ** 2)
    if memory.is_shared:
        left = AIMED_AT_BYTES - _PROGRAM_BYTES - memory.held_bytes
        window = min(window, max(left / per_pixel, LEAST_WINDOW_PIXELS))
    if memory.free_bytes is not None:
        window = min(window, memory.free_bytes * _SHARE_OF_FREE_MEMORY / per_pixel)
    return window
