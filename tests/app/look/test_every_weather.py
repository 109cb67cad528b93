"""Every weather has its words and its colour on the page, every format of photos its name."""

from app.look import words
from app.look.sentences import Found, weather_sentence
from app.look.theme import TASK_COLOURS
from opir.photo import LISTED
from opir.tasks import AUTO, TASK_NAMES, Task


def test_every_weather_has_words_and_a_colour_of_its_own() -> None:
    assert set(words.WEATHER_NAMES) == set(Task), "words.py: WEATHER_NAMES"
    assert set(TASK_COLOURS) == set(Task), "theme.py: TASK_COLOURS"
    assert len(set(TASK_COLOURS.values())) == len(Task)
    assert {value for _, value in words.WEATHER_CHOICES} == {AUTO, *TASK_NAMES}
    for task in Task:
        assert weather_sentence(task, [Found(task, 0, 1.0)], chosen=True)
        if task is not Task.CLEAN:
            assert weather_sentence(None, [Found(task, 1, 9.0)], chosen=False)


def test_every_format_is_named() -> None:
    assert LISTED in words.NO_PHOTOS_IN_FOLDER
