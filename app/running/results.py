"""Files of results: what the page shows of them, and what it hands out."""

import re
import secrets
from pathlib import Path

from PIL import Image

from app.server.gradio_insides import get_upload_folder
from opir.devices import give_back_freed_memory
from opir.inference import Restoration
from opir.photo import ENDINGS, FORMATS

PROXY_SIDE = 2048
"""The longest side, in pixels, of what the page shows; the download has the full size."""


def new_folder() -> Path:
    """Return an empty folder of visitors' files, whose name nobody can guess."""
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True, mode=0o700)
    return folder


def show(picture: Image.Image, path: Path, side: int = PROXY_SIDE) -> Path:
    """Write what the page shows of a picture: at most `side` pixels long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    factor = min(side / max(picture.size), 1)
    width, height = (max(round(length * factor), 1) for length in picture.size)
    shown = picture if picture.mode == "RGB" else picture.convert("RGB")  # no second copy of a large photo
    shown = shown.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2)
    shown.save(path, quality=95, subsampling=0)
    give_back_freed_memory()  # of what drew it: 150 MB less at once while the views of 12 megapixels are drawn
    return path


_LONGEST_STEM = 200  # bytes; file systems allow names of 255 with all that is added


def result_name(photo: Path, restoration: Restoration) -> str:
    """Return the name of a photo's result: its own, as far as it can be shown, with _opir and its own ending."""
    known, kind = photo.suffix.lower() in ENDINGS, restoration.photo.file.file_format
    ending = photo.suffix if known else FORMATS[kind].endings[0]
    shown = "".join(character for character in photo.stem if character.isprintable() and character not in "/\\")
    shown = re.sub(r'[<>:"|?*]', "_", shown)  # Windows takes no such names
    shown = re.sub(r"\.\.+", ".", shown).strip(" .")  # what unpacks an archive leaves out a name that has ".."
    stem = shown.encode()[:_LONGEST_STEM].decode(errors="ignore")
    return f"{stem or 'photo'}_opir{ending}"


def write_result(
    restoration: Restoration, photo: Path, folder: Path, strength: float = 1.0, protect: bool = False
) -> Path:
    """Write the full-size result into a folder, which need not exist, under the photo's own name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / result_name(photo, restoration)
    restoration.save(path, strength=strength, protect=protect, file_format=restoration.photo.file.file_format)
    return path
