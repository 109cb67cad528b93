"""Wide colours are converted for the network and come back; damaged profiles count as none."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from opir.photo import ImageError, load_photo, save_photo, to_picture
from opir.photo.beside.described import Described
from opir.photo.beside.properties import FileProperties
from opir.photo.pixels.colour import read_matrix_profile
from opir.photo.reading import read_file
from opir.photo.writing import write_file
from tests.opir.photo.pictures import noise, wide_profile


@pytest.mark.parametrize("gamma", [None, 2.2, 1.8])
@pytest.mark.parametrize("high", [256, 65536])
def test_wide_colours_are_converted_for_the_network_and_come_back_exactly(
    tmp_path: Path, gamma: float | None, high: int
) -> None:
    icc = wide_profile(gamma)
    pixels = noise(16, 16, 3, high=high)
    write_file(tmp_path / "in.png", pixels, FileProperties(described=Described(icc=icc)))
    photo = load_photo(tmp_path / "in.png")
    if high == 256:  # Pillow's own conversion is for 8 bits
        srgb, intent = ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
        by_cms = ImageCms.profileToProfile(Image.fromarray(pixels), io.BytesIO(icc), srgb, intent)
        assert np.abs((photo.rgb * 255).permute(1, 2, 0).numpy() - np.asarray(by_cms)).max() < 2
    save_photo(photo, tmp_path / "out.png")
    saved = load_photo(tmp_path / "out.png")
    assert saved.file.icc == icc
    levels = read_file(tmp_path / "out.png", 1)[0].astype(int)
    assert np.abs(levels - pixels).max() <= (0 if high == 256 else 8)


def test_wide_colours_become_srgb_where_no_profile_can_be_kept(tmp_path: Path) -> None:
    Image.fromarray(np.full((2, 2, 3), (255, 0, 0), np.uint8)).save(tmp_path / "in.png", icc_profile=wide_profile())
    photo = load_photo(tmp_path / "in.png")
    save_photo(photo, tmp_path / "out.bmp")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.bmp")), np.asarray(to_picture(photo.rgb)))


def test_the_usual_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = read_matrix_profile(icc)
    assert profile is not None
    assert profile.is_srgb
    pixels = noise(5, 5, 3)
    Image.fromarray(pixels).save(tmp_path / "in.png", icc_profile=icc)
    np.testing.assert_array_equal(np.asarray(to_picture(load_photo(tmp_path / "in.png").rgb)), pixels)


@pytest.mark.parametrize("icc", [b"", b"not a profile", b"\0" * 300, wide_profile()[:200]])
def test_a_damaged_profile_is_no_profile(icc: bytes) -> None:
    assert read_matrix_profile(icc) is None


def test_other_colours_must_have_the_size_of_the_photo() -> None:
    with pytest.raises(ImageError, match=r"expected colours of shape \(3, 2, 2\), got \(3, 2, 3\)"):
        load_photo(noise(2, 2, 3)).with_rgb(torch.zeros(3, 2, 3))
