"""Break things while a command runs: each fault must lead to a message with its cure, and leave nothing half written.

    python -m benchmarks.reliability.faults --output benchmarks/results/faults.json [--photos 40]

Exits with 1 if one does not. A full and a read-only disk need root (they are mounted); without it they are left out
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
    CommandEnd,
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
"""Faults that need a disk of their own."""


@dataclass(frozen=True)
class Finding:
    """What one fault led to."""

    fault: str
    held: bool
    found: str
    told: str = ""
    """The first line that the person sees."""


def killed(workshop: Workshop) -> list[Finding]:
    """Kill a folder run with SIGKILL again and again, then let it go on to the end."""
    out, whole = workshop.folder / "killed", workshop.folder / "whole"
    total, damaged, abandoned, killed_runs = len(files_in(workshop.photos)), 0, 0, 0
    for number in range(KILLS):
        process = workshop.start(workshop.command(out, "--skip-existing"))
        wanted = (number + 1) * total // (KILLS + 2)
        wait_until(lambda wanted=wanted: out.is_dir() and len(files_in(out)) >= wanted, process)  # type: ignore[misc]
        process.kill()
        process.communicate()
        killed_runs += process.returncode == -signal.SIGKILL  # else it was done before
        abandoned += len(unfinished(out))
        damaged += len([name for name in not_whole(out) if not name.endswith(".part")])
    end = workshop.run(workshop.command(out, "--skip-existing"))
    workshop.run(workshop.command(whole))
    same = all((out / name).read_bytes() == (whole / name).read_bytes() for name in files_in(whole))
    complete = files_in(out) == files_in(workshop.photos)
    return [
        Finding(
            f"kill -9, {killed_runs} times during a folder run, then --skip-existing",
            end.code == 0 and killed_runs > 0 and not damaged and complete and same,
            f"{total} of {total} photos, the same bytes as without a kill; {damaged} damaged results; "
            f"{abandoned} unfinished files after the kills, {len(unfinished(out))} after the last run"
            if complete and same
            else f"{files_in(out)}, exit code {end.code}, {end.err}",
        )
    ]


def full_disk(workshop: Workshop) -> list[Finding]:
    """Fill the disk with the first results, then make room and go on."""
    disk = workshop.folder / "small disk"
    with mounted(disk, 400) as possible:
        if not possible:
            return []
        out = disk / "out"
        end = workshop.run(workshop.command(out))
        held = end.refused_plainly and "free some space" in end.err and not not_whole(out)
        first = len(files_in(out))
        remount(disk, "size=100m")
        second_run = workshop.run(workshop.command(out, "--skip-existing"))
        complete = second_run.code == 0 and files_in(out) == files_in(workshop.photos) and not not_whole(out)
        found = f"{first} whole results, nothing half written; with room, --skip-existing did the rest"
        return [Finding(DISK_FULL, held and complete, found, end.lines[0])]


def no_place_to_write(workshop: Workshop) -> list[Finding]:
    """Write below a file, and to a read-only disk."""
    below = workshop.run(workshop.command(workshop.checkpoint / "out"))
    findings = [_refusal("the output lies below a file", below, "choose a folder")]
    disk = workshop.folder / "read-only disk"
    with mounted(disk, 400) as possible:
        if possible:
            remount(disk, "ro")
            end = workshop.run(workshop.command(disk / "out"))
            findings.append(_refusal(READ_ONLY, end, "that you may write to"))
    return findings


def vanished(workshop: Workshop) -> list[Finding]:
    """Delete photos while the folder is being restored."""
    out = workshop.folder / "vanished"
    names = files_in(workshop.photos)
    gone = names[-3:]
    kept = {name: (workshop.photos / name).read_bytes() for name in gone}
    process = workshop.start(workshop.command(out))
    try:
        wait_until(lambda: out.is_dir() and bool(files_in(out)), process)
        for name in gone:
            (workshop.photos / name).unlink()
        text, err = process.communicate()
    finally:
        process.kill()
        for name, data in kept.items():
            (workshop.photos / name).write_bytes(data)
    end = CommandEnd(process.returncode, text, err)
    held = end.refused_plainly and err.count("check the path") == len(gone) and files_in(out) == names[: -len(gone)]
    found = f"{len(gone)} told by name, the other {len(names) - len(gone)} restored"
    return [Finding("photos vanish during a folder run", held and not not_whole(out), found, end.lines[0])]


def bad_checkpoints(workshop: Workshop) -> list[Finding]:
    """Start with every broken checkpoint."""
    findings = []
    for fault, path, cure in broken_checkpoints(workshop.checkpoint, workshop.folder / "checkpoints"):
        out = workshop.folder / "never"
        command = workshop.command(out)
        command[command.index(str(workshop.checkpoint))] = str(path)
        finding = _refusal(fault, workshop.run(command), cure)
        findings.append(Finding(fault, finding.held and not out.exists(), finding.found, finding.told))
    return findings


def saving_killed(workshop: Workshop) -> list[Finding]:
    """Kill a training run while it saves its state."""
    kills, lost = killed_while_saving(workshop.folder / "state.safetensors", 5)
    found = f"{kills - lost} of {kills} states loaded, none older than the last complete one"
    return [Finding("kill -9 while `opir train` saves", not lost, found)]


def _refusal(fault: str, end: CommandEnd, cure: str) -> Finding:
    held = end.refused_plainly and len(end.lines) == 1 and cure in end.err and not end.out
    return Finding(fault, held, "exit code 2, one line" if held else f"exit code {end.code}", end.err.strip()[:400])


FAULTS: tuple[Callable[[Workshop], list[Finding]], ...] = (
    *(killed, full_disk, no_place_to_write, vanished, bad_checkpoints, saving_killed),
)


def break_everything(photos: int) -> tuple[list[SummaryRow], dict[str, Any]]:
    """Run it all: rows for the README, and the report."""
    started = time.monotonic()
    findings = []
    with tempfile.TemporaryDirectory(prefix="opir-faults-") as made:
        workshop = Workshop(Path(made))
        workshop.fill(photos)
        for fault in FAULTS:
            found = fault(workshop)
            for one in found:
                print(f"{'ok ' if one.held else 'NOT'} {one.fault}: {one.found}", flush=True)
            findings += found
        hidden = [_without(finding, made) for finding in findings]
    held = sum(finding.held for finding in findings)
    left_out = [fault for fault in (DISK_FULL, READ_ONLY) if fault not in {one.fault for one in findings}]
    row = SummaryRow(
        f"{len(findings)} faults of the machine and of checkpoints",
        f"{held} ended as they should: told with their cure and exit code 2, or resumed to the end; nothing "
        "half written" + (f"; not tried without root: {', '.join(left_out)}" if left_out else ""),
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
