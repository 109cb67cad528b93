"""The paper's claims as differences between two variants, and what our runs say of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.ablations.significance import Difference, compare, paired_differences, pooled_deviation


@dataclass(frozen=True)
class Claim:
    """That one variant is better than another."""

    table: str
    text: str
    variant: str
    baseline: str
    paper_gain: float | None = None
    """In dB; None where the paper gives no figure."""
    from_paper: bool = True
    """False for a question of ours that the paper does not answer."""


CLAIMS = (
    Claim("figure1", "an inverse operator beats a residual", "c", "residual"),
    Claim("table5", "the task-aware module adds, alone", "b", "a", 0.95),
    Claim("table5", "several scales add, alone", "c", "a", 0.64),
    Claim("table5", "both add together", "d", "a", 1.21),
    Claim("table5", "a second stage adds", "e", "d", 0.25),
    Claim("table5", "the uncertainty map adds to it", "f", "e", 0.25),
    Claim("table5", "all of it together", "f", "a", 1.71),
    Claim("table5", "scales 1, 2, 4, 8 beat scale 1 in the full model", "f", "scales-1", None, False),
    Claim("table5", "scales 1, 2, 4, 8 beat 1, 2, 3, 4", "f", "scales-1234", None, False),
    Claim("table5", "a kernel for each colour beats one for all (Eq. 14)", "f", "one-kernel", None, False),
    Claim("table5", "the pyramid of levels helps photos of this size", "g", "f", None, False),
    Claim("table5", "training UM on the error helps the photo", "um-trained", "f", None, False),
    Claim("table7", "the task-aware module improves the ancestor", "ancestor-task", "ancestor", 1.65),
    Claim("table7", "per-pixel multi-scale fusion improves it", "ancestor-scales", "ancestor", 0.29),
    Claim("table7", "both improve it", "ancestor-both", "ancestor", 2.23),
    Claim("table7", "the full model beats the ancestor with both", "f", "ancestor-both", 0.33),
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """What our runs say of a claim."""

    claim: Claim
    difference: Difference

    @property
    def verdict(self) -> str:
        """ "holds", "contradicted", or "undecided" where the difference is within the noise."""
        if not self.difference.real:
            return "undecided"
        return "holds" if self.difference.mean > 0 else "contradicted"


def scores_by_seed(rows: Sequence[Row], variant: str) -> dict[int, float]:
    """Return a variant's mean PSNR for each of its seeds."""
    return {row["seed"]: row["psnr"] for row in rows if row["variant"] == variant}


def _pairs(rows: Sequence[Row], variant: str, baseline: str) -> list[float]:
    return paired_differences(scores_by_seed(rows, variant), scores_by_seed(rows, baseline))


def against(rows: Sequence[Row], variant: str, baseline: str) -> Difference | None:
    """Return one variant minus another, with the noise pooled over all claims; None where a side is missing."""
    own = _pairs(rows, variant, baseline)
    if not own or variant == baseline:
        return None
    return compare(own, pooled_deviation([_pairs(rows, claim.variant, claim.baseline) for claim in CLAIMS]))


def judge(rows: Sequence[Row]) -> list[Finding]:
    """Return what the rows say of every claim, if both of its variants were trained."""
    differences = {claim: against(rows, claim.variant, claim.baseline) for claim in CLAIMS}
    return [Finding(claim, difference) for claim, difference in differences.items() if difference is not None]


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings from the surest difference to the least sure."""
    return sorted(findings, key=lambda finding: -finding.difference.ratio)
