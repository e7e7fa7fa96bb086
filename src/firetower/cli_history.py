"""`firetower db verify-history`: whether the alert history is what was sealed."""

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firetower.core import logs
from firetower.core.config import load_settings
from firetower.core.errors import InvalidInput
from firetower.options import ConfigFile, DataDirOption, with_pool
from firetower.terminal import printable

if TYPE_CHECKING:  # the store's libraries are loaded by the commands that need them
    from firetower.storage.history_check import Checked, Printed

SHOWN = 200
"""Findings printed; the others are counted."""


def verify_history(
    day: Annotated[
        list[str] | None,
        typer.Option(help="What --hash is of, as the shift report says: a day, 2026-11-23, or an entry's number."),
    ] = None,
    hash_: Annotated[
        list[str] | None, typer.Option("--hash", help="A hash printed on a shift report; after each --day.")
    ] = None,
    start: Annotated[int, typer.Option("--from", min=1, help="The first entry to look at, by its number.")] = 1,
    config: ConfigFile = None,
    data_dir: DataDirOption = None,
) -> None:
    """Do the hash chain over the alert history again, and name what was changed behind Firetower since it was sealed.

    That is every sealed entry that was edited or deleted, and every one added that has no seal. What was added to an
    alert is sealed like any other once that alert changes again: only a check made before names it. A chain that was
    rebuilt as a whole is found by a hash on paper only. Exit status 0: intact; 1: something was found.

    Example: firetower db verify-history --day 2026-11-23 --hash 9f86d081884c7d659a2feaa0c55ad015…
    """
    logs.set_up("WARNING")
    printed = read_printed(day or [], hash_ or [])
    checked, found = with_pool(
        load_settings(config, data_dir=data_dir), lambda pool: _check(pool, start=start, printed=printed)
    )
    looked = f"{checked.sealed} sealed entries"
    if checked.last:
        looked += f", the last is {checked.last} with hash {checked.hash.hex()}"
    if checked.waiting:
        looked += f"; {'the sealer is behind, ' if checked.behind else ''}{checked.waiting} more wait for their seal"
    if found:
        if found > SHOWN:
            typer.echo(f"... and {found - SHOWN} more")
        typer.echo(f"The alert history is not what was sealed: {found} found wrong. Looked at {looked}.")
        raise typer.Exit(1)
    typer.echo(f"The alert history is intact: {looked}.")


def read_printed(days: list[str], hashes: list[str]) -> "list[Printed]":
    """Return hashes with what they are of; InvalidInput for one that is no hash, or is of nothing."""
    from firetower.storage.history_check import Printed

    if len(days) != len(hashes):
        raise InvalidInput(
            f"{len(days)} --day and {len(hashes)} --hash are given; each hash of a shift report stands with its day"
        )
    printed: list[Printed] = []
    for of, hex_ in zip(days, hashes, strict=True):
        if not re.fullmatch(r"[0-9a-fA-F]{64}", hex_):
            raise InvalidInput(f"--hash {hex_!r} is not 64 hexadecimal digits; copy all of it from the shift report")
        if re.fullmatch(r"[1-9][0-9]{0,17}", of):
            printed.append(Printed(None, int(of), bytes.fromhex(hex_)))
            continue
        try:
            printed.append(Printed(date.fromisoformat(of), None, bytes.fromhex(hex_)))
        except ValueError:
            raise InvalidInput(f"--day {of!r} is neither a day like 2026-11-23 nor an entry's number") from None
    return printed


async def _check(pool: Any, *, start: int, printed: "list[Printed]") -> "tuple[Checked, int]":
    from firetower.storage import history_check

    checked, found = history_check.Checked(), 0
    async for words in history_check.check(pool, checked, start=start, printed=printed):
        found += 1
        if found <= SHOWN:
            typer.echo(printable(words))
    return checked, found
