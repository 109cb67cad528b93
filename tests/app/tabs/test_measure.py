"""Measuring a pair: the library's numbers, and plain errors."""

from pathlib import Path

import gradio as gr
import pytest
from PIL import Image

from app.look import words
from app.tabs.clean_actions import Actions
from app.tabs.measure import measure_pair
from opir.data.pairs import Pair
from opir.evaluation.scoring import evaluate, measure, measure_baselines
from opir.inference.restorer import Restorer
from opir.photo import load_photo
from opir.tasks import AUTO


@pytest.fixture
def pair(photo: Path, tmp_path: Path) -> tuple[str, str]:
    degraded = tmp_path / "wet.png"
    Image.open(photo).convert("RGB").point(lambda level: level // 2 + 90).save(degraded)
    return str(degraded), str(photo)


def test_scores_are_those_of_evaluate(actions: Actions, pair: tuple[str, str], restorer: Restorer) -> None:
    scores, error_map, uncertainty, _ = measure_pair(actions.runner, actions.visitors, *pair, AUTO)
    for space in ("rgb", "y"):
        report = evaluate(
            lambda photo: restorer.restore(photo).restored_rgb, [Pair(Path(pair[0]), Path(pair[1]))], space
        )
        for number in (f"{report.psnr:.2f} dB", f"{report.input_psnr:.2f} dB", f"{report.ssim:.4f}"):
            assert number in scores
    truth, degraded = (load_photo(path).rgb for path in reversed(pair))
    for method in measure_baselines(degraded, truth).values():
        assert f"{method['rgb'].psnr:.2f} dB" in scores
    assert Image.open(error_map).size == Image.open(uncertainty).size


def test_curves_meet_where_everything_is_kept(actions: Actions, pair: tuple[str, str], restorer: Restorer) -> None:
    *_, curves = measure_pair(actions.runner, actions.visitors, *pair, AUTO)
    last = curves[curves[words.CURVE_KEPT] == 100]
    assert set(last[words.CURVE_BY]) == {words.BY_UNCERTAINTY, words.BY_ERROR, words.BY_CHANCE}
    measured = measure(restorer.restore(pair[0]), load_photo(pair[1]))
    assert last[words.CURVE_ERROR].tolist() == pytest.approx([255 * measured.by_error[-1]] * 3)


def test_a_clean_photo_before_is_called_equal(actions: Actions, photo: Path) -> None:
    scores, *_ = measure_pair(actions.runner, actions.visitors, str(photo), str(photo), AUTO)
    assert words.EQUAL in scores


def test_sizes_that_differ_are_told_in_one_line(actions: Actions, photo: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "small.png")
    with pytest.raises(gr.Error) as raised:
        measure_pair(actions.runner, actions.visitors, str(photo), str(tmp_path / "small.png"), AUTO)
    assert raised.value.message == (
        "street 0.png is 96x72 but its target small.png is 40x30: a pair must have one size"
    )


def test_too_small_a_pair_and_a_missing_photo_are_told(actions: Actions, photo: Path, tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "tiny.png")
    with pytest.raises(gr.Error, match="at least 11x11"):
        measure_pair(actions.runner, actions.visitors, str(tmp_path / "tiny.png"), str(tmp_path / "tiny.png"), AUTO)
    with pytest.raises(gr.Error, match=words.NO_PAIR):
        measure_pair(actions.runner, actions.visitors, str(photo), None, AUTO)
