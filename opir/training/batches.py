"""The batches of a run: crops are cut and degraded on the training device, without waiting for results from it.

B batch, S side of a crop. Crops of one task lie side by side, in the order of `Task`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from opir.data.readers import DEPTH_UNIT
from opir.degradations import imagined_depth, rain, snow, take_photo
from opir.degradations.haze import haze_over_distance
from opir.degradations.randomness import chance, log_uniform, uniform
from opir.tasks import Task
from opir.training.batch import TrainingBatch, count_tasks, in_task_order
from opir.training.config import DataConfig
from opir.training.pictures import TrainingPictures
from opir.training.store import PictureStore, Windows, place_windows

Random = np.random.Generator

_LEAST_SPREAD = 0.12  # standard deviation of a photo's depth below which it has no haze
_NATIVE_SHARE = 0.4  # of crops that are cut at a photo's own resolution, where its texture is sharp
_FIELD_SHARE = 0.12  # of hazy crops that get the distances of an unrelated scene
_IMAGINED_SHARE = 0.15  # of hazy crops that get an imagined depth
_SMOG_SHARE = 0.2  # of hazy crops that are under dense smog
_FAR_START_SHARE, _FAR_START = 0.5, (0.05, 0.7)  # of hazy crops whose nearest things are far off too, and how far
_PLAIN_SHARE, _FLAT_SHARE = 0.35, 0.3  # of clean crops: drawn pictures; photos whose depth hardly varies
_PAIR_ZOOMS = (1.0, 1.0, 1.3)  # side of the window of a pair, in sides of a crop
_USUAL_DEPTH = 0.6  # mean of a photo's depth
# Shares of rainy and snowy crops with weather too large for one level, and with large weather; how many times larger.
_BROAD_SHARE, _BROAD = 0.08, (5.0, 14.0)
_LARGE_SHARE, _LARGE = 0.12, (1.5, 4.0)
_LARGE_SHARE_WITH_LEVELS = 0.6  # in batches of several levels
_SNOW_GROWTH = (
    2.0  # snow that is too large for a level is drawn this much larger still, so that its smallest flakes are too
)


class BatchSource:
    """Everything to train on, on a device, as batches that depend on the seed alone."""

    def __init__(self, pictures: TrainingPictures, data: DataConfig, device: torch.device) -> None:
        """Copy the pictures to the device, each at its own size, a half, a quarter and an eighth of it.

        Args:
            pictures: what to train on.
            data: how crops are cut.
            device: where they are cut and degraded.
        """
        self.device = device
        self._data = data
        self._photos = _stored([*pictures.photos, *pictures.plain], device)
        nothing = torch.zeros(1, 2, 2, dtype=torch.uint8)
        depths = [*pictures.depths, *([None] * len(pictures.plain))]
        self._depths = _stored([nothing if depth is None else depth for depth in depths], device)
        self._has_depth = np.array([depth is not None for depth in depths])
        self._fields, self._streaks = _stored(pictures.fields, device), _stored(pictures.streaks, device)
        self._pairs = {
            task: (PictureStore(inputs, device), PictureStore(targets, device))
            for task, (inputs, targets) in pictures.pairs.items()
        }
        self._num_photos, self._num_plain = len(pictures.photos), len(pictures.plain)
        self._share_photos(pictures)

    def _share_photos(self, pictures: TrainingPictures) -> None:
        """Set how often each photo is drawn: large ones more often, for haze those whose depth varies."""
        spreads = np.array(
            [0.0 if depth is None else float(depth.float().std()) * DEPTH_UNIT / 255 for depth in pictures.depths]
        )
        sizes = np.array([np.sqrt(photo.shape[1] * photo.shape[2] / 2e5).clip(0.7, 2.5) for photo in pictures.photos])
        self._weather = _to_shares(sizes)
        # Where no depth varies, all photos get haze, over imagined depths.
        self._hazy = _to_shares(sizes * (spreads >= _LEAST_SPREAD))
        self._flat = _to_shares(np.where(spreads < _LEAST_SPREAD, sizes, 0))

    @property
    def nbytes(self) -> int:
        """What lies on the device, in bytes."""
        stores = [self._photos, self._depths, self._fields, self._streaks]
        stores += [store for pair in self._pairs.values() for store in pair]
        return sum(store.nbytes for store in stores if store is not None)

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
            num_levels: how many levels are trained with the batch; with several more of the weather is large.

        Raises:
            ValueError: where a task has neither photos nor pairs.
        """
        random = np.random.default_rng(seed)
        generator = Generator(device=self.device).manual_seed(seed)
        counts = count_tasks(shares, size, random)
        paired = self._count_pairs(counts, random)
        made = counts - paired
        self._check_photos(made)
        seen, wanted, sizes = self._make(made, side, random, generator, num_levels)
        if paired.any():
            of_pairs = self._cut_pairs(paired, side, random)
            seen, wanted = (
                _merge_tasks(own, paired, other, made) for own, other in zip(of_pairs, (seen, wanted), strict=True)
            )
            usual = torch.ones(int(paired.sum()), device=self.device)
            sizes = _merge_tasks(usual, paired, sizes, made)
        tasks = self._to_device(np.repeat(np.arange(len(Task)), counts))
        named = self._to_device(random.random(size) < prototype_share)
        return TrainingBatch(seen, wanted, tasks, sizes, named, tuple(counts.tolist()))

    def _count_pairs(self, counts: NDArray[np.int64], random: Random) -> NDArray[np.int64]:
        """Return how many crops of each task come from its pairs."""
        share = self._data.pair_share if self._num_photos else 1.0
        paired = np.floor(share * counts + (random.random() if share < 1 else 0)).astype(np.int64)
        return np.where([task in self._pairs for task in Task], paired.clip(0, counts), 0)

    def _check_photos(self, made: NDArray[np.int64]) -> None:
        for task in Task:
            there = self._num_photos or (task is Task.CLEAN and self._num_plain)
            if made[task] and not there:
                raise ValueError(
                    f"no photos to train {task.label} on: name a folder of clean photos or pairs for it, or set its "
                    "share to 0"
                )

    def _cut_pairs(self, paired: NDArray[np.int64], side: int, random: Random) -> tuple[Tensor, Tensor]:
        seen, wanted = [], []
        for task, (inputs, targets) in sorted(self._pairs.items()):
            windows = self._pair_windows(inputs, int(paired[task]), side, random)
            seen.append(inputs.cut(windows, side))
            wanted.append(targets.cut(windows, side))
        return torch.cat(seen), torch.cat(wanted)

    def _make(
        self, counts: NDArray[np.int64], side: int, random: Random, generator: Generator, num_levels: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Put weather on photos: the degraded crops, their targets, and how large the weather is, (B,)."""
        if not counts.any():
            nothing = torch.empty(0, 3, side, side, device=self.device)
            return nothing, nothing, nothing.new_empty(0)
        windows = self._windows(counts, side, random)
        photos = _vary_exposure(self._photo_store.cut(windows, side), generator)
        rainy, snowy, hazy, clean, *_ = _split(photos, counts)
        over_depth = counts[: Task.CLEAN]
        depths = _split(self._depth_of(windows, photos[: over_depth.sum()], generator), over_depth)
        drawn, sizes = self._weather_sizes(counts, random, num_levels)
        streak_size, flake_size = _split(drawn, counts[:2])
        pairs: dict[Task, tuple[Tensor, Tensor]] = {}  # degraded crops and their targets
        if len(rainy):
            layers, mist = self._streak_layers(len(rainy), side, random), depths[0] / _USUAL_DEPTH
            streaks = rain(rainy, generator, weather_size=streak_size, depth=mist, layers=layers)
            pairs[Task.RAIN] = streaks, rainy
        if len(snowy):
            flakes = snow(snowy, generator, weather_size=flake_size, depth=depths[1] / _USUAL_DEPTH)
            pairs[Task.SNOW] = flakes, snowy
        if len(hazy):
            pairs[Task.HAZE] = self._haze(hazy, depths[2], random, generator)
        if len(clean):
            pairs[Task.CLEAN] = (_lower_contrast(clean, generator),) * 2
        degraded, truth = zip(*in_task_order(pairs, counts), strict=True)
        seen, wanted = take_photo(torch.cat(degraded), torch.cat(truth), generator)
        return seen, wanted, sizes

    @property
    def _photo_store(self) -> PictureStore:
        assert self._photos is not None
        return self._photos

    def _depth_of(self, windows: Windows, photos: Tensor, generator: Generator) -> Tensor:
        """Return the depths of the crops with weather, which come first; imagined ones for photos without a depth."""
        assert self._depths is not None
        shown = self._relative_windows(windows).first(len(photos))
        depth = (self._depths.cut(shown, photos.shape[-1], relative=True) * DEPTH_UNIT).clamp_min(0.05)
        known = self._has_depth[shown.picture]
        if known.all():
            return depth
        imagined = imagined_depth(photos, generator) * _USUAL_DEPTH
        return torch.where(self._to_device(known)[:, None, None, None], depth, imagined)

    def _choose_photos(self, counts: NDArray[np.int64], random: Random) -> NDArray[np.int64]:
        """Return which picture each crop shows."""
        rainy, snowy, hazy, clean, *others = counts
        photos = [
            random.choice(len(shares), count, p=shares)
            for shares, count in ((self._weather, rainy + snowy), (self._hazy, hazy))
            if count
        ]
        more = [random.choice(len(self._weather), count, p=self._weather) for count in others]
        return np.concatenate([*photos, self._without_weather(clean, random), *more]).astype(np.int64)

    def _without_weather(self, count: int, random: Random) -> NDArray[np.int64]:
        drawn = random.random(count)
        plain = self._num_photos + random.integers(max(self._num_plain, 1), size=count)
        if not self._num_photos:
            return plain
        flat = random.choice(len(self._flat), count, p=self._flat)
        photo = random.choice(len(self._weather), count, p=self._weather)
        plain_share = _PLAIN_SHARE if self._num_plain else 0.0
        return np.where(drawn < plain_share, plain, np.where(drawn < plain_share + _FLAT_SHARE, flat, photo))

    def _windows(self, counts: NDArray[np.int64], side: int, random: Random) -> Windows:
        """Place a window in each photo: most of the photo for haze, else as large as a crop or a few times larger."""
        chosen = self._choose_photos(counts, random)
        is_hazy = np.repeat([task is Task.HAZE for task in Task], counts)
        sizes = self._photo_store.sizes[chosen]
        short = sizes.min(axis=1)
        largest = np.where(is_hazy, short, np.minimum(self._data.max_zoom * side, short))
        least = np.minimum(np.where(is_hazy, self._data.haze_part * short, side), largest)
        window = random.uniform(least, largest)
        native = (random.random(len(chosen)) < _NATIVE_SHARE) & ~is_hazy & (short >= side)
        return place_windows(chosen, sizes, np.where(native, side, window), random, self._data.turn_share)

    def _relative_windows(self, windows: Windows) -> Windows:
        """Return the same windows as shares of their pictures' sides."""
        sizes = self._photo_store.sizes[windows.picture]
        sides = windows.side[:, None] / sizes
        return windows._replace(top=windows.top / sizes[:, 0], left=windows.left / sizes[:, 1], side=sides)

    def _streak_layers(self, count: int, side: int, random: Random) -> Tensor | None:
        if self._streaks is None:
            return None
        chosen = random.integers(len(self._streaks), size=count)
        sizes = self._streaks.sizes[chosen]
        window = sizes.min(axis=1) * random.uniform(0.4, 1.0, count)
        return self._streaks.cut(place_windows(chosen, sizes, window, random, self._data.turn_share / 2), side)

    def _pair_windows(self, inputs: PictureStore, count: int, side: int, random: Random) -> Windows:
        chosen = random.integers(len(inputs), size=count)
        sizes = inputs.sizes[chosen]
        zoom = np.minimum(random.choice(_PAIR_ZOOMS, count), self._data.max_zoom)
        return place_windows(chosen, sizes, np.minimum(side * zoom, sizes.min(axis=1)), random, 0.0)

    def _weather_sizes(self, counts: NDArray[np.int64], random: Random, num_levels: int) -> tuple[Tensor, Tensor]:
        """Draw how large streaks and flakes are: what is drawn, (B, 1, 1, 1), and what the loss goes by, (B,)."""
        rainy, count = int(counts[0]), int(counts[:2].sum())
        kind = random.random(count)
        large_share = _LARGE_SHARE if num_levels == 1 else _LARGE_SHARE_WITH_LEVELS
        broad, large = kind < _BROAD_SHARE, kind < _BROAD_SHARE + large_share
        sizes = np.where(large, _log_uniform(random, _LARGE, count), 1.0)
        sizes = np.where(broad, _log_uniform(random, _BROAD, count), sizes)
        growth = np.where(broad & (np.arange(count) >= rainy), _SNOW_GROWTH, 1.0)
        drawn = self._to_device((sizes * growth).astype(np.float32))[:, None, None, None]
        known = np.concatenate([sizes, np.ones(int(counts[2:].sum()))]).astype(np.float32)
        return drawn, self._to_device(known)

    def _haze(self, photos: Tensor, depth: Tensor, random: Random, generator: Generator) -> tuple[Tensor, Tensor]:
        borrowed = int((random.random(len(photos)) < _FIELD_SHARE).sum()) if self._fields is not None else 0
        if borrowed and self._fields is not None:
            chosen = random.integers(len(self._fields), size=borrowed)
            sizes = self._fields.sizes[chosen]
            windows = place_windows(
                chosen, sizes, sizes.min(axis=1) * random.uniform(0.5, 1.0, borrowed), random, 0.0
            )
            metres = 1001 ** self._fields.cut(windows, photos.shape[-1]) - 1
            far = log_uniform(generator, borrowed, 25.0, 200.0)
            depth = torch.cat([(metres / far).clamp(0.01, 1.6), depth[borrowed:]])
        count = len(photos)
        imagined = imagined_depth(photos, generator) * _USUAL_DEPTH
        depth = torch.where(chance(generator, count, _IMAGINED_SHARE) > 0, imagined, depth)
        depth = depth + chance(generator, count, _FAR_START_SHARE) * uniform(generator, count, *_FAR_START)
        return haze_over_distance(photos, generator, depth, _SMOG_SHARE)

    def _to_device(self, values: NDArray[np.generic]) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor


def _stored(pictures: Sequence[Tensor], device: torch.device) -> PictureStore | None:
    return PictureStore(pictures, device) if pictures else None


def _split(values: Tensor, counts: NDArray[np.int64]) -> tuple[Tensor, ...]:
    parts: tuple[Tensor, ...] = torch.split(values, counts.tolist())
    return parts


def _merge_tasks(one: Tensor, counts: NDArray[np.int64], other: Tensor, other_counts: NDArray[np.int64]) -> Tensor:
    """Join two sets of crops so that those of a task lie side by side."""
    parts = zip(_split(one, counts), _split(other, other_counts), strict=True)
    return torch.cat([part for both in parts for part in both])


def _to_shares(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = weights if weights.sum() > 0 else np.ones_like(weights)
    return np.asarray(weights / weights.sum())


def _log_uniform(random: Random, bounds: tuple[float, float], count: int) -> NDArray[np.float64]:
    return np.exp(random.uniform(np.log(bounds[0]), np.log(bounds[1]), count))


def _vary_exposure(photos: Tensor, generator: Generator) -> Tensor:
    """Make some photos darker or brighter, before the weather."""
    batch = len(photos)
    power = torch.where(chance(generator, batch, 0.25) > 0, log_uniform(generator, batch, 0.65, 1.6), 1.0)
    return photos.clamp_min(1e-4).pow(power)


def _lower_contrast(photos: Tensor, generator: Generator) -> Tensor:
    """Lower the contrast of some clean photos evenly: an even veil alone does not count as haze."""
    batch = len(photos)
    contrast = 1 - chance(generator, batch, 0.2) * uniform(generator, batch, 0.1, 0.5)
    return photos * contrast + uniform(generator, batch, 0.1, 0.95) * (1 - contrast)
