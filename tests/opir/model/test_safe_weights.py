"""Only safetensors are ever loaded: nothing in the package can unpickle, and pickles are refused unread."""

import ast
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from opir.model.checkpoint import CheckpointError, load_model

ROOT = Path(__file__).resolve().parents[3]
UNPICKLING_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
UNPICKLING_CALLS = {"torch.load", "torch.jit.load", "torch.hub.load", "pandas.read_pickle", "pd.read_pickle"}


class Payload:
    """What an attacker puts into a file of weights."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("name", ["model.safetensors", "model.pt", "pytorch_model.bin", "model.pkl"])
@pytest.mark.parametrize("as_torch_file", [True, False])
def test_a_pickle_is_refused_unread_whatever_it_is_called(tmp_path: Path, name: str, as_torch_file: bool) -> None:
    mark, path = tmp_path / "the payload ran", tmp_path / name
    if as_torch_file:
        torch.save(Payload(mark), path)
        assert zipfile.is_zipfile(path)
    else:
        path.write_bytes(pickle.dumps(Payload(mark)))
    with pytest.raises(CheckpointError, match="is a pickle"):
        load_model(path)
    assert not mark.exists()


def test_no_file_of_the_package_can_unpickle() -> None:
    files = [*(ROOT / "opir").rglob("*.py"), *(ROOT / "app").rglob("*.py"), ROOT / "app.py"]
    assert len(files) > 50
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                assert not UNPICKLING_MODULES & {name.name.split(".")[0] for name in node.names}, file
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in UNPICKLING_MODULES, file
            elif isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in UNPICKLING_CALLS, file
                if called in ("np.load", "numpy.load"):
                    assert any(
                        word.arg == "allow_pickle" and ast.unparse(word.value) == "False" for word in node.keywords
                    )
