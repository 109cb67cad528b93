"""Devices, precision and memory are chosen by what the machine has."""

import os
import sys
from pathlib import Path

import pytest
import torch

from opir.devices import (
    choose_device,
    choose_precision,
    give_back_freed_memory,
    reuse_freed_memory,
)

of_glibc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")


def test_unknown_names_are_told() -> None:
    with pytest.raises(ValueError, match='unknown device "gpu9": use'):
        choose_device("gpu9")
    with pytest.raises(ValueError, match='unknown precision "fp8": use one of auto, fp32, bf16'):
        choose_precision("fp8", torch.device("cpu"))


def test_a_named_precision_is_taken() -> None:
    assert choose_precision("bf16", torch.device("cpu")) is torch.bfloat16
    assert choose_precision("fp32", torch.device("cpu")) is torch.float32


@pytest.mark.parametrize("instructions", ["avx512_bf16", "amx_tile"])
def test_a_processor_made_for_bfloat16_computes_in_it(instructions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    for name in ("avx512_bf16", "amx_tile"):
        monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda: False)
    assert choose_precision("auto", cpu) is torch.float32
    monkeypatch.setattr(torch.cpu, f"_is_{instructions}_supported", lambda: True)
    assert choose_precision("auto", cpu) is torch.bfloat16


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@of_glibc
def test_freed_memory_is_given_back() -> None:
    reuse_freed_memory()
    large, last = [torch.ones(10_000_000) for _ in range(3)], torch.ones(1_000_000)
    before = resident()
    large.clear()
    give_back_freed_memory()
    assert before - resident() > 60_000_000
    assert last.sum() == 1_000_000


def test_glibc_takes_the_memory_settings() -> None:
    assert reuse_freed_memory()
    assert float(torch.ones(3_000_000).sum()) == 3_000_000
