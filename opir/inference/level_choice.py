"""The rule by which levels of the pyramid work, and the figures that it was chosen by (docs/log.md, 26 November).

A level's own embedding says how probable weather is at its size. The shipped weights see streaks and flakes at a
level and at one or two coarser ones too, where they would be removed less well; and working at a level too many costs
more than at one too few. So rain and snow are removed from one level on:

1. at the coarsest level that is `SURE`, or at the next finer one if that is `LIKELY` as well: there the broadest
   streaks or flakes are still some pixels wide; streaks that are `CERTAIN` at the one after that begin there;
2. or else at the level with the highest probability, if it is `LIKELY`; or else at the photo's own size, if it is
   `SEEN` there;
3. then at each finer level that still shows it after that: `STILL_SEEN`, or `STILL_LIKELY` where 1. began.

Haze is removed before that, at the coarsest level, which shows the whole scene, and at the next finer one if that is
still `HAZY`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from opir.tasks import FALLING, Task

# All are probabilities, chosen with the weights of runs L and M.
SURE = 0.95  # of 24 photos with fresh rain and snow at sizes 1 and 3: 4.5 dB won, as with 0.99
LIKELY = 0.6  # rain of eleven real photos: 0.6 to 0.96 in eight of them
SEEN = 0.4  # at the photo's own size: one of 172 clean and plain photos shows more there
CERTAIN = 0.99  # 16 photos with rain at sizes 2 and 4: 0.2 dB won, 0.6 dB at 12 megapixels; with 0.95, 0.8 dB lost
STILL_SEEN = 0.4  # with 0.7, 5 % more of the streaks of 34 real rainy photos stay
STILL_LIKELY = 0.7  # with 0.4, rain at four times its size loses 0.9 dB; no real photo needs less
HAZY = 0.5  # at the coarsest level: 3 of 24 Kodak photos, 1 of 12 plain pictures and 11 of 12 hazy ones show more
HAZY_LEVELS = 2
"""Haze is looked for at so many of the coarsest levels: on 8 hazy photos the second won 0.75 dB more."""
COARSEST_SIDE = 128
"""The coarsest level is the last whose short side has so many pixels."""
MOST_LEVELS = 9


Probabilities = Mapping[str, float]
"""Of each task, by its label; empty for a model without the task-aware module."""


def count_levels(height: int, width: int) -> int:
    """Return how many levels a photo of this size has: the coarsest has a short side of 128 to 256 pixels."""
    side, levels = min(height, width), 1
    while side >= 2 * COARSEST_SIDE and levels < MOST_LEVELS:
        side, levels = -(-side // 2), levels + 1
    return levels


def parse_levels(levels: Sequence[int] | str) -> tuple[int, ...] | None:
    """Return the levels asked for, None for "auto".

    Raises:
        ValueError: for anything else than "auto" or some of 0 to 8.
    """
    if levels == "auto":
        return None
    chosen = () if isinstance(levels, str) else tuple(levels)
    if not chosen or not all(isinstance(level, int) and 0 <= level < MOST_LEVELS for level in chosen):
        raise ValueError(f'levels must be "auto" or some of 0 to {MOST_LEVELS - 1}, got {levels!r}')
    return tuple(sorted(set(chosen)))


def read_levels(text: str) -> tuple[int, ...] | Literal["auto"]:
    """Read numbers of levels, with commas between them, or "auto"; raises ValueError as `parse_levels` does."""
    parts = [part.strip() for part in text.split(",")]
    if text != "auto" and not all(part.isdecimal() for part in parts):
        raise ValueError(f'levels must be "auto" or numbers such as 0,1,2, got "{text}"')
    return parse_levels("auto" if text == "auto" else [int(part) for part in parts]) or "auto"


def first_sure(falling: Sequence[float], streaks: Sequence[float]) -> int | None:
    """Return the level at which sure streaks or flakes begin to be removed (1. above), None where no level is sure.

    Args:
        falling: how probable streaks or flakes are at each level, finest first.
        streaks: likewise streaks alone.
    """
    sure = [level for level, probability in enumerate(falling) if probability >= SURE]
    if not sure:
        return None
    first = sure[-1]
    if first > 0 and falling[first - 1] >= LIKELY:
        first -= 1
        if first > 0 and falling[first] >= SURE and streaks[first - 1] >= CERTAIN:
            first -= 1
    return first


def first_doubtful(falling: Sequence[float], named: bool = False) -> int | None:
    """Return the level at which streaks or flakes begin to be removed that no level is sure of, None for none.

    Args:
        falling: how probable they are at each level, finest first.
        named: whether somebody said that they are there.
    """
    if not falling:
        return None
    most = max(range(len(falling)), key=lambda level: falling[level])
    if falling[most] >= (0 if named else LIKELY):
        return most
    return 0 if falling[0] >= SEEN else None


class LevelChoice:
    """Decides of one photo, level by level from coarse to fine, which levels work."""

    def __init__(self, levels: tuple[int, ...] | None, task: Task | None) -> None:
        """Begin.

        Args:
            levels: those asked for; None to go by what they show.
            task: the weather that was named; None to go by what they show.
        """
        self.levels, self.task = levels, task
        self._coarsest: int | None = None
        self._first: int | None = None
        self._sure = self._begun = False

    def count_levels(self, height: int, width: int) -> int:
        """Return how many levels a photo of this size has; more if coarser ones were asked for."""
        return max(count_levels(height, width), 1 + max(self.levels or (0,)))

    def look(self, seen: Sequence[Probabilities]) -> None:
        """Note what the remaining levels show, finest first: before the first level, and after one that worked."""
        if self._coarsest is None:
            self._coarsest = len(seen) - 1
        if not self._begun:
            falling = [self._falling(level) for level in seen]
            first = first_sure(falling, [level.get(Task.RAIN.label, 0) for level in seen])
            self._sure = first is not None
            self._first = first if self._sure else first_doubtful(falling, named=self.task is not None)

    def works(self, level: int, seen: Probabilities) -> bool:
        """Decide whether the next finer level works, which shows `seen`."""
        if self.levels is not None:
            return level in self.levels
        if not seen:
            return level == 0
        if level == self._first:
            self._begun = True
            return True
        if self._begun:
            return self._falling(seen) >= (STILL_LIKELY if self._sure else STILL_SEEN)
        assert self._coarsest is not None
        return level > self._coarsest - HAZY_LEVELS and self._is_hazy(seen)

    def _falling(self, seen: Probabilities) -> float:
        """Return how probable streaks or flakes are; -1 where somebody named another weather."""
        falling = [task for task in FALLING if self.task in (None, task)]
        return max((seen.get(task.label, 0) for task in falling), default=-1)

    def _is_hazy(self, seen: Probabilities) -> bool:
        return seen.get(Task.HAZE.label, 0) >= HAZY if self.task is None else self.task is Task.HAZE
