"""Pictures of the trained comparisons: PSNR while learning (Figure 1), and differences beside their noise."""

from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.ablations.claims import judge, ranked
from benchmarks.ablations.significance import STANDARD_ERRORS
from benchmarks.ablations.variants import VARIANTS

_COLOURS = {"c": "#0072b2", "residual": "#d55e00"}
_LABELS = {"c": "operator head", "residual": "residual head"}
_CERTAIN, _NOISE = "#0072b2", "#999999"


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure  # takes a while to load

    return Figure(figsize=(width, height), layout="constrained")


def draw_curves(found: dict[str, Any], path: Path) -> bool:
    """Draw mean validation PSNR over the steps, a line for the mean of the seeds and a band for their range.

    Args:
        found: one budget of the results.
        path: PNG to write.

    Returns:
        Whether there was anything to draw.
    """
    figure = _figure(6, 3.6)
    axes = figure.subplots()
    for name, colour in _COLOURS.items():
        curves = [row["curve"] for row in found["rows"] if row["variant"] == name and row.get("curve")]
        if not curves:
            continue
        steps = [step for step, _ in curves[0]]
        values = [[psnr for _, psnr in points] for points in zip(*curves, strict=True)]
        axes.plot(steps, [fmean(each) for each in values], color=colour, label=_LABELS[name])
        low, high = [min(each) for each in values], [max(each) for each in values]
        axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
    if not axes.lines:
        return False
    axes.set(xlabel="step", ylabel="PSNR on validation photos, dB", title="Same U-Net, equal multiply-adds")
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return True


def draw_differences(found: dict[str, Any], path: Path) -> bool:
    """Draw each claim's difference with a bar of two standard errors, blue where it is real.

    Args:
        found: one budget of the results.
        path: PNG to write.

    Returns:
        Whether there was anything to draw.
    """
    findings = [finding for finding in ranked(judge(found["rows"])) if finding.difference.standard_error is not None]
    if not findings:
        return False
    figure = _figure(7.5, 0.8 + 0.32 * len(findings))
    axes = figure.subplots()
    for row, finding in enumerate(reversed(findings)):
        difference = finding.difference
        error = STANDARD_ERRORS * max(difference.standard_error or 0, difference.noise or 0)
        colour = _CERTAIN if difference.real else _NOISE
        axes.errorbar(difference.mean, row, xerr=error, fmt="o", color=colour, capsize=3)
    names = [f"{VARIANTS[item.claim.variant].name} − {VARIANTS[item.claim.baseline].name}" for item in findings]
    axes.set_yticks(
        range(len(findings)), [f"{item.claim.text}: {name}" for item, name in zip(findings, names, strict=True)][::-1]
    )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel(f"difference in PSNR, dB, ± {STANDARD_ERRORS:.0f} standard errors", loc="right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return True
