"""Photos as the network sees them: from a file, a PIL image, an array or a tensor, and back to a file.

What a photo carries stays with it: orientation is applied once, the colour profile is converted to sRGB and
back; alpha, grey, 16 bits, date and camera are kept. The GPS position is dropped unless it is asked for. An
input that can not be used raises `ImageError`, a ValueError of one line.

C colours, H height, W width.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from opir.ops.levels import in_unit, keep
from opir.photo.colour import MatrixProfile, read_matrix_profile
from opir.photo.reading import (
    DEEP_FORMATS,
    MAX_MEGAPIXELS,
    FileProperties,
    ImageError,
    format_of,
    read_file,
    read_picture,
)
from opir.photo.writing import write_file

__all__ = ["MAX_MEGAPIXELS", "ImageError", "Photo", "Source", "load_photo", "load_rgb8", "save_photo", "to_picture"]

COMPACT_FROM_PIXELS = 16_000_000
"""From here on an 8-bit photo can be kept as levels. So is its result, and what lies between in half precision, which
costs 1/16 of a level."""
LUMA = torch.tensor([0.299, 0.587, 0.114])
_ROWS_AT_A_TIME = 64  # when colours become levels: they stay in the processor's cache

Source = str | os.PathLike[str] | Image.Image | NDArray[Any] | Tensor


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture for the network, and all that is needed to save it as it came."""

    rgb: Tensor
    """float32 (3, H, W), sRGB in [0, 1]. Where a very large photo was loaded compactly its levels, uint8, or float16
    if they had to be converted from another profile (`opir.ops.levels.in_unit`)."""
    alpha: NDArray[Any] | None = None
    """(H, W), uint8 or uint16, untouched."""
    beyond_srgb: Tensor | None = None
    """(3, H, W): what clipping and rounding to `rgb` took from the colours of a wider profile."""
    is_grey: bool = False
    bits: int = 8
    file: FileProperties = field(default_factory=FileProperties)

    @property
    def height(self) -> int:
        return self.rgb.shape[1]

    @property
    def width(self) -> int:
        return self.rgb.shape[2]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

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


def load_photo(
    source: Source, max_megapixels: float = MAX_MEGAPIXELS, keep_location: bool = False, compact: bool = False
) -> Photo:
    """Read a photo from wherever it is.

    Args:
        source: a path, a PIL image, an array (H, W[, C]) of uint8, uint16 or float, or a float tensor
            (3, H, W). Floats are sRGB in [0, 1].
        max_megapixels: the largest photo allowed; a file's size is checked before it is decoded.
        keep_location: keep the GPS position that the EXIF data may hold.
        compact: take a quarter of the memory for a photo of 8 bits and `COMPACT_FROM_PIXELS` or more, half of it
            for one of another profile than sRGB.

    Raises:
        ImageError: if it is no photo, damaged, too large or of the wrong shape or range.
    """
    if isinstance(source, Tensor):
        return _from_tensor(source)
    if isinstance(source, np.ndarray):
        return _from_array(source, compact)
    if isinstance(source, Image.Image):
        return _from_pixels(*read_picture(source, max_megapixels, keep_location), compact)
    if isinstance(source, (str, os.PathLike)):
        return _from_pixels(*read_file(Path(source), max_megapixels, keep_location), compact)
    raise ImageError(f"expected a path, a PIL image, an array or a tensor, got {type(source).__name__}")


def load_rgb8(path: Path) -> Tensor:
    """Read a photo file as it is kept in memory for training: sRGB (3, H, W), rounded to uint8.

    Raises:
        ImageError: as `load_photo` does.
    """
    rgb = load_photo(path, compact=True).rgb
    rounded = torch.empty_like(rgb, dtype=torch.uint8)
    keep(in_unit(rgb), rounded)
    return rounded


def _from_tensor(tensor: Tensor) -> Photo:
    got = f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
    if tensor.dim() == 4 and tensor.shape[0] == 1:
        tensor = tensor[0]
    if tensor.dim() != 3 or tensor.shape[0] != 3 or 0 in tensor.shape or not tensor.is_floating_point():
        raise ImageError(f"expected a float tensor of shape (3, H, W), got {got}")
    low, high = float(tensor.min()), float(tensor.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # NaN too
        raise ImageError(f"expected values in [0, 1], got {low:g} to {high:g}; divide 8-bit values by 255")
    return Photo(rgb=tensor.detach().to("cpu", torch.float32).clamp(0, 1))


def _from_array(array: NDArray[Any], compact: bool) -> Photo:
    if array.ndim not in (2, 3) or 0 in array.shape or (array.ndim == 3 and array.shape[2] > 4):
        raise ImageError(f"expected an array of shape (H, W) or (H, W, 1 to 4), got {array.shape}")
    if np.issubdtype(array.dtype, np.floating):
        if array.ndim == 2 or array.shape[2] != 3:
            raise ImageError(f"expected a float array of shape (H, W, 3), got {array.shape}")
        return _from_tensor(torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1))))
    if array.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"expected an array of uint8, uint16 or float, got {array.dtype}")
    return _from_pixels(array if array.ndim == 3 else array[..., None], FileProperties(), compact)


def _from_pixels(pixels: NDArray[Any], file: FileProperties, compact: bool) -> Photo:
    height, width, channels = pixels.shape
    profile = _foreign_profile(file)
    kept = torch.float32
    if compact and pixels.dtype == np.uint8 and height * width >= COMPACT_FROM_PIXELS:
        kept = torch.uint8 if profile is None else torch.float16
    rgb = torch.empty(3, height, width, dtype=kept)
    beyond = None if profile is None else torch.empty_like(rgb)
    colours = pixels[..., : 1 if channels < 3 else 3].transpose(2, 0, 1)
    for top in range(0, height, _ROWS_AT_A_TIME):
        rows = slice(top, top + _ROWS_AT_A_TIME)
        if kept is torch.uint8:
            rgb[:, rows] = torch.from_numpy(np.ascontiguousarray(colours[:, rows]))
            continue
        planes = np.divide(colours[:, rows], np.iinfo(pixels.dtype).max, dtype=np.float32)
        part = torch.from_numpy(planes).expand(3, -1, -1)
        unclipped = part if profile is None else profile.to_srgb(part)
        rgb[:, rows] = unclipped.clamp(0, 1)
        if beyond is not None:
            beyond[:, rows] = unclipped - rgb[:, rows]
    return Photo(
        rgb=rgb,
        alpha=np.ascontiguousarray(pixels[..., -1]) if channels in (2, 4) else None,
        beyond_srgb=beyond,
        is_grey=channels < 3,
        bits=16 if pixels.dtype == np.uint16 else 8,
        file=file,
    )


def _foreign_profile(file: FileProperties) -> MatrixProfile | None:
    """Return the profile that pixels must be converted by, None where they are sRGB."""
    profile = read_matrix_profile(file.icc) if file.icc else None
    return None if profile is None or profile.is_srgb else profile


def save_photo(photo: Photo, path: str | os.PathLike[str], quality: int | None = None) -> None:
    """Write a photo with all that it kept, in the format that the file name asks for.

    16 bits survive in PNG and TIFF, 10 of them in HEIC. The file appears whole or not at all.

    Args:
        photo: what to write.
        path: where; its ending chooses the format.
        quality: 1 to 100, for the lossy formats; by default that of the photo where both are JPEGs (at least 80),
            else one that is hard to tell from the original.

    Raises:
        ImageError: for an unknown ending, a folder that can not be written, or transparency that the format
            can not hold.
    """
    path = Path(path)
    file_format = format_of(path)
    file = replace(photo.file, icc=None) if file_format == "BMP" else photo.file
    dtype = np.uint16 if photo.bits == 16 and file_format in DEEP_FORMATS else np.uint8
    alpha = _alpha_to_write(photo, file_format, path.name)
    channels = 1 if photo.is_grey else 3
    unused = int(file_format == "JPEG" and channels == 3)
    pixels = _to_levels(photo.rgb, dtype, _foreign_profile(file), photo.beyond_srgb, channels, unused)
    if alpha is not None:
        pixels = np.concatenate([pixels, _rescale(alpha, dtype)[..., None]], axis=2)
    write_file(path, pixels, file, quality)


def _alpha_to_write(photo: Photo, file_format: str, name: str) -> NDArray[Any] | None:
    if photo.alpha is None or file_format not in ("JPEG", "BMP"):
        return photo.alpha
    if photo.alpha.min() < np.iinfo(photo.alpha.dtype).max:
        raise ImageError(f"{name}: expected a photo without transparency for {file_format}; save it as PNG or WebP")
    return None


def _to_levels(
    image: Tensor,
    dtype: type[np.uint8] | type[np.uint16],
    profile: MatrixProfile | None = None,
    beyond: Tensor | None = None,
    channels: int = 3,
    unused: int = 0,
) -> NDArray[Any]:
    """Round sRGB (3, H, W) in [0, 1] to whole levels (H, W, C + unused) of a profile; some rows at a time."""
    _, height, width = image.shape
    levels = np.empty((height, width, channels + unused), dtype)
    for top in range(0, height, _ROWS_AT_A_TIME):
        rows = in_unit(image[:, top : top + _ROWS_AT_A_TIME].detach()).cpu()
        if profile is not None:
            rows = profile.from_srgb(rows if beyond is None else rows + beyond[:, top : top + _ROWS_AT_A_TIME])
        rounded = rows[:channels].clamp(0, 1).mul_(np.iinfo(dtype).max).round_()
        levels[top : top + _ROWS_AT_A_TIME, :, :channels] = rounded.permute(1, 2, 0).numpy()
    return levels


def _rescale(levels: NDArray[Any], dtype: type[np.uint8] | type[np.uint16]) -> NDArray[Any]:
    if levels.dtype == dtype:
        return levels
    return (levels.astype(np.uint32) * 257).astype(dtype) if dtype is np.uint16 else (levels >> 8).astype(dtype)


def to_picture(rgb: Tensor, alpha: NDArray[Any] | None = None) -> Image.Image:
    """Return colours (3, H, W) as an 8-bit sRGB picture to show, with transparency where there is any."""
    pixels = _to_levels(rgb, np.uint8)
    if alpha is not None:
        pixels = np.concatenate([pixels, _rescale(alpha, np.uint8)[..., None]], axis=2)
    return Image.fromarray(pixels)
