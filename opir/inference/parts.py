"""Which parts of a photo are computed one at a time: those asked for, or what fits into the memory that is left."""

from __future__ import annotations

import torch

from opir.devices import free_memory
from opir.inference.tile_sizes import SMALLEST_TILE_SIDE, WHOLE_UP_TO_PIXELS, Memory, largest_window
from opir.inference.tiling import plan_tiles, plan_windows
from opir.model import OPIR
from opir.ops.window import Window
from opir.photo.photo import Photo, is_compact


def memory_for(photo: Photo, device: torch.device) -> Memory:
    """Return the memory of a device, and what of it a photo and all that is made of it will hold."""
    # What the finest level begins with, both stages, the uncertainty, and coarser levels in a third of it; of a very
    # large photo in half precision, and the result in grey values.
    made = (15 if is_compact(photo) else 48) * photo.width * photo.height
    given = [photo.rgb] if photo.beyond_srgb is None else [photo.rgb, photo.beyond_srgb]
    held = made + sum(tensor.nbytes for tensor in given)
    return Memory(free_memory(device), held, is_shared=device.type == "cpu")


def plan_parts(
    model: OPIR, height: int, width: int, tile: int | str, memory: Memory, number_bytes: int
) -> list[Window]:
    """Return the parts of a level.

    Args:
        model: whose stride and halo count.
        height: of the level, a multiple of the model's stride.
        width: likewise.
        tile: side of a part in pixels of the level, 0 for one part, "auto" to go by the memory.
        memory: of the device.
        number_bytes: what a number takes in the precision that convolutions compute in, 4 or 2.

    Raises:
        ValueError: for a tile that is none of these.
    """
    stride, halo = model.stride, model.halo
    if tile == "auto":
        window = largest_window(halo, model.config, memory, number_bytes)
        if height * width <= min(window, WHOLE_UP_TO_PIXELS):
            return plan_tiles(height, width, 0, stride)
        return plan_windows(height, width, halo, window, SMALLEST_TILE_SIDE, stride)
    if not isinstance(tile, int) or (tile != 0 and tile < stride):
        raise ValueError(f'tile must be "auto", 0 for the whole photo, or at least {stride} pixels, got {tile!r}')
    return plan_tiles(height, width, tile, stride)
