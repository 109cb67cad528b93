"""Photos and their files: the only room that opens, reads and writes them."""

from opir.errors import ImageError
from opir.photo.beside.described import Described
from opir.photo.beside.exif import read_exif
from opir.photo.beside.properties import FileProperties
from opir.photo.folders import find_photos, is_side_file, looks_like_photo
from opir.photo.formats import ENDINGS, FORMATS, LISTED, Format
from opir.photo.headers import read_size, read_values
from opir.photo.photo import Photo, Source, load_photo, load_rgb8
from opir.photo.pixels.samples import to_picture
from opir.photo.reading import DECODING_ERRORS, MAX_MEGAPIXELS
from opir.photo.saving import marked_as_own, save_photo, write_photo

__all__ = [
    "DECODING_ERRORS",
    "ENDINGS",
    "FORMATS",
    "LISTED",
    "MAX_MEGAPIXELS",
    "Described",
    "FileProperties",
    "Format",
    "ImageError",
    "Photo",
    "Source",
    "find_photos",
    "is_side_file",
    "load_photo",
    "load_rgb8",
    "looks_like_photo",
    "marked_as_own",
    "read_exif",
    "read_size",
    "read_values",
    "save_photo",
    "to_picture",
    "write_photo",
]
