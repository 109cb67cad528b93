"""Published data sets are found by name in every layout that they are handed around in."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from opir.data.pairs import pair_photos
from opir.data.published import LAYOUTS, find_folders, find_pairs
from opir.tasks import Task
from opir.training.batch import TrainingBatch
from opir.training.batches import BatchSource
from opir.training.config import DataConfig, load_training_config
from opir.training.pictures import list_pictures

CONFIGS = Path(__file__).parents[3] / "configs"


def _batch(data: DataConfig, size: int, side: int, shares: list[float] | None = None) -> TrainingBatch:
    source = BatchSource(list_pictures(data).decode(), data, torch.device("cpu"))
    return source.draw(shares or list(data.task_shares.values()), size, side, seed=0)


def _write(path: Path, level: int = 90, size: tuple[int, int] = (40, 36)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).save(path)


@pytest.mark.parametrize(
    ("name", "folders"), [(name, folders) for name, layout in LAYOUTS.items() for folders in layout.folders]
)
def test_every_layout_is_found(tmp_path: Path, name: str, folders: tuple[str, str]) -> None:
    inputs, targets = folders
    given = "rain-001.png" if "norain" in targets else "1405_0.8_0.2.jpg"
    truth = "norain-001.png" if "norain" in targets else "1405.png"
    _write(_in(tmp_path / inputs, given))
    _write(_in(tmp_path / targets, truth))
    assert find_folders(name, tmp_path)[:3] == (LAYOUTS[name].task, tmp_path / inputs, tmp_path / targets)
    assert [(pair.degraded.name, pair.clean.name) for pair in find_pairs(name, tmp_path)] == [(given, truth)]


def test_a_stated_part_of_a_set_has_its_scenes_only(tmp_path: Path) -> None:
    for number in (1400, 1401, 1405):
        _write(tmp_path / "SOTS" / "indoor" / "hazy" / f"{number}_1.png")
        _write(tmp_path / "SOTS" / "indoor" / "gt" / f"{number}.png")
    found = [pair.clean.stem for pair in find_pairs("SOTS-indoor-10scenes", tmp_path)]
    assert found == ["1400", "1405"]
    assert len(find_pairs("SOTS-indoor", tmp_path)) == 3


def _in(folder: Path, name: str) -> Path:
    return folder.with_name(name) if "*" in folder.name else folder / name


@pytest.mark.parametrize(
    ("name", "given", "truth"),
    [
        ("Rain100L", "rain-001.png", "norain-001.png"),
        ("Rain100L", "rain/norain-001x2.png", "norain/norain-001.png"),
        ("Rain100L", "rainy/rain-001.png", "norain-001.png"),
        ("SOTS-indoor", "SOTS/indoor/hazy/1400_1.png", "SOTS/indoor/gt/1400.png"),
        ("SOTS-indoor", "hazy/1400_10.png", "gt/1400.png"),
        ("SOTS-outdoor", "outdoor/hazy/0001_0.8_0.2.jpg", "outdoor/gt/0001.png"),
        (
            "Snow100K-test",
            "Snow100K-L/synthetic/beautiful_smile_00001.jpg",
            "Snow100K-L/gt/beautiful_smile_00001.jpg",
        ),
        ("CSD-test", "Test/Snow/1.tif", "Test/Gt/1.tif"),
    ],
)
def test_names_that_the_authors_gave_are_known(tmp_path: Path, name: str, given: str, truth: str) -> None:
    _write(tmp_path / given)
    _write(tmp_path / truth)
    assert [(pair.degraded, pair.clean) for pair in find_pairs(name, tmp_path)] == [
        (tmp_path / given, tmp_path / truth)
    ]


@pytest.mark.parametrize("name", ["ITS", "SOTS-indoor"])
def test_indoor_truths_of_reside_are_cut_to_what_the_hazy_photos_show(tmp_path: Path, name: str) -> None:
    inputs, targets = (tmp_path / folder for folder in LAYOUTS[name].folders[0])
    _write(inputs / "1_1.png", size=(620, 460))
    truth = Image.new("RGB", (640, 480))
    truth.paste((90, 90, 90), (10, 10, 630, 470))
    targets.mkdir(parents=True)
    truth.save(targets / "1.png")
    (pair,) = find_pairs(name, tmp_path)
    degraded, clean = pair.read()
    assert degraded.shape == clean.shape == (3, 460, 620)
    assert torch.equal(degraded, clean)
    batch = _batch(DataConfig(sets=((name, str(tmp_path)),)), 4, 460, [0, 0, 1, 0])
    assert torch.equal(batch.clean, batch.degraded)
    with pytest.raises(ValueError, match="1_1.png is 620x460 but its target 1.png is 640x480"):
        pair_photos(inputs, targets)  # which set it is was not said
    _write(inputs / "1_1.png", size=(600, 460))
    with pytest.raises(ValueError, match=r"1_1.png is 600x460 but its target 1.png, cut, is 620x460"):
        find_pairs(name, tmp_path)


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='unknown data set "Rain100": expected one of Rain13K, Rain100L'):
        find_folders("Rain100", tmp_path)
    with pytest.raises(
        ValueError, match="SOTS-indoor is not in .*: expected there SOTS/indoor/hazy and SOTS/indoor/gt"
    ):
        find_folders("SOTS-indoor", tmp_path)
    _write(tmp_path / "hazy" / "7_1.png")
    _write(tmp_path / "clear" / "8.png")
    with pytest.raises(ValueError, match="no target for 7_1.png"):
        find_pairs("ITS", tmp_path)


def test_the_papers_all_in_one_run_draws_from_every_set(tmp_path: Path) -> None:
    config = load_training_config(CONFIGS / "paper_all_in_one.toml", ["data.sets=[]", f"data.clean={tmp_path}"])
    named = load_training_config(CONFIGS / "paper_all_in_one.toml").data.sets
    assert (config.steps, config.phases[0].batch, config.phases[0].crop) == (400_000, 32, 256)
    assert (config.learning_rate, config.final_learning_rate, config.optimizer) == (2e-4, 1e-7, "adamw")
    sets = []
    for number, (name, _) in enumerate(named):
        inputs, targets = LAYOUTS[name].folders[0]
        root = tmp_path / str(number)
        _write(root / inputs / "a.png", 200)
        _write(root / targets / "a.png", 60)
        sets.append((name, str(root)))
    overrides = ["data.sets=" + str([list(pair) for pair in sets]).replace("'", '"')]
    data = load_training_config(CONFIGS / "paper_all_in_one.toml", overrides).data
    batch = _batch(data, 12, 32)
    assert sorted(set(batch.tasks.tolist())) == [Task.RAIN, Task.SNOW, Task.HAZE]
    assert batch.degraded.mean() == pytest.approx(200 / 255, abs=0.01)
    assert batch.clean.mean() == pytest.approx(60 / 255, abs=0.01)


@pytest.mark.parametrize("task", ["rain", "snow", "haze"])
def test_a_single_task_run_needs_its_own_set_only(tmp_path: Path, task: str) -> None:
    ((name, _),) = load_training_config(CONFIGS / f"paper_{task}.toml").data.sets
    inputs, targets = LAYOUTS[name].folders[0]
    _write(tmp_path / inputs / "a.png", 200)
    _write(tmp_path / targets / "a.png", 60)
    data = load_training_config(CONFIGS / f"paper_{task}.toml", [f'data.sets=[["{name}", "{tmp_path}"]]']).data
    assert set(_batch(data, 3, 32).tasks.tolist()) == {Task.parse(task)}
    with pytest.raises(ValueError, match="no photos to train"):
        _batch(data, 3, 32, [float(other is not Task.parse(task)) for other in Task])
