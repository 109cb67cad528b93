"""Every command of the documentation runs as it stands, in a folder with what it names; a few need a GPU."""

import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from opir.cli import main
from opir.model.checkpoint import load_model
from opir.training.config import load_training_config
from tests.conftest import make_picture

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "assets/README.md", "checkpoints/README.md")
] + sorted((ROOT / "docs").glob("*.md"))
_BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
_MAKE = re.compile(r"`make ([^`]+)`")
_MODULE = re.compile(r"python3? -m ([\w.]+)")

SHORT = {
    "opir train configs/lite.toml": [
        "--stop-after",
        "0.01",
        "data.plain=2",
        "phases=[{crop=32,batch=4}]",
        "precision=fp32",
    ],
    "opir calibrate": ["--seeds", "1", "--side", "32", "-o", "bounds.json"],
    "python -m opir.training.pack": ["data.clean=photos", "data.plain=2"],
}
"""What is added to commands that begin like this, so that they end soon."""
NEEDS = {
    "opir train configs/gpu.toml": "a GPU",
    "opir train configs/paper": "a GPU and data sets",
}
"""What is only looked at: its settings are read."""


ELSEWHERE = ("make ", "docker ")
"""Targets are looked for below, and the container's recipe is followed by tests/test_hosting.py."""


def commands(page: Path) -> Iterator[str]:
    """Yield the command lines of a page's blocks, without their remarks; there is none that is not known of."""
    for language, text in _BLOCK.findall(page.read_text()):
        if language in ("", "bash", "sh") and not text.startswith(("@", "{")):
            lines = (line.partition("  #")[0].strip() for line in text.replace("\\\n", " ").splitlines())
            for line in filter(None, lines):
                if not line.startswith(ELSEWHERE):
                    assert re.match(r"(opir|python3?|rm) ", line), f"nothing runs {line!r} of {page.name}"
                    yield line


def picture(path: Path, seed: int = 0, height: int = 64, width: int = 130) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = (make_picture(height, width, seed)[0].permute(1, 2, 0) * 255).byte().numpy()
    Image.fromarray(pixels).save(path)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the photos that the documentation speaks of, in which commands run."""
    for name in ("street.jpg", "photo.jpg", "holiday/1.jpg", "holiday/beach/2.png"):
        picture(tmp_path / name, height=96)
    for seed in range(20):
        picture(tmp_path / "photos" / f"{seed}.jpg", seed)
    for number in (1, 2):
        for side in ("rainy", "truth"):
            picture(tmp_path / side / f"{number}.png", number + len(side))
        picture(tmp_path / "rain" / f"rain-00{number}.png", number)
        picture(tmp_path / "rain" / f"norain-00{number}.png", number + 5)
    for path in (ROOT / "assets" / "clean").iterdir():
        picture(tmp_path / "assets" / "clean" / path.name)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run one command line, shortened; fails where it exits with an error."""
    words = shlex.split(command.replace("FOLDER", "rain"))
    words += next((extra for start, extra in SHORT.items() if command.startswith(start)), [])
    if set(words) & {"<", ">", "|"}:  # what a shell does
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        own = f'opir() {{ {shlex.quote(sys.executable)} -m opir "$@"; }}; set -euo pipefail; {command}'
        subprocess.run(["bash", "-c", own], check=True, env=environment)
        return
    if words[0] == "rm":
        Path(words[1]).unlink()
        return
    code = None
    try:
        if words[0] == "opir":
            main(words[1:])
        else:
            monkeypatch.setattr(sys, "argv", words[2:])
            runpy.run_module(words[words.index("-m") + 1], run_name="__main__")
    except SystemExit as ended:
        code = ended.code
    assert not code, f"{command} ended with {code}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_commands_run_as_they_stand(page: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in commands(page):
        needs = next((start for start in NEEDS if command.startswith(start)), None)
        if needs is None:
            run(command, monkeypatch)
        else:
            config, *changes = shlex.split(command)[2:]
            assert load_training_config(config, changes).steps > 0
    if page == PAGES[0]:
        _, info = load_model(workplace / "runs" / "lite")
        assert info.metadata["data"].startswith("18 clean photos")
        assert (workplace / "runs" / "lite" / "validation.png").is_file()
        assert (workplace / "clean" / "beach" / "2.png").is_file()
        assert (workplace / ".pack0" / "pack-0.zip").is_file()


def test_the_readmes_python_runs(workplace: Path) -> None:
    blocks = [text for language, text in _BLOCK.findall((ROOT / "README.md").read_text()) if language == "python"]
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert (workplace / "street_clean.jpg").is_file()


def test_every_make_target_and_module_that_is_named_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {name for line in re.findall(r"^([\w\- ]+):", makefile, re.MULTILINE) for name in line.split()}
    for page in PAGES:
        if page.name == "log.md":  # what was done at its time
            continue
        text = page.read_text()
        named = {
            word
            for words in [*_MAKE.findall(text), *re.findall(r"^make (.+)$", text, re.MULTILINE)]
            for word in words.partition("  #")[0].split()
            if re.fullmatch(r"[a-z][\w-]*", word)
        }
        assert named <= targets, f"{page.name} names make {', '.join(sorted(named - targets))}"
        for module in set(_MODULE.findall(text)):
            assert find_spec(module) is not None, f"{page.name} names python -m {module}"


def test_the_log_opens_with_its_contents() -> None:
    text = (ROOT / "docs" / "log.md").read_text()
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    contents = re.findall(r"^- \[(.*)\]\(#(.*)\)$", text[: text.index("\n## ")], re.MULTILINE)
    assert [title for title, _ in contents] == headings
    assert [link for _, link in contents] == [
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings
    ]
