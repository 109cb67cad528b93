"""Crops are seeded, aligned and of the wanted size; pictures are read as they are shown, within memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.data.readers import DEPTH_UNIT, read_depth
from opir.photo.beside.exif import ORIENTATION
from opir.tasks import Task
from opir.training.batch import TrainingBatch, join_batches
from opir.training.batches import BatchSource
from opir.training.config import DataConfig, Phase, TrainingConfig
from opir.training.feed import Feed
from opir.training.pack import find_parts, read_pack, write_pack
from opir.training.pictures import TrainingPictures, list_pictures

CPU = torch.device("cpu")
RAIN, SNOW, HAZE, CLEAN, *_ = ([float(task is other) for other in Task] for task in Task)


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


def source_of(data: DataConfig) -> BatchSource:
    return BatchSource(list_pictures(data).decode(), data, CPU)


def same(one: TrainingBatch, other: TrainingBatch) -> bool:
    return torch.equal(one.degraded, other.degraded) and torch.equal(one.clean, other.clean)


def test_batches_depend_on_the_seed_alone(folder: Path) -> None:
    data = DataConfig(clean=str(folder / "clean"), plain=3)
    first, again = (source_of(data).draw([1, 1, 1, 1], 8, 24, seed=7, prototype_share=0.5) for _ in range(2))
    assert same(first, again)
    assert torch.equal(first.named, again.named)
    assert not same(first, source_of(data).draw([1, 1, 1, 1], 8, 24, seed=8))
    assert first.clean.shape == first.degraded.shape == (8, 3, 24, 24)
    assert first.tasks.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert first.counts == (2, 2, 2, 2)
    changed = (first.degraded - first.clean).abs().amax(dim=(1, 2, 3))
    assert changed[:6].max() > 0.1
    assert changed[6:].max() == 0


def test_batches_of_two_processes_are_one(folder: Path) -> None:
    source = source_of(DataConfig(clean=str(folder / "clean"), plain=2))
    parts = [source.draw([1, 1, 1, 1], 8, 24, seed=seed) for seed in (1, 2)]
    both = join_batches(parts)
    assert both.counts == (4, 4, 4, 4)
    assert both.tasks.tolist() == sorted(both.tasks.tolist())
    assert torch.equal(both.degraded[4:6], parts[0].degraded[2:4])
    assert torch.equal(both.degraded[6:8], parts[1].degraded[2:4])


def test_pairs_of_every_weather_are_cut_alike(folder: Path) -> None:
    for index in range(3):
        write(folder / "input", f"{index}.png", noise(index) // 2)
    inputs, targets = str(folder / "input"), str(folder / "clean")
    data = DataConfig(pairs=tuple((task, inputs, targets) for task in ("rain", "snow", "haze")), untouched=0)
    batch = source_of(data).draw(list(data.task_shares.values()), 9, 24, seed=0)
    assert batch.counts == (3, 3, 3, 0)
    torch.testing.assert_close(batch.degraded, batch.clean / 2, rtol=0, atol=1.5 / 255)
    mixed = replace(data, clean=targets, pair_share=0.5)
    batch = source_of(mixed).draw(SNOW, 8, 24, seed=0)
    halved = (batch.degraded - batch.clean / 2).abs().amax(dim=(1, 2, 3)) < 2 / 255
    assert halved.tolist() == [True] * 4 + [False] * 4
    with pytest.raises(ValueError, match="got pairs of clean"):
        list_pictures(DataConfig(pairs=(("clean", inputs, targets),)))


def test_haze_follows_the_depth_of_its_photo(folder: Path) -> None:
    across = np.linspace(5, 250, 64).astype(np.uint8)
    for index in range(3):
        write(folder / "depth", f"{index}.png", np.tile(across, (50, 1)))
    data = DataConfig(photos=((str(folder / "clean"), str(folder / "depth")),), haze_part=1.0, turn_share=0)
    batch = source_of(data).draw(HAZE, 24, 50, seed=1)
    spread = batch.degraded.std(dim=1).mean(dim=1)  # noise of colours that the veil hides
    near, far = spread[:, :8].mean(dim=1), spread[:, -8:].mean(dim=1)
    less = torch.minimum(near, far) / torch.maximum(near, far)  # some are mirrored
    assert less.mean() < 0.7


def test_photos_without_a_depth_get_haze_over_an_imagined_one(folder: Path) -> None:
    data = DataConfig(clean=str(folder / "clean"))
    batch = source_of(data).draw(HAZE, 8, 32, seed=1)
    assert (batch.degraded - batch.clean).abs().mean(dim=(1, 2, 3)).min() > 0.005
    assert list_pictures(data).left_out == (
        "no photo has a depth: haze and mist are drawn over imagined ones (data.photos names depths)",
    )


def test_depths_of_any_unit_are_read_and_holes_are_filled(tmp_path: Path) -> None:
    metres = np.tile(np.linspace(500, 4000, 64), (50, 1)).astype(np.uint16)
    metres[10:14, 20:24] = 0
    write(tmp_path, "0.png", metres)
    depth = read_depth(tmp_path / "0.png").float() * DEPTH_UNIT / 255
    assert depth.shape == (1, 50, 64)
    assert depth[..., -3:].mean() == pytest.approx(1.04, abs=0.03)
    assert depth[0, 12, 22] == pytest.approx(float(depth[0, 5, 22]), abs=0.15)


def test_hazy_crops_show_most_of_the_scene(folder: Path) -> None:
    height, width = 120, 160
    across = np.broadcast_to(np.linspace(10, 250, width), (height, width)).astype(np.uint8)
    write(folder / "wide", "0.png", np.repeat(across[..., None], 3, axis=2))
    data = DataConfig(clean=str(folder / "wide"), haze_part=0.75, turn_share=0)
    source = source_of(data)

    def sides(counts: tuple[int, int, int, int]) -> np.ndarray:  # type: ignore[type-arg]
        return source._windows(np.array(counts), 40, np.random.default_rng(3)).side

    hazy, rainy = sides((0, 0, 16, 0)), sides((16, 0, 0, 0))
    assert hazy.min() >= 0.75 * height
    assert hazy.max() <= height
    assert (rainy == 40).sum() >= 3  # at the photo's own resolution
    assert rainy.max() > 44


def test_photos_are_trained_on_as_they_are_shown(tmp_path: Path) -> None:
    """A turned photo is turned, and one of 16 bits is not clipped to its brightest 256 values."""
    deep, turned = tmp_path / "deep", tmp_path / "turned"
    write(deep, "0.png", np.full((40, 40), 128 * 257, np.uint16))
    (photo,) = list_pictures(DataConfig(clean=str(deep))).decode().photos
    assert photo.float().mean() == pytest.approx(128, abs=0.1)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    turned.mkdir()
    Image.fromarray(np.linspace(0, 255, 50).astype(np.uint8)[None].repeat(50, 0)).save(turned / "0.png", exif=exif)
    (upright,) = list_pictures(DataConfig(clean=str(turned))).decode().photos
    assert upright.float().std(dim=2).max() < 5  # a row was a column
    assert upright.float().std(dim=1).min() > 50


def test_of_more_than_has_room_a_part_is_drawn_anew_now_and_then(tmp_path: Path) -> None:
    for index in range(40):
        write(tmp_path / "large", f"{index}.png", np.full((50, 50, 3), 6 * index, np.uint8))
    for index in range(3):
        write(tmp_path / "small", f"{index}.png", np.full((50, 50), 9 * index, np.uint8))
    data = DataConfig(
        clean=str(tmp_path / "large"), streaks=str(tmp_path / "small"), memory_gb=1.3e-4, redraw_steps=5
    )

    def values(pictures: TrainingPictures) -> list[int]:
        return sorted(int(photo.float().mean()) for photo in pictures.photos)

    files = list_pictures(data)
    parts = [files.decode(data.memory_gb, number) for number in (0, 0, 1)]
    assert all(part.is_part and len(part.streaks) == 3 for part in parts)
    assert 5 < len(parts[0].photos) <= 13
    assert values(parts[0]) == values(parts[1])
    assert values(parts[0]) != values(parts[2])
    assert not files.decode().is_part
    config, phase = TrainingConfig(data=data), Phase(crop=24, batch=8)
    running = Feed(config, CPU)
    drawn = [running.draw(phase, step)[0] for step in range(7)]
    assert same(drawn[6], Feed(config, CPU, step=6).draw(phase, 6)[0])  # also of a run that goes on there
    assert "a part of what is there" in running.description


def test_a_broken_photo_does_not_stop_a_run(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = (folder / "clean" / "1.png").read_bytes()
    (folder / "clean" / "1.png").write_bytes(whole[: len(whole) // 2])  # its header is sound
    data = DataConfig(clean=str(folder / "clean"))
    assert len(list_pictures(data).decode().photos) == 2
    assert caplog.text.count("left out: 1.png: expected a whole PNG file") == 1
    for name in ("0.png", "2.png"):
        (folder / "clean" / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="none of the photos to train on could be read"):
        list_pictures(data).decode()


def test_what_is_not_there_is_left_out_and_told_where_that_is_allowed(folder: Path) -> None:
    data = DataConfig(clean=str(folder / "clean"), streaks=str(folder / "gone"), leave_out_missing=True)
    files = list_pictures(data)
    assert files.left_out[0] == f"not there, and left out of [data]: streaks ({folder / 'gone'})"
    assert len(files.decode().photos) == 3
    with pytest.raises(ValueError, match="no such folder: .*gone"):
        list_pictures(replace(data, leave_out_missing=False))
    with pytest.raises(ValueError, match="no such folder: .*typo"):
        list_pictures(replace(data, clean=str(folder / "typo")))


def test_a_tenth_of_a_folder_can_be_kept_aside(tmp_path: Path) -> None:
    for index in range(20):
        write(tmp_path / "clean", f"{index}.png", noise(index))
    files = list_pictures(
        DataConfig(
            clean=str(tmp_path / "clean"), keep_aside=8, validation=str(tmp_path / "gone"), leave_out_missing=True
        )
    )
    pictures = files.decode()
    assert (len(pictures.photos), len(pictures.validation)) == (18, 2)
    assert files.left_out[-1] == "2 of 20 clean photos are kept aside for validation"
    kept = pictures.validation[0][0]
    assert not any(torch.equal(kept, photo) for photo in pictures.photos)


def test_a_pack_holds_what_the_folders_do(folder: Path, tmp_path: Path) -> None:
    for index in range(3):
        write(folder / "depth", f"{index}.png", np.tile(np.linspace(5, 250, 64).astype(np.uint8), (50, 1)))
        write(folder / "input", f"{index}.png", noise(index) // 2)
        write(folder / "streaks", f"{index}.png", noise(index)[..., 0] // 4)
    data = DataConfig(
        photos=((str(folder / "clean"), str(folder / "depth")), (str(folder / "input"), "")),
        pairs=(("snow", str(folder / "input"), str(folder / "clean")),),
        streaks=str(folder / "streaks"),
        fields=str(folder / "depth"),
        validation=str(folder / "clean"),
        validation_depth=str(folder / "depth"),
        validation_plain=str(folder / "input"),
        plain=2,
    )
    paths = write_pack(data, tmp_path / "pack", part_bytes=30_000)
    assert len(paths) > 1
    packed, read = read_pack(find_parts([str(tmp_path / "pack")])), list_pictures(data).decode()
    assert packed.describe() == read.describe()
    assert sum(depth is not None for depth in packed.depths) == 3
    assert len(packed.photos) == 6
    assert torch.equal(packed.validation[0][0], read.validation[0][0])
    assert [len(lists) for lists in packed.pairs[Task.SNOW]] == [3, 3]
    assert len(packed.validation_plain) == 3
    batch = BatchSource(packed, data, CPU).draw([1, 1, 1, 1], 8, 24, seed=0)
    assert batch.degraded.shape == (8, 3, 24, 24)
    with pytest.raises(ValueError, match=r"no pack-\*\.zip in .*: make one with python -m opir\.training\.pack"):
        find_parts([str(folder)])
