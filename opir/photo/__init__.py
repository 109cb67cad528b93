"""Photos and their files: the only room that opens, reads and writes them."""

from opir.photo.photo import Photo, Source, load_photo, load_rgb8, save_photo, to_picture
from opir.photo.reading import DECODING_ERRORS, FORMATS, FileProperties, ImageError, read_size, read_values
from opir.photo.sixteen_bit import write_png

__all__ = [
    "DECODING_ERRORS",
    "FORMATS",
    "FileProperties",
    "ImageError",
    "Photo",
    "Source",
    "load_photo",
    "load_rgb8",
    "read_size",
    "read_values",
    "save_photo",
    "to_picture",
    "write_png",
]
