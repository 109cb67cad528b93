"""The degradations OPIR knows; a task's value is its row in the prototype table, so only ever append."""

from enum import IntEnum

AUTO = "auto"


class Task(IntEnum):
    """One row of the prototype table e_t (Eq. 21)."""

    RAIN = 0
    SNOW = 1
    HAZE = 2
    CLEAN = 3

    @property
    def label(self) -> str:
        """The name people type and read: "rain", "snow", "haze" or "clean"."""
        return self.name.lower()

    @classmethod
    def parse(cls, name: str, or_auto: bool = False) -> "Task":
        """Return the task called `name`; raises ValueError that lists the known names, and "auto" if `or_auto`."""
        try:
            return cls[name.upper()]
        except KeyError:
            known = f'{", ".join(TASK_NAMES)}, or "{AUTO}"' if or_auto else ", ".join(TASK_NAMES)
            raise ValueError(f'unknown task "{name}": use one of {known}') from None


FALLING = (Task.RAIN, Task.SNOW)
"""Streaks and flakes: told by their size in pixels, and so looked for at every level of a photo."""
TASK_NAMES = tuple(task.label for task in Task)
