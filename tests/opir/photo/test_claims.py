"""Every claim of the table of formats (docs/files.md), by a round trip that an independent reader looks at."""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image

from benchmarks.reliability import format_table
from benchmarks.reliability.odd_tiffs import levels, unit
from opir.errors import TooLargeError
from opir.photo import FORMATS, Described, Format, ImageError, load_photo, write_photo
from opir.photo.beside.boxes import code_points
from opir.photo.beside.properties import FileProperties
from opir.photo.formats import READABLE
from opir.photo.headers import register_heif
from opir.photo.writing import write_to
from tests.opir.photo.pictures import rich_exif, wide_profile
from tests.opir.photo.test_riding_along import IPTC, XMP

register_heif()
ROWS = list(FORMATS.values())
NAMES = list(FORMATS)
SOFT = 0.4 + 0.2 * unit(4, 64, 96)
DTYPES = {8: np.uint8, 10: np.uint16, 12: np.uint16, 16: np.uint16, 32: np.float32}


def pixels(channels: int, depth: int) -> np.ndarray:
    values = SOFT[..., : 3 if channels > 2 else 1]
    values = np.concatenate([values, SOFT[..., 3:]], axis=2) if channels in (2, 4) else values
    return values.astype(np.float32) if depth == 32 else levels(values, 8 if depth == 8 else 16)


def written(row: Format, channels: int, depth: int, **properties: object) -> bytes:
    file = io.BytesIO()
    given = FileProperties(file_format=row.name, depth=depth, chroma="4:4:4", **properties)  # type: ignore[arg-type]
    write_to(file, "photo", pixels(channels, depth), given, row.name, 97)
    return file.getvalue()


def stored(data: bytes, row: Format) -> tuple[np.ndarray, int]:
    """What an independent reader finds: pixels in [0, 1], and the bits of a colour."""
    if row.name == "TIFF":
        array = tifffile.imread(io.BytesIO(data))
    elif row.name == "PNG":
        array = imagecodecs.png_decode(data)
        assert Image.open(io.BytesIO(data)).size == (96, 64)
    elif row.name == "HEIF":
        found = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        depth = found.info["bit_depth"]
        return np.asarray(found) / ((2**depth - 1) << (0 if depth == 8 else 16 - depth)), depth
    elif row.name == "AVIF":
        array = imagecodecs.avif_decode(data)
        depth = 8 if array.dtype == np.uint8 else 10 if array.max() < 1024 else 12
        return array / (2**depth - 1), depth
    else:
        array = np.asarray(Image.open(io.BytesIO(data)))
    return array / (1 if array.dtype.kind == "f" else np.iinfo(array.dtype).max), 8 * array.dtype.itemsize


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("row", "depth"), [(row, depth) for row in ROWS for depth in row.depths])
def test_depths_and_alpha_are_in_the_file_and_come_back(row: Format, depth: int, channels: int) -> None:
    if channels in (2, 4) and not row.alpha:
        return
    data = written(row, channels, depth)
    found, bits = stored(data, row)
    assert bits == depth
    expected = pixels(channels, depth) / (1 if depth == 32 else np.iinfo(DTYPES[depth]).max)
    if found.ndim == 2 or found.shape[2] != channels:  # formats without grey, or without grey and alpha
        found = found.reshape(64, 96, -1)
        found = found[..., [0, -1]] if channels == 2 else found[..., :1]
    tolerance = 1e-6 if row.lossless.startswith("always") else 0.04
    assert np.abs(found - expected).max() <= tolerance
    photo = load_photo(data)
    again = io.BytesIO()
    assert write_photo(photo, again) == ()
    if row.lossless.startswith("always"):
        atol = 1e-5 if depth == 32 else 0  # transparency of fractions is kept in 16 bits
        np.testing.assert_allclose(stored(again.getvalue(), row)[0], stored(data, row)[0], rtol=0, atol=atol)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_too_many_pixels_are_told_by_the_header(row: Format) -> None:
    with pytest.raises(TooLargeError, match=r"^the photo: expected at most 0.006 megapixels, got 96x64 = 0.00614"):
        load_photo(written(row, 3, 8), max_megapixels=0.006)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_half_a_file_is_no_photo(row: Format) -> None:
    data = written(row, 3, 8)
    with pytest.raises(
        ImageError, match="^the photo: expected a whole .* file, .*damaged or cut off|^the photo: .*missing"
    ):
        load_photo(data[: len(data) // 2])


def test_every_format_is_named_where_a_photo_is_expected() -> None:
    called = READABLE.removeprefix("a ").removesuffix(" photo").replace(" or ", ", ").split(", ")
    assert [name.upper().replace("HEIC", "HEIF") for name in called] == NAMES
    assert called[2:5] == ["WebP", "TIFF", "HEIC"]


@pytest.mark.parametrize("row", [row for row in ROWS if not row.alpha], ids=lambda row: row.name)
def test_a_format_without_alpha_refuses_it(row: Format) -> None:
    with pytest.raises(ImageError, match="expected a photo without transparency"):
        write_photo(load_photo(pixels(4, 8)), io.BytesIO(), row.name)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_ways_to_describe_colours(row: Format) -> None:
    ways = {
        "icc": Described(icc=wide_profile()),
        "cicp": Described(cicp=(12, 13)),
        "gamma": Described(gamma=55556, chromaticities=(31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)),
    }
    for way, described in ways.items():
        if way not in row.colours:
            continue
        data = written(row, 3, 8, described=described)
        again = io.BytesIO()
        assert write_photo(load_photo(data), again) == ()
        for content in (data, again.getvalue()):
            assert load_photo(content).file.described == described
            if way == "icc":
                assert Image.open(io.BytesIO(content)).info["icc_profile"] == wide_profile()
            elif way == "gamma":
                assert Image.open(io.BytesIO(content)).info["gamma"] == pytest.approx(0.55556)
            elif row.name == "PNG":
                assert b"cICP" + bytes((12, 13, 0, 1)) in content
            else:
                assert (code_points(content) or ())[:2] == (12, 13)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_what_rides_along(row: Format) -> None:
    texts = tuple(
        (kind, {b"zTXt": b"a\0\0x\x9c\3\0\0\0\0\1", b"iTXt": b"a\0\0\0\0\0b", b"COM": b"hello"}.get(kind, b"a\0b"))
        for kind in row.texts
    )
    exif = rich_exif().public().to_bytes() if row.exif else b""
    xmp, iptc = XMP if row.xmp else b"", IPTC if row.iptc else b""
    data = written(row, 3, 8, exif=exif, xmp=xmp, iptc=iptc, texts=texts, dpi=(300.0, 300.0))
    photo = load_photo(data, keep_location=True)
    again = io.BytesIO()
    assert write_photo(photo, again) == ()
    for content in (data, again.getvalue()):
        with Image.open(io.BytesIO(content)) as picture:
            if row.exif:
                assert picture.getexif()[0x0110] == "Camera 7"
            if row.dpi == "own":
                assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
            elif row.dpi:
                assert picture.getexif()[0x011A] == 300
        assert ("写真 José".encode() in content) == row.xmp
        assert (IPTC in content) == row.iptc
        for kind, body in texts:
            assert body in content, kind
    assert photo.file.dpi == (pytest.approx((300, 300), abs=0.1) if row.dpi else None)


def test_the_page_is_up_to_date() -> None:
    assert Path(format_table.PAGE).read_text() == format_table.page()
