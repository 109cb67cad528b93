"""What weights were trained for is summed over the runs that their file names."""

from opir.model.record import training_record

RUN = {"step": 100, "hours": 0.5, "commit": "b", "data": "9 photos"}


def test_an_older_file_tells_of_its_last_run_alone() -> None:
    assert training_record({}) is None
    record = training_record(RUN | {"settings": {"start_from": "lite"}})
    assert record is not None
    assert not record.is_whole
    assert record.describe().startswith("100 steps, 0.5 hours at last; the weights that it started from")


def test_runs_are_summed() -> None:
    record = training_record(RUN | {"history": [{"step": 3000, "hours": 2.0, "data": "5 photos"}, RUN]})
    assert record is not None
    assert record.describe() == "3,100 steps in 2 runs, 2.5 hours"
    assert record.data == "9 photos"
