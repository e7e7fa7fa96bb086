"""`python -m firetower` is the `firetower` command."""

from firetower.cli import main

main()
