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

from opir.colour import MatrixProfile
from opir.devices import free_memory
from opir.errors import ImageError
from opir.ops.levels import in_unit
from opir.photo.formats import FORMATS, format_of
from opir.photo.properties import FileProperties
from opir.photo.reading import content_of, read_bytes, read_file, read_picture
from opir.photo.transparency import extended
from opir.photo.writing import kept_by, rescaled, write_file, write_to

__all__ = ["MAX_MEGAPIXELS", "ImageError", "Photo", "Source", "load_photo", "save_photo", "to_picture"]

MAX_MEGAPIXELS = 100.0
"""What is always allowed, and all that a public page allows; more where there is memory for it."""
BYTES_A_PIXEL = 40
"""What restoring a very large photo takes, with room to spare."""
COMPACT_FROM_PIXELS = 16_000_000
"""From here on an 8-bit photo can be kept as levels. So is its result, and what lies between in half precision, which
costs 1/16 of a level."""
LUMA = torch.tensor([0.299, 0.587, 0.114])
_ROWS_AT_A_TIME = 64  # when colours become levels: they stay in the processor's cache

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | NDArray[Any] | Tensor


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture for the network, and all that is needed to save it as it came."""

    rgb: Tensor
    """float32 (3, H, W), sRGB in [0, 1]. Where a very large photo was loaded compactly its levels, uint8, or float16
    if they had to be converted from another profile (`opir.ops.levels.in_unit`)."""
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

    @property
    def height(self) -> int:
        return self.rgb.shape[1]

    @property
    def width(self) -> int:
        return self.rgb.shape[2]

    def with_rgb(self, rgb: Tensor) -> Photo:
        """Return this photo with other colours (3, H, W), grey if it is grey, and everything else kept."""
        if rgb.shape != self.rgb.shape:
            raise ImageError(f"expected colours of shape {tuple(self.rgb.shape)}, got {tuple(rgb.shape)}")
        if self.is_grey:
            rgb = torch.einsum("c,chw->hw", LUMA.to(rgb.dtype), rgb).expand(3, -1, -1).contiguous()
        return replace(self, rgb=rgb)


def is_compact(photo: Photo) -> bool:
    """Tell whether what is made of a photo is kept in half precision: 8 bits, and many pixels."""
    return photo.bits == 8 and photo.width * photo.height >= COMPACT_FROM_PIXELS


def allowed_megapixels() -> float:
    """Return how large a photo may be on this machine now: `MAX_MEGAPIXELS`, or what its free memory is enough for."""
    free = free_memory(torch.device("cpu"))
    return max(MAX_MEGAPIXELS, round(free / BYTES_A_PIXEL / 1e6))


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
    for top in range(0, height, _ROWS_AT_A_TIME):
        rows = slice(top, top + _ROWS_AT_A_TIME)
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
        return np.rint(channel * 65535).astype(np.uint16)
    return np.ascontiguousarray(channel)


def _without_hidden(rgb: Tensor, alpha: NDArray[Any]) -> tuple[Tensor, Tensor | None]:
    """Return colours whose hidden pixels continue the seen ones, and what stood in those."""
    is_seen = torch.from_numpy(alpha > 0)
    if bool(is_seen.all()):
        return rgb, None
    hidden = rgb[:, ~is_seen].clone()
    filled = extended(in_unit(rgb), is_seen)
    return (filled.mul_(255).round_().to(torch.uint8) if rgb.dtype == torch.uint8 else filled.to(rgb.dtype)), hidden


def save_photo(
    photo: Photo,
    path: str | os.PathLike[str],
    quality: int | None = None,
    file_format: str | None = None,
    keep_time: bool = False,
) -> tuple[str, ...]:
    """Write a photo with all that it kept. The file appears whole or not at all.

    Args:
        photo: what to write.
        path: where; its ending chooses the format, where `file_format` does not.
        quality: 1 to 100, for the lossy formats; by default one that makes a file about as large as the photo came
            in, and for another format one that is hard to tell from the original.
        file_format: a name of `opir.photo.formats.FORMATS`.
        keep_time: give the file the photo's time of change.

    Returns:
        What the photo had and the file has not, in words (docs/files.md).

    Raises:
        ImageError: for an unknown ending, a folder that can not be written, or transparency that the format
            can not hold.
    """
    path = Path(path)
    file_format = file_format or format_of(path)
    pixels, properties, lost = _encodable(photo, file_format, path.name)
    write_file(path, pixels, properties, file_format, quality, keep_time)
    return lost


def write_photo(photo: Photo, file: BinaryIO, file_format: str | None = None, quality: int | None = None) -> tuple[str, ...]:
    """Write a photo to an open file, in its own format where none is named; else as `save_photo` does."""
    file_format = file_format or photo.file.file_format
    name = photo.file.name or "the photo"
    pixels, properties, lost = _encodable(photo, file_format, name)
    write_to(file, name, pixels, properties, file_format, quality)
    return lost


def _encodable(photo: Photo, file_format: str, name: str) -> tuple[NDArray[Any], FileProperties, tuple[str, ...]]:
    """Return a photo's pixels as a format holds them, what rides along, and what was lost on the way."""
    row = FORMATS[file_format]
    properties, lost = kept_by(photo.file, row, photo.bits, photo.is_grey)
    dtype: Any = np.uint8
    if photo.bits > 8 and row.deepest > 8:
        dtype = np.float32 if photo.bits == 32 and row.deepest == 32 else np.uint16
    alpha = _alpha_to_write(photo, file_format, name)
    channels = 1 if photo.is_grey else 3
    unused = int(file_format == "JPEG" and channels == 3)
    pixels = _to_levels(
        _with_hidden(photo), dtype, properties.described.profile(), photo.beyond_srgb, channels, unused
    )
    if alpha is not None:
        pixels = np.concatenate([pixels, rescaled(alpha, dtype)[..., None]], axis=2)
    return pixels, properties, (*photo.file.left_out, *lost)


def _with_hidden(photo: Photo) -> Tensor:
    """Return a photo's colours with those put back that alpha hides."""
    if photo.hidden_rgb is None or photo.alpha is None:
        return photo.rgb
    rgb = photo.rgb.clone()
    rgb[:, torch.from_numpy(photo.alpha == 0)] = _like(photo.hidden_rgb, rgb.dtype)
    return rgb


def _like(colours: Tensor, dtype: torch.dtype) -> Tensor:
    if colours.dtype == dtype:
        return colours
    unit = in_unit(colours)
    return unit.mul_(255).round_().to(dtype) if dtype == torch.uint8 else unit.to(dtype)


def _alpha_to_write(photo: Photo, file_format: str, name: str) -> NDArray[Any] | None:
    if photo.alpha is None or FORMATS[file_format].alpha:
        return photo.alpha
    if photo.alpha.min() < np.iinfo(photo.alpha.dtype).max:
        raise ImageError(f"{name}: expected a photo without transparency for {file_format}; save it as PNG or WebP")
    return None


def _to_levels(
    image: Tensor,
    dtype: Any,
    profile: MatrixProfile | None = None,
    beyond: Tensor | None = None,
    channels: int = 3,
    unused: int = 0,
) -> NDArray[Any]:
    """Round sRGB (3, H, W) in [0, 1] to whole levels (H, W, C + unused) of a profile; some rows at a time.

    Decimal fractions, float32, are not rounded.
    """
    _, height, width = image.shape
    levels = np.empty((height, width, channels + unused), dtype)
    for top in range(0, height, _ROWS_AT_A_TIME):
        rows = in_unit(image[:, top : top + _ROWS_AT_A_TIME].detach()).cpu()
        if profile is not None:
            rows = profile.from_srgb(rows if beyond is None else rows + beyond[:, top : top + _ROWS_AT_A_TIME])
        rounded = rows[:channels].clamp(0, 1)
        if dtype != np.float32:
            rounded = rounded.mul_(np.iinfo(dtype).max).round_()
        levels[top : top + _ROWS_AT_A_TIME, :, :channels] = rounded.permute(1, 2, 0).numpy()
    return levels


def to_picture(rgb: Tensor, alpha: NDArray[Any] | None = None) -> Image.Image:
    """Return colours (3, H, W) as an 8-bit sRGB picture to show, with transparency where there is any."""
    pixels = _to_levels(rgb, np.uint8)
    if alpha is not None:
        pixels = np.concatenate([pixels, rescaled(alpha, np.uint8)[..., None]], axis=2)
    return Image.fromarray(pixels)
