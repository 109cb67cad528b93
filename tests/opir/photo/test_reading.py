"""What strange but sound photos carry does not cost them: odd metadata, odd sizes, odd encoders."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.photo import ImageError, load_photo, save_photo
from opir.photo.beside.exif import read_exif
from opir.photo.beside.properties import FileProperties
from opir.photo.pixels.colour import read_matrix_profile
from opir.photo.writing import write_file
from tests.opir.photo.pictures import noise, wide_profile


def test_a_picture_that_pillow_opened_and_can_not_decode_is_refused(tmp_path: Path) -> None:
    Image.fromarray(noise(64, 64, 3)).save(tmp_path / "photo.jpg")
    whole = (tmp_path / "photo.jpg").read_bytes()
    with (
        Image.open(io.BytesIO(whole[: len(whole) // 2])) as picture,
        pytest.raises(ImageError, match="the picture: expected a whole JPEG file, but it is damaged or cut off"),
    ):
        load_photo(picture)


def test_exif_data_that_name_the_same_bytes_again_and_again_take_no_more_than_the_file() -> None:
    entries = b"".join(struct.pack("<HHII", tag, 7, 900_000, 8 + 2 + 12 * 900) for tag in range(1, 901))
    block = b"II*\0" + struct.pack("<IH", 8, 900) + entries + bytes(1_000_000)
    assert sum(len(entry.data) for entry in read_exif(block).main.values()) <= len(block)


@pytest.mark.parametrize("dpi", [(0, 0), (float("nan"), 72), (1e9, 1e9), (72, -1)])
def test_a_resolution_that_no_file_can_hold_is_left_out(dpi: tuple[float, float], tmp_path: Path) -> None:
    picture = Image.fromarray(noise(8, 8, 3))
    picture.info["dpi"] = dpi
    for ending in (".jpg", ".png", ".bmp"):
        save_photo(load_photo(picture), tmp_path / f"out{ending}")
        assert load_photo(tmp_path / f"out{ending}").rgb.shape == (3, 8, 8)


def test_more_exif_than_a_jpeg_can_hold_is_left_out_of_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a long story " * 6000
    Image.fromarray(noise(8, 8, 3)).save(tmp_path / "in.png", exif=exif)
    photo = load_photo(tmp_path / "in.png")
    assert len(photo.file.exif) > 70_000
    save_photo(photo, tmp_path / "out.jpg")
    assert not load_photo(tmp_path / "out.jpg").file.exif


def test_damaged_exif_costs_the_exif_and_not_the_photo(tmp_path: Path) -> None:
    endless = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x8825, 4, 1, 8) + bytes(4)
    Image.fromarray(noise(8, 8, 3)).save(tmp_path / "in.jpg", exif=endless)
    assert load_photo(tmp_path / "in.jpg").rgb.shape == (3, 8, 8)
    Image.fromarray(noise(8, 8, 3)).save(tmp_path / "in.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert load_photo(tmp_path / "in.jpg").file.exif == b""


@pytest.mark.parametrize("suffix", [".jpg", ".heic", ".webp"])
def test_a_picture_that_a_format_can_not_hold_names_the_way_out(suffix: str, tmp_path: Path) -> None:
    pixels = np.zeros((70_000, 1, 3), np.uint8)
    with pytest.raises(ImageError, match=rf"long{suffix}: can not be written as \w+ \(.*\); choose PNG or TIFF"):
        write_file(tmp_path / f"long{suffix}", pixels, FileProperties())
    assert list(tmp_path.iterdir()) == []


def test_a_position_is_told_to_have_been_there(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    for name, given in (("with.jpg", exif), ("without.jpg", Image.Exif())):
        Image.fromarray(noise(8, 8, 3)).save(tmp_path / name, exif=given)
    assert load_photo(tmp_path / "with.jpg").file.had_position
    assert not load_photo(tmp_path / "without.jpg").file.had_position


def test_a_profile_whose_curve_is_no_number_is_no_profile(tmp_path: Path) -> None:
    icc = wide_profile()
    g, a, b, c, d = (round(value * 65536) for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
    sound = struct.pack(">5i", g, a, b, c, d)
    assert sound in icc
    broken = icc.replace(sound, struct.pack(">5i", -g, a, 0, c, 0))  # zero to a negative power
    assert read_matrix_profile(broken) is None or np.isfinite(read_matrix_profile(broken).curves).all()  # type: ignore[union-attr]
    Image.fromarray(noise(8, 8, 3)).save(tmp_path / "in.png", icc_profile=broken)
    assert torch.isfinite(load_photo(tmp_path / "in.png").rgb).all()
