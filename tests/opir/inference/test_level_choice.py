"""The rule that says which levels work, on what levels show."""

import pytest

from opir.inference.level_choice import (
    LevelChoice,
    Probabilities,
    count_levels,
    first_doubtful,
    first_sure,
    parse_levels,
)
from opir.tasks import Task


@pytest.mark.parametrize(
    ("size", "levels"), [((1, 1), 1), ((255, 4000), 1), ((256, 256), 2), ((510, 700), 2), ((3000, 4000), 5)]
)
def test_the_coarsest_level_has_a_short_side_of_128_to_256_pixels(size: tuple[int, int], levels: int) -> None:
    assert count_levels(*size) == levels


@pytest.mark.parametrize(
    ("falling", "first"),
    [
        ([0.97, 0.9], 0),  # streaks of the size that training knows
        ([0.9, 0.97, 0.9], 0),  # and those of twice that size
        ([0.3, 0.9, 0.97, 0.9], 1),
        ([0.97, 0.97, 0.97, 0.97], 2),  # drizzle and broad streaks
        ([0.2, 0.5, 0.97], 2),
        ([0.2, 0.8, 0.7], None),
        ([], None),
    ],
)
def test_sure_weather_is_removed_from_the_level_on_that_shows_it_best(
    falling: list[float], first: int | None
) -> None:
    assert first_sure(falling, falling) == first


@pytest.mark.parametrize(
    ("streaks", "first"),
    [
        ([0.995, 0.97, 0.97], 0),  # fine streaks, of which there are many
        ([0.995, 0.9, 0.97], 1),
        ([0.98, 0.97, 0.97], 1),
        ([0.995, 0.995, 0.97, 0.97], 1),
        ([0.995, 0.97], 0),
    ],
)
def test_certain_streaks_begin_a_level_finer_and_flakes_do_not(streaks: list[float], first: int) -> None:
    assert first_sure(streaks, streaks) == first
    assert first_sure(streaks, [0] * len(streaks)) == len(streaks) - 2


@pytest.mark.parametrize(
    ("falling", "first"),
    [
        ([0.2, 0.8, 0.7], 1),  # where there is most
        ([0.5, 0.2], 0),
        ([0.3, 0.2], None),
        ([0.3, 0.5], None),  # a coarse level needs better evidence
        ([0.45, 0.5], 0),
        ([], None),
    ],
)
def test_doubtful_weather_is_removed_where_there_is_most(falling: list[float], first: int | None) -> None:
    assert first_doubtful(falling) == first


def test_named_weather_is_looked_for_and_removed_where_there_is_most_of_it() -> None:
    assert first_doubtful([0.1, 0.3, 0.2], named=True) == 1


def shows(rain: float = 0, haze: float = 0) -> Probabilities:
    return {"rain": rain, "snow": 0.0, "haze": haze, "clean": 1 - rain - haze}


def working(choice: LevelChoice, *levels: Probabilities) -> list[int]:
    """Ask from coarse to fine, while what levels show does not change; levels are given finest first."""
    choice.look(levels)
    return [number for number in reversed(range(len(levels))) if choice.works(number, levels[number])]


def test_a_photo_without_weather_is_passed_by() -> None:
    assert working(LevelChoice(None, None), shows(), shows(rain=0.5), shows(rain=0.3)) == []


def test_finer_levels_work_only_if_they_still_show_it() -> None:
    assert working(LevelChoice(None, None), shows(rain=0.3), shows(rain=0.95), shows(rain=0.999)) == [1]
    assert working(LevelChoice(None, None), shows(rain=0.95), shows(rain=0.3), shows(rain=0.999)) == [2, 0]


def test_sure_weather_must_be_likely_to_go_on_and_doubtful_weather_only_seen() -> None:
    assert working(LevelChoice(None, None), shows(rain=0.65), shows(rain=0.5), shows(rain=0.97)) == [2]
    assert working(LevelChoice(None, None), shows(rain=0.75), shows(rain=0.5), shows(rain=0.97)) == [2, 0]
    assert working(LevelChoice(None, None), shows(rain=0.45), shows(rain=0.9), shows(rain=0.5)) == [1, 0]


def test_haze_is_removed_at_the_coarsest_levels_and_what_falls_is_looked_for_behind_it() -> None:
    choice = LevelChoice(None, None)
    choice.look([shows(haze=0.9)] * 3)
    assert choice.works(2, shows(haze=0.9))
    choice.look([shows(), shows(rain=0.999)])
    assert choice.works(1, shows(rain=0.999))
    assert not choice.works(0, shows())
    assert working(LevelChoice(None, None), shows(haze=0.9), shows(haze=0.2), shows(haze=0.2)) == []
    assert working(LevelChoice(None, None), shows(haze=0.9), shows(haze=0.6), shows(haze=0.9)) == [2, 1]


@pytest.mark.parametrize(
    ("task", "levels"), [(Task.HAZE, [2, 1]), (Task.CLEAN, []), (Task.RAIN, [1]), (Task.SNOW, [0])]
)
def test_named_weather_passes_levels_where_there_is_none(task: Task, levels: list[int]) -> None:
    shown = shows(rain=0.1), shows(rain=0.2), shows(rain=0.1, haze=0.7)
    assert working(LevelChoice(None, task), *shown) == levels


def test_levels_that_are_asked_for_work_whatever_they_show() -> None:
    choice = LevelChoice((0, 2), None)
    assert choice.count_levels(100, 100) == 3
    assert working(choice, shows(), shows(rain=0.999), shows()) == [2, 0]


def test_a_model_that_knows_no_weather_works_at_the_photos_own_size() -> None:
    assert working(LevelChoice(None, None), {}, {}) == [0]


def test_levels_are_read() -> None:
    assert parse_levels("auto") is None
    assert parse_levels([2, 0, 2]) == (0, 2)
