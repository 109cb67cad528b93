"""What is compared: each variant is the full model with a few settings changed, or another model from its parts."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.ablations.ancestor import ANCESTOR_SCALES, Ancestor, MultiScaleAncestor
from benchmarks.ablations.budget import Budget
from benchmarks.ablations.residual import ResidualRestorer
from opir.config import OPIRConfig
from opir.model import OPIR, count_gmacs, count_parameters

UNCERTAINTY_TERM = 0.01
"""Weight of the loss that trains UM, as in configs/lite.toml; the paper has no such term."""


@dataclass(frozen=True)
class Variant:
    """One model of a comparison."""

    name: str
    label: str
    tables: tuple[str, ...]
    """Which of "figure1", "table5" and "table7" show it."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Settings that differ from the full model's (`OPIRConfig`)."""
    build: Callable[[OPIRConfig], OPIR] = OPIR
    paper_psnr: float | None = None
    """Mean over the paper's three tasks, in dB."""
    uncertainty_term: float = 0.0
    draws_curve: bool = False
    """Whether its PSNR is followed while it learns (Figure 1)."""
    levels_every: int = 0
    """One training step of so many has larger crops as a pyramid of two levels, and the model is measured with levels
    as it chooses them; 0 is the paper, `num_levels=1` in training and measuring."""

    def config(self, budget: Budget) -> OPIRConfig:
        """Return the model's settings at a budget."""
        return replace(budget.network, **self.changes)

    @property
    def has_uncertainty_map(self) -> bool:
        """Whether the model uses UM of Eq. 11, so that it can be compared with the error."""
        return (
            self.build is OPIR and self.changes.get("num_stages", 2) == 2 and "uncertainty_guided" not in self.changes
        )

    def settings(self) -> dict[str, Any]:
        """Return what makes it this variant, as plain values."""
        return {
            "changes": self.changes,
            "model": self.build.__name__,
            "uncertainty_term": self.uncertainty_term,
            "levels_every": self.levels_every,
        }


_ROW_A: dict[str, Any] = {"num_stages": 1, "uncertainty_guided": False, "task_aware": False, "scales": (1,)}
_ROW_C = {**_ROW_A, "scales": (1, 2, 4, 8)}
_ANCESTOR = {"task_aware": False, "scales": ANCESTOR_SCALES}
_TASK_AWARE, _MULTI_SCALE = {"task_aware": True}, {"scales": (1, 2, 4, 8)}

_ALL = (
    Variant("a", "(a) one stage", ("table5",), _ROW_A, paper_psnr=32.31),
    Variant("b", "(b) task-aware", ("table5",), {**_ROW_A, **_TASK_AWARE}, paper_psnr=33.26),
    Variant(
        "c", "(c) several scales", ("figure1", "table5"), _ROW_C, paper_psnr=32.95, draws_curve=True
    ),  # also the operator network of Figure 1
    Variant("d", "(d) both", ("table5",), {**_ROW_C, **_TASK_AWARE}, paper_psnr=33.52),
    Variant("e", "(e) two stages", ("table5",), {"uncertainty_guided": False}, paper_psnr=33.77),
    Variant("f", "(f) full: under the uncertainty map", ("table5", "table7"), paper_psnr=34.02),
    Variant("g", "(g) full, with the pyramid (ours)", ("table5",), levels_every=3),
    Variant("um-trained", "(f), UM trained on the error", ("table5",), uncertainty_term=UNCERTAINTY_TERM),
    Variant("one-kernel", "(f), one kernel for all colours (Eq. 14)", ("table5",), {"kernel_channels": 1}),
    Variant("scales-1", "(f), scale 1", ("table5",), {"scales": (1,)}),
    Variant("scales-1234", "(f), scales 1, 2, 3, 4", ("table5",), {"scales": (1, 2, 3, 4)}),
    Variant("residual", "residual head", ("figure1",), _ROW_C, ResidualRestorer, draws_curve=True),
    Variant("ancestor", "ancestor in the manner of EfDeRain+", ("table7",), _ANCESTOR, Ancestor, 31.46),
    Variant("ancestor-task", "+ task-aware module", ("table7",), {**_ANCESTOR, **_TASK_AWARE}, Ancestor, 33.11),
    Variant(
        "ancestor-scales",
        "+ multi-scale kernel, fused per pixel",
        ("table7",),
        {**_ANCESTOR, **_MULTI_SCALE},
        MultiScaleAncestor,
        31.75,
    ),
    Variant(
        "ancestor-both",
        "+ both",
        ("table7",),
        {**_ANCESTOR, **_MULTI_SCALE, **_TASK_AWARE},
        MultiScaleAncestor,
        33.69,
    ),
)
VARIANTS: dict[str, Variant] = {variant.name: variant for variant in _ALL}
TABLES = ("figure1", "table5", "table7")


def variants_of(table: str) -> list[Variant]:
    """Return the variants that a table shows, in its order; "all" returns all."""
    return [variant for variant in _ALL if table == "all" or table in variant.tables]


def count_multiply_adds(variant: Variant, budget: Budget, size: int = 256) -> float:
    """Return the multiply-adds (in 10⁹) of one size×size photo, all stages, filtering included."""
    config = variant.config(budget)
    if variant.build is OPIR:
        return count_gmacs(config, size)
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        model = variant.build(config)
        model(torch.zeros(1, 3, size, size))
    assert isinstance(model, (ResidualRestorer, Ancestor))
    return float((counter.get_total_flops() / 2 + size * size * model.filtering_products(config)) / 1e9)


def count_trainable(variant: Variant, budget: Budget) -> int:
    """Return the number of trainable values."""
    with torch.device("meta"):
        return count_parameters(variant.build(variant.config(budget)))
