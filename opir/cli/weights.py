"""Commands for weights: `opir evaluate`, `train`, `calibrate`, `export` and `info`."""

import json
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import typer
from tqdm import tqdm

from opir.cli.arguments import Checkpoint, Device, TaskName, app
from opir.cli.options import checked_task
from opir.cli.outcomes import say
from opir.config import PRESETS
from opir.data.pairs import pair_photos
from opir.data.published import LAYOUTS, find_pairs
from opir.evaluation.conformal import CROP_SIDE, calibrate
from opir.evaluation.metrics import SPACES
from opir.evaluation.scoring import evaluate
from opir.files import prepare_folders, written_whole
from opir.inference.error_bounds import beside
from opir.inference.restorer import Restorer
from opir.model import OPIR, count_gmacs, count_parameters
from opir.model.checkpoint import CheckpointError, load_model
from opir.model.onnx_export import EXPORT_FORMATS, export_model
from opir.model.record import training_record
from opir.tasks import AUTO, TASK_NAMES


@app.command("evaluate")
def evaluate_command(
    *,
    inputs: Annotated[Path | None, typer.Option("--input", help="Folder of degraded photos.")] = None,
    targets: Annotated[Path | None, typer.Option("--target", help="Folder of clean photos.")] = None,
    published: Annotated[
        str, typer.Option("--set", metavar="NAME=FOLDER", help="A published set instead, such as Rain100L=data.")
    ] = "",
    space: Annotated[
        str, typer.Option(help="rgb, or y (luma). Else what a published set is scored on: y for rain; rgb.")
    ] = "",
    task: TaskName = AUTO,
    checkpoint: Checkpoint = "lite",
    device: Device = "auto",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores to this file.")] = None,
) -> None:
    """Score a checkpoint on pairs; a target is named as its input, or as the part before "_"."""
    task = checked_task(task)
    if space and space not in SPACES:
        raise ValueError(f'unknown space "{space}": use one of {", ".join(SPACES)}')
    if published:
        name, _, folder = published.partition("=")
        pairs = find_pairs(name, folder or ".")
        space = space or LAYOUTS[name].space
    elif inputs and targets:
        pairs = pair_photos(inputs, targets)
    else:
        raise ValueError("name the pairs: --input FOLDER --target FOLDER, or --set NAME=FOLDER")
    space = space or "rgb"
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
    """Measure which error in grey values each uncertainty stands for, and write it beside the weights."""
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
    record = training_record(metadata)
    if record is not None:
        lines["trained"] = record.describe()
    lines |= {name: _compact(value) for name, value in (model.config.to_dict() | metadata).items()}
    width = max(map(len, lines))
    for key, value in lines.items():
        say(f"{key:{width}}  {value}")


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
