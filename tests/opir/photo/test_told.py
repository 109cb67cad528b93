"""What stands in a file beside the picture: kept, or told that it does not come back; in every format."""

import io
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmarks.reliability.odd_pngs import chunk, photo_png
from benchmarks.reliability.odd_tiffs import levels, unit
from opir.photo import ImageError, load_photo, save_photo
from opir.photo.beside.behind import DAMAGED_PROFILE, GAIN_MAP, MOTION, ORIGIN, PATHS
from opir.photo.beside.boxes import aperture, boxes, find_all
from opir.photo.beside.private import IPTC_RESOURCE, iptc_segment, public_texts, public_xmp, resources_in
from opir.photo.headers import read_size, register_heif

PIXELS = levels(0.3 + 0.4 * unit(3, 60, 90), 8)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF", "BMP")
VIDEO = struct.pack(">I", 24) + b"ftypmp42" + bytes(12) + bytes(range(256)) * 20


def made(file_format: str, **options: object) -> bytes:
    register_heif()
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, file_format, **options)
    return file.getvalue()


def with_segments(*segments: tuple[int, bytes]) -> bytes:
    """Return a JPEG with segments behind its first marker."""
    whole = made("JPEG", quality=90)
    between = b"".join(bytes((255, marker)) + struct.pack(">H", len(body) + 2) + body for marker, body in segments)
    return whole[:2] + between + whole[2:]


@pytest.mark.parametrize("file_format", FORMATS)
def test_motion_behind_a_picture_is_told_in_every_format(file_format: str) -> None:
    whole = made(file_format)
    assert load_photo(whole).file.left_out == ()
    assert load_photo(whole + VIDEO).file.left_out == (MOTION,)
    assert load_photo(whole + bytes(100) + b"\n").file.left_out == ()
    assert load_photo(whole + b"x").file.left_out == ("1 byte behind the picture",)


@pytest.mark.parametrize("file_format", ["HEIF", "AVIF"])
def test_motion_and_a_proof_of_origin_in_boxes_are_told(file_format: str) -> None:
    whole = made(file_format)
    assert load_photo(whole + struct.pack(">I4s", 8 + len(VIDEO), b"mpvd") + VIDEO).file.left_out == (MOTION,)
    proof = b"uuid" + bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + bytes(30)
    assert load_photo(whole + struct.pack(">I", 4 + len(proof)) + proof).file.left_out == (ORIGIN,)


@pytest.mark.parametrize("file_format", ["HEIF", "AVIF"])
def test_a_gain_map_by_the_standard_is_told(file_format: str) -> None:
    data = bytearray(made(file_format))
    start = data.find(b"iinf") - 4
    entry = struct.pack(">I4sIHH4s", 21, b"infe", 2 << 24, 99, 0, b"tmap") + b"\0"
    meta = data.find(b"meta") - 4
    for place in (start, meta):
        struct.pack_into(">I", data, place, struct.unpack_from(">I", data, place)[0] + len(entry))
    (rows,) = struct.unpack_from(">H", data, start + 12)
    struct.pack_into(">H", data, start + 12, rows + 1)
    end = start + struct.unpack_from(">I", data, start)[0] - len(entry)
    from opir.photo.beside.boxes import more_than_a_picture

    assert more_than_a_picture(bytes(data[:end]) + entry + bytes(data[end:])) == [GAIN_MAP]


def test_a_proof_of_origin_is_told_in_the_other_formats() -> None:
    assert load_photo(with_segments((0xEB, b"JP\0\0\0\1" + bytes(60)))).file.left_out == (ORIGIN,)
    assert load_photo(photo_png((b"caBX", bytes(60)))).file.left_out == (ORIGIN,)
    webp = made("WEBP", xmp=b"<a/>") + b"C2PA" + struct.pack("<I", 8) + bytes(8)
    assert load_photo(webp[:4] + struct.pack("<I", len(webp) - 8) + webp[8:]).file.left_out == (ORIGIN,)


def tiff(*tags: tuple[int, int, int, object]) -> bytes:
    file = io.BytesIO()
    extra = [(*tag, True) for tag in tags]
    tifffile.imwrite(file, PIXELS, photometric="rgb", metadata=None, extratags=extra)
    return file.getvalue()


def test_what_programs_put_into_a_tiff_is_told() -> None:
    assert load_photo(tiff((37724, 7, 40, b"Adobe Photoshop Document Data Block\0....")[:4])).file.left_out == (
        "layers",
    )
    assert load_photo(tiff((52545, 7, 8, bytes(8)))).file.left_out == (ORIGIN,)
    places = tiff((33550, 12, 3, (1.0, 1.0, 0.0)), (33922, 12, 6, (0.0,) * 6))
    assert load_photo(places).file.left_out == ("its place on a map (GeoTIFF)",)


def test_tags_of_other_programs_in_a_tiff_are_counted() -> None:
    microscope = ((50838, 4, 2, (28, 12)), (50839, 1, 12, b"IJIJlabl\0\0\0\1"))
    assert load_photo(tiff(*microscope)).file.left_out == ("2 private tags",)
    assert load_photo(tiff((65000, 2, 6, "hello"))).file.left_out == ("1 private tag",)
    how_to_print, room, copyrighted = (50341, 7, 8, b"PrintIM\0"), (59932, 7, 4, bytes(4)), (0x8298, 2, 4, "me!")
    assert load_photo(tiff(how_to_print, room, copyrighted)).file.left_out == ()


def test_clipping_paths_are_told() -> None:
    block = b"8BIM" + struct.pack(">HB", 2000, 6) + b"Path 1\0" + struct.pack(">I", 26) + bytes(26)
    assert load_photo(tiff((34377, 1, len(block), block))).file.left_out == (PATHS,)
    assert load_photo(with_segments((0xED, b"Photoshop 3.0\0" + block))).file.left_out == (PATHS,)
    assert load_photo(with_segments((0xED, iptc_segment(b"\x1c\x02\x78\0\x05Hallo")))).file.left_out == ()


def test_iptc_in_the_blocks_of_photoshop_is_kept(tmp_path: Path) -> None:
    iptc = b"\x1c\x02\x78\0\x05Hallo\x1c\x02\x5a\0\x06Berlin"
    block = (
        b"8BIM\x04\x22\x03abc" + struct.pack(">I", 3) + b"xyz\0" + iptc_segment(iptc).removeprefix(b"Photoshop 3.0\0")
    )
    assert resources_in(block) == {0x0422: b"xyz", IPTC_RESOURCE: iptc}
    assert resources_in(b"8BIM") == resources_in(b"") == {}
    photo = load_photo(tiff((34377, 1, len(block), block)))
    assert (photo.file.iptc, photo.file.had_position) == (iptc[:10], True)
    save_photo(photo, tmp_path / "out.tif")
    assert load_photo(tmp_path / "out.tif").file.iptc == iptc[:10]


def test_all_comments_of_a_jpeg_come_back(tmp_path: Path) -> None:
    comments = (b"George at the station", "Zürich".encode(), b"Shot on location")
    photo = load_photo(with_segments(*((0xFE, comment) for comment in comments), (0xFE, b"GPS: 52.5, 13.4")))
    assert photo.file.had_position
    assert save_photo(photo, tmp_path / "out.jpg") == ()
    again = load_photo(tmp_path / "out.jpg").file.texts
    assert again == tuple((b"COM", comment) for comment in comments)


@pytest.mark.parametrize("key", ["Geographer", "Geometry", "George", "Title"])
def test_a_text_is_no_place_for_how_its_key_begins(key: str) -> None:
    text = (b"tEXt", f"{key}\0hello".encode())
    assert public_texts((text,), False) == ((text,), False)


@pytest.mark.parametrize(
    "key", ["exif:GPSLatitude", "geo:lat", "Geotag", "GeoLocation", "Location", "Longitude", "geo"]
)
def test_a_text_with_the_key_of_a_place_is_left_out(key: str) -> None:
    assert public_texts(((b"tEXt", f"{key}\0hello".encode()),), False) == ((), True)


def test_what_can_not_be_kept_of_a_jpeg_is_told() -> None:
    second = b"http://ns.adobe.com/xmp/extension/\0" + bytes(60)
    assert load_photo(with_segments((0xE1, second))).file.left_out == ("the second part of its XMP",)
    half = b"ICC_PROFILE\0\1\2" + bytes(200)
    assert load_photo(with_segments((0xE2, half))).file.left_out == (DAMAGED_PROFILE,)
    assert load_photo(imagecodecs.jpeg_encode(PIXELS, lossless=True)).file.left_out == ("its lossless coding",)


def test_a_lossless_jpeg_of_few_bits_is_as_bright_as_it_was() -> None:
    photo = load_photo(imagecodecs.jpeg_encode(PIXELS >> 4, lossless=True, bitspersample=4))
    np.testing.assert_allclose(photo.rgb.numpy().transpose(1, 2, 0), (PIXELS >> 4) / 15, atol=1e-6)


def test_codings_of_a_jpeg_that_are_not_read_are_named() -> None:
    with pytest.raises(ImageError, match="^the photo: a JPEG-LS can not be read"):
        load_photo(imagecodecs.jpegls_encode(PIXELS))
    whole = made("JPEG")
    frame = whole.find(b"\xff\xc0")
    with pytest.raises(ImageError, match="^the photo: a hierarchical JPEG can not be read"):
        load_photo(whole[: frame + 1] + b"\xc5" + whole[frame + 2 :])
    with pytest.raises(ImageError, match="expected a photo, got 90x0 pixels"):
        load_photo(whole[: frame + 5] + b"\0\0" + whole[frame + 7 :])


@pytest.mark.parametrize(("sampling", "kept"), [((1, 2), "4:4:4"), ((4, 1), "4:2:2"), ((4, 2), "4:2:0")])
def test_an_unusual_chroma_comes_back_as_one_that_loses_nothing(sampling: tuple[int, int], kept: str) -> None:
    factors = sampling[0] << 4 | sampling[1]
    whole = bytearray(made("JPEG", subsampling=2))
    place = whole.find(b"\xff\xc0") + 11
    assert whole[place] == 0x22
    whole[place] = factors
    from PIL import JpegImagePlugin

    from opir.photo.codecs.jpeg_quality import jpeg_chroma

    assert jpeg_chroma(JpegImagePlugin.JpegImageFile(io.BytesIO(bytes(whole)))) == kept


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:drone="http://www.dji.com/drone-dji/1.0/" {} '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dm="http://ns.adobe.com/xmp/1.0/DynamicMedia/" '
    'xmlns:geo="http://www.w3.org/2003/01/geo/wgs84_pos#" xmlns:exif="http://ns.adobe.com/exif/1.0/">{}'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.mark.parametrize(
    ("attribute", "element"),
    [
        ('drone:GpsLatitude="+52.5200"', ""),
        ('drone:GpsLongtitude="+52.5200"', ""),
        ('drone:AbsoluteAltitude="+52.5200"', ""),
        ('dm:shotLocation="52.5200"', ""),
        ("", "<dc:coverage>52.5200</dc:coverage>"),
        ("", "<geo:lat>52.5200</geo:lat>"),
    ],
)
def test_a_place_is_left_out_of_xmp_in_any_namespace(attribute: str, element: str) -> None:
    kept, found = public_xmp(XMP.format(attribute, element + "<dc:title>Rain</dc:title>").encode())
    assert found
    assert b"52.5200" not in kept
    assert b"Rain" in kept
    assert b"52.5200" in public_xmp(XMP.format(attribute, element).encode(), keep_location=True)[0]


def test_where_the_camera_focused_is_no_place() -> None:
    kept, found = public_xmp(XMP.format('exif:SubjectLocation="12 40"', "").encode())
    assert not found
    assert b"12 40" in kept


def test_profiles_in_the_texts_of_a_png_are_kept_or_told() -> None:
    def text(kind: str, body: bytes) -> bytes:
        packed = zlib.compress(f"\n{kind}\n{len(body):8d}\n{body.hex()}\n".encode())
        return photo_png((b"zTXt", f"Raw profile type {kind}\0\0".encode() + packed))

    assert load_photo(text("xmp", b"<a>Rain</a>")).file.xmp == b"<a>Rain</a>"
    assert load_photo(text("APP1", b"http://ns.adobe.com/xap/1.0/\0<a>Rain</a>")).file.xmp == b"<a>Rain</a>"
    assert load_photo(text("app12", b"Ducky")).file.left_out == ("a profile of type app12 in its texts",)


def test_libpng_does_not_warn_of_a_second_transparency(capfd: pytest.CaptureFixture[str]) -> None:
    file = io.BytesIO()
    Image.fromarray(levels(unit(4), 8)).save(file, "PNG")
    data = file.getvalue()
    load_photo(data[:33] + chunk(b"tRNS", bytes(6)) + data[33:])
    assert capfd.readouterr().err == ""


def test_an_avif_shows_what_its_aperture_leaves() -> None:
    data = made("AVIF", quality=90)
    clap = struct.pack(">8i", 40, 1, 30, 1, -10, 1, 5, 1)
    box = struct.pack(">I4s", 40, b"clap") + clap
    names = [name for name, _, _ in boxes(next(find_all(data, b"meta", b"iprp", b"ipco")))]
    assert b"clap" not in names
    start = data.find(b"ipco") - 4
    assert aperture(data, 90, 60) == (0, 0, 90, 60)
    changed = bytearray(data)
    for name in (b"ipco", b"iprp", b"meta"):
        place = data.find(name) - 4
        struct.pack_into(">I", changed, place, struct.unpack_from(">I", changed, place)[0] + len(box))
    end = start + struct.unpack_from(">I", data, start)[0]
    whole = bytes(changed[:end]) + box + bytes(changed[end:])
    assert aperture(whole, 90, 60) == (15, 20, 55, 50)
    assert aperture(whole, 30, 20) == (0, 0, 30, 20)  # one that does not fit


def test_grey_with_alpha_stays_grey_in_an_avif(tmp_path: Path) -> None:
    grey = levels(0.4 + 0.2 * unit(2, 60, 90), 8)
    save_photo(load_photo(grey), tmp_path / "out.avif")
    again = load_photo(tmp_path / "out.avif")
    assert again.is_grey
    assert again.alpha is not None
    np.testing.assert_allclose(again.alpha, grey[..., 1], atol=1)
    np.testing.assert_allclose(again.rgb[0].numpy() * 255, grey[..., 0], atol=6)


@pytest.mark.parametrize("kind", ["float planes", "12 bits", "thumbnail first", "turned", "JPEG of 12 bits"])
def test_the_size_of_every_layout_is_told_before_it_is_decoded(kind: str, tmp_path: Path) -> None:
    file = io.BytesIO()
    if kind == "float planes":
        planes = np.ascontiguousarray(unit(3, 60, 90).astype(np.float32).transpose(2, 0, 1))
        tifffile.imwrite(file, planes, photometric="rgb", planarconfig="separate", metadata=None)
    elif kind == "turned":
        Image.fromarray(np.rot90(PIXELS)).save(file, "TIFF", tiffinfo={0x0112: 6})
    elif kind == "JPEG of 12 bits":
        file.write(imagecodecs.jpeg_encode(levels(unit(3, 60, 90), 12), level=97, bitspersample=12))
    else:
        with tifffile.TiffWriter(file) as pages:
            if kind == "thumbnail first":
                pages.write(PIXELS[::4, ::4], photometric="rgb", metadata=None, subfiletype=1)
            pages.write(levels(unit(3, 60, 90), 16), photometric="rgb", metadata=None)
    (tmp_path / "photo").write_bytes(file.getvalue())
    assert read_size(tmp_path / "photo") == load_photo(tmp_path / "photo").size == (90, 60)
    with pytest.raises(ImageError, match="expected at most 0.001 megapixels, got 90x60"):
        read_size(tmp_path / "photo", 0.001)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"II*\0\x10\0\0\0CR\2\0", "a camera's raw file"),
        (b"\0\0\0\x18ftypcrx ", "a camera's raw file"),
        (b"IIRO\x08\0", "a camera's raw file"),
    ],
)
def test_raw_files_are_named_whatever_they_are_called(start: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "photo.tif").write_bytes(start + bytes(60))
    for read in (load_photo, read_size):
        with pytest.raises(ImageError, match=f"^photo.tif: expected a JPEG, .*, got {what}; export it as"):
            read(tmp_path / "photo.tif")
