"""Do the degradation embeddings tell weather apart (Figure 2)? Writes JSON and a t-SNE plot.

    python -m benchmarks.quality.embeddings DATA [--checkpoint lite] [--quick]

DATA has `validation/clean`, photos never trained on, and may have `real_photos/{rain,snow,haze}`. Neighbours of a
photo are never the same photo under other weather. The baselines are fitted on the same photos, which favours them.

N photos, D embedding size.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from benchmarks.quality.cases import QUICK_PHOTOS, cut
from benchmarks.report.provenance import IMAGES, RESULTS, provenance, spread, write_report
from opir.data import list_photos
from opir.degradations import degrade
from opir.inference import Restorer
from opir.photo import load_photo
from opir.tasks import Task

Floats = NDArray[np.float64]
NEIGHBOURS = 5
DRAWS = 4
TSNE_SEEDS = (0, 1, 2)
KINDS = ("embedding", "statistics", "pca")
MIXTURES = ((Task.HAZE, Task.RAIN), (Task.HAZE, Task.SNOW), (Task.SNOW, Task.RAIN))
"""What is put on a photo first, and then."""
_THUMBNAIL = 32
_MIXED_SEED = 900


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of N photos."""

    features: dict[str, Floats]
    """By kind, (N, ·): the embedding, pixel statistics, and a thumbnail's values for PCA."""
    labels: NDArray[np.int64]
    """(N,), values of `Task`."""
    photos: NDArray[np.int64]
    """(N,), which photograph it is."""
    draws: NDArray[np.int64]
    """(N,), which draw of the weather."""
    probabilities: Floats
    """(N, T)."""


def pixel_statistics(photo: Tensor) -> list[float]:
    """Return plain statistics of a photo (3, H, W): colours, contrast, edges, darkest channel, saturation."""
    grey, dark = photo.mean(dim=0), photo.amin(dim=0)
    down, right = (grey.diff(dim=axis).abs() for axis in (0, 1))
    detail = grey - F.avg_pool2d(grey[None], 5, 1, 2, count_include_pad=False)[0]
    values = [*photo.mean(dim=(1, 2)), *photo.std(dim=(1, 2)), grey.amin(), grey.amax(), dark.mean(), dark.std()]
    values += [down.mean(), right.mean(), down.std(), right.std(), (photo.amax(dim=0) - dark).mean()]
    values += [detail.std(), (detail / detail.std().clamp_min(1e-6)).pow(3).mean(), (detail > 0.1).float().mean()]
    return [float(value) for value in values]


@torch.inference_mode()
def look_at(restorer: Restorer, photo: Tensor) -> tuple[dict[str, Floats], Floats]:
    """Return a photo's features by kind, and its task probabilities."""
    embedding = restorer.embed(photo[None].to(restorer.device))
    if embedding is None:
        raise SystemExit("expected weights with the task-aware module, these know no weather")
    thumbnail = F.interpolate(photo[None], size=(_THUMBNAIL, _THUMBNAIL), mode="area").flatten()
    features = {
        "embedding": embedding[0].float().cpu().numpy().astype(np.float64),
        "statistics": np.array(pixel_statistics(photo)),
        "pca": thumbnail.numpy().astype(np.float64),
    }
    return features, restorer.model.task_probabilities(embedding)[0].cpu().numpy().astype(np.float64)


def gather(restorer: Restorer, photos: list[tuple[Tensor, int, int, int]]) -> Seen:
    """Look at photos given with label, photograph and draw."""
    rows = [look_at(restorer, photo) for photo, *_ in photos]
    return Seen(
        {kind: np.stack([features[kind] for features, _ in rows]) for kind in KINDS},
        labels=np.array([label for _, label, _, _ in photos]),
        photos=np.array([number for _, _, number, _ in photos]),
        draws=np.array([draw for *_, draw in photos]),
        probabilities=np.stack([probabilities for _, probabilities in rows]),
    )


def comparable(features: dict[str, Floats], fitted_on: dict[str, Floats]) -> dict[str, Floats]:
    """Scale statistics to unit variance and project thumbnails on as many components as the embedding has."""
    mean, deviation = fitted_on["statistics"].mean(axis=0), fitted_on["statistics"].std(axis=0) + 1e-9
    size = min(fitted_on["embedding"].shape[1], len(fitted_on["pca"]) - 1)
    pca = PCA(size, random_state=0).fit(fitted_on["pca"])
    return {
        "embedding": features["embedding"],
        "statistics": (features["statistics"] - mean) / deviation,
        "pca": pca.transform(features["pca"]),
    }


def neighbours_right(
    points: Floats,
    labels: NDArray[Any],
    photos: NDArray[Any],
    known: Floats,
    known_labels: NDArray[Any],
    known_photos: NDArray[Any],
) -> float:
    """Return the share of points whose nearest known points of other photographs mostly have their label."""
    distances = np.linalg.norm(points[:, None] - known[None], axis=2)
    distances[photos[:, None] == known_photos[None]] = np.inf
    nearest = known_labels[np.argsort(distances, axis=1)[:, :NEIGHBOURS]]
    votes = np.array([np.bincount(row, minlength=len(Task)).argmax() for row in nearest])
    return float((votes == labels).mean())


def separation(seen: Seen) -> dict[str, Any]:
    """Score how far apart the weathers lie, for each kind of features: of all, and the spread over draws."""
    spaces = comparable(seen.features, seen.features)
    scores: dict[str, Any] = {}
    for kind, points in spaces.items():
        per_draw: dict[str, list[float]] = {"silhouette": [], "neighbours": []}
        for draw in [None, *np.unique(seen.draws)]:
            once = (seen.labels != Task.CLEAN) | (
                seen.draws == seen.draws.min()
            )  # clean photos are equal in all draws
            chosen = once if draw is None else seen.draws == draw
            own, labels, photos = points[chosen], seen.labels[chosen], seen.photos[chosen]
            per_draw["silhouette"].append(float(silhouette_score(own, labels)))
            per_draw["neighbours"].append(neighbours_right(own, labels, photos, own, labels, photos))
        scores[kind] = {name: {"all": round(v[0], 4), "by_draw": spread(v[1:])} for name, v in per_draw.items()}
    return scores


def separation_of_real(real: Seen, synthetic: Seen) -> dict[str, Any]:
    """Score real photos among themselves, and by their neighbours among the synthetic ones."""
    spaces, known = (
        comparable(real.features, synthetic.features),
        comparable(synthetic.features, synthetic.features),
    )
    scores = {}
    for kind, points in spaces.items():
        own = (points, real.labels, real.photos)
        others = (known[kind], synthetic.labels, np.full(len(synthetic.labels), -1))
        scores[kind] = {
            "silhouette": round(float(silhouette_score(points, real.labels)), 4),
            "neighbours": round(neighbours_right(*own, *own), 4),
            "synthetic_neighbours": round(neighbours_right(*own, *others), 4),
        }
    recognised = (real.probabilities.argmax(axis=1) == real.labels).mean()
    counts = {task.label: int((real.labels == task).sum()) for task in Task}
    return {"photos": counts, "recognised": round(float(recognised), 4), **scores}


def between(mixed: dict[tuple[Task, Task], Seen], seen: Seen) -> dict[str, Any]:
    """Tell where photos with two kinds of weather lie: along the line between the kinds' centres, and beside it."""
    found = {}
    for (first, second), both in mixed.items():
        start, end = (seen.features["embedding"][seen.labels == task].mean(axis=0) for task in (first, second))
        way = end - start
        points = both.features["embedding"] - start
        along = points @ way / (way @ way)
        beside = np.linalg.norm(points - along[:, None] * way, axis=1) / np.linalg.norm(way)
        likeliest = np.argsort(-both.probabilities, axis=1)
        pair = {int(first), int(second)}
        found[f"{first.label} + {second.label}"] = {
            "along": spread(along.tolist()),
            "beside": spread(beside.tolist()),
            "between_the_centres": round(float(((along > 0) & (along < 1)).mean()), 4),
            "both_likeliest": round(float(np.mean([set(row[:2].tolist()) == pair for row in likeliest])), 4),
            "taken_for": {task.label: round(float((likeliest[:, 0] == task).mean()), 4) for task in Task},
        }
    return found


def plot(seen: Seen, mixed: dict[tuple[Task, Task], Seen], real: Seen | None, path: Path) -> None:
    """Draw t-SNE of the embeddings with several seeds, of the baselines, and of mixed and real photos."""
    from matplotlib.figure import Figure

    from app.look.theme import TASK_COLOURS  # with all of Gradio: only to draw

    figure = Figure(figsize=(13, 8.4), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    spaces = comparable(seen.features, seen.features)
    for axis, seed in zip(axes[:3], TSNE_SEEDS, strict=True):
        _dots(axis, _tsne(spaces["embedding"], seed), seen.labels, "o")
        axis.set_title(f"OPIR's embeddings, t-SNE seed {seed}")
    for axis, (kind, title) in zip(axes[3:5], (("statistics", "pixel statistics"), ("pca", "PCA")), strict=True):
        _dots(axis, _tsne(spaces[kind], 0), seen.labels, "o")
        axis.set_title(f"{title}, t-SNE seed 0")
    parts = [seen.features["embedding"], *(both.features["embedding"] for both in mixed.values())]
    parts += [] if real is None else [real.features["embedding"]]
    places = np.split(_tsne(np.concatenate(parts), 0), np.cumsum([len(part) for part in parts])[:-1])
    _dots(axes[5], places[0], seen.labels, "o", 0.25)
    for (first, second), where, marker in zip(mixed, places[1 : 1 + len(mixed)], "^sD", strict=True):
        axes[5].scatter(
            *where.T, s=22, c="none", edgecolors="#111", marker=marker, label=f"{first.label} + {second.label}"
        )
    if real is not None:
        _dots(axes[5], places[-1], real.labels, "*", 1.0, 70)
    axes[5].set_title("mixed weather (outlined), real photos (stars)")
    axes[5].legend(fontsize=7)
    for task in Task:
        axes[0].scatter([], [], c=TASK_COLOURS[task], s=14, label=task.label)
    axes[0].legend(fontsize=7)
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def _tsne(points: Floats, seed: int) -> Floats:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(points) - 1) / 3)
    return np.asarray(TSNE(perplexity=perplexity, init="random", random_state=seed).fit_transform(points))


def _dots(axis: Any, places: Floats, labels: NDArray[Any], marker: str, alpha: float = 0.7, size: int = 14) -> None:
    from app.look.theme import TASK_COLOURS

    colours = [TASK_COLOURS[Task(label)] for label in labels]
    axis.scatter(*places.T, s=size, c=colours, marker=marker, alpha=alpha, linewidths=0)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--quick", action="store_true", help="only see that it runs: a few small crops")
    parser.add_argument("--output", type=Path, default=RESULTS / "embeddings.json")
    parser.add_argument("--plot", type=Path, default=IMAGES / "embeddings.png")
    options = parser.parse_args(arguments)
    restorer, quick = Restorer.from_pretrained(options.checkpoint), options.quick
    paths = list_photos(options.data / "validation" / "clean")[: 4 * QUICK_PHOTOS if quick else None]
    clean = [cut(load_photo(path).rgb, quick) for path in paths]
    made, mixed = [], {}
    for draw in range(2 if quick else DRAWS):
        for number, photo in enumerate(tqdm(clean, desc=f"draw {draw + 1}")):
            for task in Task:
                weather = degrade(photo[None], task, 100 * draw + number)[0]
                made.append(((weather * 255).round() / 255, int(task), number, draw))
    seen = gather(restorer, made)
    for first, second in MIXTURES:
        both = []
        for number, photo in enumerate(tqdm(clean, desc=f"{first.label} + {second.label}")):
            weather = degrade(photo[None], first, _MIXED_SEED + number)
            weather = degrade(weather, second, _MIXED_SEED + number)[0]
            both.append(((weather * 255).round() / 255, int(first), number, 0))
        mixed[first, second] = gather(restorer, both)
    real = _real_photos(restorer, options.data / "real_photos", quick)
    command = f"python -m benchmarks.quality.embeddings DATA --checkpoint {options.checkpoint}"
    report = provenance(command, restorer, [100 * draw for draw in range(DRAWS)] + [_MIXED_SEED], quick)
    report |= {"photos": len(clean), "draws": len(np.unique(seen.draws)), "synthetic": separation(seen)}
    report["real"] = None if real is None else separation_of_real(real, seen)
    report["mixed"] = between(mixed, seen)
    write_report(report, options.output)
    plot(seen, mixed, real, options.plot)


def _real_photos(restorer: Restorer, folder: Path, quick: bool) -> Seen | None:
    """Look at the real photos of each weather that has a folder; None without any."""
    photos: list[tuple[Tensor, int, int, int]] = []
    for task in Task:
        if (folder / task.label).is_dir():
            paths = list_photos(folder / task.label)[: QUICK_PHOTOS if quick else None]
            for path in paths:
                photos.append((cut(load_photo(path).rgb, quick), int(task), len(photos), 0))
    return gather(restorer, photos) if photos else None


if __name__ == "__main__":
    main()
