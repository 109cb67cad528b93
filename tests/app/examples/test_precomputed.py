"""Stored results: close to what was computed, and never shown for other weights or photos."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.examples import precomputed
from app.examples.examples import CAPTIONS, Examples, main
from app.tabs.clean_actions import Actions
from opir.evaluation.metrics import psnr
from opir.inference.restorer import Restorer


def test_a_stored_result_is_that_of_the_model(examples: Examples, restorer: Restorer, actions: Actions) -> None:
    stored = examples.result(examples.photos[0], actions.runner)
    computed = restorer.restore(examples.photos[0], scale_weights=True)
    assert psnr(stored.restored_rgb, computed.restored_rgb) > 40
    assert psnr(stored.stage1_rgb, computed.stage1_rgb) > 40
    assert np.abs(stored.uncertainty - computed.uncertainty).mean() < 0.05
    assert np.abs(stored.scale_weights - computed.scale_weights).mean() < 0.05
    np.testing.assert_allclose(stored.scale_weights.sum(axis=0), 1, atol=5e-3)
    assert stored.task_probabilities == pytest.approx(computed.task_probabilities)
    np.testing.assert_allclose(stored.embed_stage1(), computed.embed_stage1(), atol=0.1)  # of a JPEG


def test_a_pixel_of_a_stored_result_is_exact(examples: Examples, restorer: Restorer, actions: Actions) -> None:
    stored = examples.result(examples.photos[0], actions.runner)
    computed = restorer.restore(examples.photos[0])
    np.testing.assert_allclose(stored.inspect(20, 30).after, computed.inspect(20, 30).after, atol=1e-5)


def test_levels_are_stored(restorer: Restorer, photo: Path, tmp_path: Path) -> None:
    computed = restorer.restore(photo, levels=(0, 2), scale_weights=True)
    precomputed.save(computed, photo, "0" * 64, tmp_path / "levels.npz")
    stored = precomputed.load(tmp_path / "levels.npz", photo, restorer.model, restorer.precision)
    assert [level.to_dict() for level in stored.levels] == [level.to_dict() for level in computed.levels]
    assert stored.scales == computed.scales == (1, 2, 4, 8)
    assert psnr(stored.restored_rgb, computed.restored_rgb) > 40
    assert stored.inspect(20, 30, level=2).before == pytest.approx(computed.inspect(20, 30, level=2).before)
    assert stored.inspect(20, 30, level=0).before == pytest.approx(
        computed.inspect(20, 30, level=0).before, abs=2 / 255
    )


def test_results_of_other_weights_or_photos_are_stale(examples: Examples, restorer: Restorer, tmp_path: Path) -> None:
    assert restorer.info is not None
    assert examples.stale(restorer.info) == []
    assert examples.stale(replace(restorer.info, sha256="0" * 64)) == examples.photos
    assert examples.stale(None) == examples.photos
    path = examples.result_path(examples.photos[0])
    assert not precomputed.fits(path, examples.photos[1], restorer.info.sha256)
    assert not precomputed.fits(tmp_path / "missing.npz", examples.photos[0], restorer.info.sha256)


def test_a_page_without_fresh_results_runs_the_model(restorer: Restorer, examples: Examples, tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(examples.photos[0].read_bytes())
    assert Actions(restorer, None, examples=examples).examples_are_ready
    assert not Actions(restorer, None, examples=Examples(tmp_path, {"one.jpg": "One"})).examples_are_ready


def test_another_file_is_refused_in_one_line(examples: Examples, restorer: Restorer, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", facts="{}")
    with pytest.raises(ValueError, match="expected the result of an example; run make examples"):
        precomputed.load(tmp_path / "other.npz", examples.photos[0], restorer.model, restorer.precision)


def test_the_check_names_what_is_out_of_date(restorer: Restorer) -> None:
    assert restorer.info is not None
    with pytest.raises(SystemExit, match=r"out of date: palace-rain\.jpg, .*; run make examples"):
        main(["--checkpoint", str(restorer.info.path), "--check"])


def test_twelve_shipped_examples_exist_and_their_results_are_small() -> None:
    shipped = Examples()
    assert len(CAPTIONS) == 12
    assert all(photo.is_file() for photo in shipped.photos)
    assert all(shipped.result_path(photo).stat().st_size < 4e6 for photo in shipped.photos)
