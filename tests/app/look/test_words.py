"""The sentences that are put together."""

import pytest

from app.look import sentences, words
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


def test_cost_sentence_says_the_size_the_quality_and_the_time() -> None:
    assert sentences.cost_sentence(1600, 1300, 3.42) == "2.1 megapixels, 3.4 s."
    assert sentences.cost_sentence(40, 30, 0.1, words.FAST) == "40 × 30 pixels, fast quality, 0.1 s."
    assert sentences.cost_sentence(1600, 1300, 3.42, beforehand=True) == "2.1 megapixels, made ready before you came."


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ([], "No weather found: the photo is as it was."),
        ([(Task.RAIN, 2)], "Rain found at a quarter of its size."),
        ([(Task.SNOW, 1), (Task.SNOW, 0)], "Snow found at half of its size and its own size."),
        ([(Task.HAZE, 4), (Task.RAIN, 0)], "Haze found at 1/16 of its size and rain found at its own size."),
        ([(None, 0)], "Restored."),
    ],
)
def test_weather_sentence_says_what_was_found_at_what_size(
    found: list[tuple[Task | None, int]], sentence: str
) -> None:
    assert sentences.weather_sentence(None, found, chosen=False) == sentence


def test_weather_sentence_says_who_decided() -> None:
    told = sentences.weather_sentence(Task.RAIN, [(Task.CLEAN, 1)], chosen=True)
    assert told == "Restored as rain at half of its size, as you chose."
    assert sentences.weather_sentence(Task.CLEAN, [], chosen=True) == "Treated as a clear photo, as you chose."
