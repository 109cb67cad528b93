"""How a file says what its colours mean: an ICC profile, code points (CICP, nclx), PNG's gAMA and cHRM, or Exif.

ITU-T H.273 for code points, W3C PNG 3rd edition 11.3.2, ICC.1:2022, DCF 2.0 for Adobe RGB by Exif.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from opir.errors import ImageError
from opir.photo.pixels.colour import CURVE_SAMPLES, MatrixProfile, read_matrix_profile

D65 = (0.3127, 0.3290)
D50_XYZ = (0.9642, 1.0, 0.8249)
SRGB_PRIMARIES = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""Chromaticities x, y of white, red, green and blue, in the order of cHRM."""
_PRIMARIES = {  # H.273, table 2
    1: SRGB_PRIMARIES,
    2: SRGB_PRIMARIES,  # unspecified
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
_POWERS = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
# The curves of television are shown as sRGB's is, by browsers and by phones.
_LIKE_SRGB = (1, 2, 6, 7, 11, 12, 13, 14, 15)
HDR_CURVES = {16: "PQ", 18: "HLG"}
SRGB_CODE_POINTS = (1, 13)
_SRGB_GAMMAS = (45455, 45454)  # 1 / 2.2, rounded and cut off
_SRGB_CORNERS = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
_ADOBE_PRIMARIES = (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
_ADOBE_POWER = 563 / 256
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_ICC_SAMPLES = 4096


@dataclass(frozen=True)
class Described:
    """What a file says of its colours; nothing for sRGB."""

    icc: bytes | None = None
    cicp: tuple[int, int] | None = None
    """Code points of primaries and transfer curve; matrix and range are the encoder's choice."""
    gamma: int | None = None
    """PNG's gAMA: the exponent of encoding, times 100,000."""
    chromaticities: tuple[int, ...] | None = None
    """PNG's cHRM: white, red, green and blue, times 100,000."""
    is_adobe_rgb: bool = False
    """By the Exif data, which say so again when they are kept."""

    def profile(self) -> MatrixProfile | None:
        """Return the profile that pixels are in; None for sRGB, and for an ICC profile that is no matrix.

        Raises:
            ImageError: for curves of high dynamic range and for what is not defined; without the file's name.
        """
        if self.icc:
            return _of_icc(self.icc)
        if self.cicp:
            return _of_code_points(*self.cicp)
        if self.gamma or self.chromaticities:
            values = tuple(value / 100_000 for value in self.chromaticities or ()) or SRGB_PRIMARIES
            return _of_primaries(values, 100_000 / self.gamma if self.gamma else None)
        return _of_primaries(_ADOBE_PRIMARIES, _ADOBE_POWER) if self.is_adobe_rgb else None

    def as_icc(self, is_grey: bool = False) -> bytes | None:
        """Return a profile that says the same, for formats that know no other way; None for sRGB."""
        if self.icc:
            return self.icc
        profile = self.profile()
        return None if profile is None or profile.is_srgb else write_icc(profile, is_grey)


def told_code_points(primaries: int, curve: int) -> tuple[int, int] | None:
    """Return code points that say something: neither sRGB nor nothing."""
    return None if primaries in (1, 2) and curve in (2, 13) else (primaries, curve)


def by_gamma(gamma: int, chromaticities: tuple[int, ...]) -> Described:
    """Return what PNG's gAMA (0 for none) and cHRM say; nothing where they are sRGB's, or where a y is 0."""
    known = chromaticities if len(chromaticities) == 8 and all(chromaticities[1::2]) else None
    is_srgb = known == _SRGB_CORNERS and gamma in (0, *_SRGB_GAMMAS)
    return Described() if is_srgb else Described(gamma=gamma or None, chromaticities=known)


@lru_cache(maxsize=4)
def _of_icc(icc: bytes) -> MatrixProfile | None:
    codes = _code_points_in(icc)
    if codes is not None and codes[1] in HDR_CURVES:
        return _of_code_points(*codes)  # raises
    profile = read_matrix_profile(icc)
    return None if profile is None or profile.is_srgb else profile


def _code_points_in(icc: bytes) -> tuple[int, int] | None:
    """Return the code points in a profile's own tag for them (ICC.1:2022, 9.2.17), None where there are none."""
    place = icc.find(b"cicp", 128, 128 + 4 + 12 * 100)
    if place < 0 or place + 12 > len(icc):
        return None
    (offset,) = struct.unpack_from(">I", icc, place + 4)
    return (icc[offset + 8], icc[offset + 9]) if offset + 12 <= len(icc) else None


@lru_cache(maxsize=16)
def _of_code_points(primaries: int, curve: int) -> MatrixProfile | None:
    if curve in HDR_CURVES:
        raise ImageError(
            f"expected a photo for screens of normal brightness, got HDR ({HDR_CURVES[curve]}); export it as SDR"
        )
    if primaries not in _PRIMARIES or curve not in (*_LIKE_SRGB, *_POWERS):
        raise ImageError(
            f"expected colours that are defined, got code points {primaries} and {curve}; export it in sRGB"
        )
    return _of_primaries(_PRIMARIES[primaries], _POWERS.get(curve))


@lru_cache(maxsize=16)
def _of_primaries(chromaticities: tuple[float, ...], power: float | None) -> MatrixProfile | None:
    """Return the profile of primaries and a power, or sRGB's curve; None where it is sRGB, or no such thing."""
    x = np.linspace(0.0, 1.0, CURVE_SAMPLES)
    curve = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4) if power is None else x**power
    try:
        matrix = _to_xyz_d50(chromaticities)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-6 or not (0.1 < (power or 1) < 10):
        return None
    profile = MatrixProfile(np.stack([curve] * 3), matrix)
    return None if profile.is_srgb else profile


def _to_xyz_d50(chromaticities: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the matrix from linear RGB to XYZ, adapted to D50 (Lindbloom; ICC.1:2022 annex E)."""
    xyz = [(x / y, 1.0, (1 - x - y) / y) for x, y in zip(chromaticities[::2], chromaticities[1::2], strict=True)]
    white, primaries = np.array(xyz[0]), np.array(xyz[1:]).T
    unadapted = primaries * np.linalg.solve(primaries, white)
    cones = (_BRADFORD @ np.array(D50_XYZ)) / (_BRADFORD @ white)
    adapted: NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ unadapted
    return adapted


def write_icc(profile: MatrixProfile, is_grey: bool = False) -> bytes:
    """Return a version 2 ICC profile of a matrix and three curves, or of one curve for a grey photo."""
    tags = {b"wtpt": _xyz(D50_XYZ), b"desc": _text("Colours of the photo"), b"cprt": b"text\0\0\0\0none\0"}
    if is_grey:
        tags[b"kTRC"] = _curve(profile.curves[0])
    else:
        for index, name in enumerate((b"r", b"g", b"b")):
            tags[name + b"XYZ"] = _xyz(tuple(profile.to_xyz[:, index]))
            tags[name + b"TRC"] = _curve(profile.curves[index])
    offset, directory, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        directory += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    header = bytearray(128)
    kind = b"GRAY" if is_grey else b"RGB "
    struct.pack_into(
        ">I4sI4s4s4s", header, 0, 128 + len(directory) + len(body), b"", 0x02100000, b"mntr", kind, b"XYZ "
    )
    header[36:40] = b"acsp"
    header[68:80] = _xyz(D50_XYZ)[8:]
    return bytes(header) + directory + body


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(curve: NDArray[np.float64]) -> bytes:
    places = np.linspace(0, len(curve) - 1, _ICC_SAMPLES)
    samples = np.rint(np.interp(places, np.arange(len(curve)), curve) * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", _ICC_SAMPLES) + samples.tobytes()


def _text(text: str) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text.encode() + b"\0" + bytes(8 + 2 + 1 + 67)
