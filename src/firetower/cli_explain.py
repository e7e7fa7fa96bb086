"""`firetower rules explain`: why each rule did or did not fire on a device at an instant."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from firetower.cli_backtest import moment
from firetower.core import logs
from firetower.core.clock import Micros, SystemClock
from firetower.core.config import load_settings
from firetower.core.errors import InvalidInput
from firetower.options import ConfigFile, DataDirOption, with_pool
from firetower.terminal import printable


def explain(  # noqa: PLR0917 - typer's options, always given by name
    device: Annotated[str, typer.Option(help="The device, as unit/device.")],
    at: Annotated[str | None, typer.Option(help="When: 2026-11-23T03:19:00+08:00; absent: now.")] = None,
    rulebook: Annotated[Path | None, typer.Option(help="Folder of another rulebook than the one in force.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything, as JSON.")] = False,
    config: ConfigFile = None,
    data_dir: DataDirOption = None,
) -> None:
    """Print, for each rule that applies to a device, the inputs, the state, and why it did or did not fire.

    The stored history of the device is replayed up to that instant under the rules in force, or under --rulebook.

    Example: firetower rules explain --device mall-01/hyd-7 --at 2026-11-23T03:19:00+08:00
    """
    from firetower.rules.rulebook import load

    logs.set_up("WARNING")
    unit, slash, name = device.partition("/")
    if not slash or not unit or not name:
        raise InvalidInput(f"--device {device!r} is no device; write the unit and the device: mall-01/hyd-7")
    now = SystemClock().now()
    instant = now if at is None else moment(at, "--at")
    book = None if rulebook is None else load(rulebook)
    told = with_pool(
        load_settings(config, data_dir=data_dir), lambda pool: _explain(pool, (unit, name), instant, book, now)
    )
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else "\n".join(text_of(told)))


def text_of(told: dict[str, Any]) -> list[str]:
    """Return the lines a person reads of an explanation."""
    heard = told["last_heard_at"] or "never"
    lines = [
        (
            f"{told['device']} ({told['kind']}, reports every {told['interval_s']:g} s) at {told['at']}, rulebook"
            f" {told['rulebook']}; last heard {heard}; replayed from {told['replayed_from']} on"
        )
    ]
    if told["others_left_out"]:
        lines.append(f"{told['others_left_out']} devices of its groups were left out: combinations may know less")
    for series in told["readings"]:
        newest = "; ".join(
            f"{each['at']} {each['value']:g} {series['unit']}"
            + ("" if each["quality"] == "good" else f" ({each['quality']})")
            for each in series["newest"]
        )
        lines.append(f"  {series['metric']}: {newest}")
    lines += [
        printable(f"  {each['at']} {each['event']} {each['component']} {'begins' if each['active'] else 'ends'}")
        for each in told["events"]
    ]
    for rule in told["rules"]:
        state = "FIRED" if rule["active"] else "not fired"
        trial = ", on trial" if rule["on_trial"] else ""
        lines.append("")
        lines.append(
            f"{rule['rule']} version {rule['version']} ({rule['where'] or 'given'}) {rule['component']}".rstrip()
        )
        lines.append(printable(f"  {state}{trial}: {rule['why']}"))
        lines += [
            printable(f"  other in {each['scope']}: {each['reason']} [{each['source']}]") for each in rule["overrides"]
        ]
        lines += [printable(f"  priority {band['priority']}: {band['why']}") for band in rule["bands"]]
    return lines


async def _explain(pool: Any, named: tuple[str, str], at: Micros, book: Any, now: Micros) -> dict[str, Any]:
    from firetower.explain import Asked, explain

    return await explain(pool, Asked(*named, at, book), now=now)
