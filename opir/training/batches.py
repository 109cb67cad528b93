"""The batches of a run: crops cut and degraded on the device that trains, without waiting for it once.

B batch, S side of a crop. Crops of one task lie side by side, in the order of `Task`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from opir.degradations import rain, snow, take_photo
from opir.degradations.haze import haze_over_distance
from opir.degradations.randomness import chance, log_uniform, uniform
from opir.tasks import Task
from opir.training.pack import DEPTH_UNIT, TrainingPictures
from opir.training.store import PictureStore, Windows

Random = np.random.Generator

_LEAST_SPREAD = 0.12  # standard deviation of a photo's depth below which it has no haze
_NATIVE_SHARE = 0.4  # of crops at a photo's own resolution, where streaks meet real texture
_MOST_ZOOM = 4.0
_HAZE_PART = 0.6  # least share of a photo's short side that a hazy crop shows: haze is told by the scene
_FIELD_SHARE = 0.12  # of hazy crops that get distances of another scene: far fields and thin edges
_PLAIN_SHARE, _FLAT_SHARE = 0.35, 0.3  # of clean crops: drawn, and photos without distance
_PAIR_SHARE = 0.2  # of rainy crops
_TURN_SHARE = 0.15
_ROOM_WEIGHT = 3.0  # of photos whose depth was measured, beside one that was estimated
LARGEST = 4.5
"""How many times larger than usual weather may be for one level to see all of it."""
_BROAD_SHARE, _BROAD = 0.08, (5.0, 14.0)
_LARGE_SHARE, _LARGE = 0.12, (1.5, 4.0)
_LARGE_SHARE_OF_LEVELS = 0.6  # where coarser levels are trained with it
_SNOW_GROWTH = 2.0  # snow too large for a level: the smallest of its flakes too


@dataclass(frozen=True)
class TrainingBatch:
    """What one step sees, (B, 3, S, S) in [0, 1]."""

    degraded: Tensor
    clean: Tensor
    """What can be had back."""
    tasks: Tensor
    """(B,), values of `Task`."""
    sizes: Tensor
    """(B,), how many times larger than usual the weather is; above `LARGEST` it is to be left to a coarser level."""
    named: Tensor
    """(B,), bool: restored under the prototype of their task."""
    num_clean: int
    """How many at the end have no weather."""


def count_tasks(shares: Sequence[float], size: int, random: Random) -> list[int]:
    """Return how many crops of a batch each task gets: systematic sampling, so that shares hold in every batch."""
    ticks = (np.arange(size) + random.random()) / size
    chosen = np.searchsorted(np.cumsum(np.asarray(shares) / np.sum(shares)), ticks)
    return [int((chosen == task).sum()) for task in range(len(shares))]


class BatchSource:
    """Everything to train on, on a device, as batches that depend on the seed alone."""

    def __init__(self, pictures: TrainingPictures, device: torch.device) -> None:
        """Copy the pictures to the device, each at four sizes."""
        self.device = device
        nothing = torch.full((1, 2, 2), 10, dtype=torch.uint8)
        self._photos = PictureStore([*pictures.photos, *pictures.plain], device)
        self._depths = PictureStore(
            [*(nothing if depth is None else depth for depth in pictures.depths), *([nothing] * len(pictures.plain))],
            device,
        )
        self._fields = PictureStore(pictures.fields, device) if pictures.fields else None
        self._streaks = PictureStore(pictures.streaks, device) if pictures.streaks else None
        paired = bool(pictures.pair_inputs)
        self._pair_inputs = PictureStore(pictures.pair_inputs, device) if paired else None
        self._pair_targets = PictureStore(pictures.pair_targets, device) if paired else None
        spreads = np.array(
            [0.0 if depth is None else float(depth.float().std()) * DEPTH_UNIT / 255 for depth in pictures.depths]
        )
        sizes = np.array([np.sqrt(photo.shape[1] * photo.shape[2] / 2e5).clip(0.7, 2.5) for photo in pictures.photos])
        self._weather = _shares(sizes)
        self._hazy = _shares(sizes * (spreads >= _LEAST_SPREAD))
        self._flat = _shares(np.where(spreads < _LEAST_SPREAD, sizes, 0))
        self._first_plain, self._num_plain = len(pictures.photos), len(pictures.plain)

    @property
    def nbytes(self) -> int:
        """What lies on the device, in bytes."""
        return self._photos.nbytes + self._depths.nbytes

    def draw(
        self,
        shares: Sequence[float],
        size: int,
        side: int,
        seed: int,
        prototype_share: float = 0.0,
        num_levels: int = 1,
    ) -> TrainingBatch:
        """Cut crops and put the weather on them; the same seed gives the same batch.

        Args:
            shares: of the tasks.
            size: how many crops.
            side: of a crop, in pixels.
            seed: of all that is drawn.
            prototype_share: share of crops restored under the prototype of their task.
            num_levels: for how many levels the batch is; more of the weather is large where there are several.
        """
        random = np.random.default_rng(seed)
        generator = Generator(device=self.device).manual_seed(seed)
        counts = count_tasks(shares, size, random)
        rainy, snowy, hazy, clean = counts
        chosen = np.concatenate(
            [
                random.choice(len(self._weather), rainy + snowy, p=self._weather),
                random.choice(len(self._hazy), hazy, p=self._hazy),
                self._without_weather(clean, random),
            ]
        )
        is_hazy = np.repeat([False, True, False], [rainy + snowy, hazy, clean])
        windows = self._windows(chosen, side, random, is_hazy)
        photos = _exposed(self._photos.cut(windows, side), generator)
        depth = self._depths.cut(self._relative(windows), side, relative=True) * DEPTH_UNIT
        pixel_scale, sizes = self._weather_sizes(rainy, snowy, hazy + clean, random, num_levels)
        truth, degraded = [], []
        first, second, third = np.cumsum(counts[:3])
        if rainy:
            layers = None if self._streaks is None else self._streaks.cut(self._streak_windows(rainy, random), side)
            mist = self._mist(depth[:first])
            truth.append(photos[:first])
            degraded.append(
                rain(photos[:first], generator, pixel_scale=pixel_scale[:first], depth=mist, layers=layers)
            )
        if snowy:
            mist = self._mist(depth[first:second])
            truth.append(photos[first:second])
            degraded.append(snow(photos[first:second], generator, pixel_scale=pixel_scale[first:second], depth=mist))
        if hazy:
            seen, possible = self._haze(photos[second:third], depth[second:third], random, generator)
            truth.append(possible)
            degraded.append(seen)
        if clean:
            truth.append(_softened(photos[third:], generator))
            degraded.append(truth[-1])
        seen, wanted = take_photo(torch.cat(degraded), torch.cat(truth), generator)
        if self._pair_inputs is not None and self._pair_targets is not None and rainy:
            count = min(round(_PAIR_SHARE * rainy + random.random() - 0.5), rainy)
            if count > 0:
                pairs = self._pair_windows(count, side, random)
                seen[:count], wanted[:count] = self._pair_inputs.cut(pairs, side), self._pair_targets.cut(pairs, side)
                sizes[:count] = 1
        tasks = np.repeat(np.arange(len(Task)), counts)
        named = random.random(size) < prototype_share
        return TrainingBatch(seen, wanted, self._sent(tasks), self._sent(sizes), self._sent(named), clean)

    def _without_weather(self, count: int, random: Random) -> NDArray[np.int64]:
        drawn = random.random(count)
        plain = self._first_plain + random.integers(max(self._num_plain, 1), size=count)
        flat = random.choice(len(self._flat), count, p=self._flat)
        photo = random.choice(len(self._weather), count, p=self._weather)
        plain_share = _PLAIN_SHARE if self._num_plain else 0.0
        return np.where(drawn < plain_share, plain, np.where(drawn < plain_share + _FLAT_SHARE, flat, photo))

    def _windows(self, chosen: NDArray[np.int64], side: int, random: Random, is_hazy: NDArray[np.bool_]) -> Windows:
        """Place a window in each photo: most of the scene for haze, else its own resolution or up to four times."""
        sizes = np.array(self._photos.sizes)[chosen].astype(float)
        short = sizes.min(axis=1)
        largest = np.where(is_hazy, short, np.minimum(_MOST_ZOOM * side, short))
        least = np.minimum(np.where(is_hazy, _HAZE_PART * short, side), largest)
        window = random.uniform(least, largest)
        native = (random.random(len(chosen)) < _NATIVE_SHARE) & ~is_hazy & (short >= side)
        return _placed(chosen, sizes, np.where(native, side, window), random)

    def _relative(self, windows: Windows) -> Windows:
        """Return the same windows as shares of their pictures' sides."""
        sizes = np.array(self._photos.sizes)[windows.picture].astype(float)
        sides = windows.side[:, None] / sizes
        return windows._replace(top=windows.top / sizes[:, 0], left=windows.left / sizes[:, 1], side=sides)

    def _streak_windows(self, count: int, random: Random) -> Windows:
        assert self._streaks is not None
        chosen = random.integers(len(self._streaks), size=count)
        sizes = np.array(self._streaks.sizes)[chosen].astype(float)
        return _placed(chosen, sizes, sizes.min(axis=1) * random.uniform(0.4, 1.0, count), random, _TURN_SHARE / 2)

    def _pair_windows(self, count: int, side: int, random: Random) -> Windows:
        assert self._pair_inputs is not None
        chosen = random.integers(len(self._pair_inputs), size=count)
        sizes = np.array(self._pair_inputs.sizes)[chosen].astype(float)
        window = np.minimum(side * random.choice([1.0, 1.0, 1.3], count), sizes.min(axis=1))
        return _placed(chosen, sizes, window, random, 0.0)

    def _weather_sizes(
        self, rainy: int, snowy: int, others: int, random: Random, num_levels: int
    ) -> tuple[Tensor, NDArray[np.float32]]:
        """Draw how large streaks and flakes are: as they are drawn, (B, 1, 1, 1), and as it is told, (B,)."""
        count = rainy + snowy
        kind = random.random(count)
        large_share = _LARGE_SHARE if num_levels == 1 else _LARGE_SHARE_OF_LEVELS
        broad, large = kind < _BROAD_SHARE, kind < _BROAD_SHARE + large_share
        sizes = np.where(large, _log_uniform(random, _LARGE, count), 1.0)
        sizes = np.where(broad, _log_uniform(random, _BROAD, count), sizes)
        growth = np.where(broad & (np.arange(count) >= rainy), _SNOW_GROWTH, 1.0)
        drawn = self._sent((sizes * growth).astype(np.float32))[:, None, None, None]
        return drawn, np.concatenate([sizes, np.ones(others)]).astype(np.float32)

    def _mist(self, depth: Tensor) -> Tensor:
        return depth.clamp_min(0.05) / 0.6

    def _haze(self, photos: Tensor, depth: Tensor, random: Random, generator: Generator) -> tuple[Tensor, Tensor]:
        borrowed = int((random.random(len(photos)) < _FIELD_SHARE).sum()) if self._fields is not None else 0
        if borrowed and self._fields is not None:
            chosen = random.integers(len(self._fields), size=borrowed)
            sizes = np.array(self._fields.sizes)[chosen].astype(float)
            windows = _placed(chosen, sizes, sizes.min(axis=1) * random.uniform(0.5, 1.0, borrowed), random, 0.0)
            metres = 1001 ** self._fields.cut(windows, photos.shape[-1]) - 1
            far = log_uniform(generator, borrowed, 25.0, 200.0)
            depth = torch.cat([(metres / far).clamp(0.01, 1.6), depth[borrowed:]])
        return haze_over_distance(photos, generator, depth)

    def _sent(self, values: NDArray[np.generic]) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor


def _shares(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = weights if weights.sum() > 0 else np.ones_like(weights)
    return np.asarray(weights / weights.sum())


def _log_uniform(random: Random, bounds: tuple[float, float], count: int) -> NDArray[np.float64]:
    return np.exp(random.uniform(np.log(bounds[0]), np.log(bounds[1]), count))


def _placed(
    chosen: NDArray[np.int64],
    sizes: NDArray[np.float64],
    window: NDArray[np.float64],
    random: Random,
    turn_share: float = _TURN_SHARE,
) -> Windows:
    """Place windows anywhere in their pictures, at whole pixels, mirrored and turned by chance."""
    room = np.maximum(sizes - window[:, None], 0)
    top, left = np.floor(room * random.random((len(chosen), 2))).T
    turns = np.where(random.random(len(chosen)) < turn_share, random.integers(1, 4, len(chosen)), 0)
    return Windows(chosen, top, left, np.round(window), random.random(len(chosen)) < 0.5, turns)


def _exposed(photos: Tensor, generator: Generator) -> Tensor:
    """Take some photos darker or brighter, before the weather."""
    batch = len(photos)
    power = torch.where(chance(generator, batch, 0.25) > 0, log_uniform(generator, batch, 0.65, 1.6), 1.0)
    return photos.clamp_min(1e-4).pow(power)


def _softened(photos: Tensor, generator: Generator) -> Tensor:
    """Lower the contrast of some photos evenly: an even veil alone is no haze."""
    batch = len(photos)
    kept = 1 - chance(generator, batch, 0.3) * uniform(generator, batch, 0.1, 0.65)
    return photos * kept + uniform(generator, batch, 0.1, 0.95) * (1 - kept)
