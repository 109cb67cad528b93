"""One pixel's operator on the page: the numbers are those of the library."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from typer.testing import CliRunner

from app.look import words
from app.running.kept_results import Asked, Session
from app.tabs import inside
from app.tabs.clean_actions import Actions
from opir.cli.commands import app as command_line
from opir.inference.restorer import Restorer
from opir.tasks import AUTO


@pytest.fixture(scope="module")
def session(actions: Actions, photo: Path) -> Session:
    return actions.restore_photo(str(photo), AUTO)[0]


def click(x: float, y: float) -> SimpleNamespace:
    return SimpleNamespace(index=[x, y])


def test_the_pixel_that_was_clicked_is_shown_in_numbers(session: Session) -> None:
    panel, place, *_ = inside.choose(session, click(40, 30))
    operator = session.restoration.inspect(40, 30)
    assert place == (40, 30)
    assert "Pixel 40, 30" in panel
    assert f"uncertainty {operator.stages[0].uncertainty:.2f}" in panel
    assert panel.count('class="grid"') == 3 * 3 * len(operator.stages)
    for stage in operator.stages:
        assert all(f"× {gain:.3f}" in panel for gain in stage.gain)


def test_the_stencil_has_nine_samples_of_every_distance(session: Session) -> None:
    panel, *_ = inside.choose(session, click(40, 30))
    assert panel.count("<rect") == 9 * len(session.restoration.scales) * session.restoration.stages


def test_the_json_equals_the_library_and_the_command_line(
    session: Session, restorer: Restorer, photo: Path, tmp_path: Path
) -> None:
    _, _, numbers, _ = inside.choose(session, click(17, 50))
    assert json.loads(numbers) == restorer.restore(photo).inspect(17, 50).to_dict()
    options = ["--at", "17,50", "--checkpoint", str(restorer.info.path), "--device", "cpu", "--json"]
    printed = json.loads(CliRunner().invoke(command_line, ["inspect", str(photo), *options]).stdout)
    shown = json.loads(numbers)
    assert (printed["x"], printed["y"], printed["task"]) == (17, 50, shown["task"])
    assert printed["after"] == pytest.approx(shown["after"], abs=0.02)  # the command may compute in bf16


@pytest.mark.parametrize("place", [[0, 0], [95, 71], [95.9, 71.9]])
def test_corners_work(session: Session, place: list[float]) -> None:
    assert "Pixel" in inside.choose(session, click(*place))[0]


def test_a_click_on_a_large_photos_proxy_finds_the_full_size_pixel(actions: Actions, tmp_path: Path) -> None:
    Image.new("RGB", (2560, 16), "grey").save(tmp_path / "wide.png")
    wide = actions.restore_photo(str(tmp_path / "wide.png"), AUTO)[0]
    assert inside.choose(wide, click(1000, 5))[1] == (1250, 6)


def test_steps_move_by_one_pixel_and_stop_at_the_edge(session: Session) -> None:
    _, place, numbers, _ = inside.move(session, (0, 71), right=1, down=1)
    assert place == (1, 71)
    assert json.loads(numbers)["x"] == 1


def test_the_first_step_shows_the_middle_so_that_no_mouse_is_needed(session: Session) -> None:
    panel, place, *_ = inside.move(session, None, right=1, down=0)
    assert place == (48, 36)
    assert "Pixel 48, 36" in panel


def test_what_if_tells_the_stages_another_weather(session: Session, restorer: Restorer, photo: Path) -> None:
    told = restorer.restore(photo, task="snow").inspect(20, 20)
    assert session.restoration.inspect(20, 20, task="snow").after.tolist() == pytest.approx(told.after, abs=1e-5)
    panel, *_ = inside.choose(session, click(20, 20))
    assert words.WHAT_IF in panel


def test_two_pixels_are_pinned_side_by_side(session: Session) -> None:
    pins, _ = inside.pin(session, (40, 30), {}, None, "B")
    pins, shown = inside.pin(session, (10, 12), pins, None, "A")
    assert shown.index("Pixel 10, 12") < shown.index("Pixel 40, 30")
    assert list(pins) == ["A", "B"]
    assert inside.pin(session, None, {}, None, "A") == ({}, "")


def test_without_a_result_a_hint_says_what_to_do() -> None:
    assert words.NO_RESULT in inside.choose(None, click(0, 0))[0]
    assert words.NO_RESULT in inside.move(None, None, right=1, down=0)[0]


def test_the_level_that_changed_the_pixel_most_comes_first_and_others_can_be_chosen(
    actions: Actions, restorer: Restorer, photo: Path, tmp_path: Path
) -> None:
    restoration = restorer.restore(photo, levels=(0, 1), scale_weights=True)
    both = Session(restoration, photo, tmp_path, Asked(), "", False, actions.runner.recent)
    _, place, numbers, offered = inside.choose(both, click(17, 50))
    first, second = (level.number for level in restoration.levels_at(17, 50))
    assert json.loads(numbers) == restoration.inspect(17, 50).to_dict()
    assert (offered["value"], [number for _, number in offered["choices"]]) == (first, [first, second])
    assert offered["visible"]
    panel, _, numbers = inside.show_level(both, place, second)
    assert json.loads(numbers) == restoration.inspect(17, 50, level=second).to_dict()
    assert "at half the size" in (panel if second else inside.choose(both, click(17, 50))[0])
    assert restoration.inspect(17, 50, level=second).level == second
    assert inside.show_level(None, place, 0)[1] is None
