"""A visitor's result between clicks, and the files that the page shows and hands out."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from gradio.utils import get_upload_folder
from PIL import Image

from opir.photo_files import FORMATS
from opir.restoration import Restoration

PROXY_SIDE = 2048
"""The longest side, in pixels, of what the page shows; the download has the full size."""


@dataclass(frozen=True, eq=False)
class Session:
    """One visitor's restored photo, kept on the server between clicks."""

    restoration: Restoration
    photo: Path
    folder: Path
    """Where the files of this result lie."""
    before: Path
    """The photo as the page shows it."""


def new_folder() -> Path:
    """Return an empty folder among the files that Gradio serves and later deletes."""
    uploads = Path(get_upload_folder())
    uploads.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=uploads))


def show(picture: Image.Image, path: Path, side: int = PROXY_SIDE) -> Path:
    """Write what the page shows of a picture: at most `side` pixels long."""
    picture = picture.convert("RGB")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    picture.save(path, quality=95, subsampling=0)
    return path


_LONGEST_STEM = 200  # bytes; file systems allow names of 255 with all that is added


def result_name(photo: Path, restoration: Restoration) -> str:
    """Return the name of a photo's result: its own, as far as it can be shown, with _opir and its own ending."""
    known, kind = photo.suffix.lower() in FORMATS, restoration.photo.file.file_format
    ending = photo.suffix if known else next(name for name, written in FORMATS.items() if written == kind)
    shown = "".join(character for character in photo.stem if character.isprintable()).strip()
    stem = shown.encode()[:_LONGEST_STEM].decode(errors="ignore")
    return f"{stem or 'photo'}_opir{ending}"


def write_result(
    restoration: Restoration, photo: Path, folder: Path, strength: float = 1.0, protect: bool = False
) -> Path:
    """Write the full-size result into a folder, which need not exist, under the photo's own name."""
    folder.mkdir(exist_ok=True)
    path = folder / result_name(photo, restoration)
    restoration.save(path, strength=strength, protect=protect)
    return path
