"""Photos as the network sees them: from a file, bytes, a PIL image, an array or a tensor, and back to a file.

What a photo carries stays with it: orientation is applied once, colours are converted to sRGB and back; alpha,
grey, depth, date and camera are kept. The place where it was taken is dropped unless it is asked for. What is
hidden under transparency is filled from what is seen, and put back when the photo is written. An input that can
not be used raises `ImageError`, a ValueError of one line.

C colours, H height, W width.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
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
from opir.ops.window import Window
from opir.photo.beside.described import Described
from opir.photo.beside.properties import FileProperties
from opir.photo.pixels.colour import MatrixProfile
from opir.photo.pixels.samples import ROWS_AT_A_TIME, to_samples
from opir.photo.pixels.transparency import extended
from opir.photo.reading import MAX_MEGAPIXELS, content_of, read_bytes, read_file, read_picture

BYTES_A_PIXEL = 40
"""What restoring a very large photo takes, with room to spare."""
LARGE_FROM_PIXELS = 8_000_000
"""From here on what each stage makes of an 8-bit photo is kept in grey values, for 0.01 dB; maps, and coarser levels
on the way, are kept in half precision."""
LUMA = torch.tensor([0.299, 0.587, 0.114])

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | NDArray[Any] | Tensor


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture as it was decoded, and all that is needed to save it as it came."""

    pixels: NDArray[Any]
    """(C, H, W) in the file's own colours, C = 1 for a grey photo and else 3: uint8, uint16 or float32 in [0, 1].
    Where alpha hides them wholly they continue what is seen."""
    alpha: NDArray[Any] | None = None
    """(H, W), uint8 or uint16, untouched."""
    hidden: NDArray[Any] | None = None
    """(C, N): the colours of the N pixels that alpha hides wholly, in row order; `pixels` has none of them."""
    bits: int = 8
    """8, 16, or 32 for decimal fractions: the depth of a file of it."""
    file: FileProperties = field(default_factory=FileProperties)
    is_own_result: bool = False
    """Whether a file of it is to say that it was restored."""

    @property
    def height(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[2])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    @property
    def is_grey(self) -> bool:
        return len(self.pixels) == 1

    @property
    def is_large(self) -> bool:
        """Whether what is made of it is kept in fewer bytes: 8 bits, and many pixels."""
        return self.bits == 8 and self.width * self.height >= LARGE_FROM_PIXELS

    @property
    def rgb(self) -> Tensor:
        """All of it as float32 (3, H, W), sRGB in [0, 1]; of a large one take parts."""
        return self.write_rgb(torch.empty(3, self.height, self.width))

    def rgb_of(self, part: Window) -> Tensor:
        """Return a part as float32 (3, h, w), sRGB in [0, 1]."""
        return self._unclipped(part).clamp(0, 1)

    @property
    def compact_rgb(self) -> Tensor:
        """All of it, sRGB (3, H, W): `rgb`, but of a large photo in fewer bytes (`opir.ops.colours.in_unit`).

        Those are its own grey values, uint8, or float16 where they have to be converted from another profile.
        """
        if not self.is_large:
            return self.rgb
        if self.pixels.dtype == np.uint8 and self._profile is None:
            return torch.from_numpy(self.pixels).expand(3, -1, -1)
        return self.write_rgb(torch.empty(3, self.height, self.width, dtype=torch.float16))

    def greyed(self, rgb: Tensor) -> Tensor:
        """Return colours for this photo, (3, h, w), floats or uint8: grey ones if it is grey, else as they are."""
        if not self.is_grey:
            return rgb
        grey = torch.empty(rgb.shape[1:], dtype=rgb.dtype)
        for top in range(0, len(grey), ROWS_AT_A_TIME):
            rows = slice(top, top + ROWS_AT_A_TIME)
            store(torch.einsum("c,chw->hw", LUMA, in_unit(rgb[:, rows])), grey[rows])
        return grey.expand(3, -1, -1).contiguous()

    def with_rgb(self, rgb: Tensor) -> Photo:
        """Return this photo with other colours, sRGB (3, H, W) as of `own_colours`, and everything else kept."""
        if tuple(rgb.shape) != (3, self.height, self.width):
            raise ImageError(f"expected colours of shape {(3, self.height, self.width)}, got {tuple(rgb.shape)}")
        pixels = np.empty_like(self.pixels)
        for rows in self.parts():
            pixels[:, rows.top : rows.bottom] = to_samples(self.own_colours(rows, rgb), pixels.dtype)
        return replace(self, pixels=pixels)

    def own_colours(self, part: Window, rgb: Tensor | None = None, described: Described | None = None) -> Tensor:
        """Return a part as floats (C, h, w) in the file's own colours, or other colours instead.

        Args:
            part: which.
            rgb: other colours of the whole photo: sRGB (3, H, W), floats in [0, 1] or uint8 grey values. What sRGB
                lacks of the photo's own colours is added again.
            described: of another file that these are for; None for the photo's own.
        """
        described = described or self.file.described
        if rgb is None and described == self.file.described:
            return self._unit(part)
        colours = self.rgb_of(part) if rgb is None else self.greyed(in_unit(part.of(rgb.detach()).cpu()))
        profile = described.profile()
        if profile is not None:
            own = self._unclipped(part)
            colours = profile.from_srgb(colours + own - own.clamp(0, 1))
        return colours[: len(self.pixels)]

    def write_rgb(self, rgb: Tensor) -> Tensor:
        """Fill a tensor (3, H, W), floats or uint8, with the photo's sRGB colours, some rows at a time."""
        for rows in self.parts():
            store(self.rgb_of(rows), rows.of(rgb))
        return rgb

    def parts(self) -> Iterator[Window]:
        """Return windows of some rows each, which stay in the processor's cache."""
        for top in range(0, self.height, ROWS_AT_A_TIME):
            yield Window(top, 0, min(top + ROWS_AT_A_TIME, self.height), self.width)

    @property
    def _profile(self) -> MatrixProfile | None:
        return self.file.described.profile()

    def _unit(self, part: Window) -> Tensor:
        most = 1 if self.pixels.dtype == np.float32 else np.iinfo(self.pixels.dtype).max
        values = self.pixels[:, part.top : part.bottom, part.left : part.right]
        return torch.from_numpy(np.divide(values, most, dtype=np.float32))

    def _unclipped(self, part: Window) -> Tensor:
        """Return the sRGB colours of a part, outside of [0, 1] where sRGB lacks them."""
        unit = self._unit(part).expand(3, -1, -1)
        return unit if self._profile is None else self._profile.to_srgb(unit)


def allowed_megapixels() -> float:
    """Return how large a photo may be here and now: `MAX_MEGAPIXELS`, or what the free memory is enough for."""
    free = free_memory(torch.device("cpu"))
    return MAX_MEGAPIXELS if free is None else max(MAX_MEGAPIXELS, round(free / BYTES_A_PIXEL / 1e6))


def load_photo(source: Source, max_megapixels: float | None = None, keep_location: bool = False) -> Photo:
    """Read a photo from wherever it is.

    Args:
        source: a path, a file's bytes, a file open for reading bytes, a PIL image, an array (H, W[, C]) of uint8,
            uint16 or float with 1 to 4 channels, or a float tensor (3, H, W). Floats are sRGB in [0, 1].
        max_megapixels: the largest photo allowed; a file's size is checked before it is decoded. None for what
            `allowed_megapixels` says.
        keep_location: keep the place where it was taken, which its metadata may hold.

    Raises:
        ImageError: if it is no photo, damaged, too large or of the wrong shape or range.
    """
    if isinstance(source, Tensor):
        return _from_tensor(source)
    if isinstance(source, np.ndarray):
        return _from_array(source)
    most = allowed_megapixels() if max_megapixels is None else max_megapixels
    if isinstance(source, Image.Image):
        return _from_pixels(*read_picture(source, most, keep_location))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_pixels(*read_bytes(bytes(source), most, keep_location))
    if isinstance(source, (str, os.PathLike)):
        return _from_pixels(*read_file(Path(source), most, keep_location))
    if hasattr(source, "read"):
        return _from_pixels(*read_bytes(content_of(source, most), most, keep_location))
    raise ImageError(
        f"expected a path, bytes, an open file, a PIL image, an array or a tensor, got {type(source).__name__}"
    )


def load_rgb8(path: Path) -> Tensor:
    """Read a photo file as it is kept in memory for training: sRGB (3, H, W), rounded to uint8.

    Raises:
        ImageError: as `load_photo` does.
    """
    photo = load_photo(path)
    return photo.write_rgb(torch.empty(3, photo.height, photo.width, dtype=torch.uint8))


def _from_tensor(tensor: Tensor) -> Photo:
    got = f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
    if tensor.dim() == 4 and tensor.shape[0] == 1:
        tensor = tensor[0]
    if tensor.dim() != 3 or tensor.shape[0] != 3 or 0 in tensor.shape or not tensor.is_floating_point():
        raise ImageError(f"expected a float tensor of shape (3, H, W), got {got}")
    low, high = float(tensor.min()), float(tensor.max())
    _check_range(low, high)
    return Photo(tensor.detach().to("cpu", torch.float32).clamp(0, 1).contiguous().numpy())


def _check_range(low: float, high: float) -> None:
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # NaN too
        raise ImageError(f"expected values in [0, 1], got {low:g} to {high:g}; divide 8-bit values by 255")


def _from_array(array: NDArray[Any]) -> Photo:
    if array.ndim not in (2, 3) or 0 in array.shape or (array.ndim == 3 and array.shape[2] > 4):
        raise ImageError(f"expected an array of shape (H, W) or (H, W, 1 to 4), got {array.shape}")
    pixels = array if array.ndim == 3 else array[..., None]
    if np.issubdtype(array.dtype, np.floating):
        _check_range(float(array.min()), float(array.max()))
        return replace(_from_pixels(pixels.astype(np.float32), FileProperties()), bits=8)
    if array.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"expected an array of uint8, uint16 or float, got {array.dtype}")
    return _from_pixels(pixels, FileProperties())


def _from_pixels(decoded: NDArray[Any], file: FileProperties) -> Photo:
    """Return what was decoded, (H, W, 1 to 4) with alpha last in 2 and 4, as a photo."""
    channels = decoded.shape[2]
    pixels = np.empty((1 if channels < 3 else 3, *decoded.shape[:2]), decoded.dtype)
    for top in range(0, len(decoded), ROWS_AT_A_TIME):  # which stay in the processor's cache
        rows = decoded[top : top + ROWS_AT_A_TIME, :, : len(pixels)]
        pixels[:, top : top + ROWS_AT_A_TIME] = rows.transpose(2, 0, 1)
    if pixels.dtype == np.float32:
        np.clip(pixels, 0, 1, out=pixels)
    photo = Photo(pixels, bits=8 * pixels.dtype.itemsize, file=file)
    return photo if channels in (1, 3) else _with_alpha(photo, decoded[..., -1])


def _with_alpha(photo: Photo, channel: NDArray[Any]) -> Photo:
    """Add transparency: colours of hidden pixels continue the seen ones, and what stood in those is kept beside."""
    if channel.dtype == np.float32:
        channel = np.rint(channel * 65535).astype(np.uint16)
    alpha = np.ascontiguousarray(channel)
    is_hidden = alpha == 0
    if not is_hidden.any():
        return replace(photo, alpha=alpha)
    filled = extended(photo.own_colours(Window(0, 0, photo.height, photo.width)), torch.from_numpy(~is_hidden))
    pixels = np.where(is_hidden, to_samples(filled, photo.pixels.dtype), photo.pixels)
    return replace(photo, pixels=pixels, alpha=alpha, hidden=photo.pixels[:, is_hidden])
