"""Every layout of TIFF that photo programs write: read right or refused by its name, and back in its depth."""

import io
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.color import deltaE_ciede2000

from benchmarks.reliability.odd_tiffs import Odd, by_hand, levels, odd_tiffs, unit, written
from opir.photo import ImageError, load_photo, save_photo, write_photo
from opir.photo.pixels.lab import lab_to_srgb
from tests.opir.photo.pictures import noise, rich_exif

ODD = list(odd_tiffs())


def in_unit(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float64) / (1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max)


def shown(data: bytes) -> tuple[np.ndarray, int]:
    """What a photo shows, (H, W, C) in [0, 1], and the bits that it is kept with."""
    photo = load_photo(data)
    colours = photo.rgb.numpy().transpose(1, 2, 0)[..., : 1 if photo.is_grey else 3]
    if photo.alpha is not None:
        if photo.hidden is not None:
            colours = colours.copy()
            colours[photo.alpha == 0] = in_unit(photo.hidden.T)
        colours = np.concatenate([colours, in_unit(photo.alpha)[..., None]], axis=2)
    return colours, photo.bits


@pytest.mark.parametrize("odd", ODD, ids=[odd.name for odd in ODD])
def test_a_layout_is_read_as_it_was_written(odd: Odd) -> None:
    colours, bits = shown(odd.data)
    assert bits == odd.bits
    assert colours.shape == odd.shown.shape
    weight = np.ones(1)
    if "associated alpha" in odd.name and "unassociated" not in odd.name:
        weight = odd.shown[..., -1:]  # colours are stored multiplied by it, and as coarse
    assert (np.abs(colours - odd.shown) * weight).max() < 1 / 255


@pytest.mark.parametrize("odd", ODD, ids=[odd.name for odd in ODD])
def test_a_layout_comes_back_for_other_readers(odd: Odd) -> None:
    file = io.BytesIO()
    photo = load_photo(odd.data)
    write_photo(photo, file, "TIFF")
    again = tifffile.imread(io.BytesIO(file.getvalue()))
    assert again.dtype == {8: np.uint8, 16: np.uint16, 32: np.float32}[odd.bits]
    again = in_unit(again if again.ndim == 3 else again[..., None])
    assert np.abs(again - shown(odd.data)[0])[..., : 1 if photo.is_grey else 3].max() < 1e-6 + (0.5 / 255) ** 2


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["cielab", "icclab"])
def test_lab_shows_the_colours_that_it_was_made_of(bits: int, kind: str) -> None:
    rgb = 0.15 + 0.7 * unit(3)
    lab = np.stack([_srgb_to_lab(pixel) for pixel in rgb.reshape(-1, 3)]).reshape(rgb.shape)
    most, step = (255, 1) if bits == 8 else (65535, 256)
    stored = np.rint(np.stack([lab[..., 0] * most / 100, lab[..., 1] * step, lab[..., 2] * step], axis=2))
    if kind == "icclab":
        stored += np.array([0, 128 * step, 128 * step])
    data = written((stored.astype(np.int64) & most).astype(np.uint8 if bits == 8 else np.uint16), photometric=kind)
    colours, kept = shown(data)
    assert kept == bits
    tolerance = 0.6 if bits == 8 else 0.01  # what rounding to whole numbers costs, in ΔE2000
    again = np.stack([_srgb_to_lab(pixel) for pixel in colours.astype(np.float64).reshape(-1, 3)])
    assert np.mean(deltaE_ciede2000(again, lab.reshape(-1, 3))) < tolerance


def _srgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """One colour to L*a*b* (D50), with the matrix of the ICC's sRGB profile."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
    t = np.array(to_xyz) @ linear / np.array([0.9642, 1.0, 0.8249])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_white_and_black_in_lab_are_white_and_black() -> None:
    pixels = np.array([[[255, 0, 0], [0, 0, 0]]], np.uint8)
    np.testing.assert_array_equal(lab_to_srgb(pixels), [[[255] * 3, [0] * 3]])


def jpeg_in_planes(pixels: np.ndarray, photometric: int) -> bytes:
    """A TIFF as libtiff writes it: each plane is a strip, and that a grey JPEG without a JFIF header."""
    strips = [imagecodecs.jpeg8_encode(np.ascontiguousarray(plane), level=95) for plane in np.moveaxis(pixels, 2, 0)]
    strips = [strip[:2] + strip[20:] for strip in strips]
    height, width, count = pixels.shape
    starts = 8 + np.cumsum([0, *map(len, strips[:-1])])
    tags = {
        **{256: (4, (width,)), 257: (4, (height,)), 258: (3, (8,) * count), 259: (3, (7,)), 262: (3, (photometric,))},
        **{273: (4, tuple(starts)), 277: (3, (count,)), 278: (4, (height,)), 279: (4, tuple(map(len, strips)))},
        **{284: (3, (2,)), 530: (3, (1, 1))},
    }
    return by_hand(tags, b"".join(strips))


REFUSED = [
    (written(levels(unit(3), 8).astype(np.int8), photometric="rgb"), "a TIFF of signed samples can not be read"),
    (
        written((40 * unit(3)).astype(np.float32), photometric="rgb"),
        r"expected a TIFF with values from 0 to 1, got \S+ to \S+ \(HDR",
    ),
    (written(np.full((4, 4), np.nan, np.float32)), "expected a TIFF with values from 0 to 1, got nan"),
    (written(unit(1)[..., 0].astype(np.complex64)), "a TIFF of complex numbers can not be read"),
    (written(levels(unit(1), 16)[..., 0], photometric="cfa"), "a TIFF of a camera's raw data can not be read"),
    (written(levels(unit(3), 8), photometric="itulab"), "a TIFF of ITU LAB can not be read"),
    (
        written(np.zeros((4, 32, 32), np.uint8), photometric="minisblack", volumetric=True, tile=(4, 32, 32)),
        "a TIFF of a volume can not be read",
    ),
    (written(np.zeros((3, 8, 8), np.uint8), photometric="minisblack"), "expected a still picture, got several pages"),
    (written(levels(unit(1), 8)[..., 0], subfiletype=1), "a camera's raw file can not be read; develop it"),
    (
        by_hand(
            {256: (4, (4,)), 257: (4, (4,)), 258: (3, (8,)), 262: (3, (2,)), 277: (3, (1,)), 278: (4, (4,))},
            bytes(16),
        ),
        "a TIFF of 1 samples a pixel can not be read",
    ),
    (
        jpeg_in_planes(levels(unit(4, 40, 64), 8), photometric=2),
        "a TIFF of JPEG in planes with a channel beside the colours can not be read",
    ),
    (b"II*\0" + bytes(40), r"expected a whole TIFF file, but it is damaged or cut off \(there is no page in it\)"),
]


@pytest.mark.parametrize(("data", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_not_read_is_named(data: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=f"^the photo: {message}"):
        load_photo(data)


@pytest.mark.parametrize("sampling", [(1, 1), (2, 1), (2, 2)])
def test_jpeg_in_a_tiff_comes_back_as_jpeg_in_a_tiff(sampling: tuple[int, int], tmp_path: Path) -> None:
    pixels = levels(0.3 + 0.4 * unit(3, 200, 300), 8)
    data = written(pixels, photometric="rgb", compression="jpeg", compressionargs={"level": 90}, subsampling=sampling)
    photo = load_photo(data)
    assert np.abs(photo.rgb.numpy().transpose(1, 2, 0) * 255 - pixels).mean() < 4
    save_photo(photo, tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as again:
        assert again.pages.first.compression == tifffile.COMPRESSION.JPEG
    assert 0.5 < (tmp_path / "out.tif").stat().st_size / len(data) < 1.5
    assert (load_photo(tmp_path / "out.tif").rgb - photo.rgb).abs().mean() < 2 / 255


@pytest.mark.parametrize("mode", ["RGB", "YCbCr"])
def test_jpeg_in_planes_shows_its_colours(mode: str) -> None:
    pixels = levels(0.3 + 0.4 * unit(3, 40, 64), 8)
    stored = np.asarray(Image.fromarray(pixels).convert(mode))
    photo = load_photo(jpeg_in_planes(stored, photometric=2 if mode == "RGB" else 6))
    assert np.abs(photo.rgb.numpy().transpose(1, 2, 0) * 255 - pixels).mean() < 2


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("channels", [3, 4])
def test_webp_in_a_tiff_comes_back_as_webp_in_a_tiff(channels: int, lossless: bool) -> None:
    pixels = levels(0.1 + 0.8 * unit(channels, 240, 320), 8) + noise(240, 320, channels) // 16
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"] if channels == 4 else None}
    data = written(
        pixels,
        compression="webp",
        compressionargs={"lossless": lossless, "level": 80},
        planarconfig="contig",
        **options,
    )
    file = io.BytesIO()
    assert write_photo(load_photo(data), file) == ()
    with tifffile.TiffFile(io.BytesIO(file.getvalue())) as again, tifffile.TiffFile(io.BytesIO(data)) as first:
        assert again.pages.first.compression == tifffile.COMPRESSION.WEBP
        difference = np.abs(again.asarray().astype(float) - first.asarray())
    assert difference.max() == 0 if lossless else difference.mean() < 4
    assert len(file.getvalue()) < 1.5 * len(data)


@pytest.mark.parametrize(("compression", "bits"), [("jpeg2000", 8), ("jpeg", 12)])
def test_a_compression_that_is_not_written_is_told(compression: str, bits: int) -> None:
    options = {"compressionargs": {"bitspersample": bits}} if bits == 12 else {}
    data = written(levels(unit(3), bits), photometric="rgb", compression=compression, **options)
    told = f"its compression ({compression.upper()})"
    assert load_photo(data).file.left_out == (told,)


@pytest.mark.parametrize("big", [False, True])
def test_all_directories_belong_to_a_tiff(big: bool, tmp_path: Path) -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=big) as pages:
        pages.write(levels(unit(3), 8), photometric="rgb", metadata=None, subifds=1, tile=(16, 16))
        pages.write(levels(unit(3), 8)[::4, ::4], photometric="rgb", metadata=None, subfiletype=1)
    photo = load_photo(file.getvalue())
    assert photo.file.left_out == ()
    assert load_photo(file.getvalue() + b"rubbish").file.left_out == ("7 bytes behind the picture",)
    properties = replace(photo.file, exif=rich_exif().to_bytes())
    save_photo(replace(photo, file=properties), tmp_path / "out.tif")
    data = (tmp_path / "out.tif").read_bytes()
    assert load_photo(data).file.left_out == ()
    assert load_photo(data + data).file.left_out == (f"{len(data):,} bytes behind the picture",)


def test_pixels_of_32_whole_bits_keep_16_and_it_is_told() -> None:
    stored = (unit(1)[..., 0] * (2**32 - 1)).astype(np.uint32)
    photo = load_photo(written(stored))
    assert photo.bits == 16
    assert np.abs(photo.rgb[0].numpy() - stored / (2**32 - 1)).max() < 1e-4
    assert photo.file.left_out == ("all but 16 bits of each colour",)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("says_so", [True, False])
def test_plain_ycbcr(says_so: bool, bits: int) -> None:
    rgb = 0.2 + 0.6 * unit(3)
    y = rgb @ np.array([0.299, 0.587, 0.114])
    most, middle = 2**bits - 1, 2 ** (bits - 1)
    chroma = [middle + (rgb[..., index] - y) / share * most for index, share in ((2, 1.772), (0, 1.402))]
    stored = np.rint(np.stack([y * most, *chroma], axis=2)).astype(np.uint8 if bits == 8 else np.uint16)
    tags = {
        **{256: (4, (34,)), 257: (4, (20,)), 258: (3, (bits,) * 3), 259: (3, (1,)), 262: (3, (6,))},
        **{277: (3, (3,)), 278: (4, (20,))},
    }
    data = by_hand(tags | ({530: (3, (1, 1))} if says_so else {}), stored.tobytes())
    colours, kept = shown(data)
    assert kept == bits
    assert np.abs(colours - rgb).max() < 2 / 255
    if bits == 16:
        assert np.abs(colours - rgb).max() < 0.02 / 255 * 2


def test_subsampled_ycbcr_that_is_not_compressed_is_named() -> None:
    tags = {
        **{256: (4, (34,)), 257: (4, (20,)), 258: (3, (8,) * 3), 259: (3, (1,)), 262: (3, (6,))},
        **{277: (3, (3,)), 278: (4, (20,)), 530: (3, (2, 2))},
    }
    with pytest.raises(
        ImageError,
        match="a TIFF of subsampled YCbCr, of old JPEG, of JPEG in planes or of mixed depths can not be read",
    ):
        load_photo(by_hand(tags, bytes(1020)))
