"""Parts of a result at the photo's own pixels: only what lies in the photo, whatever a client asks for."""

import base64
import io
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.drawing import closer
from app.look import words
from app.running.kept_results import Asked
from app.tabs.clean_actions import Actions
from app.tabs.closer import show_part
from opir.inference import Restoration
from opir.inference.restorer import Restorer
from opir.ops.window import Window


@pytest.fixture(scope="module")
def result(restorer: Restorer, photo: Path) -> Restoration:
    return restorer.restore(photo)


def ask(across: object = 0.5, down: object = 0.5, width: object = 40, height: object = 30) -> dict[str, object]:
    return {"across": across, "down": down, "width": width, "height": height, "number": 1}


def opened(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (ask(), Window(21, 28, 51, 68)),
        (ask(0, 0), Window(0, 0, 30, 40)),
        (ask(1, 1), Window(42, 56, 72, 96)),
        (ask(-1e300, 7.5), Window(42, 0, 72, 40)),
        (ask(width=1e12, height=1e308), Window(0, 0, 72, 96)),
        (ask(width=-5, height=0), Window(36, 48, 37, 49)),
    ],
)
def test_a_part_lies_in_the_photo_whatever_is_asked_for(asked: dict, part: Window) -> None:
    assert closer.part_asked_for(asked, 96, 72) == part


def test_a_part_is_no_larger_than_a_window_shows() -> None:
    part = closer.part_asked_for(ask(width=50_000, height=50_000), 40_000, 30_000)
    assert (part.right - part.left, part.bottom - part.top) == (closer.LONGEST_SIDE, closer.LONGEST_SIDE)


@pytest.mark.parametrize(
    "asked", [None, [], "part", {}, ask(across="0"), ask(down=None), ask(width=float("nan")), ask(height=True)]
)
def test_what_is_no_part_is_refused(asked: object) -> None:
    with pytest.raises(ValueError, match="expected a number for"):
        closer.part_asked_for(asked, 96, 72)


def test_a_part_is_cut_from_the_full_size_result(result: Restoration) -> None:
    part = Window(10, 20, 50, 80)
    made = closer.cut(result, part, 1.0, protect=False)
    assert (made["left"], made["top"], made["width"], made["height"], made["photo"]) == (20, 10, 60, 40, [96, 72])
    for name, whole in (("before", result.blend(0.0)), ("after", result.image)):
        expected = np.asarray(whole.convert("RGB"), dtype=float)[10:50, 20:80]
        assert np.abs(opened(made[name]) - expected).mean() < 3, name
    before = closer.cut(result, part, 0.0, protect=False)
    assert before["after"] == before["before"], "at no strength the result is the photo"


def test_doubtful_pixels_are_outlined_and_nothing_else(result: Restoration) -> None:
    marked = replace(result)
    vars(marked)["uncertainty"] = doubt = np.zeros((72, 96), np.float32)
    doubt[20:30, 40:60] = 9
    made = closer.cut(marked, Window(10, 20, 50, 80), 1.0, protect=False)
    outline = np.asarray(Image.open(io.BytesIO(base64.b64decode(made["doubt"].partition(",")[2]))).convert("RGBA"))
    assert np.argwhere(outline[..., 3] > 0).min(axis=0).tolist() == [10, 20]
    assert (outline[..., 3] > 0).sum() == 2 * (10 + 20) - 4
    assert closer.cut(marked, Window(40, 0, 72, 30), 1.0, protect=False)["doubt"] == ""


def test_a_cut_mixes_as_the_whole_does(result: Restoration) -> None:
    _, after = result.cut(Window(0, 0, 72, 96), 0.6, protect=True)
    np.testing.assert_array_equal(np.asarray(after), np.asarray(result.blend(0.6, protect=True).convert("RGB")))


def test_without_a_result_a_line_says_what_to_do(actions: Actions, photo: Path) -> None:
    with pytest.raises(gr.Error, match=words.NO_RESULT):
        show_part(None, 1.0, False, gr.EventData(None, ask()))
    session, *_ = actions.restore(photo, Asked())
    with pytest.raises(gr.Error, match="expected a number"):
        show_part(session, 1.0, False, gr.EventData(None, None))
    assert '"photo": [96, 72]' in show_part(session, 1.0, False, gr.EventData(None, ask()))
