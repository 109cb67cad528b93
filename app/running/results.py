"""A visitor's result between clicks, and the files that the page shows and hands out."""

import re
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from app.look import words
from app.running.errors import plain_error
from app.running.kept_results import RecentResults
from app.running.moved_results import bring_back, move_arrays
from app.server.gradio_insides import get_upload_folder
from opir.devices import give_back_freed_memory
from opir.errors import ImageError
from opir.inference import Restoration, compacted
from opir.photo import ENDINGS, FORMATS
from opir.tasks import AUTO

SETTLED_FROM_PIXELS = 2_000_000
"""Results of smaller photos are kept as they are."""
PROXY_SIDE = 2048
"""The longest side, in pixels, of what the page shows; the download has the full size."""


@dataclass(frozen=True)
class Asked:
    """What a visitor asked for with one photo."""

    weather: str = AUTO
    """A task's name, or "auto"."""
    quality: str = words.FULL


class Session:
    """One visitor's restored photo, kept on the server between clicks."""

    def __init__(
        self,
        restoration: Restoration,
        photo: Path,
        folder: Path,
        asked: Asked,
        summary: str,
        in_doubt: bool,
        recent: RecentResults,
    ) -> None:
        """Keep a result, and show the photo that it was made from.

        Args:
            restoration: the result.
            photo: the visitor's file.
            folder: where the files of this result lie.
            asked: what it was made by.
            summary: what the page says of it, HTML.
            in_doubt: whether what was taken for weather may be none.
            recent: the results that are in memory.
        """
        self._restoration: Restoration | None = restoration
        self._moved: Restoration | None = None
        """What is left in memory of a result that had to make room."""
        self._recent, self._moving = recent, threading.Lock()
        self.photo, self.folder, self.asked, self.summary, self.in_doubt = photo, folder, asked, summary, in_doubt
        self.seconds = restoration.seconds
        self.views: tuple[Any, ...] | None = None
        """What explains the result, once it is drawn."""
        self.before = show(restoration.blend(0.0), folder / "before.jpg")

    @property
    def restoration(self) -> Restoration:
        """The result, from its file where it had to make room for others; an error where that is gone as well."""
        with self._moving:
            result, was_away = self._restoration, self._restoration is None
            if result is None:
                if self._moved is None:
                    raise plain_error(words.FORGOTTEN)
                try:
                    result = self._restoration = bring_back(self._moved, self._file)
                except FileNotFoundError:
                    raise plain_error(words.FORGOTTEN) from None
                self._moved = None
        if was_away:
            self._recent.add(self)
        return result

    def size(self) -> int:
        """Return the bytes that the result takes."""
        return 0 if self._restoration is None else self._restoration.nbytes

    def settle(self) -> None:
        """Let go of what no click needs once all is drawn, where that is much."""
        result = self._restoration
        if result is not None and result.width * result.height >= SETTLED_FROM_PIXELS:
            self._restoration = compacted(result)
            del result
            give_back_freed_memory()
            self._recent.add(self)

    def make_room(self) -> None:
        """Move the result into a file of this process's own, in the folder of its visitor, if that is still there."""
        with self._moving:
            result, self._restoration = self._restoration, None
            if result is None or not self.folder.is_dir():
                return
            with suppress(ImageError):  # on a full disk it is lost
                self._moved = move_arrays(result, self._file)

    @property
    def _file(self) -> Path:
        return self.folder / "result.safetensors"


def new_folder() -> Path:
    """Return an empty folder of visitors' files, whose name nobody can guess."""
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True, mode=0o700)
    return folder


def show(picture: Image.Image, path: Path, side: int = PROXY_SIDE) -> Path:
    """Write what the page shows of a picture: at most `side` pixels long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = picture.convert("RGB")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    picture.save(path, quality=95, subsampling=0)
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
