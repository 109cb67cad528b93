"""Bad files through the public endpoint, as a stranger's program sends them."""

from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from benchmarks.reliability.case import Case
from benchmarks.reliability.outcome import judged
from benchmarks.reliability.sizes import with_size
from benchmarks.reliability.sound import Sound, sound_photos


@pytest.fixture(scope="module")
def client(page_url: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(page_url, download_files=tmp_path_factory.mktemp("downloads"), verbose=False)


@pytest.fixture(scope="module")
def sounds() -> dict[str, Sound]:
    return {f"{sound.file_format} {sound.kind}": sound for sound in sound_photos()}


def bad_files(sounds: dict[str, Sound]) -> list[Case]:
    huge = with_size(sounds["PNG colour"], 60_000, 60_000)
    assert huge is not None
    return [
        Case("JPEG", "cut off", "cut.jpg", sounds["JPEG colour"].data[:1500]),
        Case("PNG", "huge size", "huge.png", huge),
        Case("GIF", "none", "still.gif", sounds["GIF palette"].data),
        Case("other", "zero size", "empty.webp", b""),
        Case("other", "wrong ending", "page.tif", b"<!doctype html><script>alert(1)</script>"),
    ]


def test_bad_files_are_refused_in_one_plain_line(client: Client, sounds: dict[str, Sound], tmp_path: Path) -> None:
    for case in bad_files(sounds):
        (tmp_path / case.name).write_bytes(case.data)
        with pytest.raises(AppError) as raised:
            client.predict(handle_file(tmp_path / case.name), "auto", 1.0, api_name="/restore")[0]
        assert judged(0, str(raised.value), 0, 0).ending == "refused", str(raised.value)
        assert case.name in str(raised.value)


@pytest.mark.parametrize("name", ["日本 🌧.png", "%2e%2e%2fetc.png", "x" * 251 + ".png", "'; DROP TABLE.png"])
def test_a_photo_of_any_name_comes_back(client: Client, sounds: dict[str, Sound], tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(sounds["PNG colour"].data)
    returned = Path(client.predict(handle_file(tmp_path / name), "auto", 1.0, api_name="/restore")[0])
    assert returned.name.endswith("_opir.png")
    assert returned.stat().st_size > 0
