"""`python -m sefa_cli` is `sefa`."""

from sefa_cli.cli import main

main()
