"""Files that are sound in themselves and still no photo: moving pictures, many pages, other kinds of files."""

import io
import struct
import zipfile
from collections.abc import Iterator

import pillow_heif
from PIL import Image

from benchmarks.reliability.case import Case
from benchmarks.reliability.sound import Sound, pixels, saved

MANY_DIRECTORIES = 40_000


def _frames(count: int) -> list[Image.Image]:
    return [Image.fromarray((pixels() // (1 + frame % 7)).astype("uint8")) for frame in range(count)]


def moving_pictures() -> Iterator[Case]:
    """Yield animations and files of many pages."""
    for file_format, name, ending in (
        ("GIF", "GIF", ".gif"),
        ("WebP", "WEBP", ".webp"),
        ("PNG", "PNG", ".png"),
        ("AVIF", "AVIF", ".avif"),
        ("TIFF", "TIFF", ".tif"),
        ("JPEG", "MPO", ".jpg"),
    ):
        for count in (2, 100):
            first, *rest = _frames(count)
            data = saved(first, name, save_all=True, append_images=rest)
            yield Case(file_format, "animated", f"{count} frames{ending}", data)
    several = pillow_heif.HeifFile()  # type: ignore[no-untyped-call]
    for frame in _frames(5):
        several.add_from_pillow(frame)
    file = io.BytesIO()
    several.save(file)
    yield Case("HEIC", "animated", "5 pictures.heic", file.getvalue())
    yield Case("TIFF", "animated", f"{MANY_DIRECTORIES} directories.tif", _tiff_of_directories(MANY_DIRECTORIES))
    yield Case("TIFF", "animated", "endless directories.tif", _tiff_of_directories(3, endless=True))
    png = saved(_frames(2)[0], "PNG", save_all=True, append_images=_frames(2)[1:])
    lying = png.replace(struct.pack(">4sI", b"acTL", 2), struct.pack(">4sI", b"acTL", 2**31 - 1))
    yield Case("PNG", "animated", "two thousand million frames.png", lying)


def _tiff_of_directories(count: int, endless: bool = False) -> bytes:
    """Return a TIFF of one sound page and a chain of directories that all show the same pixels."""
    tags = [
        (256, 3, 1, 4),
        (257, 3, 1, 4),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (279, 4, 1, 16),
    ]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    first, length = 24, 2 + len(entries) + 4
    following = [first + length * (index + 1) for index in range(count - 1)] + [first if endless else 0]
    chain = (struct.pack("<H", len(tags)) + entries + struct.pack("<I", offset) for offset in following)
    return b"II*\0" + struct.pack("<I", first) + bytes(first - 8) + b"".join(chain)


def wrong_endings(sounds: list[Sound]) -> Iterator[Case]:
    """Yield sound photos under the endings of other formats, and other files under the endings of photos."""
    endings = sorted({sound.ending for sound in sounds} | {".txt", ".exe", ""})
    for sound in sounds:
        for ending in endings:
            if ending != sound.ending:
                yield Case(sound.file_format, "wrong ending", f"{sound.file_format} {sound.kind}{ending}", sound.data)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("../../escaped.png", sounds[0].data)
    others = {
        "text": b"These are not the pixels you are looking for.\n" * 40,
        "page": b"<!doctype html><script>alert(document.cookie)</script>",
        "drawing": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>',
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(/etc/passwd) (r) file\n",
        "archive": archive.getvalue(),
        "program": b"\x7fELF\2\1\1" + bytes(200),
        "pickle": b"\x80\4\x95\x1e\0\0\0\0\0\0\0\x8c\5posix\x94\x8c\6system\x94\x93\x94\x8c\4true\x94\x85\x94R\x94.",
        "zeros": bytes(5000),
        "ones": b"\xff" * 5000,
    }
    for kind, data in others.items():
        for ending in (".jpg", ".png", ".webp", ".tif", ".heic", ".avif", ".bmp", ".gif"):
            yield Case("other", "wrong ending", f"{kind}{ending}", data)
