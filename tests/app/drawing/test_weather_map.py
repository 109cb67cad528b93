"""The map of embeddings: made, stored, and joined by a photo."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.drawing.weather_map import MapPicture, WeatherMap, build, main
from app.examples.examples import Examples
from app.look import words
from opir.inference.restorer import Restorer
from opir.tasks import Task


@pytest.fixture
def weather_map(restorer: Restorer) -> WeatherMap:
    found = WeatherMap.shipped_with(restorer)
    assert found is not None
    return found


def test_every_photo_is_there_in_every_weather_and_stage(weather_map: WeatherMap) -> None:
    assert len(weather_map.embeddings) == 3 * len(Task) * 2
    assert set(zip(weather_map.tasks, weather_map.stages, strict=True)) == {
        (int(task), stage) for task in Task for stage in (1, 2)
    }
    assert weather_map.layout.shape == (len(weather_map.embeddings) + len(Task), 2)


def test_the_same_seed_makes_the_same_map(weather_map: WeatherMap, restorer: Restorer, photos: Path) -> None:
    again = build(restorer, sorted(photos.iterdir()))
    np.testing.assert_allclose(again.embeddings, weather_map.embeddings, atol=1e-5)


def test_a_map_survives_its_file(weather_map: WeatherMap, tmp_path: Path) -> None:
    weather_map.save(tmp_path / "map.npz")
    again = WeatherMap.load(tmp_path / "map.npz")
    np.testing.assert_array_equal(again.layout, weather_map.layout)
    np.testing.assert_array_equal(again.tasks, weather_map.tasks)


def test_another_file_is_refused_in_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", embeddings=np.zeros(3))
    with pytest.raises(ValueError, match="expected a map with embeddings, tasks"):
        WeatherMap.load(tmp_path / "other.npz")


def test_a_map_of_other_weights_is_not_shown(weather_map: WeatherMap, restorer: Restorer, tmp_path: Path) -> None:
    assert restorer.info is not None
    replace(weather_map, prototypes=weather_map.prototypes + 1).save(tmp_path / "weights_embeddings.npz")
    elsewhere = Restorer(restorer.model, info=replace(restorer.info, path=tmp_path / "weights.safetensors"))
    assert WeatherMap.shipped_with(elsewhere) is None
    alone = Restorer(restorer.model, info=replace(restorer.info, path=tmp_path / "no_map.safetensors"))
    assert WeatherMap.shipped_with(alone) is None
    assert WeatherMap.shipped_with(Restorer(restorer.model)) is None


def test_a_known_photo_lands_beside_itself(weather_map: WeatherMap) -> None:
    spread = np.ptp(weather_map.layout, axis=0).max()
    for index in (0, 5, 11):
        places, known = weather_map.place(weather_map.embeddings[index : index + 1])
        assert np.linalg.norm(places[0] - known[index]) < 0.25 * spread


def test_the_drawing_marks_prototypes_and_the_photo(weather_map: WeatherMap) -> None:
    alone, joined = weather_map.draw(), weather_map.draw(weather_map.embeddings[:2])
    assert all(name in alone for name in words.WEATHER_NAMES.values())
    assert words.YOUR_PHOTO not in alone
    assert words.YOUR_PHOTO in joined
    assert joined.count("<circle") == alone.count("<circle") + 2


@pytest.mark.parametrize("task", list(Task))
def test_names_do_not_cover_each_other(weather_map: WeatherMap, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    own = weather_map.layout[: len(weather_map.tasks)][weather_map.tasks == int(task)]
    middle = np.median(own, axis=0)[None]  # where the name of the weather stands
    monkeypatch.setattr(WeatherMap, "place", lambda *_: (middle, weather_map.layout))
    drawn = weather_map.draw(weather_map.embeddings[:1])
    texts = re.findall(r'<text [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)<', drawn)
    places = {text: (float(x), float(y)) for x, y, text in texts}
    own_x, own_y = places.pop(words.YOUR_PHOTO)
    assert set(places) == set(words.WEATHER_NAMES.values())
    assert all(abs(own_x - x) > 55 or abs(own_y - y) > 15 for x, y in places.values())


def test_examples_are_ringed_and_shown_when_pointed_at(weather_map: WeatherMap, examples: Examples) -> None:
    shown = [MapPicture(weather_map.embeddings[0], "Rain & night", examples.photos[0])]
    drawn = weather_map.draw(weather_map.embeddings[3:4], shown)
    assert drawn.count('class="example"') == 1
    assert "Rain &amp; night" in drawn
    assert "data:image/jpeg;base64," in drawn


def test_separation_is_told_in_figures(weather_map: WeatherMap) -> None:
    silhouette, neighbours, count = weather_map.separation
    assert count == 3 * len(Task)
    assert -1 <= silhouette <= 1
    assert words.separation(silhouette, neighbours, count) in weather_map.draw()
    apart = replace(weather_map, embeddings=np.eye(len(Task), 6, dtype=np.float32)[weather_map.tasks])
    assert apart.separation[0] == pytest.approx(1)


def test_the_command_makes_a_map(
    restorer: Restorer, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert restorer.info is not None
    output = tmp_path / "tiny_embeddings.npz"
    main([str(photos), "--checkpoint", str(restorer.info.path), "--output", str(output), "--device", "cpu"])
    assert "24 embeddings of 3 photos" in capsys.readouterr().out
    assert WeatherMap.load(output).prototypes.shape == (4, 6)


def test_the_command_asks_for_photos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--output", str(tmp_path / "map.npz")])
    assert "expected a folder with photos, found none" in capsys.readouterr().err
