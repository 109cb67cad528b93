"""Colours mean the same before and after, however a file describes them, and the network sees sRGB."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_heif
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000

from benchmarks.reliability.odd_pngs import photo_png, png
from benchmarks.reliability.odd_tiffs import levels, unit
from opir.photo import ImageError, load_photo, save_photo
from opir.photo.beside.boxes import code_points
from opir.photo.beside.described import Described, write_icc
from opir.photo.headers import register_heif
from tests.opir.photo.pictures import wide_profile

SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
ADOBE = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
BT2020 = (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
Curve = Callable[[np.ndarray], np.ndarray]
COLOURS = 0.35 + 0.3 * unit(3, 64, 96)
"""Soft enough for lossy formats, and within sRGB in every space here."""


def srgb_curve(x: np.ndarray) -> np.ndarray:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def power(exponent: float) -> Curve:
    return lambda x: x**exponent


def to_xyz(primaries: tuple[float, ...]) -> np.ndarray:
    """Linear RGB to XYZ under its own white, D65 for all of these."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in zip(primaries[::2], primaries[1::2], strict=True)]).T
    return columns[:, 1:] * np.linalg.solve(columns[:, 1:], columns[:, 0])


def as_srgb(device: np.ndarray, primaries: tuple[float, ...], curve: Curve) -> np.ndarray:
    linear = curve(device) @ (np.linalg.inv(to_xyz(SRGB)) @ to_xyz(primaries)).T
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.clip(linear, 0, None) ** (1 / 2.4) - 0.055)


def lab(device: np.ndarray, primaries: tuple[float, ...], curve: Curve) -> np.ndarray:
    t = curve(device) @ to_xyz(primaries).T / (to_xyz(primaries) @ np.ones(3))
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def heic(primaries: int, curve: int, depth: int = 8) -> bytes:
    pixels = levels(COLOURS, 8 if depth == 8 else 16)
    mode = "RGB" if depth == 8 else "RGB;16"
    picture = pillow_heif.from_bytes(mode=mode, size=(96, 64), data=pixels.tobytes())
    file = io.BytesIO()
    options = {"color_primaries": primaries, "transfer_characteristics": curve, "matrix_coefficients": 6}
    picture.save(file, quality=95, chroma=444, bit_depth=depth, **options)
    return file.getvalue()


def avif(primaries: int, curve: int, depth: int = 8) -> bytes:
    options = {"primaries": primaries, "transfer": curve, "matrix": 6, "bitspersample": depth, "pixelformat": "444"}
    return bytes(imagecodecs.avif_encode(levels(COLOURS, depth), level=95, speed=6, **options))


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    return png(levels(COLOURS, 16), 16, 2, *chunks)


def gamma(exponent: float, primaries: tuple[float, ...] | None = None) -> tuple[tuple[bytes, bytes], ...]:
    corners = struct.pack(
        ">8I", *(round(value * 100_000) for value in primaries or ()), *([0] * (0 if primaries else 8))
    )
    chunks = ((b"gAMA", struct.pack(">I", round(100_000 / exponent))),)
    return (*chunks, (b"cHRM", corners)) if primaries else chunks


def adobe_jpeg(index: bytes = b"R03\0", space: int = 0xFFFF) -> bytes:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: space, 0xA005: {1: index.decode().rstrip("\0")}}
    file = io.BytesIO()
    Image.fromarray(levels(COLOURS, 8)).save(file, "JPEG", quality=97, subsampling=0, exif=exif.tobytes())
    return file.getvalue()


CASES = {
    "HEIC in P3": (".heic", heic(12, 13), P3, srgb_curve),
    "HEIC of 10 bits in BT.2020": (".heic", heic(9, 13, 10), BT2020, srgb_curve),
    "AVIF in P3": (".avif", avif(12, 13), P3, srgb_curve),
    "AVIF of 10 bits in P3": (".avif", avif(12, 13, 10), P3, srgb_curve),
    "AVIF of power 2.2": (".avif", avif(1, 4), SRGB, power(2.2)),
    "PNG in P3 by cICP": (".png", png_with((b"cICP", bytes((12, 13, 0, 1)))), P3, srgb_curve),
    "PNG, linear": (".png", png_with(*gamma(1.0)), SRGB, power(1.0)),
    "PNG of power 1.8": (".png", png_with(*gamma(1.8)), SRGB, power(1.8)),
    "PNG in Adobe RGB by gAMA and cHRM": (".png", png_with(*gamma(2.2, ADOBE)), ADOBE, power(2.2)),
    "JPEG in Adobe RGB by Exif": (".jpg", adobe_jpeg(), ADOBE, power(563 / 256)),
}


def device(data: bytes) -> np.ndarray:
    """The colours in a file as they stand in it, by readers that convert nothing."""
    if data[4:8] == b"ftyp" and b"avif" not in data[:32]:
        pixels = np.asarray(pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False))
        return pixels / (65472 if pixels.dtype == np.uint16 else 255)
    if data[4:8] == b"ftyp":
        pixels = imagecodecs.avif_decode(data)
        return pixels / (1023 if pixels.dtype == np.uint16 else 255)
    if data[:4] == b"\x89PNG":
        pixels = imagecodecs.png_decode(data)
        return pixels / np.iinfo(pixels.dtype).max
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) / 255


def seen(pixels: np.ndarray) -> np.ndarray:
    """Means of 4×4 pixels: single ones are grain of the lossy formats."""
    height, width, _ = pixels.shape
    return pixels.reshape(height // 4, 4, width // 4, 4, 3).mean(axis=(1, 3))


@pytest.mark.parametrize("name", CASES)
def test_the_network_sees_srgb(name: str) -> None:
    _, data, primaries, curve = CASES[name]
    expected = as_srgb(device(data), primaries, curve)
    assert expected.min() > 0
    assert expected.max() < 1
    assert np.abs(load_photo(data).rgb.numpy().transpose(1, 2, 0) - expected).max() < 0.6 / 255


@pytest.mark.parametrize("name", CASES)
def test_a_viewer_sees_the_same_colours_in_what_comes_back(name: str, tmp_path: Path) -> None:
    ending, data, primaries, curve = CASES[name]
    photo = load_photo(data)
    assert save_photo(photo, tmp_path / f"out{ending}") == ()
    result = (tmp_path / f"out{ending}").read_bytes()
    again = load_photo(result)
    assert again.file.described == photo.file.described
    assert again.bits == photo.bits
    before, after = (lab(seen(device(content)), primaries, curve) for content in (data, result))
    assert deltaE_ciede2000(before, after).mean() < (0.5 if ending != ".png" else 0.01)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif", ".webp", ".heic", ".avif", ".bmp"])
def test_another_format_shows_the_same_colours(name: str, ending: str, tmp_path: Path) -> None:
    photo = load_photo(CASES[name][1])
    save_photo(photo, tmp_path / f"out{ending}", quality=97)
    again = load_photo(tmp_path / f"out{ending}")
    assert (again.rgb - photo.rgb).abs().mean() < (4 if ending in (".jpg", ".webp", ".heic", ".avif") else 0.7) / 255


@pytest.mark.parametrize("curve", [16, 18])
@pytest.mark.parametrize("kind", ["heic", "avif", "png"])
def test_high_dynamic_range_is_refused_in_a_line(curve: int, kind: str, tmp_path: Path) -> None:
    made = {"heic": heic, "avif": avif}.get(kind)
    data = png_with((b"cICP", bytes((9, curve, 0, 1)))) if made is None else made(9, curve, 10)
    (tmp_path / f"photo.{kind}").write_bytes(data)
    message = rf"^photo.{kind}: expected a photo for screens of normal brightness, got HDR \((PQ|HLG)\); export it"
    with pytest.raises(ImageError, match=message):
        load_photo(tmp_path / f"photo.{kind}")


@pytest.mark.parametrize("codes", [(10, 13), (12, 9), (255, 255)])
def test_colours_that_are_not_defined_are_refused(codes: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match="expected colours that are defined, got code points"):
        load_photo(png_with((b"cICP", bytes((*codes, 0, 1)))))


@pytest.mark.parametrize(
    "chunks",
    [
        ((b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 45455))),
        ((b"gAMA", struct.pack(">I", 45455)), (b"cHRM", struct.pack(">8I", *(round(v * 100_000) for v in SRGB)))),
        ((b"cICP", bytes((1, 13, 0, 1))),),
        ((b"gAMA", b"\0\0\0\0"),),
        ((b"cHRM", bytes(32)),),
    ],
    ids=["sRGB", "sRGB as gAMA and cHRM", "sRGB as cICP", "no gamma", "no primaries"],
)
def test_what_says_srgb_and_what_says_nothing_is_srgb(chunks: tuple[tuple[bytes, bytes], ...]) -> None:
    pixels = levels(unit(3), 8) / 255
    np.testing.assert_allclose(load_photo(photo_png(*chunks)).rgb.numpy().transpose(1, 2, 0), pixels, atol=1e-6)


@pytest.mark.parametrize(("index", "space"), [(b"R98\0", 1), (b"R03\0", 1), (b"THM\0", 0xFFFF)])
def test_a_camera_that_does_not_say_adobe_rgb_means_srgb(index: bytes, space: int) -> None:
    assert load_photo(adobe_jpeg(index, space)).file.described == Described()


def test_an_icc_profile_goes_before_code_points(tmp_path: Path) -> None:
    photo = load_photo(COLOURS)
    file = photo.file.__class__(described=Described(icc=wide_profile()))
    save_photo(replace(photo, file=file), tmp_path / "photo.avif", quality=95)
    assert code_points((tmp_path / "photo.avif").read_bytes()) == (1, 13, 1, 1)
    assert load_photo(tmp_path / "photo.avif").file.described.icc == wide_profile()


@pytest.mark.parametrize("is_grey", [False, True])
@pytest.mark.parametrize(
    "described", [Described(cicp=(12, 13)), Described(gamma=55556), Described(is_adobe_rgb=True)]
)
def test_a_profile_that_is_made_says_the_same(described: Described, is_grey: bool) -> None:
    profile = described.profile()
    assert profile is not None
    again = Described(icc=write_icc(profile, is_grey)).profile()
    if again is None:
        assert is_grey  # a grey photo has no primaries, and its curve is sRGB's
        return
    assert np.abs(again.curves - profile.curves).max() < 1e-3
    if not is_grey:
        assert np.abs(again.to_xyz - profile.to_xyz).max() < 1e-4


def test_a_profile_for_hdr_is_refused_too() -> None:
    icc = bytearray(wide_profile())
    struct.pack_into(">4sII", icc, icc.index(b"wtpt"), b"cicp", len(icc), 12)  # in the place of the white point
    made = bytes(icc) + b"cicp\0\0\0\0" + bytes((9, 16, 0, 1))
    with pytest.raises(ImageError, match=r"got HDR \(PQ\)"):
        load_photo(photo_png((b"iCCP", b"a\0\0" + zlib.compress(made))))


@pytest.mark.parametrize("depth", [8, 10])
def test_a_grey_heic_of_narrow_range_is_made_whole(depth: int) -> None:
    register_heif()
    pixels = np.linspace(16, 235, 64 * 96).reshape(64, 96).astype(np.uint8)
    file = io.BytesIO()
    pillow_heif.from_bytes(mode="L", size=(96, 64), data=pixels.tobytes()).save(
        file, quality=-1, bit_depth=depth, full_range_flag=0, color_primaries=12, transfer_characteristics=13
    )
    photo = load_photo(file.getvalue())
    np.testing.assert_allclose(photo.rgb[0].numpy(), (pixels - 16.0) / 219, atol=0.6 / 255)
    assert load_photo(Image.open(file)).file.described == photo.file.described == Described(cicp=(12, 13))


@pytest.mark.parametrize("channels", [1, 3])
def test_an_avif_of_narrow_range_is_made_whole(channels: int) -> None:
    pixels = levels(COLOURS, 8) if channels == 3 else levels(COLOURS, 8)[..., 0]
    file = io.BytesIO()
    options = {"subsampling": "4:4:4" if channels == 3 else "4:0:0", "range": "limited"}
    Image.fromarray(pixels).save(file, "AVIF", quality=100, **options)
    found = code_points(file.getvalue())
    assert found is not None
    assert found[3] == 0
    shown = load_photo(file.getvalue()).rgb.numpy().transpose(1, 2, 0)[..., :channels] * 255
    assert np.abs(shown - pixels.reshape(64, 96, channels)).max() < 5
