"""Photos as the network sees them: from a file, bytes, a PIL image, an array or a tensor, and back to a file.

What a photo carries stays with it: orientation is applied once, colours are converted to sRGB and back; alpha,
grey, depth, date and camera are kept. The place where it was taken is dropped unless it is asked for. What is
hidden under transparency is filled from what is seen, and put back when the photo is written. An input that can
not be used raises `ImageError`, a ValueError of one line.

C colours, H height, W width.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from opir.devices import free_memory
from opir.errors import ImageError
from opir.ops.colours import in_unit, store
from opir.photo.beside.properties import FileProperties
from opir.photo.pixels.samples import ROWS_AT_A_TIME
from opir.photo.pixels.transparency import extended
from opir.photo.reading import MAX_MEGAPIXELS, content_of, read_bytes, read_file, read_picture

BYTES_A_PIXEL = 40
"""What restoring a very large photo takes, with room to spare."""
COMPACT_FROM_PIXELS = 8_000_000
"""From here on an 8-bit photo can be kept in grey values. So is what each stage makes of it, for 0.01 dB; maps, and
coarser levels on the way, are kept in half precision."""
LUMA = torch.tensor([0.299, 0.587, 0.114])

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | NDArray[Any] | Tensor


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture for the network, and all that is needed to save it as it came."""

    rgb: Tensor
    """float32 (3, H, W), sRGB in [0, 1]. Where a very large photo was loaded compactly its grey values, uint8, or
    float16 if they had to be converted from another profile (`opir.ops.colours.in_unit`)."""
    alpha: NDArray[Any] | None = None
    """(H, W), uint8 or uint16, untouched."""
    hidden_rgb: Tensor | None = None
    """(3, N): the colours of the N pixels that alpha hides wholly, in row order; `rgb` has none of them."""
    beyond_srgb: Tensor | None = None
    """(3, H, W): what clipping and rounding to `rgb` took from the colours of a wider profile."""
    is_grey: bool = False
    bits: int = 8
    """8, 16, or 32 for decimal fractions."""
    file: FileProperties = field(default_factory=FileProperties)
    is_own_result: bool = False
    """Whether a file of it is to say that it was restored."""

    @property
    def height(self) -> int:
        return self.rgb.shape[1]

    @property
    def width(self) -> int:
        return self.rgb.shape[2]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    def with_rgb(self, rgb: Tensor) -> Photo:
        """Return this photo with other colours (3, H, W), grey if it is grey, and everything else kept."""
        if rgb.shape != self.rgb.shape:
            raise ImageError(f"expected colours of shape {tuple(self.rgb.shape)}, got {tuple(rgb.shape)}")
        if self.is_grey:
            rgb = torch.einsum("c,chw->hw", LUMA.to(rgb.dtype), rgb).expand(3, -1, -1).contiguous()
        return replace(self, rgb=rgb)


def is_compact(photo: Photo) -> bool:
    """Tell whether what is made of a photo is kept in fewer bytes: 8 bits, and many pixels."""
    return photo.bits == 8 and photo.width * photo.height >= COMPACT_FROM_PIXELS


def allowed_megapixels() -> float:
    """Return how large a photo may be here and now: `MAX_MEGAPIXELS`, or what the free memory is enough for."""
    free = free_memory(torch.device("cpu"))
    return MAX_MEGAPIXELS if free is None else max(MAX_MEGAPIXELS, round(free / BYTES_A_PIXEL / 1e6))


def load_photo(
    source: Source, max_megapixels: float | None = None, keep_location: bool = False, compact: bool = False
) -> Photo:
    """Read a photo from wherever it is.

    Args:
        source: a path, a file's bytes, a file open for reading bytes, a PIL image, an array (H, W[, C]) of uint8,
            uint16 or float with 1 to 4 channels, or a float tensor (3, H, W). Floats are sRGB in [0, 1].
        max_megapixels: the largest photo allowed; a file's size is checked before it is decoded. None for what
            `allowed_megapixels` says.
        keep_location: keep the place where it was taken, which its metadata may hold.
        compact: take a quarter of the memory for a photo of 8 bits and `COMPACT_FROM_PIXELS` or more, half of it
            for one of another profile than sRGB.

    Raises:
        ImageError: if it is no photo, damaged, too large or of the wrong shape or range.
    """
    if isinstance(source, Tensor):
        return _from_tensor(source)
    if isinstance(source, np.ndarray):
        return _from_array(source, compact)
    most = allowed_megapixels() if max_megapixels is None else max_megapixels
    if isinstance(source, Image.Image):
        return _from_pixels(*read_picture(source, most, keep_location), compact)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_pixels(*read_bytes(bytes(source), most, keep_location), compact)
    if isinstance(source, (str, os.PathLike)):
        return _from_pixels(*read_file(Path(source), most, keep_location), compact)
    if hasattr(source, "read"):
        return _from_pixels(*read_bytes(content_of(source, most), most, keep_location), compact)
    raise ImageError(
        f"expected a path, bytes, an open file, a PIL image, an array or a tensor, got {type(source).__name__}"
    )


def load_rgb8(path: Path) -> Tensor:
    """Read a photo file as it is kept in memory for training: sRGB (3, H, W), rounded to uint8.

    Raises:
        ImageError: as `load_photo` does.
    """
    rgb = load_photo(path, compact=True).rgb
    rounded = torch.empty_like(rgb, dtype=torch.uint8)
    store(in_unit(rgb), rounded)
    return rounded


def _from_tensor(tensor: Tensor) -> Photo:
    got = f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
    if tensor.dim() == 4 and tensor.shape[0] == 1:
        tensor = tensor[0]
    if tensor.dim() != 3 or tensor.shape[0] != 3 or 0 in tensor.shape or not tensor.is_floating_point():
        raise ImageError(f"expected a float tensor of shape (3, H, W), got {got}")
    low, high = float(tensor.min()), float(tensor.max())
    _check_range(low, high)
    return Photo(rgb=tensor.detach().to("cpu", torch.float32).clamp(0, 1))


def _check_range(low: float, high: float) -> None:
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # NaN too
        raise ImageError(f"expected values in [0, 1], got {low:g} to {high:g}; divide 8-bit values by 255")


def _from_array(array: NDArray[Any], compact: bool) -> Photo:
    if array.ndim not in (2, 3) or 0 in array.shape or (array.ndim == 3 and array.shape[2] > 4):
        raise ImageError(f"expected an array of shape (H, W) or (H, W, 1 to 4), got {array.shape}")
    pixels = array if array.ndim == 3 else array[..., None]
    if np.issubdtype(array.dtype, np.floating):
        _check_range(float(array.min()), float(array.max()))
        photo = _from_pixels(pixels.astype(np.float32).clip(0, 1), FileProperties(), compact)
        return replace(photo, bits=8)
    if array.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"expected an array of uint8, uint16 or float, got {array.dtype}")
    return _from_pixels(pixels, FileProperties(), compact)


def _from_pixels(pixels: NDArray[Any], file: FileProperties, compact: bool) -> Photo:
    height, width, channels = pixels.shape
    profile = file.described.profile()
    kept = torch.float32
    if compact and pixels.dtype == np.uint8 and height * width >= COMPACT_FROM_PIXELS:
        kept = torch.uint8 if profile is None else torch.float16
    rgb = torch.empty(3, height, width, dtype=kept)
    beyond = None if profile is None else torch.empty_like(rgb)
    colours = pixels[..., : 1 if channels < 3 else 3].transpose(2, 0, 1)
    most = 1 if pixels.dtype == np.float32 else np.iinfo(pixels.dtype).max
    for top in range(0, height, ROWS_AT_A_TIME):
        rows = slice(top, top + ROWS_AT_A_TIME)
        if kept is torch.uint8:
            rgb[:, rows] = torch.from_numpy(np.ascontiguousarray(colours[:, rows]))
            continue
        planes = np.divide(colours[:, rows], most, dtype=np.float32)
        part = torch.from_numpy(planes).expand(3, -1, -1)
        unclipped = part if profile is None else profile.to_srgb(part)
        rgb[:, rows] = unclipped.clamp(0, 1)
        if beyond is not None:
            beyond[:, rows] = unclipped - rgb[:, rows]
    alpha, hidden = None, None
    if channels in (2, 4):
        alpha = _alpha(pixels[..., -1])
        rgb, hidden = _without_hidden(rgb, alpha)
    return Photo(
        rgb=rgb,
        alpha=alpha,
        hidden_rgb=hidden,
        beyond_srgb=beyond,
        is_grey=channels < 3,
        bits=8 * pixels.dtype.itemsize,
        file=file,
    )


def _alpha(channel: NDArray[Any]) -> NDArray[Any]:
    if channel.dtype == np.float32:
        channel = np.rint(channel * 65535).astype(np.uint16)
    alpha: NDArray[Any] = np.ascontiguousarray(channel)
    return alpha


def _without_hidden(rgb: Tensor, alpha: NDArray[Any]) -> tuple[Tensor, Tensor | None]:
    """Return colours whose hidden pixels continue the seen ones, and what stood in those."""
    is_seen = torch.from_numpy(alpha > 0)
    if bool(is_seen.all()):
        return rgb, None
    hidden = rgb[:, ~is_seen].clone()
    filled = extended(in_unit(rgb), is_seen)
    return (filled.mul_(255).round_().to(torch.uint8) if rgb.dtype == torch.uint8 else filled.to(rgb.dtype)), hidden
