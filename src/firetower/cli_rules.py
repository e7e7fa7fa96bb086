"""The `firetower rules` commands: check a rulebook, show its rules and what is in force in a scope."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firetower import cli_backtest, cli_explain
from firetower.core.errors import InvalidInput

if TYPE_CHECKING:
    from firetower.rules.book.model import Override, Rule
    from firetower.rules.book.rulebook import Rulebook

app = typer.Typer(
    help="The rulebook: check it, show it.", epilog="Example: firetower rules check my-rules/", no_args_is_help=True
)


@app.command("check")
def check(
    folder: Annotated[Path | None, typer.Argument(help="Folder of rulebook files; absent: the shipped one.")] = None,
) -> None:
    """Validate a rulebook; every problem is a line with file and line number, and the exit status is 1.

    What it has looser than shipped for fire and prealarm, as two persons decided, is listed.

    Example: firetower rules check my-rules/
    """
    from firetower.rules.book.rulebook import load

    try:
        book = load(folder, guarded=True)
    except InvalidInput as err:
        typer.echo(str(err), err=True)
        raise typer.Exit(1) from None
    more = f", {len(book.overrides)} overrides" if book.overrides else ""
    typer.echo(f"The rulebook is sound: {len(book.rules)} rules{more}.")
    for each in book.loosened:
        there = f"in {each.scope.level} {each.scope.value}" if each.scope is not None else "everywhere"
        who = f", by {each.loosened.by} and {each.loosened.approved_by}" if each.loosened is not None else ""
        typer.echo(f"Looser than shipped: {each.rule.id} {there}: {'; '.join(each.what)}{who}")


@app.command("show")
def show(
    rule: Annotated[str | None, typer.Argument(help="Only the rule of this id; absent: all of them.")] = None,
    rulebook: Annotated[Path | None, typer.Option(help="Folder of rulebook files; absent: the shipped one.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="Show what is in force there: district=east, unit=mall-01, device=mall-01/smk-1; repeatable."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rules as JSON.")] = False,
) -> None:
    """Print rules: their words, their limits with unit and source, and their overrides or what is in force in a scope.

    Example: firetower rules show hydrant-pressure-low --scope district=east --scope unit=water
    """
    from firetower.rules.book.rulebook import load

    book = load(rulebook)
    chosen = [each for each in book.rules if rule in {None, each.id}]
    if not chosen:
        raise InvalidInput(f"there is no rule {rule!r}; `firetower rules show` lists them")
    there = None if scope is None else _scopes(scope)
    shown = [found for each in chosen if (found := _in_force(book, each, there)) is not None]
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in shown], ensure_ascii=False, indent=2))
        return
    _print(book, shown, [each.id for each in chosen], there)


def _scopes(given: list[str]) -> dict[str, str]:
    from firetower.rules.book.model import LEVELS

    found: dict[str, str] = {}
    for each in given:
        level, _, value = each.partition("=")
        if level not in LEVELS or not value:
            raise InvalidInput(f"--scope {each} is no scope; give one of {', '.join(LEVELS)} and =, then its value")
        if level in found:
            raise InvalidInput(f"--scope {each}: {level} is given twice, and a device has one; keep one of the two")
        found[level] = value
    return found


def _overrides(book: "Rulebook", rule_id: str, there: dict[str, str] | None) -> "list[tuple[int, Override]]":
    """Return the overrides of a rule, with their places from 1, that fit ``there`` (None: all), wide before narrow."""
    from firetower.rules.book.model import LEVELS

    fitting = [
        (number, each)
        for number, each in enumerate(book.overrides, 1)
        if each.rule == rule_id
        and (there is None or each.scope.level == "city" or there.get(each.scope.level) == each.scope.value)
    ]
    return sorted(fitting, key=lambda item: LEVELS.index(item[1].scope.level))


def _in_force(book: "Rulebook", rule: "Rule", there: dict[str, str] | None) -> "Rule | None":
    from firetower.rules.book.overrides import resolved

    return rule if there is None else resolved(rule, [each for _, each in _overrides(book, rule.id, there)])


def _print(book: "Rulebook", shown: "list[Rule]", chosen: list[str], there: dict[str, str] | None) -> None:
    from firetower.rules.book.wording import lines, override_lines

    on = {each.id: each for each in shown}
    for rule_id in chosen:
        told = lines(on[rule_id], book.where.get(rule_id, "")) if rule_id in on else [f"{rule_id}  off there"]
        typer.echo("\n".join(told))
        for number, override in _overrides(book, rule_id, there):
            typer.echo("\n".join(override_lines(override, book.where.get(f"overrides[{number}]", ""))))
        typer.echo("")


app.command("explain")(cli_explain.explain)
app.command("backtest")(cli_backtest.backtest)
