"""The map of embeddings: made, stored, and joined by a photo."""

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from app.drawing.map_drawing import Box, MapPicture
from app.drawing.weather_map import WeatherMap, build, main
from app.examples.examples import Examples
from app.look import sentences, words
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


def drawings(html: str) -> list[str]:
    """Return the drawings for a wide and for a narrow window."""
    return re.findall(r'<svg class="weather-map \w+".*?</svg>', html)


def test_the_drawing_marks_prototypes_and_the_photo_and_has_a_legend(weather_map: WeatherMap) -> None:
    alone, joined = weather_map.draw(), weather_map.draw(weather_map.embeddings[:2])
    for drawing in drawings(alone):
        assert all(f">{name} ◆<" in drawing for name in words.WEATHER_NAMES.values())
        assert words.YOUR_PHOTO not in drawing
    assert len(drawings(joined)) == 2
    for one, other in zip(drawings(joined), drawings(alone), strict=True):
        assert words.YOUR_PHOTO in one
        assert one.count("<circle") == other.count("<circle") + 2
    legend = joined.partition('<ul class="legend">')[2].partition("</ul>")[0]
    for text in (*words.WEATHER_NAMES.values(), words.LEGEND_STAGE_1, words.LEGEND_PROTOTYPE, words.LEGEND_OWN):
        assert text in legend
    assert words.LEGEND_EXAMPLE not in legend, "there is none to point at"


@pytest.mark.parametrize("task", list(Task))
def test_names_do_not_cover_each_other(weather_map: WeatherMap, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    known = weather_map.layout.copy()
    known[len(weather_map.tasks) :] = known[len(weather_map.tasks) + int(task)]  # all prototypes lie in one place
    own = known[len(weather_map.tasks)][None].repeat(2, axis=0)  # and so does the photo
    monkeypatch.setattr(WeatherMap, "place", lambda *_: (own, known))
    for drawing in drawings(weather_map.draw(weather_map.embeddings[:2])):
        width, height = (float(side) for side in re.findall(r'viewBox="0 0 (\d+) (\d+)"', drawing)[0])
        texts = re.findall(r'<text [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)<', drawing)
        assert len(texts) == len(Task) + 2
        boxes = []
        for x, y, text in texts:
            half = 3.6 * len(text)
            boxes.append(Box(float(x) - half, float(y) - 11, float(x) + half, float(y) + 4))
        assert not any(one.meets(other) for one, other in combinations(boxes, 2))
        assert all(box.left >= 0 and box.right <= width and box.top >= 0 and box.bottom <= height for box in boxes)


def test_examples_are_ringed_and_shown_when_pointed_at_the_nearest_first(
    weather_map: WeatherMap, examples: Examples
) -> None:
    names = ("Rain & night", "Far", "Itself")
    places = (weather_map.embeddings[0], weather_map.embeddings[3] + 9, weather_map.embeddings[3])
    shown = [MapPicture(place, name, examples.photos[0]) for place, name in zip(places, names, strict=True)]
    drawn = weather_map.draw(weather_map.embeddings[3:4], shown)
    for drawing in drawings(drawn):
        found = re.findall(r'class="example" tabindex="0" role="img" aria-label="Example: ([^"]+)"', drawing)
        assert found == ["Itself", "Rain &amp; night", "Far"]
    assert drawn.count("<symbol") == 3, "each picture is sent once"
    alike = drawn.partition('<div class="alike">')[2]
    assert re.findall(r"<figcaption>([^<]+)<", alike) == ["Rain &amp; night", "Far"], "the photo itself is not news"
    assert "data:image/jpeg;base64," in alike
    assert "alike" not in weather_map.draw(None, shown)


def test_separation_is_told_in_figures(weather_map: WeatherMap) -> None:
    silhouette, neighbours, count = weather_map.separation
    assert count == 3 * len(Task)
    assert -1 <= silhouette <= 1
    assert sentences.separation(silhouette, neighbours, count) in weather_map.draw()
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
