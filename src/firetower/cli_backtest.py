"""`firetower rules backtest`: a rulebook tried on stored history, beside the rules in force."""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from firetower.core import logs
from firetower.core.clock import Micros, SystemClock, from_datetime
from firetower.core.config import load_settings
from firetower.core.errors import InvalidInput
from firetower.options import ConfigFile, DataDirOption, with_pool
from firetower.terminal import printable

_SHOWN = 20


def backtest(  # noqa: PLR0917 - typer's options, always given by name
    rulebook: Annotated[Path | None, typer.Option(help="Folder of the rulebook to try.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Begin: 2026-11-01 or 2026-11-01T08:00:00+08:00.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="End; absent: now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything, as JSON.")] = False,
    asked: Annotated[
        str | None, typer.Option("--id", help="Do one that was asked for through the API.", hidden=True)
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDirOption = None,
) -> None:
    """Replay stored history under a rulebook and under the rules in force, and say how the two differ.

    How many alerts by rule, class, unit and hour; what operators would have seen in ten minutes; which confirmed fires
    would have been missed (exit status 1), which false alarms avoided. Nothing is raised, stored or sent.

    Example: firetower rules backtest --rulebook my-rules/ --from 2026-11-01 --to 2026-11-08
    """
    from firetower.rules.book.rulebook import load

    logs.set_up("WARNING")
    settings = load_settings(config, data_dir=data_dir)
    if asked is not None:
        state = with_pool(settings, lambda pool: _do_asked(pool, asked))
        raise typer.Exit(0 if state in {"done", "cancelled"} else 1)
    if rulebook is None or since is None:
        raise InvalidInput("give --rulebook FOLDER and --from WHEN, for example --rulebook my-rules/ --from 2026-11-01")
    now = SystemClock().now()
    begin = moment(since, "--from")
    end = now if until is None else moment(until, "--to")
    book = load(rulebook)
    told = with_pool(settings, lambda pool: _backtest(pool, book, begin, end, now))
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else "\n".join(text_of(told)))
    raise typer.Exit(1 if told["fires"]["missed"] else 0)


def moment(given: str, option: str) -> Micros:
    """Return a time given on the command line, µs; without a zone it is the clock's of this machine."""
    at = moment_or_local(given, option)
    return from_datetime(at.astimezone()) if isinstance(at, datetime) else at


def moment_or_local(given: str, option: str) -> Micros | datetime:
    """Return a time given on the command line, µs; one without a zone as it is written."""
    try:
        at = datetime.fromisoformat(given)
        from_datetime(at.astimezone())
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{option} {given!r} is no time; accepted: 2026-11-01, 2026-11-01T08:00:00 or 2026-11-01T08:00:00+08:00"
        ) from None
    return at if at.tzinfo is None else from_datetime(at)


def text_of(told: dict[str, Any]) -> list[str]:
    """Return the lines a person reads of what a back-test told."""
    new, ruling, fires, false = told["new"], told["in_force"], told["fires"], told["false_alarms"]
    lines = [
        (
            f"{told['from']} to {told['to']}: {told['readings']} readings and {told['events']} alarms of"
            f" {told['devices']} devices, replayed from {told['replayed_from']} on, {told['times_real_time']:g} times"
            " as fast as they came."
        ),
        "",
        f"{'':<40} {'new':>9} {'in force':>9}",
    ]
    lines += [_row("alerts", new["alerts"], ruling["alerts"])]
    for name, words in (("by_class", "of class"), ("by_rule", "of rule")):
        for key in dict.fromkeys((*new[name], *ruling[name])):
            lines.append(_row(f"  {words} {key}", new[name].get(key, 0), ruling[name].get(key, 0)))
    for name in ("suppressed", "historical"):
        lines.append(_row(f"  {name}", new[name], ruling[name]))
    ours, theirs = new["seen_in_ten_minutes"], ruling["seen_in_ten_minutes"]
    lines.append(_row("seen in ten minutes, at most", ours["max"], theirs["max"]))
    lines.append(_row("seen in ten minutes, mean", ours["mean"], theirs["mean"]))
    lines += [
        _row(f"  stretches with {name}", ours["stretches"][name], theirs["stretches"][name])
        for name in ours["stretches"]
    ]
    lines.append(_row("confirmed fires missed", fires["missed"], fires["missed_by_rules_in_force"]))
    lines.append(_row("false alarms avoided", false["avoided"], false["avoided_by_rules_in_force"]))
    lines.append("")
    lines.append(f"{fires['confirmed']} confirmed fires, {false['found']} false alarms in the range.")
    for found, words in ((fires["list"], "missed fire"), (false["list"], "avoided false alarm")):
        lines += [
            printable(f"{words}: alert {each['alert']}, {each['rule']} on {each['subject']}, {each['device_at']}")
            for each in found[:_SHOWN]
        ]
    for name, words in (("appeared", "new"), ("gone", "gone")):
        part = told[name]
        lines += [
            printable(f"{words}: {each['rule']} on {each['subject']} {each['component']} ({each['alerts']} alerts)")
            for each in part["list"][:_SHOWN]
        ]
        if part["keys"] > _SHOWN:
            lines.append(f"{words}: {part['keys'] - _SHOWN} more; --json lists them")
    return lines


def _row(words: str, ours: float, theirs: float) -> str:
    return f"{words:<40} {ours:>9g} {theirs:>9g}"


async def _backtest(pool: Any, book: Any, since: Micros, until: Micros, now: Micros) -> dict[str, Any]:
    from firetower import backtest as backtests

    def progress(share: float) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\r{share:4.0%}", err=True, nl=share >= 1)

    return await backtests.backtest(pool, book, since, until, now=now, progress=progress)


async def _do_asked(pool: Any, backtest_id: str) -> str:
    from firetower.backtest_process import do_asked

    whole = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(whole), sys.stdin)
    try:
        return await do_asked(pool, backtest_id, SystemClock(), whole=whole)
    finally:
        transport.close()
