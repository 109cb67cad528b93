"""The sentences that are put together."""

import pytest

from app.look import sentences, words
from app.look.sentences import Found
from opir.tasks import Task


@pytest.mark.parametrize(
    ("kept", "removed", "sentence"),
    [
        ([], [], ""),
        (["date"], [], "Date kept."),
        (["date", "colour profile"], ["location"], "Date and colour profile kept, location removed."),
        (["date", "camera", "colour depth"], [], "Date, camera and colour depth kept."),
        ([], ["location"], "Location removed."),
    ],
)
def test_kept_sentence(kept: list[str], removed: list[str], sentence: str) -> None:
    assert sentences.kept_sentence(kept, removed) == sentence


def test_quality_times_never_part_a_figure_from_its_unit() -> None:
    assert sentences.quality_times(2.0, words.FULL) == "For this photo: Fast about 1\xa0s, Thorough about 8\xa0s."


def test_cost_sentence_says_the_size_the_quality_and_the_time() -> None:
    assert sentences.cost_sentence(1600, 1300, 3.42) == "2.1 megapixels, 3.4 s."
    assert sentences.cost_sentence(40, 30, 0.1, words.FAST) == "40 × 30 pixels, fast quality, 0.1 s."
    assert sentences.cost_sentence(1600, 1300, 3.42, beforehand=True) == "2.1 megapixels, made ready before you came."


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ([], "No weather found: the photo is as it was."),
        ([Found(Task.RAIN, 2, 3.0)], "Rain, broad streaks, found at a quarter of the size."),
        (
            [Found(Task.SNOW, 1, 6.0), Found(Task.SNOW, 0, 2.0)],
            "Heavy snow, large and small flakes, found at half the size and at full size.",
        ),
        (
            [Found(Task.HAZE, 4, 3.0), Found(Task.RAIN, 0, 0.4)],
            "A little rain, fine streaks, found at full size; a breath of haze.",
        ),
        ([Found(Task.HAZE, 3, 40.0)], "Dense haze."),
        ([Found(None, 0, 3.0)], "Restored."),
    ],
)
def test_weather_sentence_says_what_was_found_how_much_and_at_what_size(found: list[Found], sentence: str) -> None:
    assert sentences.weather_sentence(None, found, chosen=False) == sentence


def test_weather_sentence_says_who_decided_and_what_is_in_doubt() -> None:
    found = [Found(Task.RAIN, 1, 2.0)]
    told = sentences.weather_sentence(Task.RAIN, found, chosen=True)
    assert told == "Restored as rain at half the size, as you chose."
    assert sentences.weather_sentence(Task.CLEAN, [], chosen=True) == "Treated as a clear photo, as you chose."
    told = sentences.weather_sentence(None, found, chosen=False, in_doubt=True)
    assert told == "Perhaps rain, broad streaks, found at half the size."


def test_every_weather_has_its_strengths() -> None:
    for task in Task:
        if task is not Task.CLEAN:
            assert sentences.weather_sentence(None, [Found(task, 0, 0.1)], chosen=False)


def test_what_a_level_took_away_is_named() -> None:
    assert sentences.taken_caption(Found(Task.SNOW, 1, 2.04)) == "Snow at half the size: 2.0 grey values on average"
