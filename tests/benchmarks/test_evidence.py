"""What the evidence is measured with: maps, neighbours, mixtures, filters and sheets."""

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.quality.cases import Case
from benchmarks.quality.classical import METHODS
from benchmarks.quality.contact_sheets import WIDTH, sheet, with_detail
from benchmarks.quality.embeddings import Seen, between, neighbours_right, separation
from benchmarks.quality.uncertainty import FRACTIONS, measure_maps
from benchmarks.report.provenance import spread
from opir.evaluation.metrics import psnr
from opir.inference.restorer import Restorer
from opir.model import OPIR
from opir.tasks import Task
from tests.conftest import TINIEST, make_picture, randomise


def test_every_map_is_judged_against_the_same_error() -> None:
    restorer = Restorer(randomise(OPIR(TINIEST)), device="cpu", precision="fp32")
    clean = make_picture(40, 48)[0]
    random = torch.Generator().manual_seed(0)
    degraded = (clean + 0.2 * torch.rand(clean.shape, generator=random)).clamp(0, 1)
    found = measure_maps(restorer, [Case(degraded, clean, Task.RAIN)])
    assert set(found["maps"]) == {"uncertainty", "gradient", "change", "mirrored"}
    assert found["curves"]["error"] == sorted(found["curves"]["error"])
    for name in found["maps"]:
        assert len(found["curves"][name]) == len(FRACTIONS)
        assert found["curves"][name][-1] == pytest.approx(1)
        assert found["maps"][name]["ause"]["mean"] >= 0
        assert found["curves"][name][4] >= found["curves"]["error"][4]
    assert found["bounds"] == {}


def clusters(distance: float, seed: int = 0) -> Seen:
    """Four kinds of weather on ten photographs, twice; a photograph's own place is larger than the noise."""
    random = np.random.default_rng(seed)
    centres, own = distance * np.eye(4, 6), random.normal(size=(10, 6))
    rows = [(t, p, d) for d in range(2) for p in range(10) for t in range(4)]
    points = np.stack([centres[t] + 0.3 * own[p] + 0.05 * random.normal(size=6) for t, p, _ in rows])
    labels, photos, draws = np.array(rows).T
    noise = random.normal(size=points.shape)
    return Seen({"embedding": points, "statistics": noise, "pca": noise}, labels, photos, draws, np.eye(4)[labels])


def test_separated_weathers_score_high_and_noise_does_not() -> None:
    scores = separation(clusters(5.0))
    assert scores["embedding"]["silhouette"]["all"] > 0.7
    assert scores["embedding"]["neighbours"]["all"] == 1
    assert abs(scores["statistics"]["silhouette"]["all"]) < 0.1
    assert scores["pca"]["neighbours"]["by_draw"]["count"] == 2


def test_a_photo_is_no_neighbour_of_itself_in_other_weather() -> None:
    points, labels, photos = np.arange(6.0)[:, None] // 2, np.array([0, 1] * 3), np.arange(6) // 2
    assert neighbours_right(points, labels, photos, points, labels, photos + 100) > 0
    known = (np.zeros((3, 1)), np.array([2, 2, 3]), np.array([7, 8, 0]))
    assert neighbours_right(np.zeros((1, 1)), np.array([2]), np.array([0]), *known) == 1


def test_a_mixture_half_way_lies_between() -> None:
    seen = clusters(5.0)
    rain, haze = (seen.features["embedding"][seen.labels == task] for task in (Task.RAIN, Task.HAZE))
    halfway = {"embedding": (rain + haze) / 2}
    probabilities = np.tile([0.4, 0.1, 0.5, 0.0], (len(rain), 1))
    mixed = Seen(halfway, seen.labels[: len(rain)], seen.photos[: len(rain)], seen.draws[: len(rain)], probabilities)
    found = between({(Task.HAZE, Task.RAIN): mixed}, seen)["haze + rain"]
    assert found["along"]["mean"] == pytest.approx(0.5, abs=0.02)
    assert found["beside"]["mean"] < 0.2
    assert (found["between_the_centres"], found["both_likeliest"], found["taken_for"]["haze"]) == (1, 1, 1)


@pytest.mark.parametrize("name", METHODS)
def test_every_filter_keeps_shape_and_range(name: str) -> None:
    clean = make_picture(24, 30)[0]
    noisy = (clean + 0.1 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    method, settings = METHODS[name]
    results = [method(noisy, **options) for options in settings]
    for result in results:
        assert result.shape == noisy.shape
        assert 0 <= result.min() <= result.max() <= 1
    if name != "dark channel prior":
        assert max(psnr(result, clean) for result in results) > psnr(noisy, clean)


def test_spread_leaves_out_what_is_infinite() -> None:
    assert spread([1.0, 3.0, float("inf")]) == {"mean": 2.0, "sd": pytest.approx(1.4142, abs=1e-4), "count": 2}
    assert spread([float("inf")]) == {"count": 0}


def test_sheets_show_pictures_above_their_details() -> None:
    picture = Image.new("RGB", (600, 400), "blue")
    shown = with_detail(picture, (0.99, 0.01))
    assert shown.width == WIDTH
    assert shown.height > 200 + 200
    page = sheet([[("one", shown), ("two", shown)], [("three", shown)]])
    assert page.width > 2 * WIDTH
    assert page.height > 2 * shown.height
