"""Settings come from the environment, and what can not be meant is told in one line."""

import pytest

from app.server.settings import Settings


def test_without_variables_there_are_defaults() -> None:
    assert Settings.from_environment({}) == Settings()


def test_every_field_is_a_variable_of_its_own_kind() -> None:
    given = {"OPIR_PORT": "7861", "OPIR_TEMP_MINUTES": "0.5", "OPIR_CHECKPOINT": "some.safetensors", "PATH": "/bin"}
    settings = Settings.from_environment(given)
    assert (settings.port, settings.temp_seconds, settings.checkpoint) == (7861, 30.0, "some.safetensors")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("OPIR_PORT", "http", "OPIR_PORT: expected a whole number"),
        ("OPIR_QUEUE_LENGTH", "0", "OPIR_QUEUE_LENGTH: expected a number of at least 1, got 0"),
        ("OPIR_MAX_UPLOAD_MB", "nan", "OPIR_MAX_UPLOAD_MB: expected a number of at least"),
        ("OPIR_LOG_LEVEL", "loud", "expected one of debug, info, warning, error, got 'loud'"),
        ("OPIR_MAX_UPLOAD", "3", "unknown setting OPIR_MAX_UPLOAD: expected one of OPIR_HOST"),
    ],
)
def test_what_can_not_be_meant_is_told(name: str, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Settings.from_environment({name: text})
