"""The command line, and the jobs of many photos, which the page has too."""

from opir.cli.jobs import Job, run_jobs
from opir.cli.outcomes import EXIT_BAD_INPUT

__all__ = ["EXIT_BAD_INPUT", "Job", "main", "run_jobs"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; None takes the arguments of the process."""
    from opir.cli.commands import main as run  # the page, which needs jobs, needs no commands

    run(arguments)
