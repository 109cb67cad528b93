"""Profiles of look-up tables, for inks and for RGB: colours as Little CMS sees them through Pillow, in all depths."""

import io
import itertools
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage.color import rgb2lab

from benchmarks.reliability.odd_tiffs import levels, unit, written
from opir.photo import load_photo, save_photo


def profile_of_tables(inks: int) -> bytes:
    """A version 2 output profile: two grid points for each ink, 4 for CMYK, 3 for RGB; slightly warm."""
    corners = []
    for amounts in itertools.product((0, 1), repeat=inks):
        light = np.array(amounts, float) if inks == 3 else (1 - np.array(amounts[:3])) * (1 - 0.9 * amounts[3])
        lightness, a, b = rgb2lab((0.05 + 0.9 * light * (1, 0.97, 0.9))[None, None])[0, 0]
        corners.append((lightness * 2.55, a + 128, b + 128))
    ramp = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    grid = np.rint(corners).clip(0, 255).astype(np.uint8).tobytes()
    table = b"mft1\0\0\0\0" + struct.pack(">BBBB", inks, 3, 2, 0) + identity + ramp * inks + grid + ramp * 3
    table += b"\0" * (-len(table) % 4)
    tags = {b"A2B0": table, b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)}
    offset, directory, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        directory += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    header = bytearray(128)
    space = b"CMYK" if inks == 4 else b"RGB "
    size = 128 + len(directory) + len(body)
    struct.pack_into(">I4sI4s4s4s", header, 0, size, b"", 0x02100000, b"prtr", space, b"Lab ")
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    return bytes(header) + directory + body


def by_pillow(picture: Image.Image, icc: bytes) -> np.ndarray:
    own = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    converted = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None
    return np.asarray(converted).astype(float)


@pytest.mark.parametrize("bits", [8, 16])
def test_inks_in_a_tiff(bits: int, tmp_path: Path) -> None:
    icc = profile_of_tables(4)
    inks = 0.1 + 0.6 * unit(4)
    data = written(levels(inks, bits), photometric="separated", planarconfig="contig", iccprofile=icc)
    photo = load_photo(data)
    assert photo.bits == bits
    expected = by_pillow(Image.frombytes("CMYK", (34, 20), levels(inks, 8).tobytes()), icc)
    assert np.abs(photo.rgb.numpy().transpose(1, 2, 0) * 255 - expected).max() < (1.01 if bits == 8 else 2)
    assert save_photo(photo, tmp_path / "out.tif") == ("inks (CMYK)",)
    assert np.abs(load_photo(tmp_path / "out.tif").rgb - photo.rgb).max() < 1e-6


def test_inks_in_a_jpeg() -> None:
    icc = profile_of_tables(4)
    file = io.BytesIO()
    picture = Image.frombytes("CMYK", (34, 20), levels(0.1 + 0.6 * unit(4), 8).tobytes())
    picture.save(file, "JPEG", quality=95, icc_profile=icc)
    stored = Image.open(io.BytesIO(file.getvalue()))
    photo = load_photo(file.getvalue())
    assert np.abs(photo.rgb.numpy().transpose(1, 2, 0) * 255 - by_pillow(stored, icc)).max() < 1.01


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [3, 4])
def test_rgb_by_tables_keeps_its_depth_and_alpha(channels: int, bits: int) -> None:
    icc = profile_of_tables(3)
    values = 0.1 + 0.7 * unit(channels)
    extra = ["unassalpha"] if channels == 4 else None
    photo = load_photo(written(levels(values, bits), photometric="rgb", iccprofile=icc, extrasamples=extra))
    assert photo.bits == bits
    assert photo.file.left_out == ("a profile of tables",)
    assert photo.file.icc is None
    expected = by_pillow(Image.fromarray(levels(values[..., :3], 8)), icc)
    assert np.abs(photo.rgb.numpy().transpose(1, 2, 0) * 255 - expected).max() < (1.01 if bits == 8 else 2)
    if channels == 4:
        assert photo.alpha is not None
        np.testing.assert_array_equal(photo.alpha, levels(values, bits)[..., 3])


@pytest.mark.parametrize("icc", [b"no profile at all" * 20, profile_of_tables(4)])
def test_a_profile_that_does_not_fit_costs_itself_and_not_the_photo(icc: bytes) -> None:
    photo = load_photo(written(levels(unit(3), 8), photometric="rgb", iccprofile=icc))
    np.testing.assert_allclose(photo.rgb.numpy().transpose(1, 2, 0) * 255, levels(unit(3), 8), atol=1e-4)
    assert photo.file.left_out == ("a colour profile that can not be read",)
