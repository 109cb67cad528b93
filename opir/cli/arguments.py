"""The command line as one object, and the arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opir import __version__
from opir.tasks import AUTO, TASK_NAMES

app = typer.Typer(
    help="Restore photos from rain, snow and haze, and see what was done.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"opir {__version__}")
        raise typer.Exit


@app.callback()
def opir(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version and stop.")
    ] = False,
) -> None:
    """Restore photos from rain, snow and haze, and see what was done."""


Photos = Annotated[
    list[Path], typer.Argument(metavar="IN", help='Photos, folders of photos, or "-" for standard input.')
]
Out = Annotated[
    str, typer.Option("--out", "-o", help='A folder, a file name for a single photo, or "-" for standard output.')
]
TaskName = Annotated[str, typer.Option(help=f"The weather: {AUTO} or one of {', '.join(TASK_NAMES)}.")]
Checkpoint = Annotated[str, typer.Option(help="A shipped name, a folder, a .safetensors file or a hub id.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Recursive = Annotated[bool, typer.Option("--recursive", help="Look into folders below the given ones too.")]
SkipExisting = Annotated[bool, typer.Option("--skip-existing", help="Leave results alone that are there.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
