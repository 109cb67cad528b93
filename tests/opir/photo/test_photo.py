"""Photos keep what they carry on the way through the tensor, in every format."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from opir.photo import ImageError, load_photo, save_photo, to_picture
from opir.photo.formats import ENDINGS
from opir.photo.headers import register_heif
from tests.opir.photo.pictures import DATE_TAKEN, DETAILS, GPS, ORIENTATION, noise, save_with_exif, smooth


@pytest.mark.parametrize("suffix", sorted(ENDINGS))
@pytest.mark.parametrize("size", [(24, 40), (1, 1), (3, 17)])
def test_every_format_comes_back_as_it_went(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    photo = load_photo(smooth(*size))
    save_photo(photo, tmp_path / f"photo{suffix}")
    again = load_photo(tmp_path / f"photo{suffix}")
    assert again.rgb.shape == (3, *size)
    assert again.file.file_format == ENDINGS[suffix]
    tolerance = 0 if ENDINGS[suffix] in ("PNG", "TIFF", "BMP") else 8 / 255
    assert (again.rgb - photo.rgb).abs().max() <= tolerance


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("high", [256, 65536])
def test_lossless_files_keep_every_level(tmp_path: Path, suffix: str, channels: int, high: int) -> None:
    pixels = noise(13, 21, channels, high=high)
    pixels[..., -1] |= 1  # nothing is hidden wholly
    save_photo(load_photo(pixels), tmp_path / f"photo{suffix}")
    photo = load_photo(tmp_path / f"photo{suffix}")
    assert photo.bits == (8 if high == 256 else 16)
    expected = (
        torch.from_numpy(pixels[..., : 3 if channels > 2 else 1] / (high - 1)).permute(2, 0, 1).expand(3, -1, -1)
    )
    torch.testing.assert_close(photo.rgb, expected.float(), atol=1e-6, rtol=0)
    if channels in (2, 4):
        assert photo.alpha is not None
        np.testing.assert_array_equal(photo.alpha, pixels[..., -1])


def test_sixteen_bit_png_is_read_as_another_writer_wrote_it(tmp_path: Path) -> None:
    """One row per filter type of the PNG specification, packed by hand."""
    pixels = noise(5, 7, 3, high=65536)
    raw = pixels.astype(">u2").reshape(5, -1).view(np.uint8).astype(int)
    rows, step = b"", 6
    for y, row in enumerate(raw):
        left = np.concatenate([np.zeros(step, int), row[:-step]])
        up = raw[y - 1] if y else np.zeros_like(row)
        corner = np.concatenate([np.zeros(step, int), up[:-step]])
        guess = left + up - corner
        nearest = np.argmin(np.abs(np.stack([left, up, corner]) - guess), axis=0)
        paeth = np.choose(nearest, [left, up, corner])
        predicted = [np.zeros_like(row), left, up, (left + up) // 2, paeth][y]
        rows += bytes([y]) + ((row - predicted) % 256).astype(np.uint8).tobytes()
    data = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", 7, 5, 16, 2, 0, 0, 0)
    for name, chunk in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        data += struct.pack(">I", len(chunk)) + name + chunk + struct.pack(">I", zlib.crc32(name + chunk))
    (tmp_path / "photo.png").write_bytes(data)
    photo = load_photo(tmp_path / "photo.png")
    np.testing.assert_array_equal((photo.rgb * 65535).round().permute(1, 2, 0).numpy(), pixels)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_sixteen_bit_tiff_of_both_byte_orders(tmp_path: Path, order: str, compression: str | None) -> None:
    pixels = noise(9, 11, 3, high=65536)
    tifffile.imwrite(tmp_path / "photo.tif", pixels, byteorder=order, photometric="rgb", compression=compression)
    photo = load_photo(tmp_path / "photo.tif")
    np.testing.assert_array_equal((photo.rgb * 65535).round().permute(1, 2, 0).numpy(), pixels)


def test_sixteen_bits_are_rounded_for_a_format_of_eight(tmp_path: Path) -> None:
    save_photo(load_photo(np.full((4, 4, 3), 0x80FF, np.uint16)), tmp_path / "photo.bmp")
    assert np.asarray(Image.open(tmp_path / "photo.bmp"))[0, 0, 0] == round(0x80FF / 257)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_orientation_is_applied_once(tmp_path: Path, orientation: int, suffix: str) -> None:
    stored = smooth()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(stored).save(
        tmp_path / f"stored{suffix}", exif=exif, **({"quality": 95} if suffix == ".jpg" else {})
    )
    photo = load_photo(tmp_path / f"stored{suffix}")
    transforms = [
        *(lambda a: a, np.fliplr, lambda a: np.rot90(a, 2), np.flipud),
        *(lambda a: a.swapaxes(0, 1), lambda a: np.rot90(a, -1)),
        *(lambda a: np.rot90(a, 2).swapaxes(0, 1), lambda a: np.rot90(a, 1)),
    ]
    upright = transforms[orientation - 1](stored)
    seen = (photo.rgb * 255).permute(1, 2, 0).numpy()
    assert seen.shape == upright.shape
    assert np.abs(seen - upright).mean() < 6
    save_photo(photo, tmp_path / f"saved{suffix}")
    again = load_photo(tmp_path / f"saved{suffix}")
    assert again.rgb.shape == photo.rgb.shape
    assert (again.rgb - photo.rgb).abs().mean() < 6 / 255


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif", ".heic"])
def test_date_and_camera_stay_and_the_position_goes(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0110] = "Camera 7"
    exif[DETAILS] = {
        DATE_TAKEN: "2024:05:06 07:08:09",
        0x829A: 0.01,
        0x927C: b"maker",
        0x9286: b"ASCII\0\0\0hello",
    }
    exif[GPS] = {1: "N", 2: (52.0, 31.0, 12.0)}
    register_heif()
    photo = load_photo(save_with_exif(tmp_path / f"in{suffix}", exif))
    save_photo(photo, tmp_path / f"out{suffix}")
    kept = Image.open(tmp_path / f"out{suffix}").getexif()
    assert kept.get(0x0110) == "Camera 7"
    assert kept.get_ifd(DETAILS)[DATE_TAKEN] == "2024:05:06 07:08:09"
    assert not kept.get_ifd(GPS)
    assert 0x927C not in kept.get_ifd(DETAILS)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_date_survives_in_sixteen_bit_files(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2024:05:06 07:08:09"
    Image.fromarray(noise(8, 8, high=65536)).save(tmp_path / f"in{suffix}", exif=exif)
    save_photo(load_photo(tmp_path / f"in{suffix}"), tmp_path / f"out{suffix}")
    assert Image.open(tmp_path / f"out{suffix}").getexif()[0x0132] == "2024:05:06 07:08:09"


def test_grey_stays_grey(tmp_path: Path) -> None:
    Image.fromarray(noise(6, 6)).save(tmp_path / "in.jpg")
    photo = load_photo(tmp_path / "in.jpg")
    assert photo.is_grey
    tinted = photo.with_rgb(photo.rgb * torch.tensor([1.0, 0.9, 0.8])[:, None, None])
    save_photo(tinted, tmp_path / "out.jpg")
    assert Image.open(tmp_path / "out.jpg").mode == "L"


@pytest.mark.parametrize(
    ("mode", "suffix"), [("P", ".png"), ("1", ".png"), ("CMYK", ".jpg"), ("CMYK", ".tif"), ("PA", ".tif")]
)
def test_unusual_modes_look_as_pillow_shows_them(tmp_path: Path, mode: str, suffix: str) -> None:
    picture = Image.fromarray(smooth()).convert(mode if mode != "PA" else "P")
    picture.save(tmp_path / f"in{suffix}")
    seen = np.asarray(to_picture(load_photo(tmp_path / f"in{suffix}").rgb))
    np.testing.assert_array_equal(seen, np.asarray(Image.open(tmp_path / f"in{suffix}").convert("RGB")))


def test_a_transparent_palette_keeps_its_transparency(tmp_path: Path) -> None:
    picture = Image.fromarray(np.zeros((4, 4), np.uint8)).convert("P")
    picture.save(tmp_path / "in.png", transparency=0)
    alpha = load_photo(tmp_path / "in.png").alpha
    assert alpha is not None
    assert alpha.max() == 0


def test_transparency_is_refused_by_formats_without_it_unless_it_is_opaque(tmp_path: Path) -> None:
    pixels = noise(4, 4, 4)
    with pytest.raises(ImageError, match=r"without transparency for JPEG; save it as PNG or WebP"):
        save_photo(load_photo(pixels), tmp_path / "out.jpg")
    assert not list(tmp_path.iterdir())
    pixels[..., 3] = 255
    save_photo(load_photo(pixels), tmp_path / "out.jpg")
    assert load_photo(tmp_path / "out.jpg").alpha is None


def test_a_lossless_webp_stays_lossless(tmp_path: Path) -> None:
    pixels = noise(12, 12, 3)
    Image.fromarray(pixels).save(tmp_path / "in.webp", lossless=True)
    save_photo(load_photo(tmp_path / "in.webp"), tmp_path / "out.webp")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.webp")), pixels)


def test_pil_arrays_and_tensors_are_the_same_photo(tmp_path: Path) -> None:
    pixels = noise(5, 7, 3)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    tensor = torch.from_numpy(pixels).permute(2, 0, 1) / 255
    sources = [
        tmp_path / "photo.png",
        str(tmp_path / "photo.png"),
        Image.fromarray(pixels),
        pixels,
        tensor,
        tensor[None],
    ]
    sources.append(pixels.astype(np.float64) / 255)
    for source in sources:
        torch.testing.assert_close(load_photo(source).rgb, tensor)


def test_a_picture_in_memory_is_turned_upright() -> None:
    picture = Image.fromarray(smooth())
    picture.getexif()[ORIENTATION] = 6
    assert load_photo(picture).rgb.shape == (3, 40, 24)
