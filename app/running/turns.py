"""Whose turn it is to work on a large photo, so that memory holds one of them at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opir.devices import give_back_freed_memory


class Turns:
    """One photo is restored at a time; a look at the result of a large one goes first, between two of its parts."""

    def __init__(self) -> None:
        self._photo, self._changed = threading.Lock(), threading.Condition()
        self._is_taken = False
        self._looks = 0
        """How many wait for a look."""

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Wait for a turn and for all looks, then hold it."""
        with self._photo:  # which it keeps while it gives way
            self._take()
            try:
                yield
            finally:
                self._leave()

    def give_way(self) -> None:
        """Let those go first who wait for a look; for the one who holds `restoring`, between two parts of a photo."""
        if self._looks:
            self._leave()
            self._take()

    @contextmanager
    def looking(self, is_large: bool) -> Iterator[None]:
        """Wait for a turn, before all that is to be restored, then hold it, and give freed memory back.

        Args:
            is_large: whether the photo is large (`Photo.is_large`); one that is not needs no turn.
        """
        if not is_large:
            yield
            return
        with self._changed:
            self._looks += 1
            self._changed.wait_for(lambda: not self._is_taken)
            self._looks, self._is_taken = self._looks - 1, True
        try:
            give_back_freed_memory()
            yield
        finally:
            give_back_freed_memory()
            self._leave()

    def _take(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_taken and not self._looks)
            self._is_taken = True

    def _leave(self) -> None:
        with self._changed:
            self._is_taken = False
            self._changed.notify_all()
