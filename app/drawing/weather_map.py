"""Where a photo lies among degradation embeddings that the model knows: a t-SNE map, made once and shipped.

Run as a command to make the map again when the weights change::

    python -m app.drawing.weather_map --checkpoint lite --output checkpoints/lite_embeddings.npz FOLDER

N reference embeddings, D embedding size, T tasks, P points of one photo.
"""

import argparse
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from app.drawing import map_drawing
from app.drawing.map_drawing import MapPicture, Places
from app.look import sentences
from opir.degradations import degrade
from opir.inference import Restorer
from opir.photo import find_photos, load_photo
from opir.tasks import Task

Floats = NDArray[np.float32]

SUFFIX = "_embeddings.npz"
MAX_PHOTOS = 24
"""So many clean photos, each in every weather and seen by both stages, keep the map quick to redraw."""

_SIDE = 640  # pixels: the long side that reference photos are scaled down to
_NEIGHBOURS = 5
_ALIKE = 3  # so many known photos are shown below the map
_ITSELF = 1e-3  # of two embeddings: no further apart means one photo


@dataclass(frozen=True, eq=False)
class WeatherMap:
    """Embeddings of known photos and of the prototypes, and where t-SNE puts them."""

    embeddings: Floats
    """(N, D)."""
    tasks: NDArray[np.int64]
    """(N,), which weather each of them is: values of `Task`."""
    stages: NDArray[np.int64]
    """(N,), 1 for the embedding of the degraded photo, 2 for that of stage 1's result."""
    prototypes: Floats
    """(T, D), the learned e_t of Eq. 21."""
    layout: Floats
    """(N + T, 2), the map of the embeddings and after them the prototypes."""

    def save(self, path: str | Path) -> None:
        """Write the map as one .npz file."""
        np.savez_compressed(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: str | Path) -> "WeatherMap":
        """Read a map that `save` wrote; raises ValueError for any other file."""
        names = [field.name for field in fields(cls)]
        try:
            with np.load(path, allow_pickle=False) as stored:
                return cls(**{name: stored[name] for name in names})
        except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{path}: expected a map with {', '.join(names)}; make one with python -m app.drawing.weather_map"
            ) from error

    @classmethod
    def shipped_with(cls, restorer: Restorer) -> "WeatherMap | None":
        """Return the map beside a restorer's weights; None if there is none, or one of other weights."""
        if restorer.info is None:
            return None
        path = restorer.info.path.with_name(restorer.info.path.stem + SUFFIX)
        if not path.is_file():
            return None
        found, known = cls.load(path), prototypes_of(restorer)
        same = found.prototypes.shape == known.shape and np.allclose(found.prototypes, known, atol=1e-4)
        return found if same else None

    def place(self, points: Floats) -> tuple[Floats, Floats]:
        """Put new embeddings on the map by t-SNE, starting from the map as it is.

        Args:
            points: (P, D).

        Returns:
            Where the new points lie, (P, 2), and where the map's own now lie, (N + T, 2); all in one frame.
        """
        known = np.concatenate([self.embeddings, self.prototypes])
        start = np.stack([_weighted_place(point, known, self.layout) for point in points])
        everything = _tsne(np.concatenate([known, points]), np.concatenate([self.layout, start]))
        return everything[len(known) :], everything[: len(known)]

    @cached_property
    def separation(self) -> tuple[float, float, int]:
        """Silhouette, share of embeddings whose five nearest are mostly of their task, and how many: of stage 1."""
        from sklearn.metrics import silhouette_score  # on first use: importing it takes a second
        from sklearn.neighbors import NearestNeighbors

        seen, tasks = self.embeddings[self.stages == 1], self.tasks[self.stages == 1]
        nearest = (
            NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(seen) - 1)).fit(seen).kneighbors(return_distance=False)
        )
        named = np.array([np.bincount(tasks[row]).argmax() for row in nearest])
        return float(silhouette_score(seen, tasks)), float((named == tasks).mean()), len(seen)

    def draw(self, points: Floats | None = None, pictures: Sequence[MapPicture] = ()) -> str:
        """Draw the map in the page's own colours, and say below it how well the kinds lie apart.

        Args:
            points: one photo's embeddings, (P, D), to mark with the way between them; None for the map alone.
            pictures: known photos to show when a visitor points at them; those most like the photo are shown below.
        """
        places, known = (None, self.layout) if points is None else self.place(points)
        references = np.concatenate([self.embeddings, self.prototypes])
        ringed = [_weighted_place(picture.embedding, references, known) for picture in pictures]
        if points is not None:
            distances = [float(np.linalg.norm(picture.embedding - points[0])) for picture in pictures]
            nearest = sorted(range(len(pictures)), key=distances.__getitem__)
            pictures, ringed = [pictures[index] for index in nearest], [ringed[index] for index in nearest]
            alike = [pictures[at] for at, index in enumerate(nearest) if distances[index] > _ITSELF][:_ALIKE]
        else:
            alike = []
        shown = Places(known[: len(self.tasks)], self.tasks, self.stages, known[len(self.tasks) :], places)
        return map_drawing.draw(shown, ringed, pictures, alike) + (
            f'<p class="note">{sentences.separation(*self.separation)}</p>'
        )


def prototypes_of(restorer: Restorer) -> Floats:
    """Return the learned embedding of every task, (T, D); (0, 0) for a model that knows no tasks."""
    rows = [restorer.model.prototype(task) for task in Task]
    return np.concatenate(
        [row.detach().float().cpu().numpy() for row in rows if row is not None] or [np.zeros((0, 0))]
    )


def build(restorer: Restorer, photos: list[Path], seed: int = 0) -> WeatherMap:
    """Embed clean photos in every weather and lay the embeddings out.

    Args:
        restorer: the model whose embeddings are drawn.
        photos: at most `MAX_PHOTOS` files, evenly picked where there are more.
        seed: of the weather; the same seed gives the same map.
    """
    step = max(1, -(-len(photos) // MAX_PHOTOS))
    embeddings: list[Floats] = []
    tasks: list[int] = []
    stages: list[int] = []
    for number, path in enumerate(photos[::step]):
        clean = _scaled_down(load_photo(path).rgb[None])
        for task in Task:
            restored = restorer.restore(degrade(clean, task, seed + number)[0], scale_weights=False)
            for stage, embedding in enumerate((restored.embedding, restored.embed_stage1()), start=1):
                if embedding is not None:
                    embeddings.append(np.asarray(embedding, dtype=np.float32))
                    tasks.append(int(task))
                    stages.append(stage)
    if not embeddings:
        raise ValueError("expected a model with the task-aware module and at least one photo, got no embeddings")
    known, prototypes = np.stack(embeddings), prototypes_of(restorer)
    layout = _tsne(np.concatenate([known, prototypes]), None)
    return WeatherMap(known, np.array(tasks), np.array(stages), prototypes, layout)


def _scaled_down(photo: torch.Tensor) -> torch.Tensor:
    factor = _SIDE / max(photo.shape[-2:])
    if factor >= 1:
        return photo
    return torch.nn.functional.interpolate(photo, scale_factor=factor, mode="bilinear", antialias=True).clamp(0, 1)


def _tsne(embeddings: Floats, start: Floats | None) -> Floats:
    """Lay embeddings out from scratch, or from a start that they only move away from as far as they must."""
    from sklearn.manifold import TSNE  # on first use: importing it takes a second

    options: dict[str, Any] = {"init": "pca", "max_iter": 750}
    if start is not None:
        # No early exaggeration: it would tear apart what is already laid out.
        options = {"init": start, "early_exaggeration": 1.0, "max_iter": 250}
    perplexity = min(20.0, (len(embeddings) - 1) / 3)
    layout: Floats = TSNE(perplexity=perplexity, random_state=0, **options).fit_transform(embeddings)
    return layout


def _weighted_place(point: Floats, known: Floats, layout: Floats) -> Floats:
    distances = np.square(known - point).sum(axis=1)
    nearest = np.argsort(distances)[:_NEIGHBOURS]
    weights = 1 / (distances[nearest] + 1e-6)
    place: Floats = (layout[nearest] * weights[:, None]).sum(axis=0) / weights.sum()
    return place


def main(arguments: list[str] | None = None) -> None:
    """Make a map from a folder of clean photos, preferably ones that the weights were not trained on."""
    parser = argparse.ArgumentParser(prog="python -m app.drawing.weather_map", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="clean photos")
    parser.add_argument("--checkpoint", default="lite", help="a shipped name or a path")
    parser.add_argument("--output", type=Path, required=True, help=f"checkpoints/NAME{SUFFIX}")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--seed", type=int, default=0, help="of the weather")
    options = parser.parse_args(arguments)
    photos = find_photos(options.folder).photos
    if not photos:
        parser.error(f"{options.folder}: expected a folder with photos, found none")
    weather_map = build(Restorer.from_pretrained(options.checkpoint, device=options.device), photos, options.seed)
    weather_map.save(options.output)
    print(f"{options.output}: {len(weather_map.embeddings)} embeddings of {min(len(photos), MAX_PHOTOS)} photos")


if __name__ == "__main__":
    main()
