"""Devices, precision and memory are chosen by what the machine has."""

import pytest
import torch

from opir.devices import choose_device, choose_precision, reuse_freed_memory


def test_unknown_names_are_told() -> None:
    with pytest.raises(ValueError, match='unknown device "gpu9": use'):
        choose_device("gpu9")
    with pytest.raises(ValueError, match='unknown precision "fp8": use one of auto, fp32, bf16'):
        choose_precision("fp8", torch.device("cpu"))


def test_a_named_precision_is_taken() -> None:
    assert choose_precision("bf16", torch.device("cpu")) is torch.bfloat16
    assert choose_precision("fp32", torch.device("cpu")) is torch.float32


def test_glibc_takes_the_memory_settings() -> None:
    assert reuse_freed_memory()
    assert float(torch.ones(3_000_000).sum()) == 3_000_000
