"""How the weather map looks: dots, names that cover no other, known photos to point at, a legend.

It is drawn twice, for a wide and a narrow window, so that its names can be read in both; the style sheet shows one.

N reference embeddings, T tasks, P points of one photo.
"""

import base64
import html
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from app.look import sentences, words
from app.look.theme import TASK_COLOURS
from opir.tasks import Task

Floats = NDArray[np.float32]

_THUMBNAIL = (108, 81)  # of an example that is pointed at
_DOTS = {1: 'r="4.5" opacity="0.75"', 2: 'r="2.5" opacity="0.4"'}  # by stage
_CROWDED = 0.5  # how far crowds are spread: 0 not at all, 1 evenly
_LETTER, _LINE = 7.8, 18.0  # width and height of a name's letter
_AWAY = (13, 22, 34, 48, 64, 82, 102)  # how far from its dot a name may stand, the nearest that is free first
_HEAVY = 3  # so many dots' worth of room is what has a name or can be pointed at
_DIRECTIONS = [(math.cos(turn), math.sin(turn)) for turn in np.linspace(-np.pi / 2, 1.5 * np.pi, 16, endpoint=False)]


@dataclass(frozen=True, eq=False)
class MapPicture:
    """A known photo on the map."""

    embedding: Floats
    """(D,)."""
    name: str
    photo: Path

    @cached_property
    def thumbnail(self) -> str:
        """A small copy, as a data URL."""
        buffer = io.BytesIO()
        with Image.open(self.photo) as photo:
            double = 2 * _THUMBNAIL[0], 2 * _THUMBNAIL[1]
            ImageOps.fit(photo.convert("RGB"), double).save(buffer, "JPEG", quality=75)
        return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


class Places(NamedTuple):
    """Where all lies, each (…, 2), in one frame of any size."""

    known: Floats
    """(N, 2)."""
    tasks: NDArray[np.int64]
    """(N,): values of `Task`."""
    stages: NDArray[np.int64]
    """(N,): 1 or 2."""
    prototypes: Floats
    """(T, 2)."""
    photo: Floats | None
    """(P, 2), and after it where it lies after stage 1."""


class Frame(NamedTuple):
    """The size of a drawing."""

    name: str
    width: float
    height: float
    margin: float


FRAMES = (Frame("wide", 760, 440, 30), Frame("narrow", 330, 380, 20))


class Box(NamedTuple):
    """What a name covers."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Say whether two names cover each other."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


def draw(
    places: Places, ringed: Sequence[Floats], pictures: Sequence[MapPicture], alike: Sequence[MapPicture]
) -> str:
    """Return the map, its legend, and small copies of the known photos that are most like a visitor's.

    Args:
        places: of the dots.
        ringed: where the known photos lie.
        pictures: these photos, in the order in which the keyboard comes to them.
        alike: some of them.
    """
    maps = "".join(_draw(places, ringed, pictures, frame) for frame in FRAMES)
    return f"{_thumbnails(pictures)}{maps}{_legend(bool(pictures), places.photo is not None)}{_alike(alike)}"


def _thumbnails(pictures: Sequence[MapPicture]) -> str:
    """Return the photos once, for both drawings to use."""
    width, height = _THUMBNAIL
    symbols = "".join(
        f'<symbol id="known-{number}"><image width="{width}" height="{height}" href="{picture.thumbnail}"/></symbol>'
        for number, picture in enumerate(pictures)
    )
    return (
        f'<svg width="0" height="0" style="position:absolute" aria-hidden="true">{symbols}</svg>' if symbols else ""
    )


def _draw(places: Places, ringed: Sequence[Floats], pictures: Sequence[MapPicture], frame: Frame) -> str:
    fit = _Fit(places, frame)
    known, prototypes = fit.all(places.known), fit.all(places.prototypes)
    shapes = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" fill="{TASK_COLOURS[Task(task)]}" {_DOTS[int(stage)]}/>'
        for (x, y), task, stage in zip(known, places.tasks, places.stages, strict=True)
    ]
    own = [] if places.photo is None else fit.all(places.photo)
    names = _Names(frame, [*known, *_HEAVY * [*prototypes, *own, *(fit.one(place) for place in ringed)]])
    for kind, text, (x, y) in zip(("", "quiet"), (words.YOUR_PHOTO, words.AFTER_STAGE_1), own, strict=False):
        names.place(text, x, y, kind)
    for task, (x, y) in zip(Task, prototypes, strict=True):
        name = words.WEATHER_NAMES[task]
        shapes.append(
            f'<path class="prototype" d="M{x:.1f} {y - 9:.1f}l9 9-9 9-9-9z" fill="{TASK_COLOURS[task]}">'
            f"<title>{sentences.prototype(name)}</title></path>"
        )
        names.place(f"{name} ◆", x, y)
    shapes += _photo(own)
    known_photos = [
        _known_photo(number, *fit.one(place), picture.name, frame)
        for number, (place, picture) in enumerate(zip(ringed, pictures, strict=True))
    ]
    return (
        f'<svg class="weather-map {frame.name}" viewBox="0 0 {frame.width:.0f} {frame.height:.0f}" role="img" '
        f'aria-label="{words.TAB_WEATHER}">{"".join([*shapes, *names.shapes, *known_photos])}</svg>'
    )


class _Fit:
    """Brings places into a frame, and spreads crowds along both sides, which keeps who is left of and above whom."""

    def __init__(self, places: Places, frame: Frame) -> None:
        everything = [places.known, places.prototypes, *([] if places.photo is None else [places.photo])]
        self.sorted = np.sort(np.concatenate(everything), axis=0)
        self.frame = frame

    def all(self, places: Floats) -> list[tuple[float, float]]:
        """Return where these lie in the frame."""
        return [self.one(place) for place in places]

    def one(self, place: Floats) -> tuple[float, float]:
        """Return where this lies in the frame."""
        x, y = (self._share(float(at), self.sorted[:, axis]) for axis, at in enumerate(place))
        frame, margin = self.frame, self.frame.margin
        return margin + x * (frame.width - 2 * margin), margin + y * (frame.height - 2 * margin)

    def _share(self, at: float, others: Floats) -> float:
        even = float(np.interp(at, others, np.linspace(0, 1, len(others))))
        span = max(float(others[-1] - others[0]), 1e-9)
        straight = min(max((at - float(others[0])) / span, 0.0), 1.0)
        return (1 - _CROWDED) * straight + _CROWDED * even


class _Names:
    """Names beside their dots: none covers another, and each covers as few dots as it can."""

    def __init__(self, frame: Frame, dots: list[tuple[float, float]]) -> None:
        self.frame, self.dots = frame, np.array(dots)
        self.boxes: list[Box] = []
        self.shapes: list[str] = []

    def place(self, text: str, x: float, y: float, kind: str = "") -> None:
        """Write a name near a place, with a line to it from further away."""
        found = min(self._free(text, x, y), default=None)
        if found is None:
            return
        _, away, box = found
        self.boxes.append(box)
        middle, base = (box.left + box.right) / 2, box.bottom - 4
        if away > _AWAY[1]:
            near = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
            self.shapes.append(f'<path class="leader" d="M{x:.1f} {y:.1f}L{near[0]:.1f} {near[1]:.1f}"/>')
        self.shapes.append(
            f'<text class="halo {kind}" x="{middle:.1f}" y="{base:.1f}" text-anchor="middle">{text}</text>'
        )

    def _free(self, text: str, x: float, y: float) -> Iterator[tuple[float, float, Box]]:
        """Yield places for a name that cover no other name: how good, how far away, and where; the least is best."""
        wide, high = _LETTER * len(text), _LINE
        for away in _AWAY:
            for right, down in _DIRECTIONS:
                middle_x = x + right * (away + wide / 2 * abs(right))
                middle_y = y + down * (away + high / 2 * abs(down))
                box = Box(middle_x - wide / 2, middle_y - high / 2, middle_x + wide / 2, middle_y + high / 2)
                inside = box.left >= 2 and box.top >= 2
                inside = inside and box.right <= self.frame.width - 2 and box.bottom <= self.frame.height - 2
                if inside and not any(box.meets(other) for other in self.boxes):
                    yield away + 5.0 * self._covered(box), away, box

    def _covered(self, box: Box) -> int:
        x, y = self.dots.T
        return int(((x > box.left - 4) & (x < box.right + 4) & (y > box.top - 4) & (y < box.bottom + 4)).sum())


def _photo(own: Sequence[tuple[float, float]]) -> list[str]:
    """Draw a visitor's photo, and the way to where it lies after stage 1."""
    if not own:
        return []
    (x, y), (to_x, to_y) = own[0], own[-1]
    way = [
        f'<path class="path" stroke-dasharray="4 3" d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"/>',
        f'<circle class="photo" cx="{to_x:.1f}" cy="{to_y:.1f}" r="5"/>',
    ]
    return [*(way if len(own) > 1 else []), f'<circle class="photo" cx="{x:.1f}" cy="{y:.1f}" r="8"/>']


def _known_photo(number: int, x: float, y: float, name: str, frame: Frame) -> str:
    """Draw a ringed dot, and beside it a picture, which the style sheet shows while a visitor points at it."""
    (width, height), name = _THUMBNAIL, html.escape(words.EXAMPLE + name)
    left = min(max(x - width / 2, 0), frame.width - width)
    top = y + 12 if y < frame.height / 2 else y - 12 - height
    return (
        f'<g class="example" tabindex="0" role="img" aria-label="{name}"><title>{name}</title>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6"/>'
        f'<use href="#known-{number}" x="{left:.1f}" y="{top:.1f}" width="{width}" height="{height}"/></g>'
    )


def _legend(has_pictures: bool, has_photo: bool) -> str:
    kinds = "".join(
        f'<li><i class="swatch" style="background:{TASK_COLOURS[task]}"></i>{words.WEATHER_NAMES[task]}</li>'
        for task in Task
    )
    signs = [("swatch small", words.LEGEND_STAGE_1), ("diamond", words.LEGEND_PROTOTYPE)]
    signs += [("ring", words.LEGEND_EXAMPLE)] if has_pictures else []
    signs += [("swatch own", words.LEGEND_OWN)] if has_photo else []
    others = "".join(f'<li><i class="{sign}"></i>{text}</li>' for sign, text in signs)
    return f'<ul class="legend">{kinds}{others}</ul>'


def _alike(pictures: Sequence[MapPicture]) -> str:
    if not pictures:
        return ""
    shown = "".join(
        f'<figure><img src="{one.thumbnail}" alt="" width="{_THUMBNAIL[0]}" height="{_THUMBNAIL[1]}">'
        f"<figcaption>{html.escape(one.name)}</figcaption></figure>"
        for one in pictures
    )
    return f'<div class="alike"><p>{words.MOST_ALIKE}</p>{shown}</div>'
