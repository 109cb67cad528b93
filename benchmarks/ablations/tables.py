"""docs/results.md's part on the trained comparisons, generated from the results file between its markers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.ablations.claims import Finding, against, judge, ranked
from benchmarks.ablations.measuring import WEATHER
from benchmarks.ablations.significance import STANDARD_ERRORS, Difference
from benchmarks.ablations.variants import VARIANTS, Variant, variants_of
from benchmarks.report.marked import filled, names_in
from opir.tasks import Task

PUBLISHED = ("small", "gpu")
_TABLE_5_BASELINES = {
    "a": ("a", "b", "c", "d", "e", "f"),
    "f": ("g", "um-trained", "one-kernel", "scales-1", "scales-1234"),
}


def _decibels(value: float | None, signed: bool = False) -> str:
    if value is None:
        return "–"
    return f"{value:+.2f}" if signed else f"{value:.2f}"


def _with_error(difference: Difference | None) -> str:
    if difference is None:
        return "–"
    error = difference.standard_error
    return _decibels(difference.mean, True) + ("" if error is None else f" ± {error:.2f}")


def _realness(difference: Difference | None) -> str:
    return "" if difference is None else "real" if difference.real else "in the noise"


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    rows = [header, ["---"] * len(header), *lines]
    return [f"| {' | '.join(cells)} |" for cells in rows] + [""]


def _variant_cells(found: dict[str, Any], variant: Variant, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return label, size, mean and spread of PSNR, and PSNR by task."""
    summary = found["summary"]["variants"][variant.name]
    first = next(row for row in rows if row["variant"] == variant.name)
    spread = summary["psnr_spread"]
    mean = _decibels(summary["psnr"]) + ("" if spread is None else f" ± {spread:.2f}")
    tasks = [_decibels(summary["tasks"][task.label]) for task in Task]
    return [variant.label, f"{first['parameters'] / 1e6:.2f}", f"{first['gmacs_256']:.2f}", mean, *tasks]


_COLUMNS = ("params M", "GMACs @256²", "PSNR ± spread", *(task.label for task in Task))


def _comparison(found: dict[str, Any], names: Sequence[str], baseline: str, first_column: str) -> list[str]:
    """Return a table of variants with their differences from one of them, the paper's beside ours."""
    rows = found["rows"]
    shown = [VARIANTS[name] for name in names if name in found["summary"]["variants"]]
    published, lines = VARIANTS[baseline].paper_psnr, []
    for variant in shown:
        difference = against(rows, variant.name, baseline)
        paper = variant.paper_psnr
        gain = None if paper is None or published is None or variant.name == baseline else paper - published
        lines.append(
            [
                *_variant_cells(found, variant, rows),
                _with_error(difference),
                _realness(difference),
                _decibels(paper),
                _decibels(gain, True),
            ]
        )
    header = [first_column, *_COLUMNS, "difference ± SE", "", "paper: PSNR", "paper: difference"]
    return _table(header, lines) if lines else ["Not run yet.", ""]


def _claims(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return ["Not run yet.", ""]
    verdicts = [finding.verdict for finding in findings if finding.claim.from_paper]
    sentence = (
        f"Of {len(verdicts)} claims of the paper, {verdicts.count('holds')} hold at this budget, "
        f"{verdicts.count('contradicted')} are contradicted, and {verdicts.count('undecided')} stay within the noise."
    )
    lines = [
        [
            finding.claim.text if finding.claim.from_paper else f"{finding.claim.text} (ours to ask)",
            _decibels(finding.claim.paper_gain, True),
            _with_error(finding.difference),
            str(finding.difference.seeds),
            f"{min(finding.difference.ratio, 99):.1f}",
            f"**{finding.verdict}**" if finding.difference.real else finding.verdict,
        ]
        for finding in ranked(findings)
    ]
    header = ["claim", "paper, dB", "ours, dB ± SE", "seeds", "in standard errors", "at this budget"]
    return [sentence, "", *_table(header, lines)]


def _uncertainty(found: dict[str, Any]) -> list[str]:
    """Return how well each model's UM tells its error, where it has one."""
    lines = []
    for name in found["summary"]["variants"]:
        own = [row for row in found["rows"] if row["variant"] == name]
        if VARIANTS[name].has_uncertainty_map:
            cells = []
            for task in Task:
                scores = [row["tasks"][task.label] for row in own]
                pair = [sum(score[kind] for score in scores) / len(scores) for kind in ("rank_correlation", "ause")]
                cells.append(f"{pair[0]:.2f} / {pair[1]:.2f}")
            lines.append([VARIANTS[name].label, *cells])
    return _table(["UM ~ error / AUSE", *(task.label for task in Task)], lines) if lines else []


def _provenance(name: str, found: dict[str, Any]) -> str:
    settings, rows = found["settings"], found["rows"]
    commits = ", ".join(f"`{commit}`" for commit in sorted({row["commit"][:10] for row in rows}))
    hardware = "; ".join(sorted({row["hardware"] for row in rows}))
    hours = sum(row["seconds"] for row in rows) / 3600
    untouched = ", ".join(f"{task.label} {rows[0]['tasks'][task.label]['input_psnr']:.2f}" for task in WEATHER)
    size = f"the central {settings['side']}² pixels" if settings["side"] else "the whole"
    return (
        f"Budget `{name}`: {settings['steps']} steps of {settings['batch']} crops of {settings['crop']}² for every "
        f"variant, width {settings['width']}, {settings['seeds']} seeds ({len(rows)} runs, {hours:.1f} hours of "
        f"training together), on {hardware}; commit {commits}. Scored on {size} of the validation photos with fixed "
        f"synthetic weather, blindly, from 8-bit outputs: rain on Y, the rest on RGB (untouched: {untouched}). PSNR "
        "is the mean over rain, snow and haze, as in the paper; clean photos stand beside it."
    )


_METHOD = (
    "A difference is taken seed by seed: with the same seed, all variants see the same crops in the same order. It "
    f"counts as real if it exceeds {STANDARD_ERRORS:.0f} standard errors, both its own over the seeds and the one "
    "pooled over all claims (few seeds tell little of their own noise). The paper's figures are of 400,000 steps of "
    "32 crops on other photos: they stand beside ours for their direction, not their size."
)


def render(results: dict[str, Any], budgets: Sequence[str] = PUBLISHED) -> str:
    """Return the Markdown of these budgets, as far as they are in the results."""
    lines: list[str] = []
    for name in budgets:
        found = results["budgets"].get(name)
        if found is None or not found["rows"]:
            continue
        findings = judge(found["rows"])
        lines += [f"### Trained comparisons, budget `{name}`", "", _provenance(name, found), "", _METHOD, ""]
        lines += ["**Claims**, the surest difference first.", "", *_claims(findings)]
        lines += ["**Figure 1**: the same U-Net with another head, equal multiply-adds.", ""]
        lines += _comparison(found, ["residual", "c"], "residual", "head")
        if any(row.get("curve") for row in found["rows"]):
            lines += [f"![PSNR while learning](images/figure1-{name}.png)", ""]
        lines += ["**Table 5**, differences from row (a).", ""]
        lines += _comparison(found, _TABLE_5_BASELINES["a"], "a", "row")
        lines += ["Settings of the full model, differences from row (f).", ""]
        lines += _comparison(found, ["f", *_TABLE_5_BASELINES["f"]], "f", "setting")
        lines += _uncertainty(found)
        lines += ["**Table 7**, differences from the ancestor.", ""]
        names = [variant.name for variant in variants_of("table7") if variant.name != "f"]
        lines += _comparison(found, [*names, "f"], "ancestor", "model")
        if any(finding.difference.standard_error is not None for finding in findings):
            lines += [f"![Differences and their noise](images/ablations-{name}.png)", ""]
    return "\n".join(lines) if lines else "Not run yet: `make evidence`.\n"


def renew(page: Path, results: dict[str, Any], check: bool = False) -> bool:
    """Put the tables into a page between its markers.

    Args:
        page: Markdown with `<!-- ablations -->` and `<!-- /ablations -->`.
        results: from `read_results`.
        check: change nothing.

    Returns:
        Whether the page was out of date.

    Raises:
        ValueError: for a page without the markers.
    """
    text = page.read_text()
    if "ablations" not in names_in(text):
        raise ValueError(f"{page} has no place for the tables: expected <!-- ablations --> and <!-- /ablations -->")
    renewed = filled(text, {"ablations": lambda: render(results)})
    if renewed != text and not check:
        page.write_text(renewed)
    return renewed != text
