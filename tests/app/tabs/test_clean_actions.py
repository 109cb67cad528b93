"""The actions as plain functions, without a server."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image

from app.drawing import panels
from app.drawing.panels import kept_and_removed
from app.examples.examples import Examples
from app.look import words
from app.running.kept_results import Asked, Session
from app.running.results import PROXY_SIDE, show
from app.tabs.clean_actions import Actions
from opir.inference.restorer import Restorer
from opir.photo import load_photo
from opir.tasks import AUTO


@pytest.fixture(scope="module")
def results(actions: Actions, photo: Path) -> tuple:
    return actions.restore_photo(str(photo), AUTO)


@pytest.fixture(scope="module")
def session(results: tuple) -> Session:
    return results[0]


def test_restore_shows_the_photo_and_the_result_unharmed(results: tuple, photo: Path) -> None:
    before, after = results[2]
    assert Image.open(before).size == Image.open(after).size == Image.open(photo).size
    shown = np.asarray(Image.open(before), dtype=float)
    assert np.abs(shown - np.asarray(Image.open(photo).convert("RGB"), dtype=float)).mean() < 2


def test_summary_says_weather_size_and_time_in_plain_words(results: tuple) -> None:
    assert "rain, fine streaks, found at full size." in results[1].lower()
    assert re.search(r"96 × 72 pixels, [\d.]+ s\.", results[1])


def test_probabilities_are_named_and_sum_to_one(results: tuple) -> None:
    assert set(results[4]) == {"Rain", "Snow", "Haze", "Clear"}
    assert sum(results[4].values()) == pytest.approx(1, abs=1e-4)


def test_a_chosen_weather_is_said_and_used(actions: Actions, photo: Path) -> None:
    session, summary, *_ = actions.restore_photo(str(photo), "snow")
    assert "Restored as snow at full size, as you chose." in summary
    assert session.restoration.task == "snow"


def test_download_is_the_full_result_under_the_photos_name(
    actions: Actions, session: Session, restorer: Restorer, photo: Path, tmp_path: Path
) -> None:
    update = actions.write_download(session, 1.0)
    restorer.restore(photo).save(tmp_path / "expected.png")
    assert Path(update["value"]).name == "street 0_opir.png"
    assert update["interactive"]
    written, expected = (np.asarray(Image.open(path)) for path in (update["value"], tmp_path / "expected.png"))
    np.testing.assert_array_equal(written, expected)


def test_strength_0_downloads_the_photo_itself(actions: Actions, session: Session, photo: Path) -> None:
    update = actions.write_download(session, 0.0)
    np.testing.assert_array_equal(
        np.asarray(Image.open(update["value"])), np.asarray(Image.open(photo).convert("RGB"))
    )


def test_more_strength_is_further_from_the_photo(actions: Actions, session: Session) -> None:
    shown = []
    for strength in (0.0, 0.5, 1.0):
        (_, after), _ = actions.blend(session, strength)
        shown.append(np.asarray(Image.open(after), dtype=float))
    assert 0 < np.abs(shown[1] - shown[0]).mean() < np.abs(shown[2] - shown[0]).mean()


def test_large_photos_are_shown_smaller(tmp_path: Path) -> None:
    shown = show(Image.new("RGB", (3000, 1500)), tmp_path / "shown.jpg")
    assert Image.open(shown).size == (PROXY_SIDE, PROXY_SIDE // 2)


def test_every_view_is_drawn(actions: Actions, session: Session) -> None:
    stage_1, stage_2, change, taken, (certain, doubt), spread, scales, weather_map = actions.draw_views(session)
    for path in (stage_1, stage_2, change):
        assert Image.open(path).width == 96
    assert Image.open(certain).size == Image.open(doubt).size
    assert [Image.open(path).size for path, _ in taken] == [(96, 72)]
    assert taken[0][1].startswith("Rain at full size: ")
    assert spread is None
    assert [caption for _, caption in scales] == ["Reach", "Weight at 1 px", "Weight at 2 px"]
    assert words.YOUR_PHOTO in weather_map


def test_fast_runs_the_first_stage_only(actions: Actions, session: Session, photo: Path) -> None:
    fast, *_ = actions.restore_photo(str(photo), AUTO, words.FAST)
    assert fast.restoration.stages == 1
    np.testing.assert_array_equal(np.asarray(fast.restoration.image), np.asarray(session.restoration.stage1))
    _, stage_2, change, *_ = actions.draw_views(fast)
    assert stage_2 is None
    assert change is None


def test_doubtful_areas_can_be_left_alone(actions: Actions, session: Session, photo: Path, tmp_path: Path) -> None:
    doubtful = np.ones_like(session.restoration.uncertainty)
    doubtful[:, :48] = 9
    level = session.restoration.levels[-1]
    assert level.work is not None
    work = replace(level.work, uncertainty=torch.from_numpy(doubtful))
    restoration = replace(session.restoration, levels=(replace(level, work=work),))
    marked = Session(restoration, session.photo, tmp_path, Asked(), "", False, actions.runner.recent)
    written = np.asarray(Image.open(actions.write_download(marked, 1.0, protect=True)["value"]))
    np.testing.assert_array_equal(written[:, :48], np.asarray(Image.open(photo).convert("RGB"))[:, :48])
    np.testing.assert_array_equal(written[:, 48:], np.asarray(session.restoration.image)[:, 48:])
    (_, after), _ = actions.blend(marked, 1.0, protect=True)
    assert np.abs(np.asarray(Image.open(after), dtype=float) - written).mean() < 4


def test_where_the_weather_is_in_doubt_doubtful_areas_are_left_alone_until_it_is_wanted_otherwise(
    actions: Actions, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure = actions.restore_photo(str(photo), AUTO)
    assert sure[6] == gr.update(value=False, info=words.PROTECT_INFO)
    monkeypatch.setattr(panels, "DOUBTFUL_BELOW", 1.1)
    doubted = actions.restore_photo(str(photo), AUTO)
    assert doubted[6] == gr.update(value=True, info=words.PROTECTED_BY_ITSELF)
    assert "Perhaps" in doubted[1]
    assert words.IN_DOUBT in doubted[1]
    assert doubted[2][1].endswith("-protected.jpg")
    again = actions.restore_photo(str(photo), AUTO, words.FAST, protect=False, session=doubted[0])
    assert again[6]["value"] is False, "a visitor who switched it off is not overruled"
    named = actions.restore_photo(str(photo), "rain", protect=True, session=doubted[0])
    assert named[6] == gr.update(value=False, info=words.PROTECT_INFO), "what a visitor names is not in doubt"
    monkeypatch.undo()
    own = actions.restore_photo(str(photo), AUTO, words.FAST, protect=True, session=sure[0])
    assert own[6]["value"] is True


def test_thorough_shows_where_its_ways_disagree(actions: Actions, photo: Path) -> None:
    session = actions.restore_photo(str(photo), AUTO, words.THOROUGH)[0]
    assert Image.open(actions.draw_views(session)[5]).width >= 96


def test_the_api_tells_what_each_level_did_and_lets_them_be_chosen(
    actions: Actions, restorer: Restorer, photo: Path
) -> None:
    path, levels = actions.restore_file(str(photo), AUTO, 1.0)
    assert Path(path).is_file()
    assert levels == [level.to_dict() for level in restorer.restore(photo).levels]
    _, levels = actions.restore_file(str(photo), AUTO, 1.0, "1, 0")
    assert [(level["level"], level["worked"]) for level in levels] == [(1, True), (0, True)]
    with pytest.raises(gr.Error, match="levels must be"):
        actions.restore_file(str(photo), AUTO, 1.0, "all")


def test_a_cancelled_job_ends_without_a_result(actions: Actions, photo: Path) -> None:
    actions.begin(str(photo))
    assert words.CANCELLED in actions.cancel(None)[1]
    assert list(actions.restore_photo(str(photo), AUTO)) == [gr.skip()] * 9, "what is shown stays"
    assert isinstance(actions.restore_photo(str(photo), AUTO)[0], Session), "the next job knows nothing of it"


def test_without_a_photo_every_action_returns_the_empty_page(actions: Actions) -> None:
    assert actions.restore_photo(None, AUTO)[0] == gr.skip()
    assert actions.begin(None) == (gr.skip(), gr.skip(), gr.skip())
    assert actions.clear()[:2] == (AUTO, 1.0)
    assert len(actions.clear()) == 3 + 1 + 6 + len(actions.draw_views(None))
    assert actions.blend(None, 1.0)[0] is None
    assert actions.write_download(None, 1.0)["interactive"] is False


def test_the_times_of_the_last_photo_are_not_told_for_the_next(actions: Actions, photo: Path) -> None:
    assert "For this photo" in actions.restore_photo(str(photo), AUTO)[-1]["info"]
    quality, *_ = actions.make_room()
    assert quality["info"] == words.QUALITY_INFO
    assert "value" not in quality, "the quality stays as it was chosen"


def test_a_job_that_was_not_taken_can_not_be_cancelled_any_more(actions: Actions, photo: Path) -> None:
    actions.begin(str(photo))
    button, said, *_ = actions.not_taken(None)
    assert button["interactive"] is False
    assert words.NOT_TAKEN in said
    assert actions.not_taken(None) == (gr.skip(),) * 4, "it had ended before"
    actions.begin(str(photo))


def test_a_cancelled_job_leaves_the_settings_of_what_is_shown(actions: Actions, photo: Path) -> None:
    session, summary, *_ = actions.restore_photo(str(photo), "snow", words.FAST)
    _, said, weather, quality = actions.cancel(session)
    assert (weather, quality) == ("snow", words.FAST)
    assert words.CANCELLED_BEFORE in said
    assert summary in said


def test_a_file_that_is_no_photo_gives_one_plain_line(actions: Actions, not_a_photo: Path, session: Session) -> None:
    kept, said, *others = actions.restore_photo(str(not_a_photo), "snow", words.FAST, session=session)
    assert kept == gr.skip()
    assert words.ERROR in said
    assert "expected a JPEG, PNG" in said
    assert "&lt;b&gt;notes.jpg" in said, "a file name must not become HTML"
    assert "\n" not in said
    assert others[-2:] == [AUTO, words.FULL], "the settings are those of what is shown"


@pytest.mark.parametrize(
    ("error", "text"), [(MemoryError(), words.OUT_OF_MEMORY), (ZeroDivisionError(), words.UNEXPECTED)]
)
def test_what_nobody_expected_is_a_plain_line_too(
    actions: Actions, photo: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, text: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(actions.runner, "restore", fail)
    assert text in actions.restore_photo(str(photo), AUTO)[1]


def test_what_a_file_carries_is_named(turned_photo: Path, photo: Path) -> None:
    assert kept_and_removed(load_photo(turned_photo)) == (
        [words.KEPT_DATE],
        [words.REMOVED_POSITION],
    )
    assert kept_and_removed(load_photo(photo)) == ([], [])


def test_examples_open_under_their_own_name(actions: Actions, examples: Examples) -> None:
    for index, photo in enumerate(examples.photos):
        assert Path(actions.open_example(SimpleNamespace(index=index))).name == photo.name


def test_an_example_is_shown_with_its_stored_result_and_no_model(
    actions: Actions, examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions.runner, "restore", lambda *_, **__: pytest.fail("the model ran"))
    photo, quality, weather, strength, protect, *shown = actions.show_example(SimpleNamespace(index=1))
    session, summary, (before, after), *_ = shown
    assert (Path(photo).name, weather, strength) == ("street-1.jpg", AUTO, 1.0)
    assert (quality["value"], quality["info"]) == (words.FULL, words.QUALITY_INFO)
    assert protect["value"] is False
    assert "made ready before you came" in summary
    assert Image.open(before).size == Image.open(after).size == Image.open(examples.photos[1]).size
    assert Path(actions.write_download(session, 1.0)["value"]).name == "street-1_opir.jpg"
