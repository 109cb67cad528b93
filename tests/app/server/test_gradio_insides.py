"""What is taken of Gradio's insides is all in one file, which says which version it was made for."""

import re
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.server import gradio_insides

APP = Path(gradio_insides.__file__).parents[1]


def test_it_was_made_for_the_locked_version() -> None:
    locked = (APP.parent / "requirements.lock").read_text()
    assert f"\ngradio=={gradio_insides.MADE_FOR}." in locked


def test_a_gradio_that_lacks_something_is_named() -> None:
    page = SimpleNamespace(_queue=SimpleNamespace(active_jobs=[]), blocks={}, fns={}, state_holder=None)
    with pytest.raises(RuntimeError, match=rf"made for Gradio [\d.]+, and {version('gradio')} lacks Queue.event_ids"):
        gradio_insides.check(page)


def test_no_other_file_reaches_into_gradio() -> None:
    inside = re.compile(r"\._queue\b|state_holder|LocalContext|keep_in_cache|from gradio(?!\.themes| import)[. ]")
    for path in APP.rglob("*.py"):
        if path.name != "gradio_insides.py":
            assert not inside.search(path.read_text()), path
