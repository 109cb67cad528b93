"""What rides along with pixels: Exif data, XMP, IPTC, resolution, depth, chroma, loss and size; never the place."""

import io
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image

from benchmarks.reliability.odd_pngs import photo_png
from benchmarks.reliability.odd_tiffs import levels, unit
from opir.photo import load_photo, save_photo
from opir.photo.beside.boxes import av1_coding, boxes
from opir.photo.beside.exif import DETAILS, POSITION, read_exif
from opir.photo.beside.private import public_iptc, public_xmp
from opir.photo.beside.properties import FileProperties
from opir.photo.headers import register_heif
from opir.photo.writing import write_file
from tests.opir.photo.pictures import ORIENTATION, rich_exif, wide_profile

WITH_EXIF = (".jpg", ".png", ".tif", ".webp", ".heic", ".avif")
SOFT = levels(0.4 + 0.2 * unit(3, 120, 160), 8)
TEXTURE = np.clip(SOFT.astype(int) + np.random.default_rng(3).normal(0, 9, SOFT.shape), 0, 255).astype(np.uint8)
IPTC = b"\x1c\x02\x78\0\x05Hallo\x1c\x02\x5a\0\x06Berlin\x1c\x02\x65\0\x0bDeutschland\x1c\x02\x19\0\x05Regen"
XMP = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
    'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" xmlns:p="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'exif:GPSLatitude="52,31.2N" photoshop:City="Berlin" photoshop:Headline="Regen" tiff:Orientation="6" '
    'GCamera:MotionPhoto="1" dc:format="image/jpeg"><exif:GPSLongitude>13,24.1E</exif:GPSLongitude>'
    "<p:LocationCreated><rdf:Bag><rdf:li>Mitte</rdf:li></rdf:Bag></p:LocationCreated>"
    '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">写真 José</rdf:li></rdf:Alt></dc:title>'
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
).encode()


def full_file(path: Path, order: str = ">") -> Path:
    """A photo with all that its format holds, written with the place in it."""
    properties = FileProperties(exif=rich_exif(order).to_bytes(), xmp=XMP, iptc=IPTC, dpi=(300, 300), chroma="4:4:4")
    write_file(path, SOFT, properties, quality=95)
    return path


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("target", WITH_EXIF)
@pytest.mark.parametrize("source", WITH_EXIF)
def test_exif_data_keep_every_type_and_letter(source: str, target: str, order: str, tmp_path: Path) -> None:
    photo = load_photo(full_file(tmp_path / f"in{source}", order), keep_location=True)
    # An AVIF is turned by what stands beside the picture, and not by Exif data; a HEIC as well, but there it does.
    assert photo.size == ((160, 120) if source == ".avif" else (120, 160))
    save_photo(photo, tmp_path / f"out{target}")
    exif = read_exif(load_photo(tmp_path / f"out{target}", keep_location=True).file.exif)
    whole = rich_exif(order)
    assert exif.order == order
    assert exif.main == {tag: entry for tag, entry in whole.main.items() if tag != ORIENTATION}
    assert exif.details == {tag: entry for tag, entry in whole.details.items() if tag != 0x927C}
    assert exif.position == whole.position


@pytest.mark.parametrize("ending", WITH_EXIF)
def test_no_place_is_left_anywhere_unless_it_is_asked_for(ending: str, tmp_path: Path) -> None:
    photo = load_photo(full_file(tmp_path / f"in{ending}"))
    assert photo.file.had_position
    save_photo(photo, tmp_path / f"out{ending}")
    result = (tmp_path / f"out{ending}").read_bytes()
    for word in (b"Berlin", b"GPSL", b"52,31", b"Mitte", b"Deutschland", b"13,24"):
        assert word not in result, word
    assert "写真 José".encode() in result
    assert b"Regen" in result
    save_photo(load_photo(tmp_path / f"in{ending}", keep_location=True), tmp_path / f"kept{ending}")
    kept = (tmp_path / f"kept{ending}").read_bytes()
    assert b"GPSLatitude" in kept
    assert b"MotionPhoto" not in kept
    assert b"tiff:Orientation" not in kept


@pytest.mark.parametrize("ending", [".jpg", ".tif"])
def test_iptc_comes_back_without_the_place(ending: str, tmp_path: Path) -> None:
    save_photo(load_photo(full_file(tmp_path / f"in{ending}")), tmp_path / f"out{ending}")
    assert load_photo(tmp_path / f"out{ending}").file.iptc == b"\x1c\x02\x78\0\x05Hallo\x1c\x02\x19\0\x05Regen"
    assert public_iptc(IPTC, keep_location=True) == (IPTC, True)
    assert public_iptc(b"\x1c\x02\x78\xff", keep_location=False) == (b"", False)


@pytest.mark.parametrize("xmp", [b"", b"no XML", b"<a", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"\xff\xfe\0"])
def test_xmp_that_can_not_be_read_is_left_out(xmp: bytes) -> None:
    kept, found = public_xmp(xmp)
    assert not found
    assert b"ENTITY" not in kept or kept == b""


@pytest.mark.parametrize("source", [".jpg", ".png", ".tif", ".bmp"])
@pytest.mark.parametrize("target", [".jpg", ".png", ".tif", ".webp", ".heic", ".avif", ".bmp"])
def test_resolution_stays(source: str, target: str, tmp_path: Path) -> None:
    Image.fromarray(SOFT).save(tmp_path / f"in{source}", dpi=(240, 240))
    save_photo(load_photo(tmp_path / f"in{source}"), tmp_path / f"out{target}")
    assert load_photo(tmp_path / f"out{target}").file.dpi == pytest.approx((240, 240), abs=0.1)
    if target in (".jpg", ".png", ".tif", ".bmp"):
        assert Image.open(tmp_path / f"out{target}").info["dpi"] == pytest.approx((240, 240), abs=0.1)


@pytest.mark.parametrize("depth", [8, 10, 12])
@pytest.mark.parametrize("chroma", [420, 422, 444])
@pytest.mark.parametrize("ending", [".heic", ".avif"])
def test_depth_and_chroma_come_back(ending: str, chroma: int, depth: int, tmp_path: Path) -> None:
    pixels = levels(0.4 + 0.2 * unit(3, 120, 160), 8 if depth == 8 else 16)
    photo, result = tmp_path / f"in{ending}", tmp_path / f"out{ending}"
    if ending == ".heic":
        mode = "RGB" if depth == 8 else "RGB;16"
        picture = pillow_heif.from_bytes(mode=mode, size=(160, 120), data=pixels.tobytes())
        picture.save(photo, quality=80, chroma=chroma, bit_depth=depth)
    else:
        coded = pixels if depth == 8 else pixels >> (16 - depth)
        options = {"bitspersample": depth, "pixelformat": str(chroma)}
        photo.write_bytes(imagecodecs.avif_encode(coded, level=80, speed=8, **options))
    loaded = load_photo(photo)
    assert loaded.bits == (8 if depth == 8 else 16)
    save_photo(loaded, result)
    if ending == ".heic":
        info = pillow_heif.open_heif(result).info
        assert (info["bit_depth"], info["chroma"]) == (depth, chroma)
    else:
        coding = av1_coding(result.read_bytes())
        assert (coding.depth, coding.chroma) == (depth, ":".join(str(chroma)))
    assert (load_photo(result).rgb - loaded.rgb).abs().mean() < 1.5 / 255


@pytest.mark.parametrize("quality", [50, 80])
@pytest.mark.parametrize("ending", [".heic", ".avif", ".webp", ".jpg"])
def test_a_result_is_about_as_large_as_its_photo(ending: str, quality: int, tmp_path: Path) -> None:
    register_heif()
    texture = np.tile(TEXTURE, (3, 3, 1))
    Image.fromarray(texture).save(tmp_path / f"in{ending}", quality=quality)
    before = (tmp_path / f"in{ending}").stat().st_size
    save_photo(load_photo(tmp_path / f"in{ending}"), tmp_path / f"out{ending}")
    most = 1.5 if (ending, quality) != (".jpg", 50) else 2.2  # what was restored is not to be lost: 80 at least
    assert 0.5 < (tmp_path / f"out{ending}").stat().st_size / before < most


@pytest.mark.parametrize("icc", [b"", wide_profile(), wide_profile() + bytes(9000)])
def test_a_lossless_webp_stays_lossless_wherever_its_profile_lies(icc: bytes, tmp_path: Path) -> None:
    Image.fromarray(TEXTURE).save(tmp_path / "in.webp", lossless=True, icc_profile=icc)
    photo = load_photo(tmp_path / "in.webp")
    assert photo.file.lossless
    save_photo(photo, tmp_path / "out.webp")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.webp")), TEXTURE)
    Image.fromarray(TEXTURE).save(tmp_path / "lossy.webp", icc_profile=icc)
    assert not load_photo(tmp_path / "lossy.webp").file.lossless


def test_a_lossless_avif_stays_lossless(tmp_path: Path) -> None:
    made = imagecodecs.avif_encode(TEXTURE, level=100, speed=8, matrix=0, pixelformat="444")
    (tmp_path / "in.avif").write_bytes(made)
    save_photo(load_photo(tmp_path / "in.avif"), tmp_path / "out.avif")
    np.testing.assert_array_equal(imagecodecs.avif_decode((tmp_path / "out.avif").read_bytes()), TEXTURE)


def test_the_time_of_change_stays_on_request(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(photo_png())
    os.utime(tmp_path / "in.png", (1_500_000_000, 1_500_000_000))
    photo = load_photo(tmp_path / "in.png")
    save_photo(photo, tmp_path / "new.png")
    save_photo(photo, tmp_path / "kept.png", keep_time=True)
    assert (tmp_path / "new.png").stat().st_mtime > 1_600_000_000
    assert (tmp_path / "kept.png").stat().st_mtime == 1_500_000_000


def test_what_a_format_has_no_room_for_is_told(tmp_path: Path) -> None:
    photo = load_photo(full_file(tmp_path / "in.tif"))
    assert save_photo(photo, tmp_path / "out.jpg") == ()
    assert save_photo(photo, tmp_path / "out.webp") == ("IPTC",)
    assert save_photo(photo, tmp_path / "out.bmp") == ("Exif data", "XMP", "IPTC")
    long = replace(photo, file=replace(photo.file, xmp=b"<a>" + b"x" * 70_000 + b"</a>"))
    assert save_photo(long, tmp_path / "long.jpg") == ("XMP of 70,007 bytes",)
    deep = load_photo(photo_png(bits=16))
    assert save_photo(deep, tmp_path / "out.jpg") == ("all but 8 bits of each colour",)
    assert save_photo(deep, tmp_path / "deep.tif") == ()


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool, an independent reader, is not installed")
@pytest.mark.parametrize("ending", WITH_EXIF)
def test_exiftool_reads_what_was_written(ending: str, tmp_path: Path) -> None:
    path = full_file(tmp_path / f"in{ending}")
    save_photo(load_photo(path, keep_location=True), tmp_path / f"out{ending}")
    command = [
        "exiftool",
        "-s3",
        "-Artist",
        "-XMP-dc:Title",
        "-ExifIFD:ExposureTime",
        "-GPS:GPSLatitudeRef",
        "-Error",
    ]
    told = subprocess.run([*command, str(tmp_path / f"out{ending}")], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["José", "写真 José", "1/125", "North"]


def test_tags_of_a_tiff_keep_their_types(tmp_path: Path) -> None:
    save_photo(load_photo(full_file(tmp_path / "in.jpg", "<"), keep_location=True), tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        tags = file.pages.first.tags  # type: ignore[union-attr]
        assert {tag: tags[tag].dtype.value for tag in (0x010E, 0x013B, 0x9C9B)} == {0x010E: 2, 0x013B: 2, 0x9C9B: 1}
        assert {DETAILS, POSITION} <= {tag.code for tag in tags}


def test_pillow_reads_what_was_put_into_an_avif(tmp_path: Path) -> None:
    photo = load_photo(full_file(tmp_path / "in.jpg"))
    file = replace(photo.file, described=replace(photo.file.described, icc=wide_profile()))
    save_photo(replace(photo, file=file, alpha=np.full((160, 120), 200, np.uint8)), tmp_path / "out.avif")
    with Image.open(tmp_path / "out.avif") as picture:
        picture.load()
        assert picture.mode == "RGBA"
        assert picture.info["icc_profile"] == wide_profile()
        assert picture.getexif()[0x0110] == "Camera 7"
        assert "写真 José".encode() in picture.info["xmp"]
    names = [name for name, _, _ in boxes((tmp_path / "out.avif").read_bytes())]
    assert names == [b"ftyp", b"meta", b"mdat"]


def test_a_file_in_memory_has_no_time_of_change() -> None:
    assert load_photo(io.BytesIO(photo_png())).file.modified is None
