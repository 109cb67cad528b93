"""Colour management in floating point: from a photo's own RGB (Display P3, Adobe RGB, ...) to sRGB and back.

Pillow's ImageCms works on 8-bit RGB only, which would cost a 16-bit photo its depth and an 8-bit one a grey value
per trip. Nearly every photo carries a *matrix* profile (a tone curve per channel and a 3×3 matrix), a few
lines of arithmetic: ICC.1:2022, sections 8.3 and 10. Profiles of look-up tables are left to ImageCms.

H height, W width.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SRGB_TO_D50 = np.array(  # linear sRGB to CIE XYZ, adapted to the D50 white of ICC profiles
    [
        [0.43606567, 0.38514709, 0.14307785],
        [0.22249031, 0.71687317, 0.06060791],
        [0.01391602, 0.09707642, 0.71409607],
    ]
)
CURVE_SAMPLES = 65536  # so that every 8-bit and 16-bit value is a sample
SAME_CURVE = 1e-4
INDISTINGUISHABLE = 0.5 / 255  # profiles closer to sRGB than this are sRGB


@dataclass(frozen=True)
class MatrixProfile:
    """Tone curves (3, CURVE_SAMPLES), rising, and the matrix from linear device colour to XYZ (D50)."""

    curves: NDArray[np.float64]
    to_xyz: NDArray[np.float64]

    def to_srgb(self, device: Tensor) -> Tensor:
        """Return device colour (3, H, W) as sRGB, not clipped: what sRGB lacks falls outside [0, 1]."""
        linear = _srgb_decode(_look_up(device, self._table))
        return _srgb_encode(_mix(linear, np.linalg.inv(SRGB_TO_D50) @ self.to_xyz))

    def from_srgb(self, srgb: Tensor) -> Tensor:
        """Return sRGB (3, H, W) as device colour, clipped to the device's own range [0, 1]."""
        linear = _mix(_srgb_decode(srgb), np.linalg.inv(self.to_xyz) @ SRGB_TO_D50)
        return _look_back(_srgb_encode(linear).clamp(0, 1), self._table)

    @cached_property
    def _table(self) -> Tensor | None:
        """Device colour under sRGB's tone curve, (3, CURVE_SAMPLES); None where its own curve is that one."""
        table = _srgb_encode(torch.from_numpy(self.curves)).float()
        same = (table - torch.linspace(0, 1, CURVE_SAMPLES)).abs().max() < SAME_CURVE
        return None if same else table

    @cached_property
    def is_srgb(self) -> bool:
        """Whether converting changes no grey value, as with the sRGB profile that most cameras attach."""
        values = torch.linspace(0.0, 1.0, 9)
        grid = torch.stack(torch.meshgrid(values, values, values, indexing="ij")).reshape(3, 9, 81)
        return bool((self.to_srgb(grid).clamp(0, 1) - grid).abs().max() < INDISTINGUISHABLE)


def read_matrix_profile(icc: bytes) -> MatrixProfile | None:
    """Return the matrix profile inside ICC data; None if there is none (look-up tables, CMYK, damage)."""
    try:
        return _matrix_profile(icc)
    except (KeyError, ValueError, struct.error):
        return None


def _matrix_profile(icc: bytes) -> MatrixProfile | None:
    with np.errstate(all="ignore"):  # what a damaged curve gives is looked at below
        (count,) = struct.unpack_from(">I", icc, 128)
        entries = [struct.unpack_from(">4sII", icc, 132 + 12 * index) for index in range(min(count, 200))]
        tags = {name: icc[offset : offset + size] for name, offset, size in entries}
        if icc[16:20] == b"GRAY":
            curves = [_read_curve(tags[b"kTRC"])] * 3
            matrix = SRGB_TO_D50
        else:
            curves = [_read_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
            matrix = np.stack([_read_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
    if not all(np.isfinite(curve).all() for curve in curves):
        return None
    if abs(np.linalg.det(matrix)) < 1e-6 or any(curve[-1] - curve[0] < 0.5 for curve in curves):
        return None
    return MatrixProfile(np.stack(curves), matrix)


def _read_xyz(tag: bytes) -> NDArray[np.float64]:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _read_curve(tag: bytes) -> NDArray[np.float64]:
    """Return a 'curv' or 'para' tag as CURVE_SAMPLES linear-light values that never fall."""
    x = np.linspace(0.0, 1.0, CURVE_SAMPLES)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        values = np.array(struct.unpack_from(f">{count}H", tag, 12), dtype=np.float64)
        if count == 0:
            y = x
        elif count == 1:
            y = x ** (values[0] / 256)
        else:
            y = np.interp(x, np.linspace(0.0, 1.0, count), values / 65535)
    elif tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        num_values = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}[kind]
        values = np.array(struct.unpack_from(f">{num_values}i", tag, 12)) / 65536
        g, a, b, c, d, e, f = _parametric_values(kind, list(values))
        y = np.where(x >= d, np.clip(a * x + b, 0, None) ** g + e, c * x + f)
    else:
        raise ValueError(f"expected a 'curv' or 'para' tag, got {tag[:4]!r}")
    return np.maximum.accumulate(np.clip(y, 0.0, 1.0))


def _parametric_values(kind: int, values: list[float]) -> tuple[float, ...]:
    """Return g, a … f of the most general form: y = (a x + b)^g + e from d on, c x + f below."""
    if kind == 0:
        return (values[0], 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    if kind in (1, 2):
        g, a, b = values[:3]
        offset = values[3] if kind == 2 else 0.0
        return (g, a, b, 0.0, -b / a if a else 0.0, offset, offset)
    g, a, b, c, d = values[:5]
    e, f = values[5:] if kind == 4 else (0.0, 0.0)
    return (g, a, b, c, d, e, f)


def _look_up(image: Tensor, table: Tensor | None) -> Tensor:
    """Take each channel of values (3, H, W) in [0, 1] from its row of the table."""
    if table is None:
        return image
    index = (image * (table.shape[1] - 1)).round().int()
    channels = [row.index_select(0, values.flatten()) for row, values in zip(table, index, strict=True)]
    return torch.stack(channels).reshape(image.shape)


def _look_back(image: Tensor, table: Tensor | None) -> Tensor:
    """Undo `_look_up`, between the values too."""
    if table is None:
        return image
    above = torch.searchsorted(table, image.flatten(1)).clamp(1, table.shape[1] - 1)
    low, high = table.gather(1, above - 1), table.gather(1, above)
    share = ((image.flatten(1) - low) / (high - low).clamp_min(1e-12)).clamp(0, 1)
    return ((above - 1 + share) / (table.shape[1] - 1)).reshape(image.shape)


def _mix(image: Tensor, matrix: NDArray[np.float64]) -> Tensor:
    return torch.einsum("ij,jhw->ihw", torch.from_numpy(matrix.astype(np.float32)), image)


def _srgb_decode(image: Tensor) -> Tensor:
    """IEC 61966-2-1, continued beyond [0, 1] and mirrored below 0."""
    size = image.abs()
    linear = torch.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return torch.copysign(linear, image)


def _srgb_encode(linear: Tensor) -> Tensor:
    size = linear.abs()
    encoded = torch.where(size <= 0.0031308, size * 12.92, 1.055 * size ** (1 / 2.4) - 0.055)
    return torch.copysign(encoded, linear)
