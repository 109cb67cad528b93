"""A visitor's result between clicks: the newest stay in memory, the oldest make room by moving into a file."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.look import words
from app.running.errors import plain_error
from app.running.moved_results import bring_back, move_arrays
from app.running.results import show
from app.running.turns import Turns
from opir.errors import ImageError
from opir.inference import Restoration, compacted
from opir.tasks import AUTO

SETTLED_FROM_PIXELS = 2_000_000
"""Results of smaller photos are kept as they are."""


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
        """What stays in memory of a result that had to make room; its file has the rest, until the result changes."""
        self._recent, self._moving = recent, threading.Lock()
        self.photo, self.folder, self.asked, self.summary, self.in_doubt = photo, folder, asked, summary, in_doubt
        self.size = restoration.width, restoration.height
        """Of the photo: width and height in pixels."""
        self.seconds, self._is_large = restoration.seconds, restoration.photo.is_large
        self.views: tuple[Any, ...] | None = None
        """What explains the result, once it is drawn."""
        self.drawing = threading.Lock()
        """Held while that is drawn: afterwards the result lacks what is needed for it."""
        self.before = show(restoration.blend(0.0), folder / "before.jpg")
        # 130 MB of 12 megapixels, which nobody can ask for once the visitor has another result.
        weakref.finalize(self, self._file.unlink, missing_ok=True)

    @contextmanager
    def looked_at(self) -> Iterator[Restoration]:
        """Lend the result for one look; those of large photos are looked at one at a time (`Turns.looking`).

        Raises:
            gr.Error: where the result is gone.
        """
        with self._recent.turns.looking(self._is_large):
            yield self.restoration

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
        if was_away:
            self._recent.add(self)
        return result

    def nbytes(self) -> int:
        """Return the bytes that the result takes in memory."""
        return 0 if self._restoration is None else self._restoration.nbytes

    def settle(self) -> None:
        """Let go of what no click needs once all is drawn, where that is much."""
        result = self._restoration
        if result is not None and result.width * result.height >= SETTLED_FROM_PIXELS:
            self._restoration, self._moved = compacted(result), None
            del result
            self._recent.add(self)

    def make_room(self) -> None:
        """Move the result into a file of this process's own, in the folder of its visitor, if that is still there."""
        with self._moving:
            result, self._restoration = self._restoration, None
            if result is None or not self.folder.is_dir() or (self._moved is not None and self._file.is_file()):
                return  # there is none, nobody waits for it, or the file has it already
            with suppress(ImageError):  # on a full disk it is lost
                self._moved = move_arrays(result, self._file)

    @property
    def _file(self) -> Path:
        return self.folder / "result.safetensors"


class RecentResults:
    """Keeps results up to so many bytes together. It does not keep a result alive that nobody else does."""

    def __init__(self, max_bytes: float, turns: Turns) -> None:
        self.max_bytes, self.turns = max_bytes, turns
        self._results: list[weakref.ref[Session]] = []
        self._changing = threading.Lock()

    def move_all(self) -> None:
        """Let all go."""
        with self._changing:
            for one in self._results:
                there = one()
                if there is not None:
                    there.make_room()
            self._results = []

    def add(self, result: Session) -> None:
        """Keep a result as the newest, and let the oldest ones go that there is no room for beside it."""
        with self._changing:
            others = [one for one in self._results if one() is not result]
            in_memory = [one for one in others if (there := one()) is not None and there.nbytes()]
            self._results = [*in_memory, weakref.ref(result)]
            room = self.max_bytes - result.nbytes()
            for one in reversed(in_memory):
                older = one()
                if older is None:
                    continue
                room -= older.nbytes()
                if room < 0:
                    older.make_room()
