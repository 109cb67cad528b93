"""Crops are seeded and aligned, and folders that do not fit are told."""

from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import torch
from PIL import Image

from opir.data import TrainingPhotos, imagine_segment_depth, list_photos, pair_photos, read_bytes
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


def test_photos_of_phones_are_found_and_read(tmp_path: Path) -> None:
    pillow_heif.register_heif_opener()
    for name in ("a.HEIC", "b.avif", "c.jpg", "notes.txt"):
        picture = Image.fromarray(np.full((20, 30, 3), 90, np.uint8))
        picture.save(tmp_path / name, "JPEG" if name == "notes.txt" else None)
    found = list_photos(tmp_path)
    assert [path.name for path in found] == ["a.HEIC", "b.avif", "c.jpg"]
    for path in found:
        assert read_bytes(path).shape == (3, 20, 30)
        assert abs(read_bytes(path).float().mean() - 90) < 3


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


def test_segments_get_one_depth_each() -> None:
    labels = torch.tensor([[1, 1, 2, 2]] * 4, dtype=torch.uint8).repeat_interleave(8, 0).repeat_interleave(8, 1)
    depth = imagine_segment_depth(labels, np.random.default_rng(0))
    assert depth.shape == labels.shape
    left, right = depth[:, :15], depth[:, 17:]
    assert left.std(dim=1).max() < 1e-5
    assert not torch.allclose(left.mean(), right.mean())


def test_folders_that_do_not_fit_are_told(folder: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        list_photos(folder / "gone")
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="no photos in .*empty: expected files ending in"):
        list_photos(folder / "empty")
    write(folder / "input", "7_rain.png", noise(0))
    with pytest.raises(ValueError, match='no target for 7_rain.png in .*: expected "7_rain" or "7"'):
        pair_photos(folder / "input", folder / "clean")


def test_targets_may_be_named_by_the_part_before_the_underscore(folder: Path) -> None:
    write(folder / "input", "2_rain.png", noise(0))
    assert [target.name for _, target in pair_photos(folder / "input", folder / "clean")] == ["2.png"]
