"""`python -m opir` is the `opir` command."""

from opir.cli.commands import main

main()
