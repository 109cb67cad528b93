"""The snippets of "About and API" run as they stand, and the facts come from the checkpoint."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from app.look import words
from app.tabs import about
from app.tabs.clean_actions import Actions
from opir.model.checkpoint import load_model
from opir.model.record import training_record

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(photo: Path, tmp_path: Path) -> Path:
    Image.open(photo).convert("RGB").save(tmp_path / "street.jpg")
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    """Run a command where street.jpg lies, with this code and this Python first in every search path."""
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": paths, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_restored(path: Path) -> bool:
    return Image.open(path).size == (96, 72)


def test_python(folder: Path) -> None:
    assert "pixel 20,10" in run([sys.executable, "-c", about.PYTHON], folder)
    assert is_restored(folder / "street_opir.jpg")


def test_command_line(folder: Path) -> None:
    assert '"x": 20' in run(["bash", "-euc", about.COMMANDS], folder)
    assert is_restored(folder / "restored" / "street.jpg")


def test_python_through_the_page(folder: Path, page_url: str) -> None:
    snippet = about.CLIENT.replace(about.DEFAULT_ADDRESS, page_url.rstrip("/"))
    printed = run([sys.executable, "-c", snippet], folder)
    path, levels = printed.splitlines()[-2:]
    assert '"worked"' in levels.replace("'", '"')
    restored = Path(path)
    assert restored.name == "street_opir.jpg"
    assert is_restored(restored)


def test_curl_through_the_page(folder: Path, page_url: str) -> None:
    run(["bash", "-euc", about.CURL.replace(about.DEFAULT_ADDRESS, page_url.rstrip("/"))], folder)
    assert is_restored(folder / "street_opir.jpg")


def test_facts_are_those_of_the_checkpoint(actions: Actions) -> None:
    model, info = load_model("lite")
    shown = about.describe(model, info)
    assert info.sha256 in shown
    record = training_record(info.metadata)
    assert record is not None
    assert record.describe() in shown
    assert str(info.metadata["data"]).split(",")[0] in shown
    assert words.LICENCE in shown
    assert actions.runner.info.sha256 in about.describe(actions.runner.model, actions.runner.info)
    assert all(limit in about.describe(actions.runner.model, None) for limit in words.LIMITS)
