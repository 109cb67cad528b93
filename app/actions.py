"""What a click does, from start to end. Files go in and out by path; every error becomes one plain line."""

import copy
import html
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
from gradio.utils import get_upload_folder
from PIL import Image

from app import panels, words
from app.examples import example_path
from app.gpu import on_gpu
from app.provenance import kept_and_removed
from app.weather_map import WeatherMap
from opir import inspection
from opir.photo_files import FORMATS
from opir.restoration import Restoration
from opir.restorer import Restorer
from opir.tasks import AUTO, Task

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


_NO_DOWNLOAD = gr.update(label=words.DOWNLOAD, value=None, interactive=False)
_NOTHING_RESTORED = (None, panels.hint(words.WELCOME), None, None, None, _NO_DOWNLOAD)


class Actions:
    """The page's events for one restorer."""

    def __init__(self, restorer: Restorer, weather_map: WeatherMap | None) -> None:
        self.weather_map = weather_map

        # A result outlives the GPU that is borrowed for it, so what looks at its pixels is on the CPU.
        on_cpu = restorer.model if restorer.device.type == "cpu" else copy.deepcopy(restorer.model).cpu()

        @on_gpu(_gpu_seconds)
        def run(photo: str, weather: str) -> Restoration:
            progress = gr.Progress()
            result = restorer.restore(
                photo,
                task=weather,
                scale_weights=True,
                progress=lambda done, total: progress((done, total), desc=words.BUSY, unit=words.TILES),
            )
            return replace(result, model=on_cpu)

        self._run = run

    def open_example(self, event: gr.SelectData) -> str:
        """Put a chosen example where an uploaded photo would be."""
        original = example_path(int(event.index))
        copy = _new_folder() / original.name
        copy.write_bytes(original.read_bytes())
        return str(copy)

    def restore_photo(self, photo: str | None, weather: str, strength: float) -> tuple[Any, ...]:
        """Restore a photo.

        Returns:
            The session, summary, before and after, the photo to click on, the weather, the waiting download.
        """
        if photo is None:
            return _NOTHING_RESTORED
        with _plain_errors():
            result = self._run(photo, weather)
            folder = _new_folder()
            before = _show(result.blend(0.0), folder / "before.jpg")
            session = Session(result, Path(photo), folder, before)
            kept, removed = kept_and_removed(result.photo, Path(photo))
        before_after, waiting = self.blend(session, strength)
        weathers = {words.WEATHER_NAMES[Task.parse(name)]: share for name, share in result.task_probabilities.items()}
        return (
            session,
            panels.summary(result, weather != AUTO, kept, removed),
            before_after,
            str(_show(result.image, folder / "restored.jpg")),
            weathers or None,
            waiting,
        )

    def draw_views(self, session: Session | None) -> tuple[Any, ...]:
        """Draw what explains a result.

        Returns:
            Stage 1, stage 2, the change, uncertainty, scales, the weather map, the hint to click on a pixel.
        """
        if session is None:
            return self._no_views()
        result, folder = session.restoration, session.folder
        scales = [
            (str(_show(picture, folder / f"{name.replace(' ', '-')}.jpg")), name)
            for name, picture in inspection.scale_pictures(result).items()
        ]
        return (
            str(_show(result.stage1, folder / "stage-1.jpg")),
            str(folder / "restored.jpg"),
            str(_show(inspection.change_picture(result), folder / "change.jpg")),
            str(_show(inspection.uncertainty_picture(result), folder / "uncertainty.jpg")),
            scales,
            self._map_with(result),
            panels.hint(words.INSIDE_NOTE),
        )

    def clear(self) -> tuple[Any, ...]:
        """Return what `restore_photo` and `draw_views` return, for a page without a photo."""
        return (*_NOTHING_RESTORED, *self._no_views())

    def _no_views(self) -> tuple[Any, ...]:
        return None, None, None, None, None, self.empty_map(), panels.hint(words.INSIDE_NOTE)

    def _map_with(self, result: Restoration) -> str:
        if self.weather_map is None or result.embedding is None:
            return self.empty_map()
        seen = [point for point in (result.embedding, result.stage2_embedding) if point is not None]
        return self.weather_map.draw(np.stack(seen))

    def empty_map(self) -> str:
        """Return the weather map without a photo on it, or say that there is none."""
        return self.weather_map.draw() if self.weather_map else panels.hint(words.NO_MAP)

    def blend(self, session: Session | None, strength: float) -> tuple[Any, Any]:
        """Show the photo next to the result at this strength, without running the model."""
        if session is None:
            return None, _NO_DOWNLOAD
        after = _show(session.restoration.blend(strength), session.folder / f"after-{strength:g}.jpg")
        return (str(session.before), str(after)), gr.update(label=words.DOWNLOAD_WAITING, interactive=False)

    def write_download(self, session: Session | None, strength: float) -> Any:
        """Write the full-size result under the photo's own name and offer it."""
        if session is None:
            return _NO_DOWNLOAD
        with _plain_errors():
            path = _write_result(
                session.restoration, session.photo, session.folder / f"strength-{strength:g}", strength
            )
        return gr.update(label=words.DOWNLOAD, value=str(path), interactive=True)

    def no_download(self) -> Any:
        """Return the button while there is nothing to download."""
        return _NO_DOWNLOAD

    def look_inside(self, session: Session | None, event: gr.SelectData) -> str:
        """Show the operator of the pixel that was clicked on."""
        if session is None:
            return panels.hint(words.NO_RESULT)
        result = session.restoration
        shrunk = max(1.0, max(result.width, result.height) / PROXY_SIDE)
        x, y = (
            min(int((place + 0.5) * shrunk), size - 1)
            for place, size in zip(event.index, (result.width, result.height), strict=True)
        )
        return panels.operator(result, result.inspect(x, y))

    def restore_file(self, photo: str, weather: str, strength: float) -> str:
        """Restore one photo from the API: the path of the full-size result, named after the photo."""
        if photo is None:
            raise _plain_error(words.NO_PHOTO, log=False)
        with _plain_errors():
            return str(_write_result(self._run(photo, weather), Path(photo), _new_folder(), strength))


def _gpu_seconds(photo: str, weather: str) -> int:
    """Say how long a borrowed GPU is needed at most."""
    with Image.open(photo) as picture:
        return 20 + round(picture.width * picture.height / 1e6 * 3)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn what can go wrong into one line for the visitor; the log keeps what they can not act on."""
    try:
        yield
    except ValueError as error:  # messages of opir say what was expected; a file's name in them is not HTML
        raise _plain_error(html.escape(str(error)), log=False) from error
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _plain_error(words.OUT_OF_MEMORY) from error
    except Exception as error:
        raise _plain_error(words.UNEXPECTED) from error


def _plain_error(text: str, log: bool = True) -> gr.Error:
    return gr.Error(text, title=words.ERROR, duration=20, print_exception=log)


def _new_folder() -> Path:
    """Return an empty folder among the files that Gradio serves and later deletes."""
    uploads = Path(get_upload_folder())
    uploads.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=uploads))


def _show(picture: Image.Image, path: Path) -> Path:
    """Write what the page shows of a picture: at most `PROXY_SIDE` pixels long."""
    picture = picture.convert("RGB")
    picture.thumbnail((PROXY_SIDE, PROXY_SIDE), Image.Resampling.LANCZOS)
    picture.save(path, quality=95, subsampling=0)
    return path


def _write_result(restoration: Restoration, photo: Path, folder: Path, strength: float) -> Path:
    known, kind = photo.suffix.lower() in FORMATS, restoration.photo.file.file_format
    ending = photo.suffix if known else next(name for name, written in FORMATS.items() if written == kind)
    folder.mkdir(exist_ok=True)
    path = folder / f"{photo.stem}_opir{ending}"
    restoration.save(path, strength=strength)
    return path
