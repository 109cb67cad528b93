"""BMPs of 16 and 32 bits by their masks, with alpha and with a profile."""

import io
import struct

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.reliability.odd_tiffs import levels, unit
from opir.photo import ImageError, Photo, load_photo, save_photo, write_photo
from opir.photo.beside.described import _of_primaries
from tests.opir.photo.pictures import wide_profile

HEIGHT, WIDTH = 13, 21
RGBA = levels(unit(4, HEIGHT, WIDTH), 8)


def bmp(
    values: NDArray[np.unsignedinteger],
    masks: tuple[int, ...],
    header: int = 108,
    compression: int = 3,
    up: bool = True,
) -> bytes:
    """Return a BMP of pixels (H, W) of 16 or 32 bits, from the bottom upwards where `up`."""
    height, width = values.shape
    bits = 8 * values.itemsize
    rows = np.zeros((height, (width * bits + 31) // 32 * 4), np.uint8)
    rows[:, : width * bits // 8] = np.ascontiguousarray(values).view(np.uint8)
    body = (rows[::-1] if up else rows).tobytes()
    head = struct.pack(
        "<IiiHHIIiiII", header, width, height if up else -height, 1, bits, compression, len(body), *[0] * 4
    )
    head += b"".join(struct.pack("<I", mask) for mask in masks)
    head += bytes(max(header - len(head), 0))
    start = 14 + len(head)
    return struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + head + body


def packed(
    pixels: NDArray[np.uint8], masks: tuple[int, ...], dtype: type
) -> tuple[NDArray[np.unsignedinteger], NDArray]:
    """Return pixels packed by masks, and what they show in [0, 1]."""
    values, shown = np.zeros(pixels.shape[:2], np.uint32), []
    for index, mask in enumerate(masks):
        shift = (mask & -mask).bit_length() - 1
        stored = np.rint(pixels[..., index] * ((mask >> shift) / 255)).astype(np.uint32)
        values |= stored << shift
        shown.append(stored / (mask >> shift))
    return values.astype(dtype), np.stack(shown, axis=2)


def seen(photo: Photo) -> NDArray[np.float64]:
    rgb = photo.rgb.numpy().transpose(1, 2, 0).astype(float)
    return rgb if photo.alpha is None else np.concatenate([rgb, photo.alpha[..., None] / 255], axis=2)


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize(
    ("masks", "dtype", "header"),
    [
        ((0xF800, 0x7E0, 0x1F), np.uint16, 40),
        ((0x7C00, 0x3E0, 0x1F, 0x8000), np.uint16, 124),
        ((0xF00, 0xF0, 0xF, 0xF000), np.uint16, 108),
        ((0xFF0000, 0xFF00, 0xFF, 0xFF000000), np.uint32, 56),
        ((0xFF, 0xFF00, 0xFF0000, 0xFF000000), np.uint32, 124),
        ((0xFF000000, 0xFF0000, 0xFF00), np.uint32, 40),
        ((0x3FF00000, 0xFFC00, 0x3FF), np.uint32, 40),
    ],
)
def test_pixels_are_read_by_their_masks_and_come_back(
    masks: tuple[int, ...], dtype: type, header: int, up: bool
) -> None:
    values, shown = packed(RGBA, masks, dtype)
    photo = load_photo(bmp(values, masks, header, up=up))
    assert photo.file.left_out == (("all but 8 bits of each colour",) if masks[2] == 0x3FF else ())
    opaque = len(masks) == 3
    hidden = np.zeros((HEIGHT, WIDTH), bool) if opaque else shown[..., 3] == 0
    np.testing.assert_allclose(seen(photo)[~hidden], shown[~hidden], atol=0.51 / 255)
    file = io.BytesIO()
    write_photo(photo, file, "BMP")
    again = load_photo(file.getvalue())
    np.testing.assert_allclose(seen(again)[~hidden], seen(photo)[~hidden], atol=1e-6)
    if not opaque:
        with Image.open(io.BytesIO(file.getvalue())) as picture:
            np.testing.assert_allclose(np.asarray(picture)[~hidden] / 255, shown[~hidden], atol=0.51 / 255)


def test_grey_with_alpha_becomes_a_bmp_with_alpha() -> None:
    file = io.BytesIO()
    write_photo(load_photo(RGBA[..., [0, 3]]), file, "BMP")
    picture = np.asarray(Image.open(io.BytesIO(file.getvalue())))
    np.testing.assert_array_equal(picture[..., 0], RGBA[..., 0])
    np.testing.assert_array_equal(picture[..., 3], RGBA[..., 3])


def test_alpha_that_a_program_left_empty_hides_nothing() -> None:
    values, shown = packed(RGBA[..., :3], (0xFF0000, 0xFF00, 0xFF), np.uint32)
    photo = load_photo(bmp(values, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)))
    assert photo.alpha is None
    np.testing.assert_allclose(seen(photo), shown, atol=1e-6)


def test_a_fourth_byte_without_a_meaning_is_told() -> None:
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    values, _ = packed(RGBA, masks, np.uint32)
    assert load_photo(bmp(values, (), 40, compression=0)).file.left_out == ("a channel beside the colours",)
    assert load_photo(bmp(values & 0xFFFFFF, (), 40, compression=0)).file.left_out == ()


def test_a_profile_is_read_and_told_and_the_result_is_srgb(tmp_path) -> None:  # type: ignore[no-untyped-def]
    icc = wide_profile()
    values, _ = packed(RGBA[..., :3], (0xFF0000, 0xFF00, 0xFF), np.uint32)
    data = bytearray(bmp(values, (0xFF0000, 0xFF00, 0xFF, 0), 124))
    data[14 + 56 : 14 + 60] = b"DEBM"
    struct.pack_into("<II", data, 14 + 112, len(data) - 14, len(icc))
    png = io.BytesIO()
    Image.fromarray(RGBA[..., :3]).save(png, "PNG", icc_profile=icc)
    photo, same = load_photo(bytes(data) + icc), load_photo(png.getvalue())
    np.testing.assert_allclose(photo.rgb.numpy(), same.rgb.numpy(), atol=1e-6)
    assert save_photo(photo, tmp_path / "out.bmp") == ("its colour profile: it comes back in sRGB",)
    again = load_photo(tmp_path / "out.bmp")
    np.testing.assert_allclose(again.rgb.numpy(), photo.rgb.numpy(), atol=0.51 / 255)


@pytest.mark.parametrize("curve", [1.8, 1 / 1.8])
@pytest.mark.parametrize("scale", [1.0, 0.8])
def test_primaries_in_a_header_are_honoured_and_told(scale: float, curve: float) -> None:
    values, _ = packed(RGBA[..., :3], (0xFF0000, 0xFF00, 0xFF), np.uint32)
    data = bytearray(bmp(values, (0xFF0000, 0xFF00, 0xFF, 0)))
    corners = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
    triples = [(x, y, 1 - x - y) for x, y in zip(corners[::2], corners[1::2], strict=True)]
    numbers = [round(scale * number * 2**30) for triple in triples for number in triple]
    struct.pack_into("<9i3I", data, 14 + 60, *numbers, *[round(curve * 65536)] * 3)
    photo = load_photo(bytes(data))
    profile = _of_primaries((0.3127, 0.329, *corners), 1.8)
    assert profile is not None
    expected = profile.to_srgb(torch.from_numpy(RGBA[..., :3].transpose(2, 0, 1) / np.float32(255))).clamp(0, 1)
    np.testing.assert_allclose(photo.rgb.numpy(), expected.numpy(), atol=1e-3)
    assert photo.file.left_out == ("its colour profile: it comes back in sRGB",)


def test_a_profile_in_another_file_and_a_jpeg_in_a_bmp_are_named() -> None:
    values, _ = packed(RGBA[..., :3], (0xFF0000, 0xFF00, 0xFF), np.uint32)
    data = bytearray(bmp(values, (0xFF0000, 0xFF00, 0xFF, 0), 124))
    data[14 + 56 : 14 + 60] = b"KNIL"
    assert load_photo(bytes(data)).file.left_out == ("a colour profile that stands in another file",)
    struct.pack_into("<HI", data, 14 + 14, 0, 4)
    with pytest.raises(ImageError, match="^the photo: a BMP around a JPEG can not be read"):
        load_photo(bytes(data))


def test_a_mask_with_holes_and_missing_rows_are_refused() -> None:
    values, _ = packed(RGBA, (0xFF0000, 0xFF00, 0xFF), np.uint32)
    with pytest.raises(ImageError, match="a BMP with the mask 0xf0f can not be read"):
        load_photo(bmp(values, (0xF0F, 0xF0, 0xF000, 0)))
    with pytest.raises(ImageError, match="damaged or cut off .100 bytes are missing"):
        load_photo(bmp(values, (0xFF0000, 0xFF00, 0xFF, 0))[:-100])
