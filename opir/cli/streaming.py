"""Many photos one after another: files are read and written by threads while the model runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from opir.cli.jobs import ONE_LINE_ERRORS, Job, record_of

Loaded = TypeVar("Loaded")
Restored = TypeVar("Restored")

READ_AHEAD = 2
"""Photos that wait decoded, and results that wait to be written: what keeps memory bounded."""


def stream_jobs(
    jobs: Iterable[Job],
    read: Callable[[Job], Loaded],
    work: Callable[[Job, Loaded], Restored],
    write: Callable[[Job, Restored], dict[str, Any]],
    ahead: int = READ_AHEAD,
) -> Iterator[dict[str, Any]]:
    """Do jobs in three steps, in their order; one that fails does not stop the others.

    Args:
        jobs: what to do.
        read: decodes a photo, in a thread.
        work: restores it, in the thread of the caller.
        write: encodes the result, in a thread, and says what to report.
        ahead: photos read, and results unwritten, at a time.

    Yields:
        What `opir.cli.run_jobs` yields.
    """
    rest = iter(jobs)
    reading: deque[tuple[Job, Future[Loaded]]] = deque()
    writing: deque[tuple[Job, Future[dict[str, Any]]]] = deque()
    readers, writers = ThreadPoolExecutor(ahead, "read"), ThreadPoolExecutor(ahead, "write")
    try:
        reading.extend((job, readers.submit(_read, read, job)) for job in islice(rest, ahead))
        while reading:
            job, loading = reading.popleft()
            try:
                restored = work(job, loading.result())
                writing.append((job, writers.submit(write, job, restored)))
                del restored
            except ONE_LINE_ERRORS as error:
                failed: Future[dict[str, Any]] = Future()
                failed.set_exception(error)
                writing.append((job, failed))
            del loading
            reading.extend((job, readers.submit(_read, read, job)) for job in islice(rest, 1))
            while len(writing) > ahead or (writing and writing[0][1].done()):
                yield _finished(*writing.popleft())
        while writing:
            yield _finished(*writing.popleft())
    except KeyboardInterrupt:  # what is being written is there: it is reported too
        while writing:
            yield _finished(*writing.popleft())
        raise
    finally:
        readers.shutdown(cancel_futures=True)
        writers.shutdown()


def _read(read: Callable[[Job], Loaded], job: Job) -> Loaded:
    job.check()
    return read(job)


def _finished(job: Job, writing: Future[dict[str, Any]]) -> dict[str, Any]:
    return record_of(job, writing.result)
