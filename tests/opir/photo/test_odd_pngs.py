"""PNGs of every type and depth, transparent ones too, and whatever stands in chunks beside the pixels."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmarks.reliability.odd_pngs import chunk, odd_pngs, photo_png
from benchmarks.reliability.odd_tiffs import Odd, levels, packed, unit
from opir.photo import ImageError, load_photo, save_photo
from opir.photo.beside.exif import Entry, Exif
from tests.opir.photo.test_odd_tiffs import shown

ODD = list(odd_pngs())


@pytest.mark.parametrize("odd", ODD, ids=[odd.name for odd in ODD])
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_every_type_and_depth_is_read_right_and_kept(odd: Odd, ending: str, tmp_path: Path) -> None:
    colours, bits = shown(odd.data)
    assert bits == odd.bits
    np.testing.assert_allclose(colours, odd.shown, atol=1e-6)
    save_photo(load_photo(odd.data), tmp_path / f"out{ending}")
    again, kept = shown((tmp_path / f"out{ending}").read_bytes())
    assert kept == bits
    np.testing.assert_allclose(again, odd.shown, atol=1e-6)


@pytest.mark.parametrize(
    ("chunk", "told"),
    [
        ((b"tEXt", b"Comment\0" + b"x" * 5_000_000), ()),
        ((b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 9_000_000)), ()),
        ((b"iTXt", b"Comment\0\0\0\0\0" + b"x" * 20_000_000), ("20,000,012 bytes of text",)),
        ((b"iCCP", b"a\0\0" + zlib.compress(bytes(3_000_000))), ("a colour profile that can not be read",)),
        ((b"iCCP", b"a\0\0no zlib"), ("a damaged colour profile",)),
        ((b"prVt", b"private" * 1000), ()),
        ((b"eXIf", b"II*\0\xff\xff\xff\xff"), ()),
    ],
    ids=["text", "packed text", "too long a text", "a profile of megabytes", "no profile", "private", "bad Exif"],
)
def test_what_stands_beside_the_pixels_does_not_cost_them(chunk: tuple[bytes, bytes], told: tuple[str, ...]) -> None:
    photo = load_photo(photo_png(chunk))
    np.testing.assert_allclose(photo.rgb.numpy().transpose(1, 2, 0) * 255, levels(unit(3), 8), atol=1e-4)
    assert photo.file.left_out == told


def test_bytes_behind_the_end_and_a_missing_end_are_no_fault() -> None:
    whole = photo_png(behind=b"something else")
    assert load_photo(whole).file.left_out == ("14 bytes behind the picture",)
    assert load_photo(photo_png()[:-12]).rgb.shape == (3, 20, 34)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_a_png_that_lacks_pixels_is_refused(cut: float) -> None:
    whole = photo_png()
    with pytest.raises(ImageError, match="expected a whole PNG file, but it is damaged or cut off"):
        load_photo(whole[: int(cut * (len(whole) - 30))])


def test_texts_come_back_as_they_were(tmp_path: Path) -> None:
    texts = ((b"tEXt", b"Author\0Jos\xe9"), (b"iTXt", "Title\0\0\0de\0Titel\0写真".encode()))
    save_photo(load_photo(photo_png(*texts)), tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.info["Author"] == "José"
        assert picture.info["Title"] == "写真"
    lost = save_photo(load_photo(photo_png(*texts)), tmp_path / "out.jpg")
    assert lost == ("texts",)


def test_a_resolution_in_metres_comes_back_in_every_format(tmp_path: Path) -> None:
    photo = load_photo(photo_png((b"pHYs", struct.pack(">IIB", 11811, 5906, 1))))
    for ending in (".png", ".jpg", ".tif", ".webp", ".heic", ".avif", ".bmp"):
        assert save_photo(photo, tmp_path / f"out{ending}") == ()
        dpi = load_photo(tmp_path / f"out{ending}").file.dpi
        assert dpi == pytest.approx((300, 150), abs=0.05), ending


def test_the_shape_of_pixels_comes_back_where_no_unit_is_said(tmp_path: Path) -> None:
    photo = load_photo(photo_png((b"pHYs", struct.pack(">IIB", 3, 2, 0))))
    for ending in (".png", ".jpg", ".tif", ".webp", ".heic", ".avif"):
        assert save_photo(photo, tmp_path / f"out{ending}") == ()
        again = load_photo(tmp_path / f"out{ending}").file
        assert (again.aspect, again.dpi) == ((3, 2), None), ending
    with Image.open(tmp_path / "out.jpg") as jpeg, tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert (jpeg.info["jfif_unit"], jpeg.info["jfif_density"]) == (0, (3, 2))
        assert (tiff.pages.first.tags[296].value, tiff.pages.first.tags[282].value) == (1, (3, 1))
        assert load_photo(jpeg).file.aspect == (3, 2)
    assert save_photo(photo, tmp_path / "out.bmp") == ("resolution",)
    turned = chunk(b"eXIf", Exif(main={0x0112: Entry(3, 1, b"\6\0")}).to_bytes()[6:])
    data = photo_png((b"pHYs", struct.pack(">IIB", 3, 2, 0)))
    assert load_photo(data[:33] + turned + data[33:]).file.aspect == (2, 3)


def test_the_narrow_range_of_video_is_made_whole() -> None:
    stored = levels(unit(4), 8)
    narrow = np.concatenate([np.rint(16 + stored[..., :3] / 255 * 219).astype(np.uint8), stored[..., 3:]], axis=2)
    shows = [load_photo(with_code_points(pixels, flag)) for pixels, flag in ((narrow, 0), (stored, 1))]
    assert np.abs(shows[0].pixels.astype(int) - shows[1].pixels).max() <= 1
    np.testing.assert_array_equal(shows[0].alpha, shows[1].alpha)
    assert shows[0].file.described.cicp == shows[1].file.described.cicp == (12, 13)


def with_code_points(pixels: np.ndarray, full_range: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    data = file.getvalue()
    return data[:33] + chunk(b"cICP", bytes((12, 13, 0, full_range))) + data[33:]


@pytest.mark.parametrize(
    "chunks",
    [
        ((b"gAMA", struct.pack(">I", 100_000)),),
        ((b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)),),
        ((b"gAMA", struct.pack(">I", 100_000)), (b"sRGB", b"\0")),
    ],
)
def test_a_picture_of_pillow_has_the_colours_of_its_file(chunks: tuple[tuple[bytes, bytes], ...]) -> None:
    data = photo_png(*chunks)
    photo, picture = load_photo(data), load_photo(Image.open(io.BytesIO(data)))
    assert picture.file.described == photo.file.described
    np.testing.assert_array_equal(picture.rgb.numpy(), photo.rgb.numpy())


def test_a_damaged_text_is_told() -> None:
    data = photo_png((b"tEXt", b"Title\0Rain"))
    photo = load_photo(data.replace(b"Rain", b"Pain"))
    assert photo.file.left_out == ("a damaged part beside the picture",)
    assert photo.file.texts == ()


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@pytest.mark.parametrize("size", [(20, 34), (1, 1), (3, 9), (8, 8)])
@pytest.mark.parametrize(("bits", "colour_type"), [(1, 0), (4, 0), (8, 2), (16, 2), (16, 6), (8, 4)])
def test_interlaced_pngs(bits: int, colour_type: int, size: tuple[int, int], capfd) -> None:  # type: ignore[no-untyped-def]
    height, width = size
    stored = levels(unit({0: 1, 2: 3, 4: 2, 6: 4}[colour_type], height, width), bits)
    lines = b""
    for left, top, across, down in ADAM7:
        part = stored[top::down, left::across]
        if part.size:
            rows = part.astype(">u2").tobytes() if bits == 16 else packed(part, bits)
            step = len(rows) // len(part)
            lines += b"".join(b"\0" + rows[at : at + step] for at in range(0, len(rows), step))
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 1)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    data = b"\x89PNG\r\n\x1a\n" + body
    np.testing.assert_allclose(shown(data)[0], stored / (2**bits - 1), atol=1e-6)
    assert capfd.readouterr().err == ""
    if len(lines) > 40:
        with pytest.raises(ImageError, match="expected a whole PNG file"):
            load_photo(data[:50])
