"""Photos of bad sizes: no pixels, a thin line, more pixels than the file has, or more than a machine can hold."""

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from benchmarks.reliability.anatomy import PNG_HEAD, png_chunk
from benchmarks.reliability.case import Case
from benchmarks.reliability.sound import Sound, pixels, saved

ENDLESS = 2**31 - 1
DECLARED = [(65535, 65535), (65535, 1), (1, 65535), (20_000, 10_000), (ENDLESS, ENDLESS), (ENDLESS, 1), (1200, 800)]
NOTHING = [(0, 18), (26, 0), (0, 0)]
THIN = [(1, 1), (1, 2), (2, 1), (1, 61), (61, 1), (1, 8000), (8000, 1), (3, 5000), (5000, 3)]
LONGEST = {
    "JPEG": 65_500,
    "WebP": 16_383,
    "PNG": 100_000,
    "TIFF": 100_000,
    "BMP": 100_000,
    "HEIC": 16_000,
    "AVIF": 16_000,
}
PILLOW_NAMES = {"WebP": "WEBP", "HEIC": "HEIF"}


def with_size(sound: Sound, width: int, height: int) -> bytes | None:
    """Return a file that says it had another size; None where its format has no room for such a number."""
    data, fields = bytearray(sound.data), _size_fields(sound)
    for place, code, subtracted in fields:
        try:
            struct.pack_into(code, data, place, width - subtracted, height - subtracted)
        except struct.error:
            return None
    if sound.file_format == "PNG":
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data) if fields else None


def _size_fields(sound: Sound) -> list[tuple[int, str, int]]:
    """Find where a file names its width and then its height: offset, code of `struct`, what is taken off."""
    data = sound.data
    simple = {"PNG": (16, ">II", 0), "BMP": (18, "<ii", 0), "GIF": (6, "<HH", 0)}
    if sound.file_format in simple:
        return [simple[sound.file_format]]
    if sound.file_format in ("HEIC", "AVIF"):
        return [(data.index(b"ispe") + 8, ">II", 0)]
    if sound.file_format == "WebP" and b"VP8 " in data[:700]:
        return [(data.index(b"\x9d\x01\x2a") + 3, "<HH", 0)]
    return []


def with_turned_size(sound: Sound, width: int, height: int) -> bytes | None:
    """Do what `with_size` does for formats that name the height first, or both in directory entries."""
    data = bytearray(sound.data)
    try:
        if sound.file_format == "JPEG":
            frame = next(data.find(marker) for marker in (b"\xff\xc0", b"\xff\xc2") if marker in data)
            struct.pack_into(">HH", data, frame + 5, height, width)
        elif sound.file_format == "TIFF":
            (directory,) = struct.unpack_from("<I", data, 4)
            (count,) = struct.unpack_from("<H", data, directory)
            for entry in range(directory + 2, directory + 2 + 12 * count, 12):
                (tag,) = struct.unpack_from("<H", data, entry)
                if tag in (256, 257):
                    struct.pack_into("<HII", data, entry + 2, 4, 1, width if tag == 256 else height)
        else:
            return None
    except struct.error:
        return None
    return bytes(data)


def resized(sounds: list[Sound]) -> Iterator[Case]:
    """Yield every sound file with sizes that it does not have."""
    for sound in sounds:
        for mutation, sizes in (("zero size", NOTHING), ("huge size", DECLARED)):
            for width, height in sizes:
                data = with_size(sound, width, height) or with_turned_size(sound, width, height)
                if data is not None:
                    yield Case(sound.file_format, mutation, f"{width}x{height} {sound.kind}{sound.ending}", data)
        yield Case(sound.file_format, "zero size", f"empty {sound.kind}{sound.ending}", b"")
        yield Case(sound.file_format, "zero size", f"one byte {sound.kind}{sound.ending}", sound.data[:1])


def thin_photos() -> Iterator[Case]:
    """Yield sound photos that are a line, or a single pixel, in every format."""
    endings = {
        "JPEG": ".jpg",
        "PNG": ".png",
        "WebP": ".webp",
        "TIFF": ".tif",
        "HEIC": ".heic",
        "AVIF": ".avif",
        "BMP": ".bmp",
    }
    for file_format, ending in endings.items():
        longest = LONGEST[file_format]
        for width, height in [*THIN, (1, longest), (longest, 1)]:
            picture = Image.fromarray(pixels(height, width))
            try:
                data = saved(picture, PILLOW_NAMES.get(file_format, file_format))
            except RuntimeError:  # the HEVC encoder has a largest size that depends on its build
                continue
            yield Case(file_format, "thin", f"line {width}x{height}{ending}", data)


def bombs() -> Iterator[Case]:
    """Yield small files that would unpack to more than a machine should spend on them."""
    yield Case("PNG", "bomb", "grey 20000x15000.png", _png_of_zeros(20_000, 15_000, 0))
    yield Case("PNG", "bomb", "colours 11000x11000.png", _png_of_zeros(11_000, 11_000, 2))
    small = saved(Image.fromarray(pixels()), "PNG")
    packed = zlib.compress(b"\0" * 150_000_000, 9)
    for name, content in (
        (b"iCCP", b"profile\0\0" + packed),
        (b"zTXt", b"Comment\0\0" + packed),
        (b"iTXt", b"Comment\0\1\0\0\0" + packed),
    ):
        chunk = png_chunk(name, content)
        yield Case(
            "PNG", "bomb", f"{name.decode()} of 150 MB.png", small[: PNG_HEAD + 25] + chunk + small[PNG_HEAD + 25 :]
        )
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 900_000, 9))
    yield Case("PNG", "bomb", "many texts.png", small[: PNG_HEAD + 25] + text * 200 + small[PNG_HEAD + 25 :])
    large = Image.new("L", (11_000, 11_000))
    yield Case("TIFF", "bomb", "deflated 11000x11000.tif", saved(large, "TIFF", compression="tiff_adobe_deflate"))
    yield Case("JPEG", "bomb", "grey 11000x11000.jpg", saved(large, "JPEG", quality=1))
    yield Case("WebP", "bomb", "plain 16383x16383.webp", _webp_of_one_colour(16_383, 16_383))
    yield Case("BMP", "bomb", "run lengths 16000x16000.bmp", _bmp_of_runs(16_000, 16_000))
    yield Case("JPEG", "bomb", "ten thousand scans.jpg", jpeg_of_scans(10_000))


def _png_of_zeros(width: int, height: int, colour: int) -> bytes:
    row = b"\0" * (1 + width * (3 if colour == 2 else 1))
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row * 100) for _ in range(height // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def _webp_of_one_colour(width: int, height: int) -> bytes:
    """Return a lossless WebP whose every pixel is the only colour that its codes name."""
    plain = saved(Image.new("RGB", (16, 16)), "WEBP", lossless=True)
    data = bytearray(plain)
    start = data.index(b"VP8L") + 9
    (bits,) = struct.unpack_from("<I", data, start)
    struct.pack_into("<I", data, start, bits >> 28 << 28 | (height - 1) << 14 | (width - 1))
    return bytes(data)


def _bmp_of_runs(width: int, height: int) -> bytes:
    row = b"\xff\0" * (width // 255) + bytes([width % 255, 0]) + b"\0\0"
    body = row * height + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
    start = 14 + 40 + 1024
    return struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + header + b"\0" * 1024 + body


def jpeg_of_scans(count: int) -> bytes:
    """Return a progressive JPEG that is refined over and over, each time from its first pixel to its last."""
    plain = io.BytesIO()
    Image.new("L", (3000, 2000), 90).save(plain, "JPEG", progressive=True)
    data = plain.getvalue()
    last = data.rindex(b"\xff\xda")
    end = data.rindex(b"\xff\xd9")
    return data[:last] + data[last:end] * count + data[end:]
