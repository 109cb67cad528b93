"""No page says another figure than the results file that it comes from."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.quality import published_tables
from benchmarks.quality.published_tables import find_test_set, measure_table, render, status_of
from benchmarks.report.provenance import RESULTS, ROOT
from benchmarks.report.tables import PAGES, TABLES, out_of_date, renewed
from opir.inference.restorer import Restorer
from opir.photo import load_photo, save_photo
from tests.conftest import make_picture


def test_every_table_is_that_of_its_results() -> None:
    assert out_of_date() == []
    text = "".join(page.read_text() for page in PAGES)
    for name in TABLES:
        assert f"<!-- {name} -->" in text


def test_a_figure_that_differs_is_found(tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(RESULTS, results)
    readme = ROOT / "README.md"
    assert out_of_date((readme,), results) == []
    report = json.loads((results / "quality.json").read_text())
    next(iter(report["results"].values()))["psnr"] += 0.01
    (results / "quality.json").write_text(json.dumps(report))
    assert out_of_date((readme,), results) == [readme]


def test_tables_that_were_not_made_say_so_and_foreign_ones_stay(tmp_path: Path) -> None:
    page = "<!-- table2 -->\nold\n<!-- /table2 -->\n<!-- other -->\nkept\n<!-- /other -->\n"
    assert renewed(page, tmp_path) == page.replace("old", "Not run yet: `make table2`.")


def make_pairs(folder: Path, inputs: str = "input", targets: str = "target") -> None:
    photo = load_photo(make_picture(16, 20)[0])
    for name in (inputs, targets):
        (folder / name).mkdir(parents=True)
        save_photo(photo, folder / name / "1.png")


@pytest.mark.parametrize(
    ("name", "place", "inputs", "targets"),
    [
        ("Rain100L", "benchmark/Rain100L", "input", "target"),
        ("Test100", "Rain13K/test/Test100", "input", "target"),
        ("Snow100K-test", "Snow100K/test2000", "Snow", "Gt"),
        ("SOTS-outdoor", "RESIDE/SOTS/outdoor", "hazy", "gt"),
    ],
)
def test_sets_are_found_where_people_unpack_them(
    name: str, place: str, inputs: str, targets: str, tmp_path: Path
) -> None:
    assert find_test_set(name, tmp_path) is None
    make_pairs(tmp_path / place, inputs, targets)
    found = find_test_set(name, tmp_path)
    assert found is not None
    assert (found.inputs, found.targets) == (tmp_path / place / inputs, tmp_path / place / targets)


def test_a_nameless_pair_of_folders_is_no_test_set(tmp_path: Path) -> None:
    make_pairs(tmp_path)
    assert find_test_set("Rain100L", tmp_path) is None


def test_what_is_absent_or_zero_shot_is_marked(tmp_path: Path, checkpoint: Path) -> None:
    make_pairs(tmp_path / "Rain100L")
    restorer = Restorer.from_pretrained(str(checkpoint), device="cpu")
    sets = measure_table("table2", restorer, tmp_path)
    assert {name: found["status"] for name, found in sets.items()} == {
        "Test100": "absent",
        "Test1200": "absent",
        "Rain100H": "absent",
        "Rain100L": "zero-shot",
    }
    origin = {"date": "today", "commit": "abc", "weights_sha256": "def", "hardware": "here", "table": "table2"}
    lines = render({**origin, "sets": sets}).splitlines()
    row = next(line for line in lines if line.startswith("| Rain100L"))
    paper = published_tables.PAPER["table2"]["rows"]["OPIR"]["Rain100L"]
    assert "zero-shot" in row
    assert row.endswith(f"{paper[0]:.2f} / {paper[1]:.3f} |")
    assert "| absent | – | – |" in next(line for line in lines if line.startswith("| Test100"))


def test_weights_that_saw_the_training_part_are_not_zero_shot() -> None:
    metadata = {"settings": {"data": {"sets": [["Rain13K", "data/Rain13K"]], "pairs": [["haze", "in", "out"]]}}}
    assert status_of("Rain100L", metadata) == "trained on its training part"
    assert status_of("CSD-test", metadata) == status_of("Rain100L", {}) == "zero-shot"
    assert status_of("Rain100L", {"step": 1, "data": "9 photos, 52 rainy pairs"}).startswith("zero-shot; other")
    assert status_of("SOTS-outdoor", metadata) == "zero-shot; other published pairs of this weather were trained on"
