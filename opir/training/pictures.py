"""The pictures of a run: found in the folders that its settings name, and decoded in several threads.

Pictures that belong together (a photo and its depth, both of a pair) are a group; groups of one kind a collection.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice, zip_longest
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from opir.data.pairs import Pair, check_sizes, list_photos, match_names
from opir.data.published import PairFolders, find_folders
from opir.data.readers import read_clean, read_depth, read_streaks, streaks_between
from opir.degradations.plain import draw_plain
from opir.errors import ImageError
from opir.photo.photo import load_rgb8
from opir.tasks import Task
from opir.training.config import DataConfig
from opir.training.store import COPIES_FACTOR

NUM_VALIDATED = 8
_PLAIN_SIDE = 384
_DECODED_AT_ONCE = 64
_log = logging.getLogger("opir.training")

Item = tuple[str, Tensor]
"""What a picture is for, and its pixels: (C, H, W) uint8."""
Group = tuple[tuple[str, Callable[[], Tensor | None]], ...]
"""What each picture is for, and a function that reads it, or returns None for a picture that is of no use."""


@dataclass
class TrainingPictures:
    """Decoded pictures by what they are for."""

    photos: list[Tensor] = field(default_factory=list)
    """Clean, (3, H, W) uint8."""
    depths: list[Tensor | None] = field(default_factory=list)
    """Of the photos, (1, h, w) uint8 in `DEPTH_UNIT` / 255."""
    plain: list[Tensor] = field(default_factory=list)
    """Pictures without weather and without depth."""
    pairs: dict[Task, tuple[list[Tensor], list[Tensor]]] = field(default_factory=dict)
    """Degraded photos and their truths, (3, H, W) uint8."""
    streaks: list[Tensor] = field(default_factory=list)
    """Recorded, (1, H, W) uint8."""
    fields: list[Tensor] = field(default_factory=list)
    """Distances without photos, (1, H, W) uint8: metres = 1001^(v / 255) - 1."""
    validation: list[tuple[Tensor, Tensor | None]] = field(default_factory=list)
    """Photos to validate on, with their depth."""
    validation_plain: list[Tensor] = field(default_factory=list)
    is_part: bool = False
    """Whether these are a part of all pictures, which is drawn anew at intervals."""

    def add(self, kind: str, pixels: Tensor) -> None:
        """Add a picture; a depth has to follow its photo, and a target its input."""
        lists = {
            "streaks": self.streaks,
            "field": self.fields,
            "plain": self.plain,
            "validation-plain": self.validation_plain,
        }
        weather, _, side = kind.partition("-")
        if kind in lists:
            lists[kind].append(pixels)
        elif kind == "photo":
            self.photos.append(pixels)
            self.depths.append(None)
        elif kind == "depth":
            self.depths[-1] = pixels
        elif kind == "validation":
            self.validation.append((pixels, None))
        elif kind == "validation-depth":
            self.validation[-1] = self.validation[-1][0], pixels
        elif side in ("input", "target"):
            inputs, targets = self.pairs.setdefault(Task.parse(weather), ([], []))
            (inputs if side == "input" else targets).append(pixels)
        else:
            raise ValueError(f'no picture to train on is of the kind "{kind}": make the pack anew')

    def describe(self) -> str:
        """Return a line that says what is trained on; it is printed and written into the weights' metadata."""
        known = sum(depth is not None for depth in self.depths)
        pairs = [f"{len(inputs)} pairs of {task.label}" for task, (inputs, _) in sorted(self.pairs.items())]
        counts = [
            f"{len(self.photos)} clean photos under synthetic weather",
            f"{known} of them with depth",
            *pairs,
            f"{len(self.plain)} plain pictures",
            f"{len(self.streaks)} recorded streak layers",
            f"{len(self.fields)} fields of distance",
        ]
        listed = ", ".join(count for count in counts if not count.startswith("0 "))
        return listed + (" (a part of what is there, drawn anew now and then)" if self.is_part else "")


@dataclass(frozen=True)
class PictureFiles:
    """What a run's folders hold, not yet decoded."""

    collections: tuple[tuple[Group, ...], ...]
    validation: tuple[Group, ...] = ()
    left_out: tuple[str, ...] = ()
    """Sentences that say which pictures are missing, and what follows from that."""

    def decode(self, memory_gb: float = float("inf"), number: int = 0) -> TrainingPictures:
        """Decode everything, or as much as there is room for.

        Args:
            memory_gb: room for the pictures in a `PictureStore`, in 10⁹ bytes. Small collections are decoded whole,
                large ones share the rest equally.
            number: of the part that is drawn if there is no room for all; the same number gives the same part.
        """
        random = np.random.default_rng(number)
        shuffled = [[groups[i] for i in random.permutation(len(groups))] for groups in self.collections]
        in_turn = [group for group in chain.from_iterable(zip_longest(*shuffled)) if group is not None]
        pictures, room = TrainingPictures(), memory_gb * 1e9 / COPIES_FACTOR
        with tqdm(total=len(in_turn), desc="reading", unit="picture", leave=False, disable=None) as bar:
            for items in read_groups(in_turn):
                room -= sum(pixels.nbytes for _, pixels in items)
                if room < 0 and (pictures.photos or pictures.pairs):
                    pictures.is_part = True
                    break
                for kind, pixels in items:
                    pictures.add(kind, pixels)
                bar.update()
        if in_turn and not (pictures.photos or pictures.pairs or pictures.plain):
            raise ValueError("none of the photos to train on could be read: what is wrong with each is said above")
        for items in read_groups(self.validation):
            for kind, pixels in items:
                pictures.add(kind, pixels)
        return pictures


def read_groups(groups: Iterable[Group]) -> Iterator[list[Item]]:
    """Decode groups in threads, some ahead of what is taken; a group of no use is an empty list."""
    waiting = iter(groups)
    with ThreadPoolExecutor() as pool:
        while chunk := list(islice(waiting, _DECODED_AT_ONCE)):
            yield from pool.map(_read_group, chunk)


def _read_group(group: Group) -> list[Item]:
    """Decode a group; one with a damaged file is left out with a warning."""
    try:
        read = [(kind, pixels) for kind, reader in group if (pixels := reader()) is not None]
    except ImageError as error:
        _log.warning("left out: %s", error)
        return []
    return read if len(read) == len(group) else []


def list_pictures(data: DataConfig) -> PictureFiles:
    """Find what a run's settings name, without decoding it.

    Raises:
        ValueError: for a folder that is not there (unless `leave_out_missing`), is empty, or does not fit its other.
    """
    return _Listing(data).find()


class _Listing:
    """Finds the files that the settings name."""

    def __init__(self, data: DataConfig) -> None:
        self.data = data
        self.missing: dict[str, list[str]] = {}
        """Missing folders, by the settings that name them."""

    def find(self) -> PictureFiles:
        data = self.data
        validation = list(self._validation())
        clean, aside = self._clean(is_validated=bool(validation))
        collections: list[list[Group]] = [
            [*clean, *self._photos()],
            *self._pairs(),
            self._streaks(),
            [(("field", partial(_read_field, path)),) for path in self._found("fields", data.fields)],
            [(("plain", partial(_draw_plain, seed)),) for seed in range(data.plain)],
        ]
        return PictureFiles(
            tuple(tuple(groups) for groups in collections if groups),
            (*aside, *validation),
            tuple(self._remarks(collections, aside)),
        )

    def _is_there(self, setting: str, *folders: str | Path) -> bool:
        """Tell whether to read the folders of a setting; with `leave_out_missing`, missing ones are noted."""
        gone = [str(folder) for folder in folders if not Path(folder).is_dir()]
        if gone and self.data.leave_out_missing:
            self.missing.setdefault(setting, []).extend(gone)
            return False
        return True

    def _found(self, setting: str, folder: str) -> list[Path]:
        return list_photos(folder) if folder and self._is_there(setting, folder) else []

    def _clean(self, is_validated: bool) -> tuple[list[Group], list[Group]]:
        """Return the photos without a depth, and those of them that are kept aside for validation."""
        paths = list_photos(self.data.clean) if self.data.clean else []
        count = 0 if is_validated else min(self.data.keep_aside, len(paths) // 10)
        aside = set(paths[:: len(paths) // count][:count]) if count else set()
        return (
            [(("photo", partial(read_clean, path)),) for path in paths if path not in aside],
            [(("validation", partial(load_rgb8, path)),) for path in sorted(aside)],
        )

    def _photos(self) -> Iterator[Group]:
        for photos, maps in self.data.photos:
            if not self._is_there("photos", photos):
                continue
            depths = {path.stem: path for path in self._found("photos", maps)}
            for path in list_photos(photos):
                known = depths.get(path.stem)
                depth = [] if known is None else [("depth", partial(read_depth, known))]
                yield (("photo", partial(read_clean, path)), *depth)

    def _pairs(self) -> list[list[Group]]:
        data = self.data
        named = [PairFolders(Task.parse(task), given, truth) for task, given, truth in data.pairs]
        folders = [pair for pair in named if self._is_there("pairs", pair.inputs, pair.targets)]
        folders += [find_folders(name, folder) for name, folder in data.sets if self._is_there("sets", folder)]
        if any(pair.task is Task.CLEAN for pair in folders):
            raise ValueError("expected pairs of rain, snow or haze, got pairs of clean: name them in data.photos")
        return [
            [
                (
                    (f"{of.task.label}-input", partial(load_rgb8, pair.degraded)),
                    (f"{of.task.label}-target", partial(_read_target, pair)),
                )
                for pair in of.pairs()
            ]
            for of in folders
        ]

    def _streaks(self) -> list[Group]:
        layers: list[Group] = [
            (("streaks", partial(read_streaks, path)),) for path in self._found("streaks", self.data.streaks)
        ]
        for inputs, targets in self.data.streak_pairs:
            if self._is_there("streak_pairs", inputs, targets):
                for given, target in match_names(inputs, targets):
                    layers.append((("streaks", partial(streaks_between, given, target)),))
        return layers

    def _validation(self) -> Iterator[Group]:
        paths = self._found("validation", self.data.validation)
        depths = {path.stem: path for path in self._found("validation_depth", self.data.validation_depth)}
        for path in paths[:: max(1, len(paths) // NUM_VALIDATED)][:NUM_VALIDATED]:
            known = depths.get(path.stem)
            depth = [] if known is None else [("validation-depth", partial(read_depth, known))]
            yield (("validation", partial(load_rgb8, path)), *depth)
        for path in self._found("validation_plain", self.data.validation_plain):
            yield (("validation-plain", partial(load_rgb8, path)),)

    def _remarks(self, collections: list[list[Group]], aside: list[Group]) -> Iterator[str]:
        if self.missing:
            settings = [f"{name} ({', '.join(dict.fromkeys(gone))})" for name, gone in self.missing.items()]
            yield f"not there, and left out of [data]: {'; '.join(settings)}"
        photos = collections[0]
        if photos and not any(len(group) > 1 for group in photos):
            yield "no photo has a depth: haze and mist are drawn over imagined ones (data.photos names depths)"
        if aside:
            yield f"{len(aside)} of {len(photos) + len(aside)} clean photos are kept aside for validation"


def _read_target(pair: Pair) -> Tensor:
    clean, degraded = pair.cut(load_rgb8(pair.clean)), load_rgb8(pair.degraded)
    sizes = [(int(picture.shape[2]), int(picture.shape[1])) for picture in (degraded, clean)]
    check_sizes(sizes[0], sizes[1], pair.degraded.name, pair.clean.name)
    return clean.contiguous()


def _read_field(path: Path) -> Tensor:
    return load_rgb8(path)[:1].contiguous()


def _draw_plain(seed: int) -> Tensor:
    return torch.from_numpy(draw_plain(seed, _PLAIN_SIDE)).permute(2, 0, 1).contiguous()
