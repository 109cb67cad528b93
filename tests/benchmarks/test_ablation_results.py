"""What is concluded from rows: differences beside their noise, verdicts, tables that follow the file."""

import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ablations.__main__ import ROOT
from benchmarks.ablations.budget import BUDGETS
from benchmarks.ablations.claims import CLAIMS, against, judge
from benchmarks.ablations.plots import draw_curves, draw_differences
from benchmarks.ablations.results import read_results, write_rows
from benchmarks.ablations.running import describe_data
from benchmarks.ablations.significance import compare, paired_differences, pooled_deviation
from benchmarks.ablations.tables import render, renew
from benchmarks.ablations.variants import VARIANTS
from opir.training.config import DataConfig

DATA = describe_data(DataConfig())


def make_row(variant: str, seed: int, psnr: float) -> dict[str, Any]:
    """Return a row as `run_job` makes it."""
    scores = {"psnr": psnr, "ssim": 0.9, "input_psnr": 20.0}
    if VARIANTS[variant].has_uncertainty_map:
        scores |= {"rank_correlation": 0.5, "ause": 0.4}
    return {
        "variant": variant,
        "seed": seed,
        "commit": "0123456789abcdef",
        "hardware": "a processor",
        "seconds": 60,
        "parameters": 100_000,
        "gmacs_256": 0.5,
        "psnr": psnr,
        "ssim": 0.9,
        "tasks": dict.fromkeys(("rain", "snow", "haze", "clean"), scores),
        "curve": [[10, psnr - 1], [20, psnr]],
    }


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """(b) is one decibel above (a) and (c) one below, whatever the seed; (d) is above by luck alone."""
    luck = {0: 0.3, 1: -0.2, 2: 0.5}
    gains = {
        "a": (0.0, 0.0, 0.0),
        "b": (1.0, 1.1, 0.9),
        "c": (-1.0, -1.1, -0.9),
        "d": (0.5, -0.4, 0.2),
        "residual": (-2.0, -2.1, -2.0),
    }
    return [
        make_row(name, seed, 24 + luck[seed] + gain)
        for name, values in gains.items()
        for seed, gain in enumerate(values)
    ]


def test_differences_are_paired_by_seed() -> None:
    assert paired_differences({0: 5.0, 2: 7.0, 3: 1.0}, {0: 4.0, 1: 9.0, 2: 5.0}) == [1.0, 2.0]


def test_mean_and_standard_error_of_known_numbers() -> None:
    difference = compare([1.0, 2.0, 3.0], None)
    assert difference.mean == 2
    assert difference.standard_error == pytest.approx(1 / math.sqrt(3))
    assert difference.ratio == pytest.approx(2 * math.sqrt(3))
    assert difference.real
    assert not compare([1.0, -0.5, 0.4], None).real
    assert compare([-1.0, -1.1], None).real


def test_one_seed_decides_nothing() -> None:
    difference = compare([3.0], 0.1)
    assert difference.standard_error is None
    assert not difference.real
    with pytest.raises(ValueError, match="at least one seed"):
        compare([], None)


def test_a_lucky_pair_is_judged_by_the_noise_of_all() -> None:
    assert pooled_deviation([[1.0, 3.0], [5.0, 5.0, 5.0], [7.0]]) == pytest.approx(math.sqrt(2 / 3))
    assert pooled_deviation([[1.0], []]) is None
    assert compare([0.5, 0.5], None).real
    lucky = compare([0.5, 0.5], 1.0)
    assert lucky.noise == pytest.approx(math.sqrt(0.5))
    assert not lucky.real


def test_claims_are_judged(rows: list[dict[str, Any]]) -> None:
    verdicts = {(item.claim.variant, item.claim.baseline): item.verdict for item in judge(rows)}
    assert verdicts == {
        ("c", "residual"): "holds",
        ("b", "a"): "holds",
        ("c", "a"): "contradicted",
        ("d", "a"): "undecided",
    }
    difference = against(rows, "b", "a")
    assert difference is not None
    assert difference.mean == pytest.approx(1)


def test_the_paper_s_gains_follow_from_its_table() -> None:
    for claim in CLAIMS:
        ours, base = VARIANTS[claim.variant].paper_psnr, VARIANTS[claim.baseline].paper_psnr
        if claim.paper_gain is not None:
            assert ours is not None
            assert base is not None
            assert claim.paper_gain == pytest.approx(ours - base, abs=1e-6)


def test_rows_are_merged_and_budgets_not_mixed(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path, small = tmp_path / "ablations.json", BUDGETS["small"]
    write_rows(path, small, DATA, rows[5:])
    write_rows(path, small, DATA, [*rows[:5], make_row("residual", 2, 30.0)])
    found = read_results(path)["budgets"]["small"]
    assert [row["variant"] for row in found["rows"]] == [
        name for name in ("a", "b", "c", "d", "residual") for _ in "123"
    ]
    assert found["rows"][-1]["psnr"] == 30
    assert found["summary"]["variants"]["b"]["psnr_spread"] > 0
    assert found["summary"]["claims"][0]["seeds"] == 3
    with pytest.raises(ValueError, match='rows of another budget "small"'):
        write_rows(path, small, {**DATA, "sources": ["photos", "pairs"]}, [])


def test_tables_show_ours_beside_the_paper_s(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path, page = tmp_path / "ablations.json", tmp_path / "results.md"
    rows += [make_row("f", seed, 25.0 + seed / 10) for seed in range(3)]
    write_rows(path, BUDGETS["small"], DATA, rows)
    results = read_results(path)
    text = render(results)
    assert "| (b) task-aware | 0.10 | 0.50 | 25.20 ± 0.26 |" in text
    assert "| +1.00 ± 0.06 | real | 33.26 | +0.95 |" in text
    assert "**contradicted**" in text
    assert "hold at this budget, 1 are contradicted" in text
    assert "(untouched: rain 20.00, snow 20.00, haze 20.00)" in text
    page.write_text("before\n<!-- ablations -->\nold\n<!-- /ablations -->\nafter\n")
    assert renew(page, results, check=True)
    assert "old" in page.read_text()
    assert renew(page, results)
    assert not renew(page, results, check=True)
    assert page.read_text().startswith("before\n<!-- ablations -->\n### ")
    with pytest.raises(ValueError, match="no place for the tables"):
        renew(path, results)


def test_a_run_that_was_stopped_before_its_first_row_shows_none(tmp_path: Path) -> None:
    write_rows(tmp_path / "ablations.json", BUDGETS["small"], DATA, [])
    assert render(read_results(tmp_path / "ablations.json")).startswith("Not run yet")


def test_plots_are_drawn_where_there_is_something_to_draw(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    assert draw_curves({"rows": rows}, tmp_path / "curves.png")
    assert draw_differences({"rows": rows}, tmp_path / "differences.png")
    assert all((tmp_path / name).stat().st_size > 5000 for name in ("curves.png", "differences.png"))
    assert not draw_curves({"rows": []}, tmp_path / "none.png")
    assert not draw_differences({"rows": rows[:1]}, tmp_path / "none.png")


def test_the_page_follows_the_results() -> None:
    results = read_results(ROOT / "benchmarks" / "results" / "ablations.json")
    assert not renew(ROOT / "docs" / "results.md", results, check=True)
