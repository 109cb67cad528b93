"""The command line: `opir restore`, `evaluate`, `inspect`, `degrade`, `train`, `calibrate`, `export` and `info`.

Whatever is wrong with the input is told in one line, and the command exits with 2.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from opir import inspection
from opir.cli import weights
from opir.cli.arguments import AsJson, Checkpoint, Device, Out, Photos, Recursive, SkipExisting, TaskName, app
from opir.cli.cluster import run_on_ray
from opir.cli.folder import RestoreOptions
from opir.cli.jobs import (
    ONE_LINE_ERRORS,
    OUTPUT_SUFFIXES,
    SAME,
    STANDARD,
    Job,
    one_line,
    plan_jobs,
    run_jobs,
    written_to,
)
from opir.cli.options import checked_maps_format, checked_task, parse_maps, parse_point, parse_tile
from opir.cli.outcomes import EXIT_BAD_INPUT, prepare_terminal, report_outcomes, say
from opir.cli.progress import with_bar
from opir.cli.streaming import stream_jobs
from opir.degradations import degrade
from opir.files import prepare_folders
from opir.inference.level_choice import read_levels
from opir.inference.restoration import Restoration
from opir.inference.restorer import Restorer
from opir.photo import Photo, load_photo, save_photo
from opir.tasks import AUTO, TASK_NAMES, Task

ENGINES = ("local", "ray")
__all__ = ["app", "main", "weights"]


@app.command()
def restore(
    photos: Photos,
    *,
    out: Out,
    task: TaskName = AUTO,
    checkpoint: Checkpoint = "lite",
    device: Device = "auto",
    tile: Annotated[str, typer.Option(help="Side of the parts of a large photo; 0: no parts.")] = "auto",
    levels: Annotated[
        str, typer.Option(help="Sizes to work at, such as 0,1: 0 the photo's, 1 half of it; auto: where weather is.")
    ] = "auto",
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Average the results of mirrored copies: better, in 4 x the time.")
    ] = False,
    recursive: Recursive = False,
    skip_existing: SkipExisting = False,
    file_format: Annotated[
        str, typer.Option("--format", help=f"{SAME}, or one of {', '.join(OUTPUT_SUFFIXES)}.")
    ] = SAME,
    strength: Annotated[float, typer.Option(min=0, max=1, help="0 keeps the photo, 1 restores it.")] = 1.0,
    maps: Annotated[str, typer.Option(help=f"Also write some of {','.join(inspection.MAPS)}.")] = "",
    maps_format: Annotated[
        str, typer.Option(help=f"{', '.join(inspection.MAP_FORMATS)}: pictures, or the numbers.")
    ] = "png",
    as_json: AsJson = False,
    keep_location: Annotated[bool, typer.Option("--keep-location", help="Keep the GPS position too.")] = False,
    keep_time: Annotated[bool, typer.Option("--keep-time", help="Keep each file's time of change.")] = False,
    max_megapixels: Annotated[
        float | None, typer.Option(min=0.0001, help="The largest photo; else 100, or what the memory is enough for.")
    ] = None,
    log: Annotated[Path | None, typer.Option(help="Add one JSON line for each photo to this file.")] = None,
    engine: Annotated[str, typer.Option(help=f"Where to compute: {' or '.join(ENGINES)} (a cluster).")] = "local",
    workers: Annotated[int | None, typer.Option(min=1, help="For --engine ray: processes with a model.")] = None,
) -> None:
    """Restore photos; each keeps its name, format, colour profile, transparency and depth."""
    if engine not in ENGINES:
        raise ValueError(f'unknown engine "{engine}": use one of {", ".join(ENGINES)}')
    if workers is not None and engine != "ray":
        raise ValueError("--workers is for --engine ray; photos are restored one at a time here")
    options = RestoreOptions(
        checked_task(task),
        parse_tile(tile),
        strength,
        parse_maps(maps),
        read_levels(levels),
        keep_location,
        keep_time,
        max_megapixels,
        checked_maps_format(maps_format, parse_maps(maps)),
        thorough=thorough,
    )
    plan = plan_jobs(photos, out, recursive, file_format)
    jobs = [job for job in plan.jobs if not (skip_existing and job.output.exists())]
    if not jobs:
        records: Iterable[dict[str, Any]] = []
    elif engine == "ray":
        prepare_folders([job.output.parent for job in jobs])
        records = run_on_ray(jobs, checkpoint, device, options.read_restore_write, workers)
    else:
        restorer = Restorer.from_pretrained(checkpoint, device)
        prepare_folders([job.output.parent for job in jobs])

        def work(job: Job, photo: Photo) -> Restoration:
            return options.restore_with_bar(restorer, job, photo)

        records = stream_jobs(jobs, options.read, work, options.write)
    quiet = any(job.output == STANDARD for job in jobs)
    records = with_bar(records if log is None else written_to(log, records), len(jobs))
    report_outcomes(records, as_json, plan.left_out, quiet, len(plan.jobs) - len(jobs))


@app.command()
def inspect(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A photo.")],
    *,
    at: Annotated[str, typer.Option(metavar="X,Y", help="Column and row of a pixel, from 0.")],
    task: TaskName = AUTO,
    checkpoint: Checkpoint = "lite",
    device: Device = "auto",
    level: Annotated[
        int | None, typer.Option(help="Of which size; 0 is the photo's. Else the one that changed the pixel most.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the operator that made one pixel: kernels, modulation, scales and uncertainty of each stage."""
    x, y = parse_point(at)
    restorer = Restorer.from_pretrained(checkpoint, device)
    pixel = restorer.restore(image, checked_task(task)).inspect(x, y, level=level)
    say(json.dumps(pixel.to_dict(), indent=2) if as_json else pixel.describe())


@app.command("degrade")
def degrade_command(
    photos: Photos,
    *,
    out: Out,
    task: Annotated[str, typer.Option(help=f"The weather: one of {', '.join(TASK_NAMES)}.")],
    seed: Annotated[int, typer.Option(help="Same seed, same weather; the next photo takes the next one.")] = 0,
    size: Annotated[
        float | None, typer.Option(help="How wide most streaks or flakes are, in pixels. Else as fits the photo.")
    ] = None,
) -> None:
    """Put rain, snow or haze on clean photos."""
    weather = Task.parse(task)
    plan = plan_jobs(photos, out)
    jobs = plan.jobs
    seeds = {job: seed + number for number, job in enumerate(jobs)}
    prepare_folders([job.output.parent for job in jobs])

    def work(job: Job) -> dict[str, Any]:
        photo = load_photo(job.source)
        degraded = degrade(photo.rgb[None], weather, seeds[job], size=size)[0].clamp(0, 1)
        save_photo(photo.with_rgb(degraded), job.output, file_format=job.file_format or photo.file.file_format)
        return {}

    report_outcomes(run_jobs(jobs, work), left_out=plan.left_out)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; None takes the arguments of the process."""
    # Pillow's remarks on damaged files: what matters of them is told in a line of ours.
    warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif|tifffile")
    prepare_terminal()
    try:
        app(arguments, prog_name="opir")
    except ONE_LINE_ERRORS as error:
        say(f"opir: {one_line(error)}", err=True)
        sys.exit(EXIT_BAD_INPUT)
