"""Checkpoints keep everything and admit nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from opir.model import OPIR
from opir.model.checkpoint import CheckpointError, load_model, save_model


def test_keeps_weights_config_and_provenance(tiny_model: OPIR, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "model.safetensors"
    save_model(tiny_model, path, {"step": 12, "commit": "abc"})
    for name in (path, path.parent):
        model, info = load_model(name)
        assert model.config == tiny_model.config == info.config
        assert info.metadata == {"step": 12, "commit": "abc"}
        for old, new in zip(tiny_model.parameters(), model.parameters(), strict=True):
            assert torch.equal(old, new)
    assert list(path.parent.iterdir()) == [path]


def test_missing_checkpoint_names_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r'no checkpoint "nowhere": expected a shipped name'):
        load_model("nowhere")
    with pytest.raises(CheckpointError, match=r"no checkpoint .*gone\.safetensors"):
        load_model(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("name", ["runs/mine", "./mine", "there/mine"])
def test_a_folder_that_is_not_there_is_told_without_asking_the_hub(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    monkeypatch.setattr("opir.model.checkpoint._download", lambda hub_id: pytest.fail(f"asked the hub for {hub_id}"))
    with pytest.raises(CheckpointError, match=f'no checkpoint "{name}": expected'):
        load_model(name)


def test_other_files_are_refused(tmp_path: Path, tiny_model: OPIR) -> None:
    text = tmp_path / "text.safetensors"
    text.write_text("not a checkpoint")
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        load_model(text)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, foreign)
    with pytest.raises(CheckpointError, match="not an OPIR checkpoint: expected format opir-1, got None"):
        load_model(foreign)
    incomplete = tmp_path / "incomplete.safetensors"
    save_model(tiny_model, incomplete, {})
    from safetensors import safe_open

    with safe_open(incomplete, "pt") as file:
        kept = {key: file.get_tensor(key) for key in list(file.keys())[1:]}
        save_file(kept, incomplete, metadata=file.metadata())
    with pytest.raises(CheckpointError, match="does not hold the weights its config names"):
        load_model(incomplete)


def test_loading_leaves_pytorchs_compiler_alone() -> None:
    loading = "import sys; from opir.model import load_model; load_model('lite')"
    code = f"{loading}; print({{'sympy', 'torch._dynamo'}} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "set()"  # 95 MB and two seconds
