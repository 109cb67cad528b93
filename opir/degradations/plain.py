"""Pictures without weather that are easily taken for it: plain, dark, soft and dotted ones, drawn from a seed.

Each kind is one function of a random source and a side, and returns RGB in [0, 1], (side, side, 3).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.float64]
Random = np.random.Generator

_LETTERS = "etaoinshrdlucmfwypvbgkqjxzETAOINSHRDLU0123456789.,;:-()"


def draw_plain(seed: int, side: int) -> NDArray[np.uint8]:
    """Draw one picture without weather: (side, side, 3), 8 bits; the same seed draws the same."""
    random = np.random.default_rng(seed)
    picture = KINDS[seed % len(KINDS)](random, side)
    if random.random() < 0.5:
        picture = picture + random.normal(0, random.uniform(0.002, 0.03), picture.shape)
    return np.asarray((picture.clip(0, 1) * 255).round(), np.uint8)


def _colour(random: Random, dark: float = 0.0, bright: float = 1.0, tint: float = 0.08) -> Picture:
    """Draw a colour: a grey between `dark` and `bright`, with each channel changed by at most `tint`."""
    return np.asarray((random.uniform(dark, bright) + random.uniform(-tint, tint, 3)).clip(0, 1))


def _coordinates(side: int) -> tuple[Picture, Picture]:
    rows, columns = np.mgrid[0:side, 0:side] / side
    return rows, columns


def _smooth_noise(random: Random, side: int, cells: int) -> Picture:
    """Return noise in [0, 1] of about `cells` blobs a side: (side, side)."""
    small = Image.fromarray(random.random((cells + 1, cells + 1)).astype(np.float32))
    enlarged = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC), np.float64)
    return np.asarray(enlarged.clip(0, 1))


def _ramp(random: Random, side: int) -> Picture:
    rows, columns = _coordinates(side)
    angle = random.uniform(0, 2 * np.pi)
    place = rows * np.cos(angle) + columns * np.sin(angle)
    place = (place - place.min()) / np.ptp(place)
    place = np.asarray(place ** random.uniform(0.5, 2))[..., None]
    one, other = (_colour(random, tint=0.25) for _ in range(2))
    return np.asarray(one * (1 - place) + other * place)


def _wall(random: Random, side: int) -> Picture:
    cells = [4, int(random.integers(10, 40)), side // int(random.integers(1, 4))]
    planes = [
        weight * (_smooth_noise(random, side, n) - 0.5) for weight, n in zip((0.15, 0.08, 0.1), cells, strict=True)
    ]
    rough: Picture = np.sum(planes, axis=0)
    wall = _colour(random, 0.15, 0.95, 0.12) * (1 + random.uniform(0.2, 1) * rough[..., None])
    rows, columns = _coordinates(side)
    if random.random() < 0.5:  # joints of bricks, boards or tiles
        count = random.integers(3, 20)
        joints = (rows * count) % 1 < random.uniform(0.02, 0.08)
        if random.random() < 0.6:
            joints |= (columns * count / 2 + (np.floor(rows * count) % 2) / 2) % 1 < 0.04
        wall = np.where(joints[..., None], wall * random.uniform(0.6, 1.2), wall)
    shade = 1 - random.uniform(0, 0.5) * np.hypot(rows - random.random(), columns - random.random())
    return np.asarray(wall * shade[..., None])


def _print(random: Random, side: int) -> Picture:
    """Draw a page with lines of letters, perhaps turned, under uneven light."""
    paper, ink = _colour(random, 0.75, 1.0, 0.04), _colour(random, 0.0, 0.35, 0.1)
    page = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(page)
    size = int(random.integers(9, 42))
    font = ImageFont.load_default(size)
    margin, top = int(random.integers(0, side // 6)), int(random.integers(0, side // 4))
    for line in range(top, side, round(size * random.uniform(1.2, 2.0))):
        if random.random() < 0.85:
            length = int(random.integers(5, 90))
            letters = "".join(random.choice(list(_LETTERS + " " * 9), length))
            pen.text((margin, line), letters, 255, font=font)
    if random.random() < 0.3:
        page = page.rotate(random.uniform(-90, 90), Image.Resampling.BICUBIC)
    covered = np.asarray(page, np.float64)[..., None] / 255
    light = 1 - random.uniform(0, 0.3) * _smooth_noise(random, side, 2)[..., None]
    return np.asarray((paper * (1 - covered) + ink * covered) * light)


def _night(random: Random, side: int) -> Picture:
    """Draw a dark sky with stars from faint to bright, perhaps above a silhouette."""
    rows, _ = _coordinates(side)
    glow = _colour(random, 0.0, 0.12, 0.04) + rows[..., None] * _colour(random, 0.0, 0.2, 0.05)
    glow = glow * (0.7 + 0.6 * _smooth_noise(random, side, 3)[..., None])
    stars = np.zeros((side, side, 3))
    count = int(side * side * random.uniform(0.0002, 0.004))
    places = random.integers(0, side, (count, 2))
    bright = random.pareto(1.5, count).clip(0, 8)[:, None] / 8
    np.add.at(stars, (places[:, 0], places[:, 1]), bright * (1 + random.uniform(-0.3, 0.3, (count, 3))))
    blurred = _blurred(stars * random.uniform(3, 20), random.uniform(0.4, 1.3))
    if random.random() < 0.5:
        blurred[rows > 0.6 + 0.3 * _smooth_noise(random, side, 6)] = 0
    return np.asarray(glow + blurred)


def _lamps(random: Random, side: int) -> Picture:
    """Draw discs of light out of focus, or lamps, before something dark."""
    picture = np.tile(_colour(random, 0.0, 0.25, 0.08), (side, side, 1)) * (
        0.5 + _smooth_noise(random, side, 4)[..., None]
    )
    rows, columns = _coordinates(side)
    radius = random.uniform(0.008, 0.08)
    for _ in range(int(random.integers(5, 60))):
        distance = np.hypot(rows - random.random(), columns - random.random())
        own = radius * random.uniform(0.6, 1.3)
        disc = np.clip((own - distance) * side / random.uniform(1, 4) + 0.5, 0, 1) * random.uniform(0.1, 0.9)
        picture = picture + disc[..., None] * _colour(random, 0.5, 1.0, 0.3)
    return np.asarray(picture)


def _backdrop(random: Random, side: int) -> Picture:
    """Draw an object with an edge before an even backdrop that is lit from one side."""
    rows, columns = _coordinates(side)
    middle = random.uniform(0.2, 0.8, 2)
    light = 1 - random.uniform(0, 0.6) * np.hypot(rows - middle[0], columns - middle[1])
    picture = _colour(random, 0.05, 1.0, 0.06) * light[..., None]
    for _ in range(int(random.integers(0, 3))):
        centre, size, power = random.uniform(0.3, 0.7, 2), random.uniform(0.08, 0.3, 2), random.uniform(1.5, 6)
        shape = np.abs((rows - centre[0]) / size[0]) ** power + np.abs((columns - centre[1]) / size[1]) ** power
        inside = np.clip((1 - shape) * side / 12, 0, 1)[..., None]
        surface = _colour(random, 0.02, 0.95, 0.3) * (0.8 + 0.4 * _smooth_noise(random, side, 12)[..., None])
        picture = picture * (1 - inside) + surface * inside
    return np.asarray(picture)


def _soft(random: Random, side: int) -> Picture:
    """Draw blobs of colour as something far out of focus shows them."""
    cells = int(random.integers(2, 12))
    planes = np.stack([_smooth_noise(random, side, cells) for _ in range(3)], axis=2)
    grey = planes.mean(axis=2, keepdims=True)
    low, span = random.uniform(0, 0.6), random.uniform(0.1, 0.8)
    return np.asarray(low + span * (grey + random.uniform(0, 1) * (planes - grey)))


def _dots(random: Random, side: int) -> Picture:
    """Draw a fabric, gravel or snow on the ground: fine texture that fills the picture evenly."""
    fine = random.random((side, side))
    fine = _blurred(np.repeat(fine[..., None], 3, axis=2), random.uniform(0.4, 2.5))
    fine = (fine - fine.mean()) / fine.std()
    ground = _colour(random, 0.2, 0.95, 0.08) * (1 + random.uniform(0.02, 0.25) * fine)
    return np.asarray(ground * (0.8 + 0.4 * _smooth_noise(random, side, 3)[..., None]))


def _stripes(random: Random, side: int) -> Picture:
    """Draw thin lines of one direction: blinds, grass, wires, corduroy."""
    rows, columns = _coordinates(side)
    angle = random.uniform(0, np.pi)
    across = rows * np.cos(angle) + columns * np.sin(angle) + 0.03 * _smooth_noise(random, side, 5)
    wave = np.sin(2 * np.pi * across * random.uniform(10, side / 4)) * random.uniform(0.3, 3)
    share = (0.5 + 0.5 * np.tanh(wave))[..., None]
    one, other = (_colour(random, tint=0.15) for _ in range(2))
    return np.asarray(one * share + other * (1 - share))


def _blurred(picture: Picture, radius: float) -> Picture:
    """Blur by a Gaussian of this standard deviation, in pixels."""
    reach = max(1, round(3 * radius))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        border = [(reach, reach) if axis == other else (0, 0) for other in range(3)]
        padded, size = np.pad(picture, border, mode="reflect"), picture.shape[axis]
        parts = [weight * np.take(padded, range(first, first + size), axis) for first, weight in enumerate(weights)]
        picture = np.sum(parts, axis=0)
    return picture


KINDS: tuple[Callable[[Random, int], Picture], ...] = (
    _ramp,
    _wall,
    _print,
    _night,
    _lamps,
    _backdrop,
    _soft,
    _dots,
    _stripes,
)
"""What is drawn, in turn by seed."""
