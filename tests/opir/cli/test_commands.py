"""The commands from the outside: files in, files out, one line and exit code 2 for what is wrong."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.cli.commands import main
from opir.config import PRESETS
from opir.inference import restore_thoroughly
from opir.inference.restorer import Restorer
from opir.model import OPIR
from opir.model.checkpoint import load_model, save_model
from opir.photo import load_photo
from tests.conftest import TINIEST


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    model = OPIR(TINIEST)
    torch.nn.init.normal_(model.kernel_predictor.head.weight, std=0.002)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_model(model, path, {"step": 7})
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    random = np.random.default_rng(0)
    for name in ("a.png", "b.jpg", "trip/c.png"):
        Image.fromarray(random.integers(0, 256, (20, 28, 3), dtype=np.uint8)).save(folder / name)
    return folder


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_one_photo_into_a_file(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    assert run("restore", photos / "a.png", "-o", tmp_path / "out.png", "--checkpoint", checkpoint) == 0
    expected = Restorer.from_pretrained(str(checkpoint)).restore(photos / "a.png").image
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.png")), np.asarray(expected))


def test_folders_keep_names_formats_and_tree(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("restore", photos, "-o", out, "--checkpoint", checkpoint) == 0
    assert files(out) == ["a.png", "b.jpg"]
    assert Image.open(out / "b.jpg").format == "JPEG"
    assert run("restore", photos, "-o", out, "--recursive", "--format", "webp", "--checkpoint", checkpoint) == 0
    assert files(out) == ["a.png", "a.webp", "b.jpg", "b.webp", "trip/c.webp"]


def test_a_folder_inside_the_source_is_not_restored_again(checkpoint: Path, photos: Path) -> None:
    for _ in range(2):
        assert run("restore", photos, "-o", photos / "out", "--recursive", "--checkpoint", checkpoint) == 0
    assert files(photos / "out") == ["a.png", "b.jpg", "trip/c.png"]


def test_existing_results_can_be_skipped(checkpoint: Path, photos: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"mine")
    assert run("restore", photos, "-o", tmp_path / "out", "--skip-existing", "--checkpoint", checkpoint) == 0
    assert re.search(r"opir: \d+ w(as|ere) there already", capsys.readouterr().err)
    assert (tmp_path / "out" / "a.png").read_bytes() == b"mine"
    assert files(tmp_path / "out") == ["a.png", "b.jpg"]


def test_strength_0_is_the_photo(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    assert run("restore", photos / "a.png", "-o", tmp_path, "--strength", 0, "--checkpoint", checkpoint) == 0
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "a.png")), np.asarray(Image.open(photos / "a.png"))
    )


def test_maps_lie_beside_the_result(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    maps = "stage1,uncertainty,scales"
    assert run("restore", photos / "b.jpg", "-o", out, "--maps", maps, "--checkpoint", checkpoint) == 0
    names = ["reach", "scale1", "scale2", "stage1", "uncertainty"]
    assert files(out) == ["b.jpg", *(f"b.jpg.{name}.png" for name in names)]


def test_a_format_of_maps_without_maps_is_refused(photos: Path, tmp_path: Path, capsys) -> None:
    assert run("restore", photos / "b.jpg", "-o", tmp_path / "out", "--maps-format", "npy") == 2
    assert "--maps-format npy needs --maps: name some of stage1, change" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_json_says_what_was_done(checkpoint: Path, photos: Path, tmp_path: Path, capsys) -> None:
    (photos / "broken.png").write_text("no photo")
    assert run("restore", photos, "-o", tmp_path / "out", "--task", "snow", "--json", "--checkpoint", checkpoint) == 2
    a, b, broken = json.loads(capsys.readouterr().out)
    assert (a["input"], a["output"]) == (str(photos / "a.png"), str(tmp_path / "out" / "a.png"))
    assert (b["task"], b["width"], b["height"], b["tiles"], b["maps"]) == ("snow", 28, 20, 1, [])
    assert sum(b["task_probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert broken["output"] is None
    assert "broken.png: expected a JPEG" in broken["error"]


def test_a_bad_photo_does_not_stop_the_others(checkpoint: Path, photos: Path, tmp_path: Path, capsys) -> None:
    (photos / "0.png").write_text("no photo")
    whole = (photos / "a.png").read_bytes()
    (photos / "a2.png").write_bytes(whole[: len(whole) // 2])
    assert run("restore", photos, "-o", tmp_path / "out", "--checkpoint", checkpoint) == 2
    assert files(tmp_path / "out") == ["a.png", "b.jpg"]
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 4
    assert errors[0].startswith("opir: 0.png: expected a JPEG, ")
    assert errors[1].startswith("opir: a2.png: expected a whole PNG file, ")
    assert errors[2] == "opir: left out: folders below, for --recursive: 1 (trip)"
    assert errors[3] == "opir: 2 of 4 photos are done, 2 failed: 0.png, a2.png"


def test_the_log_has_one_line_for_each_photo_and_grows_when_resumed(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "0.png").write_text("no photo")
    log = tmp_path / "logs" / "log.jsonl"
    command = ["restore", photos, "-o", tmp_path / "out", "--recursive", "--checkpoint", checkpoint, "--log", log]
    assert run(*command) == 2
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert [Path(record["input"]).name for record in records] == ["0.png", "a.png", "b.jpg", "c.png"]
    assert "0.png: expected a JPEG" in records[0]["error"]
    assert (records[3]["output"], records[3]["width"]) == (str(tmp_path / "out" / "trip" / "c.png"), 28)
    assert run(*command, "--skip-existing") == 2
    assert [json.loads(line)["input"] for line in log.read_text().splitlines()[4:]] == [str(photos / "0.png")]


def test_evaluation_prints_its_protocol_and_writes_json(
    checkpoint: Path, photos: Path, tmp_path: Path, capsys
) -> None:
    arguments = [
        "evaluate",
        "--input",
        photos,
        "--target",
        photos,
        "--space",
        "y",
        "--checkpoint",
        checkpoint,
    ]
    assert run(*arguments, "--json", tmp_path / "scores.json") == 0
    assert capsys.readouterr().out.startswith("2 pairs, 8-bit Y of BT.601: PSNR ")
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert list(scores) == ["pairs", "psnr", "ssim", "input_psnr", "input_ssim", "space", "images"]
    assert (scores["pairs"], scores["space"], scores["input_psnr"]) == (2, "y", None)
    assert [image["name"] for image in scores["images"]] == ["a.png", "b.jpg"]


def test_a_published_set_is_scored_by_name(checkpoint: Path, photos: Path, tmp_path: Path, capsys) -> None:
    for kind in ("hazy", "gt"):
        (tmp_path / "SOTS" / "indoor" / kind).mkdir(parents=True)
    Image.open(photos / "a.png").save(tmp_path / "SOTS" / "indoor" / "gt" / "7.png")
    Image.open(photos / "a.png").save(tmp_path / "SOTS" / "indoor" / "hazy" / "7_1.png")
    assert run("evaluate", "--set", f"SOTS-indoor={tmp_path}", "--checkpoint", checkpoint) == 0
    assert capsys.readouterr().out.startswith("1 pairs, 8-bit RGB: PSNR ")


def test_training_stops_after_the_given_minutes_and_goes_on(photos: Path, tmp_path: Path) -> None:
    model = "\n".join(f"{key} = {json.dumps(value)}" for key, value in TINIEST.to_dict().items())
    path = tmp_path / "run.toml"
    path.write_text(f"steps = 2\n[model]\n{model}\n[data]\nhaze = 0\n[[phases]]\ncrop = 16\nbatch = 2\n")
    command = ["train", path, f"data.clean={photos}", f"output={tmp_path / 'out'}", "precision=fp32"]
    assert run(*command, "--stop-after", 1e-9) == 0
    assert load_model(tmp_path / "out" / "model.safetensors")[1].metadata["step"] == 1
    assert run(*command) == 0
    assert load_model(tmp_path / "out" / "model.safetensors")[1].metadata["step"] == 2


def test_one_pixel_as_text_and_as_json(checkpoint: Path, photos: Path, capsys) -> None:
    assert run("inspect", photos / "a.png", "--at", "27,19", "--checkpoint", checkpoint) == 0
    assert capsys.readouterr().out.startswith("pixel 27,19  task ")
    assert run("inspect", photos / "a.png", "--at", "3,4", "--json", "--checkpoint", checkpoint) == 0
    pixel = json.loads(capsys.readouterr().out)
    assert list(pixel) == ["x", "y", "task", "level", "worked", "scales", "before", "stage1", "after", "stages"]
    assert len(pixel["stages"]) == 2
    assert np.shape(pixel["stages"][0]["kernels"]) == (3, 3, 3)
    np.testing.assert_allclose(pixel["before"], load_photo(photos / "a.png").rgb[:, 4, 3])


def test_weather_is_repeatable_and_differs_between_photos(photos: Path, tmp_path: Path) -> None:
    Image.open(photos / "a.png").save(photos / "a2.png")
    for folder in ("first", "second"):
        assert run("degrade", photos, "-o", tmp_path / folder, "--task", "snow", "--seed", 3) == 0
    first, again, other = (
        np.asarray(Image.open(tmp_path / name)) for name in ("first/a.png", "second/a.png", "first/a2.png")
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first != np.asarray(Image.open(photos / "a.png"))).any()


def test_info_of_a_checkpoint_and_of_a_preset(checkpoint: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "small", TINIEST)
    assert run("info", checkpoint) == 0
    lines = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert (lines["file"], lines["step"], lines["scales"]) == (str(checkpoint), "7", "[1, 2]")
    assert len(lines["sha256"]) == 64
    assert lines["cost"].endswith("GMACs at 256x256")
    assert run("info", "small") == 0
    assert capsys.readouterr().out.split()[:4] == ["preset", "small", "(no", "weights)"]


def test_training_reports_a_missing_configuration(tmp_path: Path, capsys) -> None:
    assert run("train", tmp_path / "none.toml") == 2
    assert "none.toml" in capsys.readouterr().err


BAD_COMMANDS = [
    (["restore", "{photos}/a.png", "-o", "{tmp}/o.gif"], r"o.gif: expected a name ending in one of"),
    (["restore", "{photos}/none.png", "-o", "{tmp}/o"], r"no such photo or folder: {photos}/none.png"),
    (["restore", "{tmp}/empty", "-o", "{tmp}/o"], r"no photos in {tmp}/empty"),
    (["restore", "{photos}", "-o", "{photos}"], r"a.png is one of the photos: choose another folder"),
    (
        ["restore", "{photos}/a.png", "{photos}/b.jpg", "-o", "{tmp}/o.png"],
        r"expected a folder for the results of",
    ),
    (
        ["restore", "{photos}/a.png", "{photos}/trip/a.png", "-o", "{tmp}/o"],
        r"would both become {tmp}/o/a.png",
    ),
    (
        ["restore", "{photos}", "-o", "{tmp}/o", "--format", "gif"],
        r'unknown format "gif": use one of same, png',
    ),
    (
        ["restore", "{photos}/a.png", "-o", "{tmp}/o.png", "--format", "jpg"],
        r'o.png does not end as the format "jpg"',
    ),
    (["restore", "{photos}", "-o", "{tmp}/o", "--task", "fog"], r'unknown task "fog": use one of rain, snow'),
    (
        ["restore", "{photos}", "-o", "{tmp}/o", "--tile", "big"],
        r'--tile must be "auto", 0 or a number of pixels',
    ),
    (["restore", "{photos}", "-o", "{tmp}/o", "--engine", "gpu"], r'unknown engine "gpu": use one of local, ray'),
    (
        ["restore", "{photos}", "-o", "{tmp}/o", "--levels", "1;2"],
        r'levels must be "auto" or numbers such as 0,1,2, got "1;2"',
    ),
    (["restore", "{photos}", "-o", "{tmp}/o", "--levels", "12"], r'levels must be "auto" or some of 0 to 8'),
    (["restore", "{photos}", "-o", "{tmp}/o", "--workers", "2"], r"--workers is for --engine ray"),
    (["restore", "{photos}", "-o", "{tmp}/o", "--maps", "heat"], r'unknown map "heat": use some of stage1'),
    (
        ["restore", "{photos}", "-o", "{tmp}/o", "--checkpoint", "none"],
        r'no checkpoint "none": expected a shipped',
    ),
    (["restore", "{photos}", "-o", "{tmp}/o", "--device", "gpu"], r'unknown device "gpu"'),
    (["evaluate", "--input", "{photos}", "--target", "{tmp}/empty"], r"no photos in {tmp}/empty"),
    (["evaluate", "--input", "{photos}", "--target", "{photos}", "--space", "lab"], r'unknown space "lab"'),
    (["evaluate", "--input", "{photos}"], r"name the pairs: --input FOLDER --target FOLDER, or --set NAME=FOLDER"),
    (["evaluate", "--set", "Rain1={photos}"], r'unknown data set "Rain1": expected one of Rain13K'),
    (["evaluate", "--set", "CSD-test={photos}"], r"CSD-test is not in {photos}: expected there"),
    (["inspect", "{photos}/a.png", "--at", "5"], r'--at must be X,Y such as 120,80, got "5"'),
    (
        ["inspect", "{photos}/a.png", "--at", "28,0"],
        r"expected a pixel inside the photo of 28x20, got x=28, y=0",
    ),
    (["degrade", "{photos}", "-o", "{tmp}/o", "--task", "auto"], r'unknown task "auto"'),
    (["info", "none"], r'no checkpoint "none"'),
]


@pytest.mark.parametrize(("command", "message"), BAD_COMMANDS)
def test_what_is_wrong_is_told_in_one_line(
    command: list[str], message: str, *, checkpoint: Path, photos: Path, tmp_path: Path, capsys
) -> None:
    (tmp_path / "empty").mkdir()
    Image.open(photos / "a.png").save(photos / "trip" / "a.png")
    before = files(tmp_path)
    filled = [part.format(photos=photos, tmp=tmp_path) for part in command]
    if command[0] in ("restore", "evaluate", "inspect") and "--checkpoint" not in command:
        filled += ["--checkpoint", str(checkpoint)]
    assert run(*filled) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("opir: ")
    assert told.err.count("\n") == 1
    assert message.format(photos=photos, tmp=tmp_path) in told.err
    assert files(tmp_path) == before


@pytest.mark.parametrize("strength", ["1.5", "much"])
def test_strength_is_checked(strength: str, photos: Path, tmp_path: Path, capsys) -> None:
    assert run("restore", photos, "-o", tmp_path / "o", "--strength", strength) == 2
    assert "--strength" in capsys.readouterr().err


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "opir", "info", "none"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith('opir: no checkpoint "none"')


def test_thorough_is_what_the_library_makes(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    arguments = (photos / "a.png", "-o", tmp_path / "out.png", "--task", "rain", "--thorough")
    assert run("restore", *arguments, "--checkpoint", checkpoint) == 0
    restorer = Restorer.from_pretrained(str(checkpoint))
    expected = restore_thoroughly(restorer, photos / "a.png", "rain").image
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.png")), np.asarray(expected))
