"""What is no photo fails with one clear line, and nothing half written is left."""

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.photo import ImageError, Photo, load_photo, save_photo
from opir.photo.headers import register_heif
from tests.opir.photo.pictures import noise, save_with_exif

BAD_VALUES = [
    (torch.zeros(4, 4), r"expected a float tensor of shape \(3, H, W\), got float32 \(4, 4\)"),
    (
        torch.zeros(3, 4, 4, dtype=torch.uint8),
        r"expected a float tensor of shape \(3, H, W\), got uint8 \(3, 4, 4\)",
    ),
    (torch.zeros(3, 0, 4), r"expected a float tensor"),
    (
        torch.full((3, 2, 2), 255.0),
        r"expected values in \[0, 1\], got 255 to 255; divide 8-bit values by 255",
    ),
    (torch.full((3, 2, 2), float("nan")), r"expected values in \[0, 1\], got nan"),
    (
        np.zeros((2, 2, 5), np.uint8),
        r"expected an array of shape \(H, W\) or \(H, W, 1 to 4\), got \(2, 2, 5\)",
    ),
    (np.zeros((2, 2, 3), np.int64), r"expected an array of uint8, uint16 or float, got int64"),
    (7, r"expected a path, bytes, an open file, a PIL image, an array or a tensor, got int"),
]


@pytest.mark.parametrize(("value", "message"), BAD_VALUES)
def test_values_that_are_no_photo_are_refused(value: object, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        load_photo(value)  # type: ignore[arg-type]


def test_files_that_are_no_photo_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "empty.png").touch()
    whole = io.BytesIO()
    Image.fromarray(noise(64, 64, 3)).save(whole, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    Image.fromarray(noise(8, 8)).save(tmp_path / "moving.webp", save_all=True, append_images=[Image.new("L", (8, 8))])
    Image.fromarray(np.full((4, 4), 9, np.float32)).save(tmp_path / "float.tif")
    expected = {
        "text.jpg": "text.jpg: expected a JPEG, .* got something else",
        "empty.png": "empty.png: expected a JPEG, .* got an empty file",
        "cut.jpg": "cut.jpg: expected a whole JPEG file, but it is damaged or cut off",
        "moving.webp": "moving.webp: expected a still picture, got 2 frames",
        "float.tif": "float.tif: expected a TIFF with values from 0 to 1, got 9 to 9",
        "missing.png": "expected a photo file, found nothing there",
        ".": "expected a photo file, found a folder there",
    }
    for name, message in expected.items():
        with pytest.raises(ImageError, match=message) as caught:
            load_photo(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_libtiff_prints_nothing_of_its_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(noise(64, 64, 3)).save(tmp_path / "lzw.tif", compression="tiff_lzw")
    damaged = bytearray((tmp_path / "lzw.tif").read_bytes())
    damaged[60:260] = bytes(255 - value for value in damaged[60:260])
    (tmp_path / "lzw.tif").write_bytes(damaged)
    with pytest.raises(ImageError, match="damaged or cut off"):
        load_photo(tmp_path / "lzw.tif")
    assert capfd.readouterr().err == ""


def test_a_huge_picture_is_refused_by_its_header(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 20000, 10000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, chunk in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100))):
        data += struct.pack(">I", len(chunk)) + name + chunk + struct.pack(">I", zlib.crc32(name + chunk))
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(ImageError, match=r"bomb.png: expected at most 100 megapixels, got 20000x10000 = 200"):
        load_photo(tmp_path / "bomb.png", max_megapixels=100)
    Image.fromarray(noise(300, 400, 3)).save(tmp_path / "large.png")
    with pytest.raises(ImageError, match=r"expected at most 0.1 megapixels, got 400x300 = 0.12; make it smaller"):
        load_photo(tmp_path / "large.png", max_megapixels=0.1)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif", ".heic", ".bmp"])
def test_damaged_bytes_give_a_photo_or_an_image_error(tmp_path: Path, suffix: str) -> None:
    register_heif()
    random = np.random.default_rng(1)
    exif = Image.Exif()
    exif[0x0110] = "Camera 7"
    whole = np.frombuffer(save_with_exif(tmp_path / f"whole{suffix}", exif).read_bytes(), np.uint8)
    for _ in range(40):
        damaged = whole.copy()
        damaged[random.integers(0, len(whole), 8)] = random.integers(0, 256, 8)
        (tmp_path / f"damaged{suffix}").write_bytes(damaged[: random.integers(1, len(whole) + 1)].tobytes())
        with contextlib.suppress(ImageError):
            assert isinstance(load_photo(tmp_path / f"damaged{suffix}"), Photo)


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = load_photo(noise(8, 8, 3))
    save_photo(photo, tmp_path / "photo.png")
    before = (tmp_path / "photo.png").read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("opir.files.os.replace", fail)
    with pytest.raises(ImageError, match=r"can not be written \(No space left on device\); free some space"):
        save_photo(photo, tmp_path / "photo.png")
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
    assert (tmp_path / "photo.png").read_bytes() == before


def test_saving_says_what_is_wrong_with_the_path(tmp_path: Path) -> None:
    photo = load_photo(noise(2, 2, 3))
    with pytest.raises(ImageError, match=r"photo.xyz: expected a name ending in one of .jpg, .*; got '.xyz'"):
        save_photo(photo, tmp_path / "photo.xyz")
    with pytest.raises(ImageError, match=r"can not be written \(No such file or directory\)"):
        save_photo(photo, tmp_path / "nowhere" / "photo.png")
