"""What weights were trained for is summed over the runs that their file names."""

import json
from pathlib import Path

import pytest

from opir.model import OPIR
from opir.model.checkpoint import load_model, save_model
from opir.model.record import main, training_record

RUN = {"step": 100, "hours": 0.5, "commit": "b", "data": "9 photos"}


def test_an_older_file_tells_of_its_last_run_alone() -> None:
    assert training_record({}) is None
    record = training_record(RUN | {"settings": {"start_from": "lite"}})
    assert record is not None
    assert not record.is_whole
    assert record.describe().startswith("100 steps, 0.5 hours at last; the weights that it started from")


def test_what_a_file_says_in_words_is_told() -> None:
    record = training_record(RUN | {"runs": "Grown from others."})
    assert record is not None
    assert record.describe() == "100 steps, 0.5 hours at last. Grown from others."
    assert not record.is_whole


def test_runs_are_summed() -> None:
    record = training_record(RUN | {"history": [{"step": 3000, "hours": 2.0, "data": "5 photos"}, RUN]})
    assert record is not None
    assert record.describe() == "3,100 steps in 2 runs, 2.5 hours"
    assert record.data == "9 photos"


def test_earlier_runs_are_added_to_a_file(
    tiny_model: OPIR, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, runs = tmp_path / "weights.safetensors", tmp_path / "runs.json"
    save_model(tiny_model, path, RUN)
    runs.write_text(json.dumps([{"step": 7, "hours": 0.1}]))
    main([str(path), str(runs)])
    assert capsys.readouterr().out == f"{path}: 2 runs\n"
    model, info = load_model(path)
    assert model.state_dict().keys() == tiny_model.state_dict().keys()
    record = training_record(info.metadata)
    assert record is not None
    assert (record.steps, record.num_runs) == (107, 2)
