"""The short version of `make faults`: what breaks is told with its cure, and nothing is half written."""

import os
import resource
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.reliability.broken_checkpoints import broken_checkpoints
from benchmarks.reliability.workshop import Workshop, files_in, not_whole, unfinished, wait_until
from opir.cli.commands import main
from opir.cli.folder import RestoreOptions
from opir.cli.jobs import plan_jobs, run_jobs
from opir.inference.restorer import Restorer
from opir.model import OPIR
from opir.model.checkpoint import CheckpointError, load_model
from opir.training.state import RunState, load_state, save_state
from tests.conftest import TINIEST


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    workshop = Workshop(tmp_path_factory.mktemp("shop"))
    workshop.fill(8, height=60, width=80)
    return workshop


def run(command: list[str]) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(command[3:])  # without "python -m opir"
    return int(stopped.value.code or 0)


def test_a_killed_run_leaves_whole_results_and_is_resumed(shop: Workshop, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = shop.start(shop.command(out))
    wait_until(lambda: out.is_dir() and bool(files_in(out)), process)
    process.kill()
    process.communicate()
    assert [name for name in not_whole(out) if not name.endswith(".part")] == []
    (out / f".left.png.{'0' * 32}.part").write_bytes(b"half a photo")
    assert run(shop.command(out, "--skip-existing")) == 0
    assert files_in(out) == files_in(shop.photos)
    assert not_whole(out) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on files there")
def test_a_full_disk_is_told_with_its_cure(
    shop: Workshop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, kept[1]))  # room for the probe, and for no photo
    try:
        code = run(shop.command(out, "--format", "png"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    lines = capsys.readouterr().err.splitlines()
    assert code == 2
    assert len(lines) == 9
    assert all(line.startswith("opir: ") and "free some space" in line for line in lines[:8])
    assert files_in(out) == []


def test_no_place_to_write_is_told_before_the_work(
    shop: Workshop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {shop.checkpoint / "out": "choose a folder"}
    if os.geteuid() != 0:  # root may write anywhere
        (tmp_path / "closed").mkdir(mode=0o555)
        places[tmp_path / "closed" / "out"] = "choose a folder that you may write to"
    for place, cure in places.items():
        assert run(shop.command(place)) == 2
        told = capsys.readouterr()
        assert (told.out, told.err.count("\n")) == ("", 1)
        assert cure in told.err


def test_a_log_that_can_not_be_written_is_told_before_the_work(
    shop: Workshop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(shop.command(out, "--log", str(shop.checkpoint / "log.jsonl"))) == 2
    assert "choose a folder" in capsys.readouterr().err
    assert files_in(out) == []


def test_a_photo_that_vanished_is_told_and_the_others_go_on(shop: Workshop, tmp_path: Path) -> None:
    gone = shop.photos / "gone.png"
    gone.write_bytes((shop.photos / "000.png").read_bytes())
    jobs = plan_jobs([shop.photos], tmp_path / "out").jobs
    gone.unlink()
    restorer, options = Restorer.from_pretrained(str(shop.checkpoint)), RestoreOptions("auto", 0, 1.0, ())
    records = list(run_jobs(jobs, lambda job: options.read_restore_write(restorer, job)))
    (failed,) = [record for record in records if "error" in record]
    assert failed["error"].endswith("gone.png: expected a photo file, found nothing there; check the path")
    assert files_in(tmp_path / "out") == files_in(shop.photos)


def test_broken_checkpoints_are_told_with_their_cure(shop: Workshop, tmp_path: Path) -> None:
    faults = list(broken_checkpoints(shop.checkpoint, tmp_path / "checkpoints"))
    assert len(faults) == 13
    for fault, path, cure in faults:
        with pytest.raises(CheckpointError) as caught:
            load_model(path)
        assert cure in str(caught.value), fault
        assert str(caught.value).isprintable(), fault


def test_a_broken_checkpoint_ends_the_command_with_one_line(
    shop: Workshop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(shop.checkpoint.read_bytes()[:-9])
    command = shop.command(tmp_path / "out")
    command[command.index(str(shop.checkpoint))] = str(broken)
    assert run(command) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def parts() -> tuple[OPIR, OPIR, torch.optim.Optimizer]:
    model = OPIR(TINIEST)
    return model, OPIR(TINIEST), torch.optim.AdamW(model.parameters())


def test_a_state_whose_saving_was_cut_off_is_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.safetensors"
    save_state(path, RunState(step=1), *parts())

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("opir.files.os.replace", cut_off)  # all is written, and does not yet stand in its place
        with pytest.raises(KeyboardInterrupt):
            save_state(path, RunState(step=2), *parts())
    assert load_state(path, *parts()).step == 1
    save_state(path, RunState(step=3), *parts())
    assert load_state(path, *parts()).step == 3
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_state_names_the_cure(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_state(path, RunState(step=1), *parts())
    whole = path.read_bytes()
    damaged = [whole[: len(whole) // 2], b"", whole.replace(b'"__metadata__":{"run"', b'"__metadata__":{"rum"')]
    for damage in (*damaged, whole.replace(b"average/", b"overage/")):
        assert damage != whole
        path.write_bytes(damage)
        with pytest.raises(CheckpointError, match="remove it to start anew"):
            load_state(path, *parts())


def test_unfinished_files_are_found(tmp_path: Path) -> None:
    (tmp_path / f".a.{'0' * 32}.part").touch()
    (tmp_path / "a.png").touch()
    assert unfinished(tmp_path) == [f".a.{'0' * 32}.part"]
