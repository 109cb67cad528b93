"""The sentences that are put together."""

import pytest

from app.look import words
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
    assert words.kept_sentence(kept, removed) == sentence


def test_cost_sentence_says_the_size_the_quality_and_the_time() -> None:
    assert words.cost_sentence(1600, 1300, 3.42) == "2.1 megapixels, 3.4 s."
    assert words.cost_sentence(40, 30, 0.1, words.FAST) == "40 × 30 pixels, fast quality, 0.1 s."
    assert words.cost_sentence(1600, 1300, 3.42, beforehand=True) == "2.1 megapixels, made ready before you came."


def test_weather_sentence_says_who_decided() -> None:
    assert words.weather_sentence(Task.RAIN, 0.917, chosen=False) == "Looks like rain (92%)."
    assert words.weather_sentence(Task.RAIN, 0.39, chosen=False) == "Perhaps rain (39%)."
    assert words.weather_sentence(Task.CLEAN, 0.4, chosen=True) == "Treated as a clear photo, as you chose."
    assert words.weather_sentence(None, 1.0, chosen=False) == "Restored."
