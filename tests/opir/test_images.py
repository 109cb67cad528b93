"""Photos keep what they carry on the way through the tensor, and bad files fail with one clear line."""

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from opir import sixteen_bit
from opir.colour import read_matrix_profile
from opir.images import ImageError, Photo, load_photo, save_photo, to_picture
from opir.photo_files import FORMATS, FileProperties, _register_heif, read_file, write_file

GPS, ORIENTATION, DETAILS, DATE_TAKEN = 0x8825, 0x0112, 0x8769, 0x9003


def noise(*shape: int, high: int = 256) -> np.ndarray:
    return np.random.default_rng(0).integers(0, high, shape, dtype=np.uint8 if high == 256 else np.uint16)


def smooth(height: int = 24, width: int = 40) -> np.ndarray:
    """A soft picture that lossy formats hold well."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([40 + 4 * x, 60 + 3 * y, 200 - 2 * x], axis=2).clip(0, 255).astype(np.uint8)


def s15(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def wide_profile(gamma: float | None = None) -> bytes:
    """A small profile with the primaries of Display P3, and sRGB's curve or a plain power."""
    curve = b"curv\0\0\0\0\0\0\0\1" + struct.pack(">HH", round((gamma or 0) * 256), 0)
    if gamma is None:
        curve = b"para\0\0\0\0\0\3\0\0" + b"".join(map(s15, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    columns = {
        b"r": (0.51512, 0.24120, -0.00105),
        b"g": (0.29198, 0.69225, 0.04189),
        b"b": (0.15710, 0.06657, 0.78407),
    }
    tags = {colour + b"XYZ": b"XYZ \0\0\0\0" + b"".join(map(s15, xyz)) for colour, xyz in columns.items()}
    tags |= {colour + b"TRC": curve for colour in columns}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + b"".join(map(s15, (0.9642, 1.0, 0.8249)))
    offset, directory, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        directory += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    header = bytearray(128)
    struct.pack_into(
        ">I4sI4s4s4s", header, 0, 128 + len(directory + body), b"", 0x02100000, b"mntr", b"RGB ", b"XYZ "
    )
    header[36:40] = b"acsp"
    header[68:80] = b"".join(map(s15, (0.9642, 1.0, 0.8249)))
    return bytes(header) + directory + body


@pytest.mark.parametrize("suffix", sorted(FORMATS))
@pytest.mark.parametrize("size", [(24, 40), (1, 1), (3, 17)])
def test_every_format_comes_back_as_it_went(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    photo = load_photo(smooth(*size))
    save_photo(photo, tmp_path / f"photo{suffix}")
    again = load_photo(tmp_path / f"photo{suffix}")
    assert again.rgb.shape == (3, *size)
    assert again.file.file_format == FORMATS[suffix]
    tolerance = 0 if FORMATS[suffix] in ("PNG", "TIFF", "BMP") else 8 / 255
    assert (again.rgb - photo.rgb).abs().max() <= tolerance


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("high", [256, 65536])
def test_lossless_files_keep_every_level(tmp_path: Path, suffix: str, channels: int, high: int) -> None:
    pixels = noise(13, 21, channels, high=high)
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
    sixteen_bit.tifffile.imwrite(
        tmp_path / "photo.tif", pixels, byteorder=order, photometric="rgb", compression=compression
    )
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
    _register_heif()
    photo = load_photo(_saved(tmp_path / f"in{suffix}", exif))
    save_photo(photo, tmp_path / f"out{suffix}")
    kept = Image.open(tmp_path / f"out{suffix}").getexif()
    assert kept.get(0x0110) == "Camera 7"
    assert kept.get_ifd(DETAILS)[DATE_TAKEN] == "2024:05:06 07:08:09"
    assert not kept.get_ifd(GPS)
    assert 0x927C not in kept.get_ifd(DETAILS)


def _saved(path: Path, exif: Image.Exif) -> Path:
    Image.fromarray(smooth()).save(path, exif=exif.tobytes())
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_date_survives_in_sixteen_bit_files(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2024:05:06 07:08:09"
    Image.fromarray(noise(8, 8, high=65536)).save(tmp_path / f"in{suffix}", exif=exif)
    save_photo(load_photo(tmp_path / f"in{suffix}"), tmp_path / f"out{suffix}")
    assert Image.open(tmp_path / f"out{suffix}").getexif()[0x0132] == "2024:05:06 07:08:09"


@pytest.mark.parametrize("gamma", [None, 2.2, 1.8])
@pytest.mark.parametrize("high", [256, 65536])
def test_wide_colours_are_converted_for_the_network_and_come_back_exactly(
    tmp_path: Path, gamma: float | None, high: int
) -> None:
    icc = wide_profile(gamma)
    pixels = noise(16, 16, 3, high=high)
    write_file(tmp_path / "in.png", pixels, FileProperties(icc=icc))
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
    (7, r"expected a path, a PIL image, an array or a tensor, got int"),
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
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "float.tif")
    expected = {
        "text.jpg": "text.jpg: expected a JPEG, .* got something else",
        "empty.png": "empty.png: expected a JPEG, .* got an empty file",
        "cut.jpg": "cut.jpg: expected a whole JPEG file, but it is damaged or cut off",
        "moving.webp": "moving.webp: expected a still picture, got 2 frames",
        "float.tif": "float.tif: expected 8 or 16 bits per colour, got mode F",
        "missing.png": "expected a photo file, found nothing there",
        ".": "expected a photo file, found a folder there",
    }
    for name, message in expected.items():
        with pytest.raises(ImageError, match=message) as caught:
            load_photo(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_huge_picture_is_refused_by_its_header(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 20000, 10000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, chunk in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100))):
        data += struct.pack(">I", len(chunk)) + name + chunk + struct.pack(">I", zlib.crc32(name + chunk))
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(ImageError, match=r"bomb.png: expected at most 100 megapixels, got far more"):
        load_photo(tmp_path / "bomb.png")
    Image.fromarray(noise(300, 400, 3)).save(tmp_path / "large.png")
    with pytest.raises(ImageError, match=r"expected at most 0.1 megapixels, got 400x300 = 0.12; make it smaller"):
        load_photo(tmp_path / "large.png", max_megapixels=0.1)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif", ".heic", ".bmp"])
def test_damaged_bytes_give_a_photo_or_an_image_error(tmp_path: Path, suffix: str) -> None:
    _register_heif()
    random = np.random.default_rng(1)
    exif = Image.Exif()
    exif[0x0110] = "Camera 7"
    whole = np.frombuffer(_saved(tmp_path / f"whole{suffix}", exif).read_bytes(), np.uint8)
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

    monkeypatch.setattr("opir.whole_files.os.replace", fail)
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


def test_other_colours_must_have_the_size_of_the_photo() -> None:
    with pytest.raises(ImageError, match=r"expected colours of shape \(3, 2, 2\), got \(3, 2, 3\)"):
        load_photo(noise(2, 2, 3)).with_rgb(torch.zeros(3, 2, 3))
