"""Crops are seeded and aligned, and folders that do not fit are told."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.data.crops import TrainingPhotos, imagine_segment_depth
from opir.photo.beside.exif import ORIENTATION
from opir.tasks import Task

SHARES = {Task.RAIN: 1.0, Task.SNOW: 1.0, Task.HAZE: 1.0, Task.CLEAN: 1.0}


def write(folder: Path, name: str, pixels: np.ndarray) -> None:  # type: ignore[type-arg]
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / name)


def noise(seed: int, height: int = 50, width: int = 64) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(seed).integers(10, 255, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index in range(3):
        write(tmp_path / "clean", f"{index}.png", noise(index))
    return tmp_path


def test_batches_depend_on_the_seed_alone(folder: Path) -> None:
    first = TrainingPhotos(folder / "clean").batch(SHARES, 8, 24, seed=7)
    again = TrainingPhotos(folder / "clean").batch(SHARES, 8, 24, seed=7)
    other = TrainingPhotos(folder / "clean").batch(SHARES, 8, 24, seed=8)
    assert torch.equal(first.clean, again.clean)
    assert torch.equal(first.tasks, again.tasks)
    assert not torch.equal(first.clean, other.clean)
    assert first.clean.shape == (8, 3, 24, 24)
    assert sorted(first.tasks.tolist()) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_pairs_are_cut_alike(folder: Path) -> None:
    for index in range(3):
        write(folder / "input", f"{index}.png", noise(index) // 2)
    photos = TrainingPhotos(folder / "clean", pairs=[(Task.RAIN, folder / "input", folder / "clean")], pair_share=1.0)
    batch = photos.batch({Task.RAIN: 1.0}, 6, 24, seed=0)
    assert bool(batch.has_pair.all())
    torch.testing.assert_close(batch.paired, batch.clean / 2, rtol=0, atol=1.5 / 255)


def test_depth_is_cut_with_its_photo_and_holes_are_filled(folder: Path) -> None:
    for index in range(3):
        depth = noise(index)[..., 0].astype(np.uint16) * 10
        depth[10:14, 20:24] = 0
        write(folder / "depth", f"{index}.png", depth)
    photos = TrainingPhotos(folder / "clean", depths=[(folder / "clean", folder / "depth")], depth_share=1.0)
    batch = photos.batch({Task.HAZE: 1.0}, 4, 50, seed=1)
    assert batch.depth.shape == (4, 1, 50, 50)
    assert bool((batch.depth > 0).all())
    red = batch.clean[:, 0].flatten(1)
    correlation = [np.corrcoef(a, b)[0, 1] for a, b in zip(red.numpy(), batch.depth.flatten(1).numpy(), strict=True)]
    assert min(correlation) > 0.9


def test_hazy_crops_show_most_of_the_scene(folder: Path) -> None:
    height, width = 120, 160
    across = np.broadcast_to(np.linspace(10, 250, width), (height, width)).astype(np.uint8)
    write(folder / "wide", "0.png", np.repeat(across[..., None], 3, axis=2))
    photos = TrainingPhotos(folder / "wide", haze_part=0.75, turn_share=0)

    def spans(task: Task) -> torch.Tensor:
        crops = photos.batch({task: 1.0}, 16, 40, seed=3).clean[:, 0]
        return (crops.amax(dim=(1, 2)) - crops.amin(dim=(1, 2))) / (240 / 255) * width  # of the photo's pixels

    hazy, rainy = spans(Task.HAZE), spans(Task.RAIN)
    assert float(hazy.min()) >= 0.75 * height - 8
    assert float(hazy.max()) <= height
    assert int((rainy < 44).sum()) >= 3  # at the photo's own resolution
    assert float(rainy.max()) > 44


def test_photos_are_trained_on_as_they_are_shown(tmp_path: Path) -> None:
    """A turned photo is turned, and one of 16 bits is not clipped to its brightest 256 values."""
    deep, turned = tmp_path / "deep", tmp_path / "turned"
    write(deep, "0.png", np.full((40, 40), 128 * 257, np.uint16))
    batch = TrainingPhotos(deep).batch({Task.CLEAN: 1.0}, 1, 32, seed=0)
    assert batch.clean.mean() == pytest.approx(128 / 255, abs=1e-4)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    turned.mkdir()
    Image.fromarray(np.linspace(0, 255, 50).astype(np.uint8)[None].repeat(50, 0)).save(turned / "0.png", exif=exif)
    (upright,) = TrainingPhotos(turned, turn_share=0).batch({Task.CLEAN: 1.0}, 1, 50, seed=0).clean
    assert upright.std(dim=2).max() < 0.02  # a row was a column
    assert upright.std(dim=1).min() > 0.2


def test_segments_get_one_depth_each() -> None:
    labels = torch.tensor([[1, 1, 2, 2]] * 4, dtype=torch.uint8).repeat_interleave(8, 0).repeat_interleave(8, 1)
    depth = imagine_segment_depth(labels, np.random.default_rng(0))
    assert depth.shape == labels.shape
    left, right = depth[:, :15], depth[:, 17:]
    assert left.std(dim=1).max() < 1e-5
    assert not torch.allclose(left.mean(), right.mean())


def test_a_broken_photo_does_not_stop_a_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(tmp_path / name)
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])  # its header is sound
    photos = TrainingPhotos(tmp_path)
    for seed in range(4):
        assert photos.batch({Task.RAIN: 1.0}, 4, 16, seed).clean.shape == (4, 3, 16, 16)
    assert caplog.text.count("left out: b.png: expected a whole PNG file") == 1
    for name in ("a.png", "c.png"):
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="expected a whole PNG file"):
        TrainingPhotos(tmp_path).batch({Task.RAIN: 1.0}, 4, 16, 0)
