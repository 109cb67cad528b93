"""What the tests of faults need: photos, a checkpoint, and the command line as a process that can be killed."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.reliability.doors import environment
from benchmarks.reliability.model import write_tiny_model
from benchmarks.reliability.sound import pixels
from opir.photo import ImageError, load_photo

EXIT_BAD_INPUT = 2
WAIT_SECONDS = 180.0


@dataclass(frozen=True)
class CommandEnd:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of standard error."""
        return self.err.splitlines()

    @property
    def refused_plainly(self) -> bool:
        """Whether it failed with exit code 2 and printed only messages of `opir`, without a stack trace."""
        return (
            self.code == EXIT_BAD_INPUT and bool(self.lines) and all(line.startswith("opir: ") for line in self.lines)
        )


@dataclass(frozen=True)
class Workshop:
    """A folder with what every trial needs."""

    folder: Path

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "tiny.safetensors"

    def fill(self, count: int, height: int = 240, width: int = 320) -> None:
        """Write so many photos, JPEG and PNG by turns, and the checkpoint."""
        self.photos.mkdir()
        write_tiny_model(self.folder)
        for number in range(count):
            picture = Image.fromarray(pixels(height, width) // (1 + number % 3))
            picture.save(self.photos / f"{number:03d}.{('png', 'jpg')[number % 2]}")

    def command(self, out: Path, *more: str) -> list[str]:
        """Return the command that restores the folder."""
        restore = ["restore", str(self.photos), "-o", str(out), "--checkpoint", str(self.checkpoint)]
        return [sys.executable, "-m", "opir", *restore, *more]

    def start(self, command: list[str]) -> "subprocess.Popen[str]":
        """Start a command without waiting for its end."""
        given = environment(self.folder / "temporary")
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=given, errors="replace")

    def run(self, command: list[str]) -> CommandEnd:
        """Run a command to its end."""
        process = self.start(command)
        try:
            out, err = process.communicate(timeout=4 * WAIT_SECONDS)
        finally:
            process.kill()
        return CommandEnd(process.returncode, out, err)


def files_in(folder: Path) -> list[str]:
    """Return the names of all files of a folder, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def not_whole(folder: Path) -> list[str]:
    """Return the files of a folder that are no whole photo."""
    found = []
    for name in files_in(folder):
        try:
            load_photo(folder / name)
        except ImageError:
            found.append(name)
    return found


def unfinished(folder: Path) -> list[str]:
    """Return the files of a folder that were being written when their process was killed."""
    return [name for name in files_in(folder) if name.endswith(".part")]


def wait_until(true: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Wait for something that a process does, or for its end."""
    started = time.monotonic()
    while not true() and process.poll() is None:
        if time.monotonic() - started > WAIT_SECONDS:
            raise TimeoutError("the process did not do what was waited for")
        time.sleep(0.002)


@contextlib.contextmanager
def mounted(folder: Path, kilobytes: int) -> Iterator[bool]:
    """A small disk of its own in memory; False where this user may not make one."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    try:
        yield made.returncode == 0
    finally:
        if made.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def remount(folder: Path, options: str) -> None:
    """Change a disk made by `mounted`, such as its size, or to read-only."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], capture_output=True, check=True)
