"""`firetower rules explain`: why each rule did or did not fire on a device at an instant."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from firetower.cli_backtest import moment_or_local
from firetower.core import logs
from firetower.core.clock import MINUTE, Micros, SystemClock, from_datetime
from firetower.core.config import load_settings
from firetower.core.errors import InvalidInput
from firetower.options import ConfigFile, DataDirOption, with_pool
from firetower.terminal import printable


def explain(  # noqa: PLR0917 - typer's options, always given by name
    device: Annotated[str, typer.Option(help="The device, as unit/device.")],
    at: Annotated[
        str | None, typer.Option(help="When: 2026-11-23T03:19:00+08:00; without a zone: the calendar's; absent: now.")
    ] = None,
    rulebook: Annotated[Path | None, typer.Option(help="Folder of another rulebook than the one in force.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything, as JSON.")] = False,
    config: ConfigFile = None,
    data_dir: DataDirOption = None,
) -> None:
    """Print, for each rule that applies to a device, the inputs, the state, and why it did or did not fire.

    The stored history of the device is replayed up to that instant under the rules in force, or under --rulebook.

    Example: firetower rules explain --device mall-01/hyd-7 --at 2026-11-23T03:19:00+08:00
    """
    from firetower.rules.book.rulebook import load

    logs.set_up("WARNING")
    unit, slash, name = device.partition("/")
    if not slash or not unit or not name:
        raise InvalidInput(f"--device {device!r} is no device; write the unit and the device: mall-01/hyd-7")
    now = SystemClock().now()
    instant = now if at is None else moment_or_local(at, "--at")
    book = None if rulebook is None else load(rulebook)
    told = with_pool(
        load_settings(config, data_dir=data_dir), lambda pool: _explain(pool, (unit, name), instant, book, now)
    )
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else "\n".join(text_of(told)))


def text_of(told: dict[str, Any]) -> list[str]:
    """Return the lines a person reads of an explanation."""
    from firetower.rules.told.explain import Speaker

    speaker = Speaker(_micros(told["at"]), told["zone"])
    heard = "never heard" if told["last_heard_at"] is None else f"last heard {_time(speaker, told['last_heard_at'])}"
    taken = ", in which --at was taken, too" if told["zone_taken"] else ""
    lines = [
        f"{told['device']} ({told['kind']}, reports every {speaker.span(round(told['interval_s'] * 1e6))}), {heard}",
        f"at {speaker.instant(speaker.now)}; all times are of the rulebook calendar's zone {told['zone']}{taken}",
        f"rulebook {told['rulebook']}; replayed from {_time(speaker, told['replayed_from'])} on",
    ]
    if told["others_left_out"]:
        lines.append(f"{told['others_left_out']} devices of its groups were left out: combinations may know less")
    for series in told["readings"]:
        newest = "; ".join(
            f"{_time(speaker, each['at'])} {each['value']:.6g} {series['unit']}{_remark(speaker, each)}"
            for each in series["newest"]
        )
        lines.append(f"  {series['metric']}: {newest}")
    for event in told["events"]:
        point = f" at {event['component']}" if event["component"] else ""
        turn = "begins" if event["active"] else "ends"
        lines.append(printable(f"  {_time(speaker, event['at'])} {event['event']} {turn}{point}"))
    for rule in told["rules"]:
        lines += ["", *_rule(rule)]
    return lines


def _rule(rule: dict[str, Any]) -> list[str]:
    state = f"FIRED (priority {rule['priority']})" if rule["active"] else "not fired"
    trial = ", on trial" if rule["on_trial"] else ""
    titles, where = f"{rule['title']['zh']} {rule['title']['en']}", rule["where"] or "given"
    name = f"{rule['rule']} {rule['component']}".rstrip()
    bands = rule["bands"] if len(rule["bands"]) > 1 else []
    why = "" if any(band["why"] == rule["why"] for band in bands) else f": {rule['why']}"
    lines = [f"{name}: {titles} (version {rule['version']}, {where})", f"  {state}{trial}{why}"]
    lines += [f"  other in {each['scope']}: {each['reason']} [{each['source']}]" for each in rule["overrides"]]
    lines += [f"  priority {band['priority']}: {band['why']}" for band in bands]
    return [printable(line) for line in lines]


def _remark(speaker: Any, reading: dict[str, Any]) -> str:
    """Return what is remarkable about a reading: its quality, and that it came late."""
    said = [] if reading["quality"] == "good" else [reading["quality"]]
    if _micros(reading["received_at"]) - _micros(reading["at"]) >= MINUTE:
        said.append(f"arrived {_time(speaker, reading['received_at'])}")
    return f" ({', '.join(said)})" if said else ""


def _time(speaker: Any, text: str) -> str:
    return str(speaker.time(_micros(text)))


def _micros(text: str) -> Micros:
    return from_datetime(datetime.fromisoformat(text))


async def _explain(pool: Any, named: tuple[str, str], at: Micros | datetime, book: Any, now: Micros) -> dict[str, Any]:
    from firetower.explain import Asked, explain

    return await explain(pool, Asked(*named, at, book), now=now)
