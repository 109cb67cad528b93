"""Memory for results between clicks: the newest stay, the oldest make room."""

import threading
import weakref
from typing import Protocol


class Forgettable(Protocol):
    """A visitor's result that can be let go of."""

    def size(self) -> int:
        """Return the bytes that it takes; 0 once it is forgotten."""

    def forget(self) -> None:
        """Let go of it."""


class RecentResults:
    """Keeps results up to so many bytes together. It does not keep a result alive that nobody else does."""

    def __init__(self, max_bytes: float) -> None:
        self.max_bytes = max_bytes
        self._results: list[weakref.ref[Forgettable]] = []
        self._turn = threading.Lock()

    def add(self, result: Forgettable) -> None:
        """Keep a result as the newest, and forget the oldest ones that there is no room for beside it."""
        with self._turn:
            others = [one for one in self._results if one() is not result]
            kept = [one for one in others if (there := one()) is not None and there.size()]
            self._results = [*kept, weakref.ref(result)]
            room = self.max_bytes - result.size()
            for one in reversed(kept):
                older = one()
                if older is None:
                    continue
                room -= older.size()
                if room < 0:
                    older.forget()
