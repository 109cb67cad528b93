"""What people type on the command line, read; a ValueError says what was expected."""

from typing import Literal

from opir import inspection
from opir.tasks import AUTO, Task


def checked_task(name: str) -> str:
    """Return a task's name as it is written everywhere, or "auto"; raises ValueError for an unknown one."""
    return name if name == AUTO else Task.parse(name, or_auto=True).label


def parse_tile(text: str) -> int | Literal["auto"]:
    """Read the side of tiles in pixels, or "auto"."""
    if text == "auto":
        return "auto"
    if not text.isdecimal():
        raise ValueError(f'--tile must be "auto", 0 or a number of pixels, got "{text}"')
    return int(text)


def parse_maps(text: str) -> tuple[str, ...]:
    """Read names of maps, with commas between them."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in inspection.MAPS:
            raise ValueError(f'unknown map "{name}": use some of {", ".join(inspection.MAPS)}')
    return names


def parse_point(text: str) -> tuple[int, int]:
    """Read a pixel's column and row."""
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise ValueError(f'--at must be X,Y such as 120,80, got "{text}"')
    return int(parts[0]), int(parts[1])


def checked_maps_format(name: str, maps: tuple[str, ...]) -> str:
    """Return the format of maps; raises ValueError for an unknown one, and for numbers where no map is asked for."""
    if name not in inspection.MAP_FORMATS:
        raise ValueError(f'unknown format of maps "{name}": use one of {", ".join(inspection.MAP_FORMATS)}')
    if name != "png" and not maps:
        raise ValueError(f"--maps-format {name} needs --maps: name some of {', '.join(inspection.MAPS)}")
    return name
