"""`python -m opir` is the `opir` command."""

from opir.cli import main

main()
