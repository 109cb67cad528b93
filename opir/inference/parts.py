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
    # Both stages and the uncertainty; of a very large photo in half precision, and the result as levels.
    made = (11 if is_compact(photo) else 28) * photo.width * photo.height
    given = [photo.rgb] if photo.beyond_srgb is None else [photo.rgb, photo.beyond_srgb]
    held = made + sum(tensor.nbytes for tensor in given)
    return Memory(free_memory(device), held, is_shared=device.type == "cpu")


def plan_parts(
    model: OPIR,
    height: int,
    width: int,
    tile: int | str,
    operator_scale: int,
    memory: Memory,
    number_bytes: int,
    longest: int | None = None,
) -> list[Window]:
    """Return the parts of the copy that operators are predicted on.

    Args:
        model: whose stride and halo count.
        height: of the copy, a multiple of the model's stride.
        width: likewise.
        tile: side of a part in pixels of the photo, 0 for one part, "auto" to go by the memory.
        operator_scale: how many times smaller the copy is than the photo.
        memory: of the device.
        number_bytes: what a number takes in the precision that convolutions compute in, 4 or 2.
        longest: the longest side allowed, in pixels of the copy; None for any.

    Raises:
        ValueError: for a tile that is none of these.
    """
    stride, halo, size = model.stride, model.halo, 0
    if tile == "auto":
        window = largest_window(operator_scale, halo, model.config, memory, number_bytes)
        if longest is None and height * width > min(window, WHOLE_UP_TO_PIXELS):
            return plan_windows(height, width, halo, window, SMALLEST_TILE_SIDE, stride)
    elif not isinstance(tile, int) or (tile != 0 and tile < stride):
        raise ValueError(f'tile must be "auto", 0 for the whole photo, or at least {stride} pixels, got {tile!r}')
    else:
        size = tile and max(tile // operator_scale, stride)
    return plan_tiles(height, width, size if longest is None else min(size or longest, longest), stride)
