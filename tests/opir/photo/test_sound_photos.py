"""A sound photo is never refused: whatever stands behind it, however it is called, wherever it comes from."""

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.reliability.odd_pngs import photo_png
from benchmarks.reliability.odd_tiffs import levels, unit
from opir.photo import ENDINGS, FORMATS, ImageError, load_photo, save_photo, write_photo
from opir.photo.codecs.jpeg import outline
from opir.photo.headers import read_size, register_heif
from opir.photo.photo import allowed_megapixels

PIXELS = levels(0.3 + 0.4 * unit(3, 120, 180), 8)


def jpeg(**options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


VIDEO = struct.pack(">I", 24) + b"ftypmp42" + bytes(12) + np.random.default_rng(0).bytes(3_000_000)
GAIN_MAP_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"/>'


@pytest.mark.parametrize(
    ("behind", "told"),
    [
        (VIDEO, ("the motion of a motion photo",)),
        (b"SEFH" + bytes(40) + b"MotionPhoto_Data" + VIDEO, ("the motion of a motion photo",)),
        (jpeg(), ("a second picture",)),
        (b"PK\3\4 an archive", ("15 bytes behind the picture",)),
        (b"\xff\xda" * 5000, ("10,000 bytes behind the picture",)),
        (bytes(4096), ()),
    ],
    ids=["a video", "a trailer of Samsung", "a picture", "an archive", "what looks like scans", "zeros"],
)
@pytest.mark.parametrize("progressive", [False, True])
def test_what_stands_behind_a_jpeg_is_told_and_no_fault(
    behind: bytes, told: tuple[str, ...], progressive: bool, tmp_path: Path
) -> None:
    whole = jpeg(progressive=progressive)
    photo = load_photo(whole + behind)
    np.testing.assert_allclose(photo.rgb.numpy().transpose(1, 2, 0) * 255, decoded(whole), atol=1e-4)
    assert save_photo(photo, tmp_path / "out.jpg") == told
    assert abs((tmp_path / "out.jpg").stat().st_size - len(whole)) < len(whole) / 2


def test_a_gain_map_is_told() -> None:
    assert load_photo(jpeg(xmp=GAIN_MAP_XMP) + jpeg()).file.left_out == ("a gain map (HDR)",)
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "MPO", save_all=True, append_images=[Image.fromarray(PIXELS)])
    assert load_photo(file.getvalue()).file.left_out == ("a second picture",)


@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_last_bytes_is_whole(cut: int, progressive: bool) -> None:
    whole = jpeg(progressive=progressive)
    photo = load_photo(whole[:-cut])
    np.testing.assert_allclose(photo.rgb.numpy().transpose(1, 2, 0) * 255, decoded(whole), atol=1e-4)
    assert photo.file.left_out == ("its end, which the file lacks",)


def test_a_jpeg_that_lacks_some_pixels_at_its_end_is_told_and_one_that_lacks_many_is_refused() -> None:
    whole = jpeg()
    (told,) = load_photo(whole[:-20]).file.left_out
    assert told.startswith("its end, which the file lacks with 0.")
    for share in (0.3, 0.7, 0.9):
        with pytest.raises(ImageError, match="expected a whole JPEG file, but it is damaged or cut off"):
            load_photo(whole[: int(share * len(whole))])


@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_jpeg_that_was_half_downloaded_is_refused_however_smooth_it_is(subsampling: int) -> None:
    across, down = np.meshgrid(np.linspace(0, 200, 640), np.linspace(0, 50, 480))
    smooth = Image.fromarray(np.stack([across, down, across + down], axis=2).astype(np.uint8))
    file = io.BytesIO()
    smooth.save(file, "JPEG", quality=75, subsampling=subsampling)
    whole = file.getvalue()
    for share in (0.3, 0.5, 0.9):
        with pytest.raises(ImageError, match="expected a whole JPEG file, but it is damaged or cut off"):
            load_photo(whole[: int(share * len(whole))])


def test_the_outline_of_a_jpeg_ends_with_its_first_picture() -> None:
    whole = jpeg(progressive=True)
    found = outline(whole + jpeg())
    assert (found.end, found.size, found.bits) == (len(whole), (180, 120), 8)
    assert found.scans == whole.count(b"\xff\xda")
    assert outline(b"\xff\xd8\xff").end is None


def test_a_jpeg_of_twelve_bits_and_one_without_loss_are_read() -> None:
    deep = levels(unit(3, 64, 64), 12)
    photo = load_photo(imagecodecs.jpeg_encode(deep, level=97, bitspersample=12))
    assert photo.bits == 16
    assert np.abs(photo.rgb.numpy().transpose(1, 2, 0) - deep / 4095).mean() < 0.02
    lossless = load_photo(imagecodecs.jpeg_encode(PIXELS, lossless=True))
    np.testing.assert_allclose(lossless.rgb.numpy().transpose(1, 2, 0) * 255, PIXELS, atol=1e-4)


@pytest.mark.parametrize("ending", sorted(ENDINGS))
@pytest.mark.parametrize("name", ["photo", "photo.backup", "photo.txt", "photo.JPG.png"])
def test_a_photo_is_told_by_its_bytes_and_not_by_its_name(ending: str, name: str, tmp_path: Path) -> None:
    save_photo(load_photo(PIXELS), tmp_path / f"photo{ending}")
    (tmp_path / f"photo{ending}").rename(tmp_path / name)
    photo = load_photo(tmp_path / name)
    assert photo.file.file_format == ENDINGS[ending]
    assert read_size(tmp_path / name) == (180, 120)
    save_photo(photo, tmp_path / f"again {name}", file_format=photo.file.file_format)
    assert load_photo(tmp_path / f"again {name}").file.file_format == ENDINGS[ending]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"GIF89a" + bytes(50), "a GIF"),
        (VIDEO[:60], "a video"),
        (b"8BPS" + bytes(50), "a Photoshop file"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL"),
        (b"%PDF-1.7", "a PDF"),
        (b"hello", "something else or a damaged file"),
        (b"BM but no bitmap at all", "something else or a damaged file"),
    ],
)
def test_what_is_no_photo_is_named(data: bytes, what: str) -> None:
    with pytest.raises(ImageError, match=f"^the photo: expected a JPEG, .* or .* photo, got {what}; export it as"):
        load_photo(data)


def test_the_size_that_is_allowed_goes_by_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opir.photo.photo.free_memory", lambda device: 12_000_000_000)
    assert allowed_megapixels() == 300
    monkeypatch.setattr("opir.photo.photo.free_memory", lambda device: 1_000_000_000)
    assert allowed_megapixels() == 100
    monkeypatch.setattr("opir.photo.photo.free_memory", lambda device: None)
    assert allowed_megapixels() == 100
    message = "expected at most 0.01 megapixels, got 180x120 = 0.0216; make it smaller first"
    for file_format in FORMATS:
        file = io.BytesIO()
        write_photo(load_photo(PIXELS), file, file_format)
        with pytest.raises(ImageError, match=message):
            load_photo(file.getvalue(), max_megapixels=0.01)


@pytest.mark.parametrize("as_source", [bytes, bytearray, memoryview, io.BytesIO])
def test_bytes_and_open_files_are_read(as_source: type, tmp_path: Path) -> None:
    expected = load_photo(photo_png()).rgb
    assert torch.equal(load_photo(as_source(photo_png())).rgb, expected)
    (tmp_path / "photo.png").write_bytes(photo_png())
    with open(tmp_path / "photo.png", "rb") as file:
        assert torch.equal(load_photo(file).rgb, expected)
    with (
        open(tmp_path / "photo.png", encoding="latin-1") as text,
        pytest.raises(ImageError, match="expected a file opened for reading bytes"),
    ):
        load_photo(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [0, 1, 2, 3, 4])
def test_arrays_of_fractions_are_read_with_their_transparency(channels: int, dtype: type) -> None:
    values = unit(max(channels, 1)).astype(dtype)
    photo = load_photo(values if channels else values[..., 0])
    assert photo.is_grey == (channels < 3)
    assert (photo.alpha is not None) == (channels in (2, 4))
    np.testing.assert_allclose(photo.rgb[0].numpy(), values[..., 0], atol=1e-6)
    if photo.alpha is not None:
        np.testing.assert_allclose(photo.alpha / 65535, values[..., -1], atol=1e-4)


def test_a_picture_of_pillow_keeps_what_it_has(tmp_path: Path) -> None:
    register_heif()
    Image.fromarray(PIXELS).save(tmp_path / "in.jpg", quality=88, subsampling=0, dpi=(240, 240))
    with Image.open(tmp_path / "in.jpg") as picture:
        photo = load_photo(picture)
    assert (photo.file.jpeg_quality, photo.file.chroma, photo.file.dpi) == (88, "4:4:4", (240, 240))
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"):
        made = Image.new("L", (9, 7), 1).convert("RGB").convert(mode) if mode in ("LAB",) else Image.new(mode, (9, 7))
        assert load_photo(made).rgb.shape == (3, 7, 9), mode
