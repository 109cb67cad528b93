"""The three walks of CONTRIBUTING.md, taken: every file that they name is called, and no room calls one above it."""

import re
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, SimpleNamespace

import pytest

from app.running.kept_results import Asked
from app.tabs.clean_actions import Actions
from app.tabs.inside import choose
from opir.cli.commands import main
from opir.inference.restorer import Restorer
from opir.model import OPIR
from opir.photo import to_picture
from tests.conftest import TINY, make_picture, randomise

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
UNSEEN = {"app/look/words.py", "app/look/theme.py", "opir/ops/compiled.py"}
"""Files of constants alone, and what Numba compiled: no call of Python shows them."""
PROGRESS = "opir/inference calls opir/cli: RestoreOptions.restore_with_bar.<locals>.show"


def _layers() -> dict[str, int]:
    """Return how far down each room stands, as import-linter has it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = {}
    for contract in settings["tool"]["importlinter"]["contracts"]:
        house = {"Imports run one way inside opir": "opir", "Imports run one way inside the page": "app"}
        for down, rooms in enumerate(contract.get("layers", [])):
            for room in rooms.split(" | "):
                name = house[contract["name"]]
                layers[f"{name}/{room}"] = down + (100 if name == "opir" else 0)  # the page stands above
    return layers


LAYERS = _layers()


def _room(file: str) -> str:
    return "/".join(file.removesuffix(".py").split("/")[:2])


def _named(walk: str) -> list[list[str]]:
    """Return the files that each step of a walk names, by their paths."""
    text = TEXT[TEXT.index(f"**{walk}") :].split("\n\n")[0]
    steps = []
    for step in re.split(r"^\d+\. ", text, flags=re.MULTILINE)[1:]:
        files: list[str] = []
        for name in re.findall(r"`([\w/]+\.py)`", step):
            files.append(name if name.startswith(("opir/", "app/")) else f"{_room(files[-1])}/{name}")
        steps.append(files)
    return steps


class Watch:
    """Which files of the house were called, and which calls went up."""

    def __init__(self) -> None:
        self.called: set[str] = set()
        self.up: set[str] = set()

    def see(self, frame: FrameType, *_: object) -> None:
        file = self._file(frame)
        if file is None or frame.f_code.co_name == "<module>":
            return
        self.called.add(file)
        caller = frame.f_back
        while caller is not None and self._file(caller) is None:
            caller = caller.f_back
        before = None if caller is None else self._file(caller)
        if before is not None and LAYERS.get(_room(file), 0) < LAYERS.get(_room(before), 0):
            self.up.add(f"{_room(before)} calls {_room(file)}: {frame.f_code.co_qualname}")

    def _file(self, frame: FrameType) -> str | None:
        name = frame.f_code.co_filename
        inside = name.startswith((f"{ROOT}/opir/", f"{ROOT}/app/"))
        return name.removeprefix(f"{ROOT}/") if inside else None


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch all calls of this thread, and of those that it starts."""
    watch, before = Watch(), sys.gettrace()
    threading.settrace(watch.see)
    sys.settrace(watch.see)
    try:
        yield watch
    finally:
        sys.settrace(before)
        threading.settrace(None)


def check(walk: str, watch: Watch, up: set[str]) -> None:
    assert watch.up == up
    named = {file for step in _named(walk) for file in step}
    assert named - watch.called <= UNSEEN


@pytest.mark.parametrize("walk", ["A photo through the command line", "A click on a pixel", "A training step"])
def test_a_walk_enters_no_room_twice_and_goes_down(walk: str) -> None:
    steps = _named(walk)
    assert len(steps) == 10
    rooms = [_room(file) for step in steps for file in step]
    entered = [room for number, room in enumerate(rooms) if number == 0 or rooms[number - 1] != room]
    assert len(entered) == len(set(entered)) > 5
    for house in ("app/", "opir/"):
        down = [LAYERS[room] for room in entered if room.startswith(house)]
        assert down == sorted(down)


def test_a_photo_through_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: Path) -> None:
    photo = tmp_path / "street.jpg"
    to_picture(make_picture(40, 56)[0]).save(photo)
    with watched() as watch:
        for numba in (True, False):
            if not numba:
                monkeypatch.setattr("opir.model.inverse_operator.is_available", lambda: False)
            out = str(tmp_path / f"clean {numba}")
            words = ["restore", str(photo), "-o", out, "--maps", "uncertainty", "--levels", "0,1"]
            with pytest.raises(SystemExit, match="0"):
                main([*words, "--checkpoint", str(checkpoint)])
    check("A photo through the command line", watch, {PROGRESS})


def test_a_click_on_a_pixel(tmp_path: Path) -> None:
    photo = tmp_path / "street.jpg"
    to_picture(make_picture(40, 56)[0]).save(photo)
    actions = Actions(Restorer(randomise(OPIR(TINY)), "cpu", precision="fp32"), None)
    session = actions.restore(photo, Asked())[0]
    with watched() as watch:
        shown = choose(session, SimpleNamespace(index=(20, 30)))
    assert "operator" in shown[0]
    check("A click on a pixel", watch, set())


def test_a_training_step(tmp_path: Path) -> None:
    for folder in ("clean", "depth", "rainy"):
        (tmp_path / folder).mkdir()
        for seed in range(2):
            picture = to_picture(make_picture(40, 48, seed)[0])
            (picture.convert("L") if folder == "depth" else picture).save(tmp_path / folder / f"{seed}.png")
    config = tmp_path / "tiny.toml"
    config.write_text(
        f"""
output = "{tmp_path}/run"
optimizer = "muon"
steps = 2
precision = "fp32"
[model]
preset = "lite"
width = 4
max_width = 8
[data]
photos = [["{tmp_path}/clean", "{tmp_path}/depth"]]
pairs = [["rain", "{tmp_path}/rainy", "{tmp_path}/clean"]]
[[phases]]
crop = 16
batch = 16
levels_every = 2
"""
    )
    with watched() as watch, pytest.raises(SystemExit, match="0"):
        main(["train", str(config)])
    check("A training step", watch, set())
