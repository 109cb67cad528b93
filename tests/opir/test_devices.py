"""Devices, precision and memory are chosen by what the machine has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from opir import devices
from opir.devices import (
    choose_device,
    choose_precision,
    empty_apart,
    free_memory,
    give_back_freed_memory,
    lack_of_memory_told,
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


@of_glibc
def test_what_lies_apart_goes_back_with_its_tensor() -> None:
    reuse_freed_memory()
    large, behind = empty_apart((3, 4000, 2500), torch.float32, torch.device("cpu")), torch.ones(1_000_000)
    large.fill_(0.5)
    assert large.shape == (3, 4000, 2500)
    assert large.is_contiguous()
    assert float(large.mean()) == 0.5
    before = resident()
    del large
    assert before - resident() > 100_000_000
    assert behind.sum() == 1_000_000


def test_glibc_takes_the_memory_settings() -> None:
    assert reuse_freed_memory()
    assert float(torch.ones(3_000_000).sum()) == 3_000_000


@of_glibc
def test_free_memory_is_no_more_than_a_process_may_take() -> None:
    code = (
        "import resource, torch\n"
        "from opir.devices import free_memory\n"
        "from opir.photo.photo import allowed_megapixels\n"
        "before = free_memory(torch.device('cpu'))\n"
        "resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, resource.RLIM_INFINITY))\n"
        "print(free_memory(torch.device('cpu')), before, allowed_megapixels())\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    limited, before, megapixels = told.split()
    assert 0 < int(limited) < 6 * 2**30
    assert int(limited) <= int(before)
    assert float(megapixels) <= max(100, 6 * 2**30 / 40e6)


def test_a_container_has_what_its_limit_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_CONTAINER", tmp_path)
    free = free_memory(torch.device("cpu"))
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.stat").write_text("anon 300\ninactive_file 600\n")
    assert free is None or free > 10_000_000
    (tmp_path / "memory.max").write_text("5001000\n")
    assert free_memory(torch.device("cpu")) == 5_000_600


def test_a_processor_short_of_memory_is_told_as_such() -> None:
    with pytest.raises(MemoryError, match="not enough memory"), lack_of_memory_told():
        torch.empty(2**50, dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="shape"), lack_of_memory_told():
        torch.empty(3).reshape(2, 2)
