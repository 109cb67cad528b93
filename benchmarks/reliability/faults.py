"""Break the machine under a running command: every fault has to be told with its cure, and nothing half written.

    python -m benchmarks.reliability.faults --output benchmarks/results/faults.json [--photos 40]

Exits with 1 where one was not. A full and a read-only disk need root (they are mounted); without it they are left out
and the report says so.
"""

import argparse
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.reliability.broken_checkpoints import broken_checkpoints, killed_while_saving
from benchmarks.reliability.results import SummaryRow, write_results
from benchmarks.reliability.workshop import (
    Told,
    Workshop,
    files_in,
    mounted,
    not_whole,
    remount,
    unfinished,
    wait_until,
)

KILLS = 4
DISK_FULL, READ_ONLY = "the disk gets full during a folder run", "the output is read-only"
"""What needs a disk of its own."""


@dataclass(frozen=True)
class Finding:
    """What one fault led to."""

    fault: str
    held: bool
    found: str
    told: str = ""
    """The first line that the person sees."""


def killed(shop: Workshop) -> list[Finding]:
    """Kill a folder run with SIGKILL again and again, then let it go on to the end."""
    out, whole = shop.folder / "killed", shop.folder / "whole"
    total, damaged, abandoned, struck = len(files_in(shop.photos)), 0, 0, 0
    for number in range(KILLS):
        process = shop.start(shop.command(out, "--skip-existing"))
        wanted = (number + 1) * total // (KILLS + 2)
        wait_until(lambda wanted=wanted: out.is_dir() and len(files_in(out)) >= wanted, process)  # type: ignore[misc]
        process.kill()
        process.communicate()
        struck += process.returncode == -signal.SIGKILL  # else it was done before
        abandoned += len(unfinished(out))
        damaged += len([name for name in not_whole(out) if not name.endswith(".part")])
    told = shop.run(shop.command(out, "--skip-existing"))
    shop.run(shop.command(whole))
    same = all((out / name).read_bytes() == (whole / name).read_bytes() for name in files_in(whole))
    complete = files_in(out) == files_in(shop.photos)
    return [
        Finding(
            f"kill -9, {struck} times during a folder run, then --skip-existing",
            told.code == 0 and struck > 0 and not damaged and complete and same,
            f"{total} of {total} photos, the same bytes as without a kill; {damaged} damaged results; "
            f"{abandoned} unfinished files after the kills, {len(unfinished(out))} after the last run"
            if complete and same
            else f"{files_in(out)}, exit code {told.code}, {told.err}",
        )
    ]


def full_disk(shop: Workshop) -> list[Finding]:
    """Fill the disk with the first results, then make room and go on."""
    disk = shop.folder / "small disk"
    with mounted(disk, 400) as possible:
        if not possible:
            return []
        out = disk / "out"
        told = shop.run(shop.command(out))
        held = told.plain and "free some space" in told.err and not not_whole(out)
        first = len(files_in(out))
        remount(disk, "size=100m")
        again = shop.run(shop.command(out, "--skip-existing"))
        complete = again.code == 0 and files_in(out) == files_in(shop.photos) and not not_whole(out)
        found = f"{first} whole results, nothing half written; with room, --skip-existing did the rest"
        return [Finding(DISK_FULL, held and complete, found, told.lines[0])]


def no_place_to_write(shop: Workshop) -> list[Finding]:
    """Write below a file, and to a read-only disk."""
    below = shop.run(shop.command(shop.checkpoint / "out"))
    findings = [_refusal("the output lies below a file", below, "choose a folder")]
    disk = shop.folder / "read-only disk"
    with mounted(disk, 400) as possible:
        if possible:
            remount(disk, "ro")
            told = shop.run(shop.command(disk / "out"))
            findings.append(_refusal(READ_ONLY, told, "that you may write to"))
    return findings


def vanished(shop: Workshop) -> list[Finding]:
    """Delete photos while the folder is being restored."""
    out = shop.folder / "vanished"
    names = files_in(shop.photos)
    gone = names[-3:]
    kept = {name: (shop.photos / name).read_bytes() for name in gone}
    process = shop.start(shop.command(out))
    try:
        wait_until(lambda: out.is_dir() and bool(files_in(out)), process)
        for name in gone:
            (shop.photos / name).unlink()
        text, err = process.communicate()
    finally:
        process.kill()
        for name, data in kept.items():
            (shop.photos / name).write_bytes(data)
    told = Told(process.returncode, text, err)
    held = told.plain and err.count("check the path") == len(gone) and files_in(out) == names[: -len(gone)]
    found = f"{len(gone)} told by name, the other {len(names) - len(gone)} restored"
    return [Finding("photos vanish during a folder run", held and not not_whole(out), found, told.lines[0])]


def bad_checkpoints(shop: Workshop) -> list[Finding]:
    """Start with every broken checkpoint."""
    findings = []
    for fault, path, cure in broken_checkpoints(shop.checkpoint, shop.folder / "checkpoints"):
        out = shop.folder / "never"
        command = shop.command(out)
        command[command.index(str(shop.checkpoint))] = str(path)
        finding = _refusal(fault, shop.run(command), cure)
        findings.append(Finding(fault, finding.held and not out.exists(), finding.found, finding.told))
    return findings


def saving_killed(shop: Workshop) -> list[Finding]:
    """Kill a training run while it saves its state."""
    kills, lost = killed_while_saving(shop.folder / "state.safetensors", 5)
    found = f"{kills - lost} of {kills} states loaded, none older than the last complete one"
    return [Finding("kill -9 while `opir train` saves", not lost, found)]


def _refusal(fault: str, told: Told, cure: str) -> Finding:
    held = told.plain and len(told.lines) == 1 and cure in told.err and not told.out
    return Finding(fault, held, "exit code 2, one line" if held else f"exit code {told.code}", told.err.strip()[:400])


FAULTS: tuple[Callable[[Workshop], list[Finding]], ...] = (
    *(killed, full_disk, no_place_to_write, vanished, bad_checkpoints, saving_killed),
)


def break_everything(photos: int) -> tuple[list[SummaryRow], dict[str, Any]]:
    """Run it all: rows for the README, and the report."""
    started = time.monotonic()
    findings = []
    with tempfile.TemporaryDirectory(prefix="opir-faults-") as made:
        shop = Workshop(Path(made))
        shop.fill(photos)
        for fault in FAULTS:
            found = fault(shop)
            for one in found:
                print(f"{'ok ' if one.held else 'NOT'} {one.fault}: {one.found}", flush=True)
            findings += found
        hidden = [_without(finding, made) for finding in findings]
    held = sum(finding.held for finding in findings)
    left_out = [fault for fault in (DISK_FULL, READ_ONLY) if fault not in {one.fault for one in findings}]
    row = SummaryRow(
        f"{len(findings)} faults of the machine and of checkpoints",
        f"{held} told with their cure, exit code 2, nothing half written, resumed to the end"
        + (f"; not tried without root: {', '.join(left_out)}" if left_out else ""),
        held == len(findings),
    )
    return [row], {
        "run_seconds": round(time.monotonic() - started),
        "left_out": left_out,
        "faults": [asdict(one) for one in hidden],
    }


def _without(finding: Finding, folder: str) -> Finding:
    """Leave out the temporary folder that a message names."""
    return Finding(finding.fault, finding.held, finding.found, finding.told.replace(folder, "…"))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=40, help="in the folder that is restored")
    options = parser.parse_args()
    rows, report = break_everything(options.photos)
    write_results(options.output, "make faults", rows, report)
    for finding in report["faults"]:
        if not finding["held"]:
            print(f"{finding['fault']}: {finding['found']}: {finding['told']}")
    if not rows[0].held:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
