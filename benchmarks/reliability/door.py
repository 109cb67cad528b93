"""The process behind a door: hands it one file after the other and prints how each ended.

    python -m benchmarks.reliability.door DOOR CHECKPOINT RESULTS < LIST

LIST has a line of JSON for each file: its number and its path. It is a process of its own, so that a crash, a hang or
too much memory does not end the whole run.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
import torch
from PIL import Image, UnidentifiedImageError

from app.look import words
from app.running.kept_results import Asked
from app.tabs.clean_actions import Actions
from app.tabs.many import ManyPhotos
from benchmarks.reliability.outcome import Outcome, judged, peak_mb
from opir.cli import EXIT_BAD_INPUT, main
from opir.inference import Restorer
from opir.photo import DECODING_ERRORS, ENDINGS, FORMATS, MAX_MEGAPIXELS, load_photo
from opir.tasks import AUTO

Door = Callable[[Path], str | None]
"""Takes a file; returns None after a whole result, or else the message of the refusal."""


class NotForThisDoor(Exception):
    """The file can not even reach the door."""


def python_door(checkpoint: str, results: Path) -> Door:
    """`Restorer.restore` and `Restoration.save`, of photos as large as a server takes."""
    restorer = Restorer.from_pretrained(checkpoint)

    def hand_in(path: Path) -> str | None:
        try:
            restoration = restorer.restore(load_photo(path, MAX_MEGAPIXELS))
            restoration.save(_place(results, path, restoration.photo.file.file_format))
        except ValueError as error:
            return str(error)
        _check_result(results, restoration.width, restoration.height)
        return None

    return hand_in


def picture_door(checkpoint: str, results: Path) -> Door:
    """`Restorer.restore` of what Pillow opens."""
    restorer = Restorer.from_pretrained(checkpoint)

    def hand_in(path: Path) -> str | None:
        try:
            picture = Image.open(path)
        except (*DECODING_ERRORS, UnidentifiedImageError, Image.DecompressionBombError):
            raise NotForThisDoor from None
        with picture:
            try:
                restoration = restorer.restore(load_photo(picture, MAX_MEGAPIXELS))
            except ValueError as error:
                return str(error)
        restoration.image.save(results / "result.png")
        _check_result(results, restoration.width, restoration.height)
        return None

    return hand_in


def command_door(checkpoint: str, results: Path) -> Door:
    """`opir restore`: its exit code, and all that it prints, by libraries of C as well."""

    def hand_in(path: Path) -> str | None:
        with captured() as printed:
            try:
                most = f"--max-megapixels={MAX_MEGAPIXELS:g}"
                main(["restore", "--checkpoint", checkpoint, most, "-o", str(results), "--", str(path)])
                code = 0
            except SystemExit as stopped:
                code = int(stopped.code or 0)
        out, err = (stream.decode(errors="replace") for stream in printed)
        if code == 0 and not err and out.endswith("\n") and out[:-1].isprintable():
            _check_result(results)
            return None
        if code != EXIT_BAD_INPUT or out or not err.startswith("opir: "):
            raise AssertionError(f"exit code {code}, out {out!r}, err {err!r}")
        if list(results.iterdir()):
            raise AssertionError(f"refused, and yet wrote {os.listdir(results)}")
        return err.removesuffix("\n")

    return hand_in


def page_door(checkpoint: str, results: Path) -> Door:
    """What a drop on the page runs: the restoration, the explaining pictures, the download."""
    actions = Actions(Restorer.from_pretrained(checkpoint), None)

    def hand_in(path: Path) -> str | None:
        session = None
        try:
            session, *_ = actions.restore(path, Asked())
            actions.draw_views(session)
            written = Path(actions.write_download(session, 1.0)["value"])
            written.rename(results / f"result{written.suffix}")
            _check_result(results, session.restoration.width, session.restoration.height)
        except gr.Error as error:
            return _outcome_of(error)
        finally:
            if session is not None:
                shutil.rmtree(session.folder)  # as when a visitor leaves
        return None

    return hand_in


def many_door(checkpoint: str, results: Path) -> Door:
    """The tab for many photos, whose table and list name a bad photo."""
    actions = Actions(Restorer.from_pretrained(checkpoint), None)
    many = ManyPhotos(actions.runner, actions.visitors)

    def hand_in(path: Path) -> str | None:
        *_, (table, _, archive, listed, _) = many.restore_all([str(path)], AUTO)
        folder = Path(listed["value"]).parent
        failed = words.FAILED in table
        if not failed:
            shutil.unpack_archive(archive["value"], results)
            (results / "opir.csv").unlink()
            _check_result(results)
        elif words.UNEXPECTED in table:
            raise AssertionError(words.UNEXPECTED)
        shutil.rmtree(folder)
        return table.partition("colspan")[2].partition(">")[2].partition("</td>")[0] if failed else None

    return hand_in


DOORS = {
    "Python, file": python_door,
    "Python, picture": picture_door,
    "command line": command_door,
    "page": page_door,
    "page, many": many_door,
}


def _outcome_of(error: gr.Error) -> str:
    if error.message in (words.UNEXPECTED, words.OUT_OF_MEMORY):
        raise AssertionError(f"{error.message} ({error.__cause__!r})") from error
    return str(error.message)


def _place(results: Path, path: Path, file_format: str) -> Path:
    if path.suffix.lower() in ENDINGS:
        return results / f"result{path.suffix}"
    return results / f"result{FORMATS[file_format].endings[0]}"


def _check_result(results: Path, width: int = 0, height: int = 0) -> None:
    """Assert that there is one file, a whole photo of this size."""
    (written,) = results.iterdir()
    photo = load_photo(written)
    assert not width or (photo.width, photo.height) == (width, height), "the result has another size"


@contextlib.contextmanager
def captured() -> Iterator[list[bytes]]:
    """Catch what this process prints, with what C code prints: a list that has output and errors at the end."""
    printed: list[bytes] = []
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        kept = [os.dup(descriptor) for descriptor in (1, 2)]
        try:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            with (
                open(1, "w", encoding="utf-8", closefd=False) as shown,
                open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False) as errors,
                contextlib.redirect_stdout(shown),
                contextlib.redirect_stderr(errors),
            ):
                yield printed
        finally:
            for descriptor, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)
            for file in (out, err):
                file.seek(0)
                printed.append(file.read())


def hand_in(door: Door, index: int, path: Path, results: Path) -> Outcome | None:
    """Hand in one file; None where it can not reach the door."""
    started = time.monotonic()
    try:
        refusal = door(path)
        seconds = time.monotonic() - started
        outcome = (
            Outcome(index, "result", "", seconds, peak_mb())
            if refusal is None
            else judged(index, refusal, seconds, peak_mb())
        )
    except NotForThisDoor:
        outcome = None
    except BaseException as error:  # any other exception is a finding
        text = f"{type(error).__name__}: {error}"
        outcome = Outcome(index, "broken", text[:1500], time.monotonic() - started, peak_mb())
    for left in results.iterdir():
        left.unlink()
    return outcome


def run() -> None:
    """Run from the command line."""
    name, checkpoint, results = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    torch.set_num_threads(1)
    if name != "command line":
        warnings.simplefilter("ignore")  # there they count as something printed
    door = DOORS[name](checkpoint, results)
    for line in sys.stdin:
        index, path = json.loads(line)
        outcome = hand_in(door, index, Path(path), results)
        print(json.dumps({"index": index}) if outcome is None else outcome.line(), flush=True)


if __name__ == "__main__":
    run()
