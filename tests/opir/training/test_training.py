"""Training: that it learns, that it goes on exactly where it was cut off, and what its settings do."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from opir.config import OPIRConfig
from opir.model import OPIR
from opir.model.checkpoint import CheckpointError, load_model, save_model
from opir.model.record import training_record
from opir.tasks import Task
from opir.training.config import Phase, TrainingConfig, load_training_config
from opir.training.feed import Feed
from opir.training.loop import Trainer, rate_factor, train
from tests.conftest import make_picture


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of small clean photos."""
    folder = tmp_path / "clean"
    folder.mkdir()
    for seed in range(5):
        pixels = (make_picture(60, 70, seed)[0].permute(1, 2, 0) * 255).byte().numpy()
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def settings(tmp_path: Path, photos: Path, tiny_config: OPIRConfig) -> TrainingConfig:
    """A run of twelve tiny steps."""
    path = tmp_path / "run.toml"
    path.write_text("steps = 12\n[data]\n[[phases]]\ncrop = 32\nbatch = 4\n")
    config = load_training_config(
        path, [f"data.clean={photos}", f"output={tmp_path / 'run'}", "learning_rate=0.01", "precision=fp32"]
    )
    return replace(config, model=tiny_config)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_that_was_cut_off_ends_as_one_that_was_not(
    settings: TrainingConfig, tmp_path: Path, optimizer: str
) -> None:
    settings = replace(settings, optimizer=optimizer)
    whole = train(replace(settings, output=str(tmp_path / "whole")))
    first = Trainer(settings)
    for _ in range(5):
        first._train_step()
        first.state.step += 1
    first._save()
    unfinished = tmp_path / "run" / f".state.safetensors.{'0' * 32}.part"
    unfinished.touch()  # as a process leaves it that is killed while it saves
    resumed = Trainer(settings)
    assert resumed.state.step == 5
    joined = resumed.run()
    assert not unfinished.exists()
    expected, info = load_model(whole)
    model, _ = load_model(joined)
    assert info.metadata["step"] == 12
    for old, new in zip(expected.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(new, old, rtol=1e-4, atol=1e-5)
    assert (tmp_path / "run" / "state.safetensors").is_file()


def test_learns_and_logs(settings: TrainingConfig, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = replace(
        settings,
        steps=60,
        learning_rate=0.004,
        data=replace(settings.data, validation=str(photos), rain=0, snow=0, untouched=0),
        validate_every_steps=20,
        ema_decay=0.8,
    )
    train(config)
    records = [json.loads(line) for line in (Path(config.output) / "log.jsonl").read_text().splitlines()]
    losses = [record["stage2"] for record in records if record["kind"] == "train"]
    validations = [record for record in records if record["kind"] == "validation"]
    assert len(losses) == len(validations) == 3
    assert validations[-1]["haze/stage2"] > validations[-1]["haze/input"]
    assert list((Path(config.output) / "tensorboard").iterdir())
    with Image.open(Path(config.output) / "validation.png") as picture:
        assert picture.size == (3 * 60, 3 * 60)  # given, restored, truth of rain, snow and haze
    assert f"step 60: rain {validations[-1]['rain/input']:.1f} → " in capsys.readouterr().err
    _, info = load_model(Path(config.output) / "model.safetensors")
    assert info.metadata["metrics"]["haze/stage2"] == pytest.approx(validations[-1]["haze/stage2"], abs=1e-3)
    assert info.metadata["data"].startswith(f"{len(list(photos.iterdir()))} clean photos")


def test_a_run_of_an_earlier_version_is_not_begun_anew_without_a_word(settings: TrainingConfig) -> None:
    (Path(settings.output) / "state").mkdir(parents=True)
    with pytest.raises(CheckpointError, match="of an earlier version, which can not go on; remove it to start anew"):
        Trainer(settings)


def test_stops_after_the_given_time(settings: TrainingConfig) -> None:
    config = replace(settings, stop_after_minutes=1e-9)
    _, info = load_model(train(config))
    assert info.metadata["step"] == 1


def test_what_is_interrupted_is_kept_and_says_how_to_go_on(
    settings: TrainingConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = Trainer(settings)
    train_step = trainer._train_step

    def interrupted() -> dict[str, torch.Tensor]:
        if trainer.state.step == 3:
            raise KeyboardInterrupt
        return train_step()

    monkeypatch.setattr(trainer, "_train_step", interrupted)
    _, info = load_model(trainer.run())
    assert info.metadata["step"] == 3
    assert "stopped at step 3; the same command goes on from there" in capsys.readouterr().err
    assert Trainer(settings).state.step == 3


def test_batches_drawn_ahead_as_for_a_gpu_are_the_same(settings: TrainingConfig, tmp_path: Path) -> None:
    plain = Trainer(replace(settings, steps=3))
    ahead = Trainer(replace(settings, steps=3, output=str(tmp_path / "ahead")))
    with ThreadPoolExecutor(1) as ahead._drawing_thread:
        assert_equal_weights(load_file(plain.run()), load_file(ahead.run()))


def test_compiled_stages_are_one_program_and_learn_the_same(
    settings: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = load_file(train(replace(settings, steps=2)))
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))  # traced, not translated
    compiled = load_file(train(replace(settings, steps=2, compiled=True, output=str(tmp_path / "compiled"))))
    assert_equal_weights(plain, compiled)


def assert_equal_weights(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        torch.testing.assert_close(values, other[name], rtol=1e-5, atol=1e-6)


def test_starts_from_given_weights_of_the_same_model(settings: TrainingConfig, tmp_path: Path) -> None:
    weights = train(replace(settings, output=str(tmp_path / "before"), steps=2))
    started = Trainer(replace(settings, start_from=str(weights)))
    expected, _ = load_model(weights)
    for old, new in zip(expected.parameters(), started.model.parameters(), strict=True):
        assert torch.equal(old, new)
    other = replace(settings, start_from=str(weights), model=replace(settings.model, width=4))
    with pytest.raises(ValueError, match="does not fit: a model to start from must not be larger"):
        Trainer(other)


def test_runs_that_led_to_weights_are_recorded_in_them(settings: TrainingConfig, tmp_path: Path) -> None:
    first = train(replace(settings, output=str(tmp_path / "first"), steps=2))
    second = replace(settings, output=str(tmp_path / "second"), start_from=str(first), steps=3)
    for steps in (1, 3):  # stopped, and gone on
        _, info = load_model(train(replace(second, steps=steps)))
        assert [run["step"] for run in info.metadata["history"]] == [2, steps]
    record = training_record(info.metadata)
    assert record is not None
    assert (record.steps, record.num_runs, record.is_whole) == (5, 2, True)


def test_the_rate_warms_up_and_falls_to_its_end() -> None:
    config = TrainingConfig(steps=1000, warmup_steps=10)
    factors = [rate_factor(config, step, config.share_done(step, 0)) for step in range(1001)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == pytest.approx(1)
    assert factors[-1] == pytest.approx(0)
    assert all(late <= early for early, late in pairwise(factors[10:]))


def test_a_schedule_by_the_clock_ends_on_time() -> None:
    config = TrainingConfig(steps=1000, minutes=2, phases=(Phase(until=0.5, num_stages=1), Phase()))
    assert config.share_done(10, 30) == pytest.approx(0.25)
    assert config.share_done(999, 30) == pytest.approx(0.999)
    assert config.share_done(10, 500) == 1
    assert config.phase(config.share_done(1, 59)).num_stages == 1
    assert config.phase(config.share_done(1, 61)).num_stages == 2
    assert rate_factor(config, 10, 1.0) == pytest.approx(0)


def test_a_phase_may_have_its_own_shares_of_the_tasks() -> None:
    config = TrainingConfig(phases=(Phase(until=0.5, shares=(3, 2, 1, 0)), Phase()))
    assert config.task_shares(config.phase(0.4)) == {Task.RAIN: 3, Task.SNOW: 2, Task.HAZE: 1, Task.CLEAN: 0}
    assert config.task_shares(config.phase(0.6)) == config.data.task_shares
    with pytest.raises(ValueError, match="must be 4 numbers"):
        Phase(shares=(1, 2))


def test_weights_to_start_from_keep_their_second_stage(settings: TrainingConfig, tmp_path: Path) -> None:
    phases = (replace(settings.phases[0], until=0.5, num_stages=1), replace(settings.phases[0], num_stages=2))
    stages = replace(settings, phases=phases, steps=2, learning_rate=0.0)
    model = OPIR(settings.model)
    nn.init.normal_(model.task_modulators[1].output.weight)
    start = tmp_path / "start.safetensors"
    save_model(model, start, {})
    for name, kept in (("", False), (str(start), True)):
        config = replace(stages, start_from=name, output=str(tmp_path / f"run-{kept}"))
        trained, _ = load_model(train(config))
        same = torch.equal(trained.task_modulators[1].output.weight, model.task_modulators[1].output.weight)
        assert same == kept


def test_a_run_by_the_clock_stops(settings: TrainingConfig) -> None:
    _, info = load_model(train(replace(settings, steps=10**9, minutes=1e-9)))
    assert info.metadata["step"] == 1


def test_two_processes_learn_as_one_does(settings: TrainingConfig, tmp_path: Path, photos: Path) -> None:
    """The same command under torchrun, over gloo, gives the same loss curve.

    Without clean crops, of which the most harmed in a process's part of the batch counts most.
    """
    model = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.model.to_dict().items())
    path = tmp_path / "shards.toml"
    path.write_text(
        "steps = 20\nshards = 2\nprecision = 'fp32'\n[data]\nuntouched = 0\n"
        f"[model]\n{model}\n[[phases]]\ncrop = 32\nbatch = 4\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    curves = []
    for processes in (1, 2):
        output = tmp_path / f"with-{processes}"
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"] if processes == 2 else []
        command = [
            sys.executable,
            *launcher,
            "-m",
            "opir",
            "train",
            str(path),
            f"data.clean={photos}",
            f"output={output}",
        ]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        records = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
        model_file, _ = load_model(output / "model.safetensors")
        curves.append((records[0], [parameter.detach() for parameter in model_file.parameters()]))
    (one, one_weights), (two, two_weights) = curves
    for name in ("loss", "stage1", "stage2", "task", "uncertainty"):
        assert two[name] == pytest.approx(one[name], rel=2e-3, abs=2e-5)
    for alone, shared in zip(one_weights, two_weights, strict=True):
        torch.testing.assert_close(shared, alone, rtol=1e-2, atol=1e-3)


def test_a_batch_that_can_not_be_shared_is_told(settings: TrainingConfig) -> None:
    with pytest.raises(ValueError, match="batch=4 must be a multiple of the 3 shards"):
        Trainer(replace(settings, shards=3))


def test_some_steps_take_few_large_crops(settings: TrainingConfig) -> None:
    phase = Phase(crop=32, batch=8, large_every=3)
    assert [phase.sizes(step) for step in range(4)] == [(64, 2, 1), (32, 8, 1), (32, 8, 1), (64, 2, 1)]
    feed = Feed(replace(settings, phases=(phase,)), torch.device("cpu"))
    assert [tuple(feed.draw(phase, step)[0].degraded.shape) for step in (3, 4)] == [(2, 3, 64, 64), (8, 3, 32, 32)]
    with pytest.raises(ValueError, match="batch=4 must be a multiple of the 2 shards .* a quarter of it"):
        Trainer(replace(settings, shards=2, phases=(replace(phase, batch=4),)))


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("stepz = 3", [], "unknown setting stepz in .*: expected some of .*steps"),
        ("[data]\nclaen = 'x'", [], r"unknown setting claen in \[data\]"),
        ("steps = ", [], "is not valid TOML"),
        ("steps = 3", [], "names no photos to train on: set data.clean=FOLDER"),
        ("steps = 3", ["data.clean"], 'expected key=value such as steps=1000 .*, got "data.clean"'),
        ("[model]\npreset = 'huge'", [], 'unknown preset "huge"'),
        ("optimizer = 'sgd'", [], 'optimizer must be "adamw" or "muon", got "sgd"'),
    ],
)
def test_wrong_settings_are_told(tmp_path: Path, text: str, overrides: list[str], message: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_training_config(path, overrides)


def test_missing_settings_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such configuration"):
        load_training_config(tmp_path / "gone.toml")


def test_shipped_configurations_are_valid() -> None:
    for path in sorted((Path(__file__).parents[3] / "configs").glob("*.toml")):
        load_training_config(path, ["data.clean=photos"])
