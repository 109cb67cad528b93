"""Memory for results between clicks: the newest stay, the oldest make room by moving into a file."""

import threading
import weakref
from typing import Protocol


class Forgettable(Protocol):
    """A visitor's result that can go out of memory."""

    def size(self) -> int:
        """Return the bytes that it takes; 0 once it went."""

    def make_room(self) -> None:
        """Go out of memory."""


class RecentResults:
    """Keeps results up to so many bytes together. It does not keep a result alive that nobody else does."""

    def __init__(self, max_bytes: float) -> None:
        self.max_bytes = max_bytes
        self._results: list[weakref.ref[Forgettable]] = []
        self._turn = threading.Lock()

    def move_all(self) -> None:
        """Let all go."""
        with self._turn:
            for one in self._results:
                there = one()
                if there is not None:
                    there.make_room()
            self._results = []

    def add(self, result: Forgettable) -> None:
        """Keep a result as the newest, and let the oldest ones go that there is no room for beside it."""
        with self._turn:
            others = [one for one in self._results if one() is not result]
            in_memory = [one for one in others if (there := one()) is not None and there.size()]
            self._results = [*in_memory, weakref.ref(result)]
            room = self.max_bytes - result.size()
            for one in reversed(in_memory):
                older = one()
                if older is None:
                    continue
                room -= older.size()
                if room < 0:
                    older.make_room()
