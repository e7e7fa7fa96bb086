"""The `firetower rules` commands: check a rulebook, show its rules and what is in force in a scope."""

import json
from pathlib import Path
from typing import Annotated

import typer

from firetower.core.errors import InvalidInput

app = typer.Typer(
    help="The rulebook: check it, show it.", epilog="Example: firetower rules check my-rules/", no_args_is_help=True
)


@app.command("check")
def check(
    folder: Annotated[Path | None, typer.Argument(help="Folder of rulebook files; absent: the shipped one.")] = None,
) -> None:
    """Validate a rulebook; every problem is a line with file and line number, and the exit status is 1.

    Example: firetower rules check my-rules/
    """
    from firetower.rules.rulebook import load

    try:
        book = load(folder)
    except InvalidInput as err:
        typer.echo(str(err), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"The rulebook is sound: {len(book.rules)} rules.")


@app.command("show")
def show(
    folder: Annotated[Path | None, typer.Argument(help="Folder of rulebook files; absent: the shipped one.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only the rule of this id.")] = None,
) -> None:
    """Print the rulebook as JSON, every limit with its unit and its source.

    Example: firetower rules show --rule hydrant-pressure-low
    """
    from firetower.rules.rulebook import load

    shown = [item.model_dump(mode="json") for item in load(folder).rules if rule in (None, item.id)]
    if not shown:
        raise InvalidInput(f"there is no rule {rule!r}; `firetower rules show` lists them")
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
