"""Training: what it minimises, that it learns, and that it goes on exactly where it was cut off."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from opir.checkpoints import load_model
from opir.config import OPIRConfig
from opir.model import OPIR
from opir.training.config import TrainingConfig, load_training_config
from opir.training.loop import Trainer, learning_rate, train
from opir.training.losses import LossWeights, edge_loss, frequency_loss, total_loss, uncertainty_loss
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


def test_a_run_that_was_cut_off_ends_as_one_that_was_not(settings: TrainingConfig, tmp_path: Path) -> None:
    whole = train(replace(settings, output=str(tmp_path / "whole")))
    first = Trainer(settings)
    for _ in range(5):
        first._train_step()
        first.state.step += 1
    first._save()
    resumed = Trainer(settings)
    assert resumed.state.step == 5
    joined = resumed.run()
    expected, info = load_model(whole)
    model, _ = load_model(joined)
    assert info.metadata["step"] == 12
    for old, new in zip(expected.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(new, old, rtol=1e-4, atol=1e-5)
    assert len(list((tmp_path / "run" / "state").glob("step-*"))) == 1


def test_learns_and_logs(settings: TrainingConfig, photos: Path) -> None:
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


def test_stops_after_the_given_time(settings: TrainingConfig) -> None:
    config = replace(settings, stop_after_minutes=1e-9)
    _, info = load_model(train(config))
    assert info.metadata["step"] == 1


def test_starts_from_given_weights_of_the_same_model(settings: TrainingConfig, tmp_path: Path) -> None:
    weights = train(replace(settings, output=str(tmp_path / "before"), steps=2))
    started = Trainer(replace(settings, start_from=str(weights)))
    expected, _ = load_model(weights)
    for old, new in zip(expected.parameters(), started.model.parameters(), strict=True):
        assert torch.equal(old, new)
    other = replace(settings, start_from=str(weights), model=replace(settings.model, width=4))
    with pytest.raises(ValueError, match="holds another model than this run trains"):
        Trainer(other)


def test_learning_rate_warms_up_and_falls_to_its_end() -> None:
    config = TrainingConfig(steps=1000, warmup_steps=10, learning_rate=1e-3, final_learning_rate=1e-7)
    rates = [learning_rate(config, step) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-4)
    assert max(rates) == pytest.approx(1e-3)
    assert rates[-1] == pytest.approx(1e-7)
    assert all(late <= early for early, late in zip(rates[10:], rates[11:], strict=False))


def test_losses_vanish_only_at_the_truth() -> None:
    clean = make_picture(24, 24)
    assert float(edge_loss(clean, clean)) == pytest.approx(1e-3)
    assert float(frequency_loss(clean, clean)) == 0
    assert float(edge_loss(clean + 0.1, clean)) == pytest.approx(1e-3, rel=1e-2)
    assert float(frequency_loss(clean + 0.1, clean)) > 0


def test_uncertainty_loss_is_least_where_the_map_tells_the_error() -> None:
    clean = torch.zeros(1, 3, 4, 4)
    restored = clean + 0.08
    told = uncertainty_loss(torch.full((1, 1, 4, 4), 2.0), restored, clean)
    for wrong in (0.7, 1.4, 2.8, 5.0):
        assert told < uncertainty_loss(torch.full((1, 1, 4, 4), wrong), restored, clean)


def test_total_sums_over_the_stages(tiny_model: OPIR) -> None:
    clean = make_picture(32, 32)
    with torch.no_grad():
        result = tiny_model(clean * 0.5 + 0.3)
        weights = LossWeights(edge=0, frequency=0, task=0, uncertainty=0)
        total, parts = total_loss(result, clean, None, torch.tensor([0]), weights)
    torch.testing.assert_close(total, parts["stage1"] + parts["stage2"])


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("stepz = 3", [], "unknown setting stepz in .*: expected some of .*steps"),
        ("[data]\nclaen = 'x'", [], r"unknown setting claen in \[data\]"),
        ("steps = ", [], "is not valid TOML"),
        ("steps = 3", [], "names no photos to train on: set data.clean=FOLDER"),
        ("steps = 3", ["data.clean"], 'expected key=value such as steps=1000 .*, got "data.clean"'),
        ("[model]\npreset = 'huge'", [], 'unknown preset "huge"'),
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
