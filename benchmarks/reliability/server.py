"""The page as it is served: the real program, called through its public endpoint as a stranger's program calls it."""

import contextlib
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from pathlib import Path

from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from app.look import words
from benchmarks.reliability.doors import CAPPED, LIMIT_SECONDS, ROOT, START_SECONDS, environment
from benchmarks.reliability.outcome import Outcome, judged, peak_mb
from opir.photo import load_photo

AT_ONCE = 4
"""Calls in flight; the server's queue takes twenty."""


@contextlib.contextmanager
def served(checkpoint: Path, scratch: Path) -> Iterator[tuple[str, int]]:
    """`python app.py` with a cap on its memory: its address and its process id."""
    for name in ("results", "temporary"):
        (scratch / name).mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    options = ["--host", "127.0.0.1", "--port", str(port), "--checkpoint", str(checkpoint), "--device", "cpu"]
    with (scratch / "stderr").open("wb") as log:
        process = subprocess.Popen(
            [*CAPPED, "app.py", *options], stdout=log, stderr=log, cwd=ROOT, env=environment(scratch / "temporary")
        )
        try:
            _wait_for(address, process)
            yield address, process.pid
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    started = time.monotonic()
    while time.monotonic() - started < START_SECONDS:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.5)
    raise RuntimeError(f"no answer from the server within {START_SECONDS:g} s")


def call_all(paths: dict[int, Path], checkpoint: Path, scratch: Path, left: list[str]) -> Iterator[Outcome]:
    """Send files to the served page's endpoint; names that can not be sent at all are left out.

    What the server has unfinished after the last one is added to `left`: when it stops, it removes everything.
    """
    sendable = {index: path for index, path in paths.items() if _can_be_sent(path.name)}
    with served(checkpoint, scratch) as (address, process):
        mine = threading.local()  # equal results have one path: each worker downloads into a folder of its own

        def call(index: int, path: Path) -> Outcome:
            if not hasattr(mine, "client"):
                folder = scratch / "results" / str(threading.get_ident())
                mine.client = Client(address, download_files=folder, verbose=False)
            return _call(mine.client, index, path, process)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(call, sendable.keys(), sendable.values())
        left += unfinished(scratch / "temporary")


def _can_be_sent(name: str) -> bool:
    """Whether a name is text: a file system takes bytes that are none."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def unfinished(folder: Path) -> list[str]:
    """Return the files of a running server but for visitors' own, which die within the hour: a folder each.

    Parts of uploads lie in the visitors' folder itself, and a result that is being written has a name of its own.
    """
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        str(path.relative_to(folder))
        for path in files
        if path.name.endswith(".part") or path.parent.parent.name != "visitors"
    ]


def _call(client: Client, index: int, path: Path, process: int) -> Outcome:
    started = time.monotonic()
    try:
        result, _ = client.submit(handle_file(path), "auto", 1.0, api_name="/restore").result(
            timeout=AT_ONCE * LIMIT_SECONDS
        )
        seconds = time.monotonic() - started
        returned = Path(result)
        load_photo(returned)
        returned.unlink()
        return Outcome(index, "result", "", seconds, peak_mb(process))
    except AppError as error:
        outcome = judged(index, str(error), time.monotonic() - started, peak_mb(process))
        if words.UNEXPECTED in str(error) or words.OUT_OF_MEMORY in str(error):
            return Outcome(index, "broken", str(error), outcome.seconds, outcome.peak_mb)
        return outcome
    except TimeoutError:
        return Outcome(index, "broken", "no answer", time.monotonic() - started, peak_mb(process))
    except Exception as error:  # whatever it is, it is what this looks for
        text = f"{type(error).__name__}: {error}"[:1500]
        return Outcome(index, "broken", text, time.monotonic() - started, peak_mb(process))
