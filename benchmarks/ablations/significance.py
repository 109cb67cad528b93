"""Is a difference larger than the noise between seeds?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

STANDARD_ERRORS = 2.0
"""How many a difference has to exceed to count as real."""


@dataclass(frozen=True)
class Difference:
    """One variant minus another, seed by seed."""

    mean: float
    standard_error: float | None
    """Of this difference over its own seeds; None with one seed."""
    noise: float | None
    """The standard error that all differences of the comparison share; None where no seed was repeated."""
    seeds: int

    @property
    def ratio(self) -> float:
        """|mean| in standard errors, the larger of the two: 0 where neither is known."""
        errors = [error for error in (self.standard_error, self.noise) if error is not None]
        if self.standard_error is None or not errors:
            return 0.0
        largest = max(errors)
        return abs(self.mean) / largest if largest > 0 else (math.inf if self.mean else 0.0)

    @property
    def real(self) -> bool:
        """Whether the mean exceeds two standard errors, its own and the shared one."""
        return self.ratio > STANDARD_ERRORS


def paired_differences(variant: Mapping[int, float], baseline: Mapping[int, float]) -> list[float]:
    """Return variant minus baseline for every seed that both have, in the order of the seeds."""
    return [variant[seed] - baseline[seed] for seed in sorted(set(variant) & set(baseline))]


def pooled_deviation(groups: Sequence[Sequence[float]]) -> float | None:
    """Return the standard deviation within groups, around each group's own mean; None without any repetition.

    Two or three seeds say little about the noise of one difference: two that agree by chance would make any
    difference "real". All differences together say more.
    """
    freedom = sum(len(group) - 1 for group in groups if len(group) > 1)
    if not freedom:
        return None
    squares = sum((value - fmean(group)) ** 2 for group in groups if len(group) > 1 for value in group)
    return math.sqrt(squares / freedom)


def compare(differences: Sequence[float], deviation: float | None) -> Difference:
    """Summarise paired differences.

    Args:
        differences: from `paired_differences`, at least one.
        deviation: from `pooled_deviation` over the whole comparison.

    Raises:
        ValueError: without any difference.
    """
    if not differences:
        raise ValueError("expected at least one seed that both variants have, got none")
    root = math.sqrt(len(differences))
    return Difference(
        mean=fmean(differences),
        standard_error=stdev(differences) / root if len(differences) > 1 else None,
        noise=None if deviation is None else deviation / root,
        seeds=len(differences),
    )


def mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean and the standard deviation over seeds; None as the deviation of one."""
    return fmean(values), stdev(values) if len(values) > 1 else None
