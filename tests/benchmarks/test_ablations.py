"""Trained comparisons: variants are what they are called, cost what they should, train, stop and go on."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from benchmarks.ablations import running
from benchmarks.ablations.ancestor import Ancestor, ConcatPredictor, signed_mean
from benchmarks.ablations.budget import BUDGETS, Budget
from benchmarks.ablations.measuring import _RestoringModel
from benchmarks.ablations.residual import ResidualRestorer
from benchmarks.ablations.running import Job, make_jobs, run_job, run_jobs, training_config
from benchmarks.ablations.timing import seconds_per_step
from benchmarks.ablations.variants import TABLES, VARIANTS, count_multiply_adds, variants_of
from opir.model import OPIR
from opir.ops.filtering import filter_multiscale
from opir.ops.uncertainty import uncertainty_map
from opir.training.loop import Trainer
from tests.conftest import make_picture, randomise

TWO_STEPS = Budget("two-steps", 2, 16, 4, 2, 4, 0.9, "fp32", 32)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three photos to train on, one to validate on."""
    folder = tmp_path_factory.mktemp("data")
    for name, count in (("train/clean", 3), ("validation/clean", 1)):
        (folder / name).mkdir(parents=True)
        for seed in range(count):
            pixels = (make_picture(40, 48, seed)[0].permute(1, 2, 0) * 255).byte().numpy()
            Image.fromarray(pixels).save(folder / name / f"{seed}.png")
    return folder


@pytest.mark.parametrize("name", VARIANTS)
def test_an_untrained_variant_returns_its_input(name: str) -> None:
    variant = VARIANTS[name]
    photo = make_picture(21, 30)
    with torch.no_grad():
        result = variant.build(variant.config(TWO_STEPS))(photo)
    torch.testing.assert_close(result.final.restored, photo, rtol=0, atol=1e-5)
    assert len(result.stages) == variant.config(TWO_STEPS).num_stages


def test_rows_of_table_5_add_one_thing_after_another() -> None:
    rows = {name: VARIANTS[name].config(TWO_STEPS) for name in "abcdef"}
    assert replace(rows["a"], task_aware=True) == rows["b"]
    assert replace(rows["a"], scales=(1, 2, 4, 8)) == rows["c"]
    assert replace(rows["c"], task_aware=True) == rows["d"]
    assert replace(rows["d"], num_stages=2) == rows["e"]
    assert replace(rows["e"], uncertainty_guided=True) == rows["f"] == TWO_STEPS.network


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS)
def test_the_residual_costs_what_the_operator_costs(budget: Budget) -> None:
    operator, residual = VARIANTS["c"], VARIANTS["residual"]
    ratio = count_multiply_adds(residual, budget, 64) / count_multiply_adds(operator, budget, 64)
    assert ratio == pytest.approx(1, abs=0.02)
    built = [variant.build(variant.config(budget)).kernel_predictor for variant in (operator, residual)]
    shapes = [
        {name: value.shape for name, value in predictor.named_parameters() if not name.startswith("head")}
        for predictor in built
    ]
    assert shapes[0] == shapes[1]


def test_a_residual_is_added_to_the_photo() -> None:
    model = randomise(ResidualRestorer(VARIANTS["residual"].config(TWO_STEPS))).eval()
    photo = make_picture(16, 24)
    with torch.no_grad():
        added = model(photo).final.restored - photo
        predictor = model.kernel_predictor
        expected = 0.1 * torch.pixel_shuffle(predictor.head(predictor.features(photo)), 2)
    torch.testing.assert_close(added, expected, rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="no kernels to modulate"):
        ResidualRestorer(TWO_STEPS.network)


def test_one_step_moves_a_photo_about_as_far_by_either_head() -> None:
    photo, moved = make_picture(32, 32), []
    for name in ("c", "residual"):
        torch.manual_seed(0)
        model = VARIANTS[name].build(VARIANTS[name].config(BUDGETS["small"]))
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        (model(photo).final.restored - 0.8 * photo).abs().mean().backward()
        optimizer.step()
        with torch.no_grad():
            moved.append(float((model(photo).final.restored - photo).abs().mean()))
    assert 1 / 3 < moved[1] / moved[0] < 3, moved


def test_the_ancestor_s_uncertainty_is_signed_and_for_each_colour() -> None:
    kernels = torch.zeros(1, 27, 1, 1)
    kernels[0, 4], kernels[0, 9], kernels[0, 10] = 1.0, 2.0, -2.0
    assert signed_mean(kernels).flatten().tolist() == [1.0, 0.0, 0.0]
    assert float(uncertainty_map(kernels)) == pytest.approx(5 / 3)


def test_the_ancestor_fuses_by_one_convolution_and_sees_its_map_beside_the_picture() -> None:
    model = randomise(Ancestor(VARIANTS["ancestor"].config(TWO_STEPS))).eval()
    assert isinstance(model, Ancestor)
    photo = make_picture(16, 24)
    with torch.no_grad():
        first, second = model(photo).stages
        weights = torch.ones(1, 1, 16, 24)
        pictures = [filter_multiscale(photo, first.kernels, weights, (scale,)) for scale in (1, 2, 3, 4)]
        torch.testing.assert_close(first.restored, model.fusion(pictures))
        seen = torch.cat([first.restored, signed_mean(first.kernels)], dim=1)
        kernels, _ = model.second_predictor(seen)
        torch.testing.assert_close(second.restored, filter_multiscale(first.restored, kernels, weights, (1,)))
    assert isinstance(model.second_predictor, ConcatPredictor)
    assert model.second_predictor.intro.out_channels < model.kernel_predictor.intro.out_channels
    with pytest.raises(ValueError, match="two stages"):
        Ancestor(VARIANTS["d"].config(TWO_STEPS))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_run_that_was_cut_off_goes_on_and_is_kept(
    name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(VARIANTS[name], 0, TWO_STEPS, data, tmp_path)
    cut_off = Trainer(replace(training_config(job), stop_after_minutes=1e-9), job.variant.build)
    cut_off.run()
    assert cut_off.state.step == 1
    steps: list[int] = []
    train_step = Trainer._train_step

    def counted(trainer: Trainer) -> Any:
        steps.append(trainer.state.step)
        return train_step(trainer)

    monkeypatch.setattr(Trainer, "_train_step", counted)
    (row,) = run_jobs([job], workers=1)
    assert steps == [1]
    assert row is not None
    assert (row["variant"], row["seed"], row["steps"]) == (name, 0, 2)
    weather = [row["tasks"][task] for task in ("rain", "snow", "haze")]
    assert row["psnr"] == pytest.approx(sum(scores["psnr"] for scores in weather) / 3, abs=1e-3)
    assert [scores["space"] for scores in weather] == ["y", "rgb", "rgb"]
    assert ("rank_correlation" in weather[0]) == job.variant.has_uncertainty_map
    assert [step for step, _ in row.get("curve", [])] == ([1, 2] if name in ("c", "residual") else [])
    assert run_job(job) == json.loads(json.dumps(row))
    assert steps == [1]


def test_a_run_that_another_machine_made_is_found_by_its_settings(data: Path, tmp_path: Path) -> None:
    job, other = (Job(VARIANTS["a"], 0, replace(TWO_STEPS, steps=steps), data, tmp_path) for steps in (2, 3))
    rows = [{"variant": "a", "seed": seed, "settings": job.fingerprint, "psnr": seed} for seed in (1, 0)]
    assert job.row_among(rows) == rows[1]
    assert other.row_among(rows) is None


def test_nothing_begins_after_the_deadline(data: Path, tmp_path: Path) -> None:
    assert run_job(Job(VARIANTS["a"], 0, TWO_STEPS, data, tmp_path, deadline=0.0)) is None
    assert not list(tmp_path.iterdir())


def test_progress_of_runs_side_by_side_goes_to_files(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(VARIANTS["a"], 0, TWO_STEPS, data, tmp_path)
    monkeypatch.setattr(running, "run_job", lambda _: print("half done", file=sys.stderr))
    running._run_quietly(job)
    assert (job.folder / "output.log").read_text() == "half done\n"


def test_a_step_is_timed(data: Path) -> None:
    assert 0 < seconds_per_step(VARIANTS["a"], TWO_STEPS, data) < 60


def test_every_variant_has_the_same_budget_and_a_folder_of_its_own(data: Path, tmp_path: Path) -> None:
    jobs = make_jobs(list(VARIANTS), TWO_STEPS, data, tmp_path)
    assert [job.seed for job in jobs] == [0] * len(VARIANTS) + [1] * len(VARIANTS)
    assert len({job.folder for job in jobs}) == len(jobs)
    assert replace(jobs[0], budget=replace(TWO_STEPS, steps=3)).folder != jobs[0].folder
    equal = {
        (
            config.steps,
            config.seed,
            config.learning_rate,
            tuple(config.data.task_shares.values()),
            *((phase.until, phase.crop, phase.batch) for phase in config.phases),
        )
        for config in map(training_config, jobs[: len(VARIANTS)])
    }
    assert len(equal) == 1
    shown = {variant.name for table in TABLES for variant in variants_of(table)}
    assert shown == set(VARIANTS)


def test_photos_that_are_missing_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected clean photos to train on in .*: name their folder with --data"):
        running.training_data(tmp_path)


def test_the_row_with_the_pyramid_is_trained_and_measured_with_levels(data: Path, tmp_path: Path) -> None:
    job = Job(VARIANTS["g"], 0, BUDGETS["trial"], data, tmp_path / "work")
    assert {phase.sizes(1)[2] for phase in training_config(job).phases} == {2}
    assert all(
        phase.sizes(step)[2] == 1
        for variant in VARIANTS.values()
        if variant.name != "g"
        for phase in training_config(replace(job, variant=variant)).phases
        for step in range(6)
    )
    model = OPIR(BUDGETS["trial"].network)
    photo = torch.rand(3, 300, 400)
    torch.testing.assert_close(_RestoringModel(model, torch.device("cpu"), pyramid=True)(photo), photo)
