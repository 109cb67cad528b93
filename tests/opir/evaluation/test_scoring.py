"""Evaluation of any callable on paired folders."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.data.pairs import Pair, pair_photos
from opir.evaluation.metrics import psnr, ssim
from opir.evaluation.scoring import evaluate
from opir.photo import load_photo

KEYS = ["pairs", "psnr", "ssim", "input_psnr", "input_ssim", "space", "images"]


@pytest.fixture
def pairs(tmp_path: Path) -> list[Pair]:
    random = np.random.default_rng(0)
    for folder in ("input", "target"):
        (tmp_path / folder).mkdir()
    for name in ("a", "b"):
        clean = random.integers(40, 200, (24, 32, 3)).astype(np.uint8)
        Image.fromarray(clean).save(tmp_path / "target" / f"{name}.png")
        for number in (1, 2):
            degraded = clean + random.integers(0, 10 * number, clean.shape)
            Image.fromarray(degraded.astype(np.uint8)).save(tmp_path / "input" / f"{name}_{number}.png")
    return pair_photos(tmp_path / "input", tmp_path / "target")


@pytest.mark.parametrize("space", ["rgb", "y"])
def test_doing_nothing_scores_as_the_input(pairs, space) -> None:
    report = evaluate(lambda photo: photo, pairs, space)
    assert (report.pairs, report.space) == (4, space)
    assert report.psnr == report.input_psnr
    assert report.ssim == report.input_ssim
    first, target = pairs[0].read()
    assert report.images[0].name == "a_1.png"
    assert report.images[0].psnr == psnr(first, target, space)
    assert report.images[0].ssim == ssim(first, target, space)


def test_means_are_over_photos(pairs) -> None:
    report = evaluate(lambda photo: photo * 0.9, pairs)
    for name in ("psnr", "ssim", "input_psnr", "input_ssim"):
        assert getattr(report, name) == pytest.approx(np.mean([getattr(image, name) for image in report.images]))
    assert report.psnr < report.input_psnr


def test_the_report_is_json_of_the_agreed_shape(pairs) -> None:
    truth = {pair.degraded.name: pair.clean for pair in pairs}
    names = iter(truth)
    report = evaluate(lambda _: load_photo(truth[next(names)]).rgb, pairs)
    written = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert list(written) == KEYS
    assert list(written["images"][0]) == ["name", "psnr", "ssim", "input_psnr", "input_ssim"]
    assert (written["pairs"], written["space"], written["psnr"]) == (4, "rgb", None)
    assert written["ssim"] == pytest.approx(1)
    assert written["input_psnr"] == pytest.approx(report.input_psnr)


def test_progress_counts_pairs(pairs) -> None:
    calls: list[tuple[int, int]] = []
    evaluate(lambda photo: photo, pairs, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_bad_pairs_are_refused(pairs, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected at least one pair of photos to evaluate, got none"):
        evaluate(lambda photo: photo, [])
    Image.fromarray(np.zeros((20, 32, 3), np.uint8)).save(tmp_path / "small.png")
    with pytest.raises(ValueError, match=r"a_1.png is 32x24 but its target small.png is 32x20: a pair must have"):
        evaluate(lambda photo: photo, [Pair(pairs[0].degraded, tmp_path / "small.png")])
    with pytest.raises(ValueError, match=r"expected two pictures of the same shape"):
        evaluate(lambda photo: torch.zeros(3, 8, 8), pairs)
