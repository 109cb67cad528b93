"""Model settings refuse what they do not know."""

from typing import Any

import pytest

from opir.config import PRESETS, OPIRConfig, preset
from opir.tasks import Task


def test_survives_a_round_trip_through_plain_values() -> None:
    for config in PRESETS.values():
        values = {key: list(value) if isinstance(value, tuple) else value for key, value in config.to_dict().items()}
        assert OPIRConfig.from_dict(values) == config


def test_unknown_setting_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown model setting widht: expected some of .*width"):
        OPIRConfig.from_dict({"widht": 3})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"num_stages": 3}, "num_stages must be 1 or 2, got 3"),
        ({"kernel_channels": 2}, "kernel_channels must be 1"),
        ({"scales": ()}, "scales must be positive"),
        ({"scales": (0, 1)}, "scales must be positive"),
        ({"encoder_blocks": (1,)}, "equally long, got 1 and 3"),
        ({"width": 64, "max_width": 48}, "max_width must be at least width, .*got 48 and width 64"),
    ],
)
def test_impossible_values_are_told(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OPIRConfig.from_dict(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": "32"}, "expected int for the model setting width, got '32'"),
        ({"scales": 2}, "expected tuple for the model setting scales, got 2"),
        ([1, 2], "expected model settings by name, got list"),
    ],
)
def test_settings_of_another_type_are_told(values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OPIRConfig.from_dict(values)


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(ValueError, match='unknown preset "huge": use one of lite, paper'):
        preset("huge")
    with pytest.raises(ValueError, match='unknown task "fog": use one of rain, snow, haze, clean.*, or "auto"'):
        Task.parse("fog", or_auto=True)
    with pytest.raises(ValueError, match='unknown task "auto": use one of rain, snow, haze, clean$'):
        Task.parse("auto")


def test_rows_of_the_prototype_table_never_move() -> None:
    first = [(task.label, int(task)) for task in Task][:4]
    assert first == [("rain", 0), ("snow", 1), ("haze", 2), ("clean", 3)]
