"""The command line: `opir restore`, `evaluate`, `inspect`, `degrade`, `train`, `calibrate`, `export` and `info`.

Whatever is wrong with the input is told in one line, and the command exits with 2.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import typer
from tqdm import tqdm

from opir import inspection
from opir.cli.cluster import run_on_ray
from opir.cli.folder import RestoreOptions
from opir.cli.jobs import (
    OUTPUT_SUFFIXES,
    SAME,
    STANDARD,
    TOLD_IN_ONE_LINE,
    Job,
    one_line,
    plan_jobs,
    run_jobs,
    written_to,
)
from opir.cli.options import checked_task, parse_maps, parse_point, parse_tile, read_levels
from opir.cli.outcomes import EXIT_BAD_INPUT, prepare_terminal, report_outcomes, say
from opir.cli.streaming import stream_jobs
from opir.config import PRESETS
from opir.data.pairs import pair_photos
from opir.data.published import find_pairs
from opir.degradations import degrade
from opir.evaluation.conformal import CROP_SIDE, calibrate
from opir.evaluation.metrics import SPACES
from opir.evaluation.scoring import evaluate
from opir.files import prepare_folders, written_whole
from opir.inference.error_bounds import beside
from opir.inference.restoration import Restoration
from opir.inference.restorer import Restorer
from opir.model import OPIR, count_gmacs, count_parameters
from opir.model.checkpoint import CheckpointError, load_model
from opir.model.onnx_export import EXPORT_FORMATS, export_model
from opir.photo import Photo, load_photo, save_photo
from opir.tasks import AUTO, TASK_NAMES, Task

ENGINES = ("local", "ray")


app = typer.Typer(
    help="Restore photos from rain, snow and haze, and see what was done.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Photos = Annotated[
    list[Path], typer.Argument(metavar="IN", help='Photos, folders of photos, or "-" for standard input.')
]
Out = Annotated[str, typer.Option("--out", "-o", help='A folder, a file name for one photo, or "-".')]
TaskName = Annotated[str, typer.Option(help=f"The weather: {AUTO} or one of {', '.join(TASK_NAMES)}.")]
Checkpoint = Annotated[str, typer.Option(help="A shipped name, a folder, a .safetensors file or a hub id.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Recursive = Annotated[bool, typer.Option("--recursive", help="Look into folders below the given ones too.")]
SkipExisting = Annotated[bool, typer.Option("--skip-existing", help="Leave results alone that are there.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
    recursive: Recursive = False,
    skip_existing: SkipExisting = False,
    file_format: Annotated[
        str, typer.Option("--format", help=f"{SAME}, or one of {', '.join(OUTPUT_SUFFIXES)}.")
    ] = SAME,
    strength: Annotated[float, typer.Option(min=0, max=1, help="0 keeps the photo, 1 restores it.")] = 1.0,
    maps: Annotated[str, typer.Option(help=f"Also write some of {','.join(inspection.MAPS)}.")] = "",
    as_json: AsJson = False,
    keep_location: Annotated[bool, typer.Option("--keep-location", help="Keep the GPS position too.")] = False,
    keep_time: Annotated[bool, typer.Option("--keep-time", help="Keep each file's time of change.")] = False,
    max_megapixels: Annotated[float | None, typer.Option(min=0.0001, help="Else 100, or what memory allows.")] = None,
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
    )
    plan = plan_jobs(photos, out, recursive, file_format)
    jobs = [job for job in plan.jobs if not (skip_existing and job.output.exists())]
    if not jobs:
        records: Iterable[dict[str, Any]] = []
    elif engine == "ray":
        prepare_folders(job.output.parent for job in jobs)
        records = run_on_ray(jobs, checkpoint, device, options.do, workers)
    else:
        restorer = Restorer.from_pretrained(checkpoint, device)
        prepare_folders(job.output.parent for job in jobs)

        def work(job: Job, photo: Photo) -> Restoration:
            return options.restore_with_bar(restorer, job, photo)

        records = stream_jobs(jobs, options.read, work, options.write)
    quiet = any(job.output == STANDARD for job in jobs)
    report_outcomes(records if log is None else written_to(log, records), as_json, plan.left_out, quiet)


@app.command("evaluate")
def evaluate_command(
    *,
    inputs: Annotated[Path | None, typer.Option("--input", help="Folder of degraded photos.")] = None,
    targets: Annotated[Path | None, typer.Option("--target", help="Folder of clean photos.")] = None,
    published: Annotated[
        str, typer.Option("--set", metavar="NAME=FOLDER", help="A published set instead, such as Rain100L=data.")
    ] = "",
    space: Annotated[str, typer.Option(help="rgb, or y (luma, usual for rain).")] = "rgb",
    task: TaskName = AUTO,
    checkpoint: Checkpoint = "lite",
    device: Device = "auto",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores to this file.")] = None,
) -> None:
    """Score a checkpoint on pairs; a target is named as its input, or as the part before "_"."""
    if space not in SPACES:
        raise ValueError(f'unknown space "{space}": use one of {", ".join(SPACES)}')
    task = checked_task(task)
    if published:
        name, _, folder = published.partition("=")
        pairs = find_pairs(name, folder)
    elif inputs and targets:
        pairs = pair_photos(inputs, targets)
    else:
        raise ValueError("name the pairs: --input FOLDER --target FOLDER, or --set NAME=FOLDER")
    restorer = Restorer.from_pretrained(checkpoint, device)
    with tqdm(total=len(pairs), unit="photo", disable=None) as bar:
        report = evaluate(
            lambda photo: restorer.restore(photo, task).restored_rgb, pairs, space, lambda *_: bar.update()
        )
    if json_file is not None:
        with written_whole(json_file) as file:
            file.write(json.dumps(report.to_dict(), indent=2).encode() + b"\n")
    say(
        f"{report.pairs} pairs, 8-bit {'RGB' if space == 'rgb' else 'Y of BT.601'}: "
        f"PSNR {report.psnr:.2f} dB (input {report.input_psnr:.2f}), "
        f"SSIM {report.ssim:.4f} (input {report.input_ssim:.4f})"
    )


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
) -> None:
    """Put rain, snow or haze on clean photos."""
    weather = Task.parse(task)
    plan = plan_jobs(photos, out)
    jobs = plan.jobs
    seeds = {job: seed + number for number, job in enumerate(jobs)}
    prepare_folders(job.output.parent for job in jobs)

    def work(job: Job) -> dict[str, Any]:
        photo = load_photo(job.source)
        degraded = degrade(photo.rgb[None], weather, seeds[job])[0].clamp(0, 1)
        save_photo(photo.with_rgb(degraded), job.output, file_format=job.file_format or photo.file.file_format)
        return {}

    report_outcomes(run_jobs(jobs, work), left_out=plan.left_out)


@app.command()
def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML file, see configs/.")],
    changes: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Other values.")] = None,
    stop_after: Annotated[float, typer.Option(metavar="MINUTES", help="Save and stop then; 0: at the end.")] = 0,
) -> None:
    """Train a model; a run that was stopped goes on where it was."""
    try:
        from opir.training.config import load_training_config
        from opir.training.loop import train as run
    except ImportError as error:
        raise ValueError(f'training needs {error.name}: install it with pip install "opir[train]"') from None
    limit = [f"stop_after_minutes={stop_after}"] if stop_after else []
    say(f"wrote {run(load_training_config(config, [*(changes or []), *limit]))}")


@app.command("calibrate")
def calibrate_command(
    *,
    clean: Annotated[Path, typer.Option(help="Folder of clean photos that the weights were not trained on.")],
    checkpoint: Checkpoint = "lite",
    seeds: Annotated[int, typer.Option(min=1, help="Draws of every weather for each photo.")] = 9,
    side: Annotated[int, typer.Option(min=32, help="Crops' largest side in pixels.")] = CROP_SIDE,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File; else beside the weights.")] = None,
) -> None:
    """Measure which error in grey levels each uncertainty stands for, and write it beside the weights."""
    restorer = Restorer.from_pretrained(checkpoint, device)
    with tqdm(unit="crop", disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        made = calibrate(restorer, clean, seeds, side, show)
    assert restorer.info is not None
    out = out or beside(restorer.info.path)
    made.save(out)
    say(f"wrote {out}")
    for weather in TASK_NAMES:
        shares = made.made_from["coverage"][weather]
        say(
            f"{weather:6} {fmean(shares):.1%} of pixels below their bound "
            f"({min(shares):.1%} to {max(shares):.1%} by part; each part of the photos tried with the others' curves)"
        )


@app.command()
def export(
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="As for --checkpoint of restore.")],
    *,
    file_format: Annotated[str, typer.Option("--format", help=", ".join(EXPORT_FORMATS))] = "onnx",
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder.")] = Path(),
) -> None:
    """Write a checkpoint as graphs that other programs run: of a photo's embedding, and of one level's stages."""
    prepare_folders([out])
    for path in export_model(checkpoint, file_format, out):
        say(f"wrote {path}")


@app.command()
def info(
    name: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="A checkpoint, or the name of a preset.")],
) -> None:
    """Tell a model's size, its cost and where its weights come from."""
    try:
        model, checkpoint = load_model(name)
        lines = {"file": str(checkpoint.path), "sha256": checkpoint.sha256}
        metadata = checkpoint.metadata
    except CheckpointError:
        if name not in PRESETS:
            raise
        model, lines, metadata = OPIR(PRESETS[name]), {"preset": f"{name} (no weights)"}, {}
    lines |= {
        "parameters": f"{count_parameters(model) / 1e6:.2f} M",
        "cost": ", ".join(f"{count_gmacs(model.config, size):.2f} GMACs at {size}x{size}" for size in (224, 256)),
    }
    lines |= {name: _compact(value) for name, value in (model.config.to_dict() | metadata).items()}
    width = max(map(len, lines))
    for key, value in lines.items():
        say(f"{key:{width}}  {value}")


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; None takes the arguments of the process."""
    # Pillow's remarks on damaged files: what matters of them is told in a line of ours.
    warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif|tifffile")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    prepare_terminal()
    try:
        app(arguments, prog_name="opir")
    except TOLD_IN_ONE_LINE as error:
        say(f"opir: {one_line(error)}", err=True)
        sys.exit(EXIT_BAD_INPUT)
