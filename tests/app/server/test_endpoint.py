"""The public endpoint, called as a user's program calls it."""

from pathlib import Path

import httpx
import numpy as np
import pillow_heif
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from app.look import refusals
from opir.inference import restore_thoroughly
from opir.inference.restorer import Restorer


@pytest.fixture(scope="module")
def client(page_url: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(page_url, download_files=tmp_path_factory.mktemp("downloads"), verbose=False)


def test_two_endpoints_are_public(client: Client) -> None:
    api = client.view_api(return_format="dict")
    assert list(api["named_endpoints"]) == ["/restore", "/restore_thoroughly"]
    assert not api["unnamed_endpoints"]


def test_a_photo_comes_back_full_size_under_its_name(
    client: Client, restorer: Restorer, photo: Path, tmp_path: Path
) -> None:
    returned = Path(client.predict(handle_file(photo), "auto", 1.0, api_name="/restore")[0])
    restorer.restore(photo).save(tmp_path / "expected.png")
    assert returned.name == "street 0_opir.png"
    got, expected = (np.asarray(Image.open(path), dtype=int) for path in (returned, tmp_path / "expected.png"))
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= 1


def test_thorough_is_what_the_library_makes(client: Client, restorer: Restorer, photo: Path, tmp_path: Path) -> None:
    returned = client.predict(handle_file(photo), "rain", 1.0, api_name="/restore_thoroughly")[0]
    restore_thoroughly(restorer, photo, "rain").save(tmp_path / "expected.png")
    got, expected = (np.asarray(Image.open(path), dtype=int) for path in (returned, tmp_path / "expected.png"))
    assert np.abs(got - expected).max() <= 1


def test_weather_and_strength_have_defaults(client: Client, photo: Path) -> None:
    assert Path(client.predict(handle_file(photo), api_name="/restore")[0]).is_file()


def test_a_turned_photo_is_upright_once_and_loses_its_position(client: Client, turned_photo: Path) -> None:
    with Image.open(client.predict(handle_file(turned_photo), "auto", 1.0, api_name="/restore")[0]) as returned:
        assert returned.size == (72, 96)
        assert returned.getexif().get(0x0112, 1) == 1
        assert returned.getexif().get(0x0132) == "2026:11:23 10:00:00"
        assert not returned.getexif().get_ifd(0x8825)


def test_a_phones_heic_comes_back_as_heic(client: Client, photo: Path, tmp_path: Path) -> None:
    pillow_heif.register_heif_opener()
    Image.open(photo).convert("RGB").save(tmp_path / "phone.heic", quality=90)
    returned = client.predict(handle_file(tmp_path / "phone.heic"), "auto", 1.0, api_name="/restore")[0]
    assert Path(returned).name == "phone_opir.heic"
    with Image.open(returned) as picture:
        assert (picture.format, picture.size) == ("HEIF", (96, 72))


def test_a_file_that_is_no_photo_is_refused_in_plain_words(client: Client, not_a_photo: Path) -> None:
    with pytest.raises(AppError, match="expected a JPEG, PNG") as raised:
        client.predict(handle_file(not_a_photo), "auto", 1.0, api_name="/restore")[0]
    assert "Traceback" not in str(raised.value)


def test_an_unknown_weather_is_refused(client: Client, photo: Path) -> None:
    with pytest.raises(AppError, match="not in the list of choices"):
        client.predict(handle_file(photo), "hail", 1.0, api_name="/restore")[0]


def test_files_of_the_server_can_not_be_read(page_url: str, photo: Path) -> None:
    named = {"path": str(photo), "meta": {"_type": "gradio.FileData"}}
    answer = httpx.post(f"{page_url}gradio_api/call/restore", json={"data": [named, "auto", 1.0, "auto"]})
    assert answer.status_code == 403
    assert answer.json() == {"detail": refusals.FOREIGN_FILE}
