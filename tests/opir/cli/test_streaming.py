"""Photos streamed through threads: in order, with bounded memory, whatever fails."""

import threading
from pathlib import Path

import pytest
import typer

from opir.cli.jobs import Job
from opir.cli.progress import with_bar
from opir.cli.streaming import stream_jobs

JOBS = [Job(Path(f"{number}.png"), Path(f"out/{number}.png")) for number in range(12)]


def test_records_come_in_order_and_failures_stop_nothing() -> None:
    def read(job: Job) -> str:
        if job.source.stem == "3":
            raise ValueError("3.png: broken")
        return job.source.stem

    def work(job: Job, loaded: str) -> str:
        if loaded == "5":
            raise MemoryError
        return loaded + "!"

    def write(job: Job, restored: str) -> dict:
        if restored == "7!":
            raise OSError("disk full")
        return {"restored": restored}

    records = list(stream_jobs(JOBS, read, work, write))
    assert [record["input"] for record in records] == [str(job.source) for job in JOBS]
    errors = {record["input"]: record["error"] for record in records if "error" in record}
    assert errors == {
        "3.png": "3.png: broken",
        "5.png": "5.png: not enough memory for this photo: try a smaller --tile",
        "7.png": "7.png: disk full",
    }
    assert records[4]["restored"] == "4!"


def test_few_photos_are_in_memory_at_a_time() -> None:
    lock, alive, most = threading.Lock(), 0, 0

    def read(job: Job) -> None:
        nonlocal alive, most
        with lock:
            alive += 1
            most = max(most, alive)

    def write(job: Job, restored: None) -> dict:
        nonlocal alive
        with lock:
            alive -= 1
        return {}

    records = list(stream_jobs(iter(JOBS), read, lambda job, loaded: None, write, ahead=2))
    assert len(records) == len(JOBS)
    assert most <= 2 + 1 + 3  # read ahead, at work, and waiting to be written


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        list(stream_jobs(JOBS, lambda job: {}["missing"], lambda job, loaded: None, lambda job, restored: {}))


def test_what_is_not_asked_for_any_more_is_not_started() -> None:
    started = []
    stream = stream_jobs(JOBS, started.append, lambda job, loaded: None, lambda job, restored: {})
    next(stream)
    stream.close()
    assert len(started) < len(JOBS)


def test_what_is_written_when_somebody_interrupts_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """Photos whose files are being written are reported, and how to go on is told."""
    go = threading.Event()

    def work(job: Job, loaded: str) -> str:
        if job.source.stem == "2":
            go.set()
            raise KeyboardInterrupt
        return loaded

    def write(job: Job, restored: str) -> dict:
        go.wait(10)
        return {"restored": restored}

    records = []

    def collect() -> None:
        for record in with_bar(stream_jobs(JOBS, lambda job: job.source.stem, work, write), len(JOBS)):
            records.append(record["restored"])

    with pytest.raises(typer.Exit) as ended:
        collect()
    assert ended.value.exit_code == 130
    assert records == ["0", "1"]
    assert capsys.readouterr().err == (
        "opir: stopped: 2 of 12 photos are written; the same command with --skip-existing goes on\n"
    )
